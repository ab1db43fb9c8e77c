import { dottedName, isName, skipWords, type Token, tokenize } from '../complete/tokens.ts'

/**
 * What statements, given in their order, name that only their session can tell of: a prepared statement, a cursor, or a table that a
 * statement before makes. The gateway, asked beforehand and without that session, knows none of them. In words; a statement without such
 * names is not in the map.
 */
export function sessionNames<S extends { text: string }>(statements: readonly S[]): Map<S, string> {
  const made = new Set<string>()
  const named = new Map<S, string>()
  for (const statement of statements) {
    const tokens = tokenize(statement.text)
    const what = namedBy(tokens, made)
    if (what !== undefined) named.set(statement, what)
    const name = madeBy(tokens)
    if (name !== undefined) made.add(name)
  }
  return named
}

function namedBy(tokens: readonly Token[], made: ReadonlySet<string>): string | undefined {
  const [first] = tokens
  if (first?.kind !== 'word') return undefined
  if (first.text === 'execute') return `what ${dottedName(tokens, 1)[0]?.text ?? 'it'} was prepared as`
  if (first.text === 'fetch' || first.text === 'move') return 'what its cursor was declared for'
  const named = tokens.find((t, i) => made.has(t.text) && isName(t) && tokens[i - 1]?.text !== 'as')
  return named === undefined ? undefined : `${named.text} is made before it`
}

/** The table or view that a statement makes. */
function madeBy(tokens: readonly Token[]): string | undefined {
  const first = tokens[0]?.text
  if (first === 'create') {
    const at = tokens.findIndex((t) => t.text === 'table' || t.text === 'view')
    return at === -1 || at > 5 ? undefined : nameAfter(tokens, at, ['if', 'not', 'exists'])
  }
  if (first !== 'select' && first !== 'with') return undefined
  const into = tokens.findIndex((t) => t.kind === 'word' && t.text === 'into' && t.depth === 0)
  return into === -1 ? undefined : nameAfter(tokens, into, ['temp', 'temporary', 'unlogged', 'table'])
}

/** The name behind a keyword and the words that may follow it, without its schema. */
function nameAfter(tokens: readonly Token[], at: number, words: readonly string[]): string | undefined {
  return dottedName(tokens, skipWords(tokens, at + 1, words)).at(-1)?.text
}
