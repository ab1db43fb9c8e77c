import { write as say, sentence } from '../annotations.ts'
import type { Line } from '../line.ts'
import type { CatalogLock, CatalogUnread } from './locks.ts'

/** Our words on a statement that did not run because its names can't be looked up. */
export function unreadError(error: CatalogUnread, { processId, target }: Pick<Line, 'processId' | 'target'>): Buffer {
  const { locks, message } = error
  if (locks === undefined) {
    return say({
      severity: 'ERROR',
      sqlstate: '58000',
      message: `What names stand for can not be looked up at the target: ${sentence(message)} Nothing ran.`,
      hint: 'The session goes on: run it again in a while. Where that gives the same answer, tell the people who run the gateway.',
    })
  }
  const own = locks.some((lock) => lock.processId === processId)
  const words = locks.map((lock) => `${tableOf(lock, target)} is locked by process ${lock.processId}`)
  const who = words.length === 0 ? 'a table of the catalog is locked' : [...new Set(words)].join(', ')
  return say({
    severity: 'ERROR',
    sqlstate: '55P03',
    message: `What names stand for can not be looked up: ${who}${own ? ', which is this session' : ''}. Nothing ran.`,
    hint: own
      ? 'COMMIT or ROLLBACK ends the lock, and then names are looked up again. BEGIN, SAVEPOINT, SET and SHOW run meanwhile.'
      : 'The session goes on: run it again when the lock is gone. BEGIN, COMMIT, ROLLBACK, SAVEPOINT, SET and SHOW run meanwhile.',
  })
}

function tableOf({ relation }: CatalogLock, target: Line['target']): string {
  return target.current?.relationByOid(relation)?.name ?? `the table of the catalog with the number ${relation}`
}
