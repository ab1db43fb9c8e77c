/** The parts of a saved query's path or folder as they are kept: without blanks and slashes that say nothing. */
export function pathParts(written: string): string[] {
  return written
    .split('/')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}
