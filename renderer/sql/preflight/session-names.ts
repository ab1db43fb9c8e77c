import { type Token, tokenize } from '../complete/tokens.ts'

/**
 * What a statement names that only its session can tell of: a prepared statement, a cursor, or a table that a statement before it makes.
 * The gateway, asked beforehand and without that session, knows none of them. In words; undefined where there is nothing.
 */
export function sessionNames(statement: string, earlier: readonly string[]): string | undefined {
  const tokens = tokenize(statement)
  const [first] = tokens
  if (first?.kind !== 'word') return undefined
  if (first.text === 'execute') return `what ${nameAt(tokens, 1) ?? 'it'} was prepared as`
  if (first.text === 'fetch' || first.text === 'move') return 'what its cursor was declared for'
  const made = new Set(earlier.flatMap(madeBy))
  const named = tokens.find((t, i) => made.has(t.text) && isName(t) && tokens[i - 1]?.text !== 'as')
  return named === undefined ? undefined : `${named.text} is made before it`
}

/** The table or view that a statement makes. */
function madeBy(statement: string): string[] {
  const tokens = tokenize(statement)
  if (tokens[0]?.text === 'create') {
    const at = tokens.findIndex((t) => t.text === 'table' || t.text === 'view')
    if (at === -1 || at > 5) return []
    let i = at + 1
    while (['if', 'not', 'exists'].includes(tokens[i]?.text ?? '')) i += 1
    return lastName(tokens, i)
  }
  if (tokens[0]?.text !== 'select' && tokens[0]?.text !== 'with') return []
  const into = tokens.findIndex((t) => t.kind === 'word' && t.text === 'into' && t.depth === 0)
  if (into === -1) return []
  let i = into + 1
  while (['temp', 'temporary', 'unlogged', 'table'].includes(tokens[i]?.text ?? '')) i += 1
  return lastName(tokens, i)
}

function lastName(tokens: readonly Token[], at: number): string[] {
  const name = tokens[at + 1]?.text === '.' ? nameAt(tokens, at + 2) : nameAt(tokens, at)
  return name === undefined ? [] : [name]
}

function nameAt(tokens: readonly Token[], at: number): string | undefined {
  const token = tokens[at]
  return token !== undefined && isName(token) ? token.text : undefined
}

function isName(token: Token): boolean {
  return token.kind === 'word' || token.kind === 'quoted'
}
