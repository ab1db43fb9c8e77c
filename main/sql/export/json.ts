import type { ResultColumn } from '../../../shared/rpc/contract.ts'
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

const numbers = new Set(['int2', 'int4', 'int8', 'float4', 'float8', 'numeric', 'oid'])

/**
 * A cell as JSON: numbers that a double holds exactly are numbers, others strings, so that no digit is lost on the way. `json` and
 * `jsonb` stay what they are. What is masked is text, whatever the column's type.
 */
export function jsonValue(cell: string | null, { type, masked }: ResultColumn): string {
  if (cell === null) return 'null'
  if (masked !== undefined) return JSON.stringify(cell)
  if (type === 'bool') return cell === 't' ? 'true' : 'false'
  if (numbers.has(type) && isExactNumber(cell)) return cell
  if ((type === 'json' || type === 'jsonb') && isJson(cell)) return cell
  return JSON.stringify(cell)
}

/** Whether a number's text is what JavaScript itself would write for it. `1.10` and 2^53 + 1 are not. */
export function isExactNumber(text: string): boolean {
  return /^-?\d/.test(text) && String(Number(text)) === text
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** `id`, `id` becomes `id`, `id_2`. */
export function uniqueNames(names: readonly string[]): string[] {
  const taken = new Set(names)
  const seen = new Set<string>()
  return names.map((name) => {
    let unique = name
    for (let n = 2; seen.has(unique); n += 1) {
      const next = `${name}_${n}`
      if (!taken.has(next)) unique = next
    }
    seen.add(unique)
    return unique
  })
}
