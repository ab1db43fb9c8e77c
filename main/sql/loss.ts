import type { Work } from '../../shared/rpc/contract.ts'
import type { TransactionState } from '../../shared/rpc/editor.ts'
import { transactionEnd } from '../../shared/sql/transaction.ts'
import { fail, type ProblemError } from '../problem.ts'

/** What becomes of what was written in a transaction whose session ends under `text`. */
export function workUnder(text: string, transaction: TransactionState, onlyRead: boolean): Work {
  // Nothing of a failed one could have been kept.
  if (transaction !== 'open' || onlyRead) return 'none'
  const end = transactionEnd(text)
  if (end === 'rollback') return 'none'
  return end === 'commit' ? 'unknown' : 'rolled-back'
}

/** What to say where the session ended before COMMIT or ROLLBACK was answered. */
export function endedUnder(how: 'commit' | 'rollback', { message }: ProblemError): ProblemError {
  if (how === 'rollback') return fail('session-ended', `The session ended, and its transaction with it: ${message}`)
  return fail('session-ended', `The session ended before the database said that it committed: ${message}`, {
    hint: 'The transaction is committed as a whole or not at all: look before you do it again.',
  })
}
