import { jsonValue, uniqueNames } from '../../../shared/sql/values.ts'
import type { Table } from './format.ts'

/** An array of objects, one row a line. Names that occur twice get a number. Values keep what they are; see `jsonValue`. */
export async function* encodeJson({ columns, pages }: Table): AsyncGenerator<string, void, void> {
  const keys = uniqueNames(columns.map((column) => column.name)).map((name) => JSON.stringify(name))
  yield '['
  let separator = '\n'
  for await (const rows of pages) {
    let text = ''
    for (const row of rows) {
      const members = columns.map((column, i) => `${keys[i]}:${jsonValue(row[i] ?? null, column)}`)
      text += `${separator}{${members.join(',')}}`
      separator = ',\n'
    }
    yield text
  }
  yield '\n]\n'
}
