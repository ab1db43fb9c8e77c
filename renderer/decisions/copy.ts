/** Puts text on the clipboard. Where the system refuses, the console says so: there is nothing that the person could do. */
export function copyText(text: string): void {
  navigator.clipboard.writeText(text).catch((error: unknown) => console.warn('Nothing was copied.', error))
}
