import { setTimeout as sleep } from 'node:timers/promises'
import { ORPCError } from '@orpc/server'
import type { Kysely } from 'kysely'
import type { Estimate } from '../../shared/api/models.ts'
import type { RowsRequest, Target } from '../../shared/link.ts'
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
  /** Pauses before each further attempt to plan. */
  retryMs?: readonly number[]
}

const defaultRetryMs = [300, 1_000, 3_000, 10_000]
/** By then whoever stored it has planned it, or has failed to. */
const missingAfterMs = 10_000

/** How many rows a held statement concerns: planned for every one, counted when a reviewer wants it. */
export class RowsAtTarget {
  readonly #options: RowsAtTargetOptions
  readonly #planning = new Set<string>()

  constructor(options: RowsAtTargetOptions) {
    this.#options = options
  }

  /** For the reviewers of a request that was just stored. Never rejects: they decide without it then. */
  async plan(id: string, connection: string, text: string, searchPath: string): Promise<void> {
    const target = this.#options.connections.get(connection)?.target
    if (target?.kind !== 'postgres' || this.#planning.has(id)) return
    this.#planning.add(id)
    try {
      await this.#keep(id, await this.#planned(target, { how: 'plan', text, searchPath }))
    } catch (error) {
      this.#options.log.warn(
        { err: error, request: id },
        'the rows of a held statement can’t be estimated; trying again',
      )
    } finally {
      this.#planning.delete(id)
    }
  }

  /** Again for those that wait and have no estimate yet: what was to plan them failed. Never rejects. */
  async planMissing(): Promise<void> {
    const { clock, db, log, sealer } = this.#options
    try {
      const rows = await db
        .selectFrom('requests')
        .selectAll()
        .where('state', '=', 'pending')
        .where('kind', '=', 'once')
        .where('estimate', 'is', null)
        .where('created_at', '<', new Date(clock.now().getTime() - missingAfterMs))
        .execute()
      for (const row of rows) {
        if (row.connection.kind !== 'postgres' || row.text_sealed === null) continue
        const text = sealer.open(row.text_sealed, textContext(row.id))
        await this.plan(row.id, row.connection_name, text, row.binding.search_path ?? '')
      }
    } catch (error) {
      log.warn({ err: error }, 'held statements without an estimate can’t be read')
    }
  }

  /** Asks once more, and again, while what stands in the way may pass. */
  async #planned(target: Target, request: RowsRequest): Promise<Estimate> {
    const { agent, clock } = this.#options
    const waits = [...(this.#options.retryMs ?? defaultRetryMs)]
    for (;;) {
      const answer = await agent.rows(target, request)
      if (answer.ok) return { state: 'planned', rows: answer.rows, at: clock.now().toISOString() }
      const wait = answer.passing === true ? waits.shift() : undefined
      if (wait === undefined) return { state: 'unavailable', reason: answer.reason }
      await sleep(wait, undefined, { ref: false })
    }
  }

  async #keep(id: string, estimate: Estimate): Promise<void> {
    const { db, events } = this.#options
    await db.transaction().execute(async (trx) => {
      const row = await trx
        .updateTable('requests')
        .set({ estimate: json(estimate) })
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirst()
      if (row !== undefined) await events.publish(trx, { type: 'request', id }, audience(row))
    })
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
