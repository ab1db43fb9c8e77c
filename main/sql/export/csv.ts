import type { Table } from './format.ts'

/**
 * RFC 4180: CRLF, a header line, quotes where they are needed. NULL is an empty field and an empty string is `""`, as in
 * PostgreSQL's own CSV, so that the two stay apart.
 */
export async function* encodeCsv({ columns, pages }: Table): AsyncGenerator<string, void, void> {
  yield `${columns.map((column) => field(column.name)).join(',')}\r\n`
  for await (const rows of pages) {
    let text = ''
    for (const row of rows) text += `${row.map((cell) => (cell === null ? '' : field(cell))).join(',')}\r\n`
    yield text
  }
}

function field(text: string): string {
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
