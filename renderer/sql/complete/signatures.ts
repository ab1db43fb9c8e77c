import type { CatalogFunction, Signature } from '../../../shared/rpc/editor.ts'
import type { CatalogIndex } from './catalog.ts'
import { closing, isName, isPlainName, openedBefore, type Token } from './tokens.ts'

/** The parameters of a function, each as PostgreSQL writes it: `since date DEFAULT now()`. */
export function parametersOf({ arguments: text }: Signature): string[] {
  const parts: string[] = []
  let depth = 0
  let quote = ''
  let from = 0
  for (let i = 0; i < text.length; i += 1) {
    const char = text.charAt(i)
    if (quote !== '') quote = char === quote ? '' : quote
    else if (char === "'" || char === '"') quote = char
    else if ('([{'.includes(char)) depth += 1
    else if (')]}'.includes(char)) depth -= 1
    else if (char === ',' && depth === 0) {
      parts.push(text.slice(from, i).trim())
      from = i + 1
    }
  }
  const last = text.slice(from).trim()
  return last === '' ? parts : [...parts, last]
}

/** `name(arguments) → result` */
export function signatureText({ name }: Pick<CatalogFunction, 'name'>, { arguments: args, result }: Signature): string {
  return result === '' ? `${name}(${args})` : `${name}(${args}) → ${result}`
}

/** The signature that takes so many arguments; the first where none does. */
export function fitting({ signatures }: CatalogFunction, given: number): number {
  const at = signatures.findIndex((signature) => {
    const taken = parametersOf(signature).filter((parameter) => !parameter.startsWith('OUT '))
    const optional = taken.filter((parameter) => / DEFAULT /.test(parameter)).length
    const many = taken.some((parameter) => parameter.startsWith('VARIADIC '))
    return given >= taken.length - optional - (many ? 1 : 0) && (many || given <= taken.length)
  })
  return Math.max(at, 0)
}

/** How many arguments a call has whose parenthesis stands at `open`; `up`: counted to there alone. */
function argumentsAt(tokens: readonly Token[], open: number, up = Number.POSITIVE_INFINITY): number {
  const depth = (tokens[open]?.depth ?? 0) + 1
  const inside = tokens.slice(open + 1, closing(tokens, open)).filter((t) => t.start < up)
  if (inside.length === 0) return 0
  return 1 + inside.filter((t) => t.depth === depth && t.text === ',' && t.kind === 'punctuation').length
}

/** How many arguments the function gets whose name is the token at `at`. */
export function givenArguments(tokens: readonly Token[], at: number): number {
  return argumentsAt(tokens, at + 1)
}

export interface Call {
  function: CatalogFunction
  /** The argument that is being written, from 0, and how many there are. */
  argument: number
  given: number
}

/** The call whose arguments are written at `offset`, the innermost; undefined outside of calls and within a subquery. */
export function callAt(tokens: readonly Token[], offset: number, index: CatalogIndex): Call | undefined {
  for (const open of openedBefore(tokens, offset).reverse()) {
    if (tokens[open + 1]?.text === 'select' || tokens[open + 1]?.text === 'with') return undefined
    const name = tokens[open - 1]
    if (!isName(name) || name.end !== tokens[open]?.start) continue
    const schema = tokens[open - 2]?.text === '.' ? tokens[open - 3]?.text : undefined
    const routine = index.routine(schema, name.text)
    if (routine === undefined) {
      // `IN (`, `VALUES (`: no call.
      if (isPlainName(name)) return undefined
      continue
    }
    const before = argumentsAt(tokens, open, offset)
    return { function: routine, argument: Math.max(before - 1, 0), given: argumentsAt(tokens, open) }
  }
  return undefined
}
