import { ORPCError } from '@orpc/server'
import type { Kysely } from 'kysely'
import type { Estimate } from '../../shared/api/models.ts'
import type { Caller } from '../api/context.ts'
import type { Audit } from '../audit/audit.ts'
import type { Events } from '../events/events.ts'
import type { Connections, LocalAgent, Log } from '../services.ts'
import { type Database, json } from '../store/database.ts'
import type { Sealer } from '../store/seal.ts'
import { type RequestRow, textContext } from './rows.ts'
import { audience } from './store.ts'

export interface RowsAtTargetOptions {
  db: Kysely<Database>
  sealer: Sealer
  audit: Audit
  events: Events
  agent: Pick<LocalAgent, 'rows'>
  connections: Connections
  clock: { now(): Date }
  log: Log
}

/** How many rows a held statement concerns: planned for every one, counted when a reviewer wants it. */
export class RowsAtTarget {
  readonly #options: RowsAtTargetOptions

  constructor(options: RowsAtTargetOptions) {
    this.#options = options
  }

  /** For the reviewers of a request that was just stored. Never rejects: they decide without it then. */
  async plan(id: string, connection: string, text: string, searchPath: string): Promise<void> {
    const { agent, clock, connections, db, events, log } = this.#options
    const target = connections.get(connection)?.target
    if (target?.kind !== 'postgres') return
    try {
      const answer = await agent.rows(target, { how: 'plan', text, searchPath })
      const estimate: Estimate = answer.ok
        ? { state: 'planned', rows: answer.rows, at: clock.now().toISOString() }
        : { state: 'unavailable', reason: answer.reason }
      await db.transaction().execute(async (trx) => {
        const row = await trx
          .updateTable('requests')
          .set({ estimate: json(estimate) })
          .where('id', '=', id)
          .returningAll()
          .executeTakeFirst()
        if (row !== undefined) await events.publish(trx, { type: 'request', id }, audience(row))
      })
    } catch (error) {
      log.warn({ err: error, request: id }, 'the rows of a held statement can’t be estimated')
    }
  }

  /** For somebody who may decide on it, and once more whenever they want. Throws CONFLICT, in words, when it can't be told. */
  async count(caller: Caller, row: RequestRow): Promise<void> {
    const { agent, audit, clock, connections, events, sealer } = this.#options
    const target = connections.get(row.connection_name)?.target
    if (row.text_sealed === null || target?.kind !== 'postgres') throw conflict('There are no rows to count here.')
    const text = sealer.open(row.text_sealed, textContext(row.id))
    const answer = await agent.rows(target, { how: 'count', text, searchPath: row.binding.search_path ?? '' })
    if (!answer.ok) throw conflict(answer.reason)
    const by = caller.principal.id
    const count = { rows: answer.rows, ms: answer.ms, at: clock.now().toISOString(), by }
    await audit.within(async (trx, append) => {
      await trx
        .updateTable('requests')
        .set({ row_count: json(count) })
        .where('id', '=', row.id)
        .execute()
      await append({ actor: by, action: 'request.count', subject: row.id, detail: { rows: answer.rows } })
      await events.publish(trx, { type: 'request', id: row.id }, audience(row))
    })
  }
}

function conflict(message: string): ORPCError<'CONFLICT', undefined> {
  return new ORPCError('CONFLICT', { message })
}
