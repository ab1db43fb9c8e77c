import { fail } from '../problem.ts'
import type { SqlLink } from './link.ts'
import type { Row } from './result.ts'

const mostRows = 200_000

/** Around what is run to be measured, in a transaction of the person's. */
export const savepoint = {
  set: 'SAVEPOINT sallyport_measured',
  back: 'ROLLBACK TO SAVEPOINT sallyport_measured',
  drop: 'RELEASE SAVEPOINT sallyport_measured',
} as const
export type OwnWords = 'BEGIN' | 'ROLLBACK' | (typeof savepoint)[keyof typeof savepoint]

/** Runs one statement of our own and collects its rows. Rejects with a ProblemError: the server's words, or the end of the session. */
export function queryRows(link: SqlLink, sql: string): Promise<Row[]> {
  return new Promise((resolve, reject) => {
    const rows: Row[] = []
    let failed: string | undefined
    link.listen({
      onMessage(message) {
        if (message.type === 'row' && rows.length < mostRows) rows.push(message.row)
        else if (message.type === 'error') failed = message.words.message
        else if (message.type === 'ready') {
          link.listen(undefined)
          if (failed === undefined) resolve(rows)
          else reject(fail('failed', failed))
        }
      },
      onEnd: reject,
    })
    link.wire.query(sql)
  })
}
