/** A text as an escape string, which means the same whatever `standard_conforming_strings` is. */
export function literal(text: string): string {
  return `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
}
