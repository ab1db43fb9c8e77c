import { isIdentifierStart, skipIdentifier, skipTrivia } from './lex.ts'

/**
 * How a statement stands to a transaction: `control` begins, ends or divides one itself; `alone` may not be in one; anything else is
 * `plain`. By its first words, for convenience only: the server has the last word.
 */
export function transactionRole(statement: string): 'control' | 'alone' | 'plain' {
  const head = firstWords(statement, 5)
  if (
    /^(?:begin|start transaction|commit|end|rollback|abort|savepoint|release|prepare transaction|set transaction)\b/.test(
      head,
    )
  )
    return 'control'
  if (
    /^(?:vacuum|cluster$|reindex (?:database|system)|alter system|discard all|(?:create|drop|alter) (?:database|tablespace|subscription))\b/.test(
      head,
    ) ||
    /^(?:create|drop|reindex)\b.*\bconcurrently\b/.test(head)
  )
    return 'alone'
  return 'plain'
}

/** Whether a statement ends a transaction, and what becomes of it then. By its first words, as above. */
export function transactionEnd(statement: string): 'commit' | 'rollback' | undefined {
  const head = firstWords(statement, 4)
  if (/^(?:commit|end|prepare transaction)\b/.test(head)) return 'commit'
  return /^(?:abort|rollback)\b(?!(?: work| transaction)? to\b)/.test(head) ? 'rollback' : undefined
}

/** What to tell people of a session that ended with an open transaction, or under its COMMIT. */
export const workWords = {
  'rolled-back': 'The session ended, and its transaction was rolled back: nothing that was written in it is kept.',
  unknown:
    'The session ended before the database said that it committed. The transaction is committed as a whole or not at all: look before you do it again.',
} as const

/** The first words in lower case, without comments: `create unique index`. */
function firstWords(text: string, most: number): string {
  const words: string[] = []
  let i = skipTrivia(text, 0)
  while (words.length < most && i < text.length && isIdentifierStart(text.charCodeAt(i))) {
    const stop = skipIdentifier(text, i)
    words.push(text.slice(i, stop).toLowerCase())
    i = skipTrivia(text, stop)
  }
  return words.join(' ')
}
