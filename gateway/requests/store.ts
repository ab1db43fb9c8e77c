import { createHash } from 'node:crypto'
import type { Insertable, Kysely, Transaction } from 'kysely'
import type { ConnectionRef } from '../../shared/connection.ts'
import type { Principal } from '../../shared/principal.ts'
import type { Audit, AuditEntry } from '../audit/audit.ts'
import type { Audience, Events } from '../events/events.ts'
import { type Database, json } from '../store/database.ts'
import { groupsOf, type RequestRow, type ReviewRow } from './rows.ts'

export interface RequestStoreOptions {
  db: Kysely<Database>
  audit: Audit
  events: Events
  clock: { now(): Date }
  /** Tells people outside the client; within the transaction of the change. */
  tell?: TellChange
}

export type Append = (entry: AuditEntry) => Promise<void>

/** What happened to a request, for those who are told of it. */
export type RequestChange =
  | { kind: 'asked' }
  | { kind: 'reason' }
  | { kind: 'reminded' }
  /** One of several approvals. */
  | { kind: 'approval'; by: string; given: number }
  | { kind: 'approved'; by: readonly string[] }
  | { kind: 'denied'; by: string; reason: string }
  | { kind: 'expired' }
  | { kind: 'cancelled' }
  | { kind: 'escalated'; groups: readonly string[] }
  | { kind: 'broken'; by: string }
  | { kind: 'reviewed-after'; by: string; verdict: 'accepted' | 'disputed'; reason: string }
  | { kind: 'revoked'; by: string }

export type TellChange = (trx: Transaction<Database>, row: RequestRow, change: RequestChange) => Promise<void>

export type RequestValues = Omit<
  Insertable<Database['requests']>,
  'state' | 'requester_id' | 'requester' | 'connection_name' | 'connection'
>

/** Requests come and go here: each change is stored with its audit record and its event, or not at all. */
export class RequestStore {
  readonly #options: RequestStoreOptions

  constructor(options: RequestStoreOptions) {
    this.#options = options
  }

  /** `then` may decide at once, in the same transaction: nobody ever sees the request undecided. */
  async insert(
    requester: Principal,
    connection: ConnectionRef,
    values: RequestValues,
    then?: (trx: Transaction<Database>, append: Append, row: RequestRow) => Promise<void>,
  ): Promise<void> {
    await this.#options.audit.within(async (trx, append) => {
      const row = await trx
        .insertInto('requests')
        .values({
          ...values,
          state: 'pending',
          requester_id: requester.id,
          requester: json(requester),
          connection_name: connection.name,
          connection: json(connection),
          created_at: this.#options.clock.now(),
        })
        .returningAll()
        .executeTakeFirstOrThrow()
      await append({ actor: requester.id, action: 'request.create', subject: row.id, detail: auditDetail(row) })
      if (then !== undefined) await then(trx, append, row)
      else await this.publish(trx, row, { kind: 'asked' })
    })
  }

  /** Tells clients and people of a change, last thing in its transaction. */
  async publish(trx: Transaction<Database>, row: RequestRow, change: RequestChange): Promise<void> {
    await this.#options.tell?.(trx, row, change)
    await this.#options.events.publish(trx, { type: 'request', id: row.id }, audience(row))
  }

  /** Ids of those whose time is up. */
  async due(): Promise<string[]> {
    const rows = await this.#options.db
      .selectFrom('requests')
      .select('id')
      .where('state', '=', 'pending')
      .where('expires_at', '<=', this.#options.clock.now())
      .execute()
    return rows.map((row) => row.id)
  }

  /** Ids of those that a session still waits for. */
  async waitingOf(sessionId: string): Promise<string[]> {
    const rows = await this.#options.db
      .selectFrom('requests')
      .select('id')
      .where('session_id', '=', sessionId)
      .where('state', '=', 'pending')
      .execute()
    return rows.map((row) => row.id)
  }

  /** How often one person asked for access since then. */
  async askedSince(requesterId: string, since: Date): Promise<number> {
    const { count } = await this.#options.db
      .selectFrom('requests')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where('requester_id', '=', requesterId)
      .where('kind', '=', 'grant')
      .where('created_at', '>', since)
      .executeTakeFirstOrThrow()
    return count
  }

  /** Ids of those of one person that wait for a decision. */
  async waitingFor(requesterId: string): Promise<string[]> {
    const rows = await this.#options.db
      .selectFrom('requests')
      .select('id')
      .where('requester_id', '=', requesterId)
      .where('state', '=', 'pending')
      .execute()
    return rows.map((row) => row.id)
  }

  /** How many of one person wait for a decision. */
  async pendingOf(requesterId: string): Promise<number> {
    const { count } = await this.#options.db
      .selectFrom('requests')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where('requester_id', '=', requesterId)
      .where('state', '=', 'pending')
      .executeTakeFirstOrThrow()
    return count
  }

  /** Ends those of them that are still pending; resolves with which. */
  async end(ids: readonly string[], state: 'expired' | 'cancelled', by: string): Promise<readonly string[]> {
    if (ids.length === 0) return []
    const { audit, clock } = this.#options
    return audit.within(async (trx, append) => {
      const rows = await trx
        .updateTable('requests')
        .set({ state, decided_at: clock.now() })
        .where('id', 'in', ids)
        .where('state', '=', 'pending')
        .returningAll()
        .execute()
      const action = state === 'expired' ? 'request.expire' : 'request.cancel'
      for (const row of rows) await append({ actor: by, action, subject: row.id, detail: auditDetail(row) })
      for (const row of rows) await this.publish(trx, row, { kind: state })
      return rows.map((row) => row.id)
    })
  }
}

/** Verdicts on requests, in the order in which they were given. */
export function readReviews(db: Kysely<Database>, ids: readonly string[]): Promise<ReviewRow[]> {
  if (ids.length === 0) return Promise.resolve([])
  return db.selectFrom('reviews').selectAll().where('request_id', 'in', ids).orderBy('id').execute()
}

/**
 * What the audit log keeps: the hash of a text, never the text, which may hold what is masked elsewhere. Where it does, the hash is that
 * of the sealed text in the store: a few digits can't be guessed from it, and it still proves which text that was.
 */
export function auditDetail(row: RequestRow): Record<string, unknown> {
  return {
    kind: row.kind,
    requester: row.requester_id,
    connection: row.connection_name,
    policy: row.policy.id,
    group: row.approval.group,
    ...(row.kind === 'once'
      ? { session: row.session_id, action: row.action, ...hashOf(row) }
      : { actions: row.actions, dataClasses: row.data_classes, seconds: row.duration_seconds, asked: row.reason }),
  }
}

function hashOf({ hidden_classes: hidden, text_sha256: plain, text_sealed: sealed }: RequestRow) {
  if (hidden.length === 0 || sealed === null) return { textSha256: plain }
  return { sealedSha256: createHash('sha256').update(sealed).digest('hex') }
}

/** Whom a change of a request concerns. */
export function audience(row: RequestRow): Audience {
  return { principals: [row.requester_id], groups: groupsOf(row) }
}
