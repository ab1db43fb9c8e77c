import type { ResultColumn } from '../rpc/contract.ts'

/** Types whose values are numbers: everything else is text to those who read a result elsewhere. */
export const numberTypes: ReadonlySet<string> = new Set(['int2', 'int4', 'int8', 'float4', 'float8', 'numeric', 'oid'])

/** As many digits as every double keeps. */
const keptDigits = 15

/** Whether a double holds a number as it is written: `1.10` is 1.1, and 2^53 + 1 is another number there. */
export function isExactNumber(text: string): boolean {
  if (!/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?$/.test(text)) return false
  const digits = text.replace(/e.*$/, '').replace(/\D/g, '').replace(/^0+/, '')
  return digits.length <= keptDigits || String(Number(text)) === text
}

/**
 * A cell as JSON: numbers that a double holds exactly are numbers, others strings, so that no digit is lost on the way. `json` and
 * `jsonb` stay what they are. What is masked is text, whatever the column's type.
 */
export function jsonValue(cell: string | null, { type, masked }: ResultColumn): string {
  if (cell === null) return 'null'
  if (masked !== undefined) return JSON.stringify(cell)
  if (type === 'bool') return cell === 't' ? 'true' : 'false'
  if (numberTypes.has(type) && isExactNumber(cell)) return cell
  if ((type === 'json' || type === 'jsonb') && isJson(cell)) return cell
  return JSON.stringify(cell)
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
