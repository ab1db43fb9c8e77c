import type { Kysely, Selectable, Transaction } from 'kysely'
import { covers, isAction } from '../../shared/actions.ts'
import type { Grant } from '../../shared/decision.ts'
import type { Audit } from '../audit/audit.ts'
import type { Events } from '../events/events.ts'
import { newId } from '../secrets.ts'
import type { Grants, Log } from '../services.ts'
import { type Database, json } from '../store/database.ts'

export interface NewGrant {
  requestId: string
  principalId: string
  connection: string
  actions: readonly string[]
  dataClasses: readonly string[]
  durationSeconds: number
  approvedBy: readonly string[]
}

export interface GrantsOptions {
  db: Kysely<Database>
  events: Events
  audit: Audit
  log: Log
}

export type GrantRow = Selectable<Database['grants']>

/** setTimeout counts no further than this. */
const longestTimer = 2 ** 31 - 1
const sweepMs = 15_000

/**
 * Grants in force, held in memory and pushed to live sessions the moment they change. The table is the truth:
 * `refresh` reads it after every change here and after every hint of a change elsewhere.
 */
export class GrantBook implements Grants {
  readonly #options: GrantsOptions
  #open: readonly Grant[] = []
  #timer: NodeJS.Timeout | undefined
  #sweep: NodeJS.Timeout | undefined
  #forget: () => void = () => {}
  #work: Promise<void> = Promise.resolve()
  #changed: (principalId: string, connection: string) => void = () => {}

  constructor(options: GrantsOptions) {
    this.#options = options
  }

  /** `changed` is called whenever the grants of a principal on a connection are not what they were. */
  async start(changed: (principalId: string, connection: string) => void): Promise<void> {
    this.#changed = changed
    this.#sweep = setInterval(() => void this.#endDue(), sweepMs)
    this.#sweep.unref()
    this.#forget = this.#options.events.onHint((type) => {
      if (type === 'grant' || type === '') void this.refresh()
    })
    await this.#endDue()
  }

  close(): Promise<void> {
    this.#forget()
    clearInterval(this.#sweep)
    clearTimeout(this.#timer)
    return this.#work
  }

  inForce(principalId: string, connection?: string): Promise<readonly Grant[]> {
    return Promise.resolve(this.now(principalId, connection))
  }

  /** The same without a wait. */
  now(principalId: string, connection?: string): readonly Grant[] {
    const now = Date.now()
    return this.#open.filter(
      (grant) =>
        grant.principalId === principalId &&
        (connection === undefined || grant.connection === connection) &&
        Date.parse(grant.endsAt) > now,
    )
  }

  /** Whether a grant in force lets the principal do something that policy holds. */
  covering(principalId: string, connection: string, action: string): Grant | undefined {
    return this.now(principalId, connection).find((grant) =>
      grant.actions.some((granted) => (isAction(action) ? covers(granted, action) : granted === action)),
    )
  }

  async find(id: string): Promise<GrantRow | undefined> {
    return this.#options.db.selectFrom('grants').selectAll().where('id', '=', id).executeTakeFirst()
  }

  /**
   * Stores a grant that begins now and lasts as long as was asked for, whenever it was asked. Call `refresh` after the
   * commit.
   */
  async create(trx: Transaction<Database>, grant: NewGrant): Promise<Grant> {
    const startsAt = new Date()
    const row = await trx
      .insertInto('grants')
      .values({
        id: newId('gra'),
        request_id: grant.requestId,
        principal_id: grant.principalId,
        connection_name: grant.connection,
        actions: json(grant.actions),
        data_classes: json(grant.dataClasses),
        approved_by: json(grant.approvedBy),
        starts_at: startsAt,
        ends_at: new Date(startsAt.getTime() + grant.durationSeconds * 1000),
      })
      .returningAll()
      .executeTakeFirstOrThrow()
    return toGrant(row)
  }

  /** Ends a grant now. Undefined when it had ended already. Live sessions have lost it when this resolves. */
  async revoke(id: string, by: string): Promise<Grant | undefined> {
    const { audit, events } = this.#options
    const revoked = await audit.within(async (trx, append) => {
      const now = new Date()
      const row = await trx
        .updateTable('grants')
        .set({ revoked_at: now, revoked_by: by, ended_at: now })
        .where('id', '=', id)
        .where('ended_at', 'is', null)
        .where('ends_at', '>', now)
        .returningAll()
        .executeTakeFirst()
      if (row === undefined) return undefined
      await trx.updateTable('requests').set({ state: 'revoked' }).where('id', '=', row.request_id).execute()
      const grant = toGrant(row)
      await append({ actor: by, action: 'grant.revoke', subject: id, detail: { ...grant } })
      await events.publish(trx, { type: 'grant', id, state: 'ended' }, { principals: [grant.principalId, by] })
      return grant
    })
    await this.refresh()
    return revoked
  }

  /** Reads what is in force, and tells whom it changed for. */
  refresh(): Promise<void> {
    this.#work = this.#work.then(() => this.#read()).catch((error: unknown) => this.#failed(error))
    return this.#work
  }

  async #read(): Promise<void> {
    const rows = await this.#options.db
      .selectFrom('grants')
      .selectAll()
      .where('ended_at', 'is', null)
      .where('ends_at', '>', new Date())
      .orderBy('ends_at')
      .execute()
    const before = new Map(this.#open.map((grant) => [grant.id, grant]))
    this.#open = rows.map(toGrant)
    const changed = new Map<string, Grant>()
    for (const grant of this.#open) if (!before.delete(grant.id)) changed.set(place(grant), grant)
    for (const grant of before.values()) changed.set(place(grant), grant)
    this.#wakeAtNextEnd()
    for (const grant of changed.values()) this.#changed(grant.principalId, grant.connection)
  }

  #wakeAtNextEnd(): void {
    clearTimeout(this.#timer)
    const next = this.#open[0]
    if (next === undefined) return
    const wait = Math.min(Math.max(Date.parse(next.endsAt) - Date.now(), 0), longestTimer)
    this.#timer = setTimeout(() => void this.#endDue(), wait)
    this.#timer.unref()
  }

  /** Closes what has run out: sessions lose it first, then it is written down. */
  async #endDue(): Promise<void> {
    await this.refresh()
    const { audit, events } = this.#options
    try {
      await audit.within(async (trx, append) => {
        const rows = await trx
          .updateTable('grants')
          .set((eb) => ({ ended_at: eb.ref('ends_at') }))
          .where('ended_at', 'is', null)
          .where('ends_at', '<=', new Date())
          .returningAll()
          .execute()
        for (const row of rows) {
          const grant = toGrant(row)
          await append({ actor: 'gateway', action: 'grant.end', subject: grant.id, detail: { ...grant } })
        }
        for (const row of rows) {
          await events.publish(trx, { type: 'grant', id: row.id, state: 'ended' }, { principals: [row.principal_id] })
        }
      })
    } catch (error) {
      this.#failed(error)
    }
  }

  /** What is in memory still ends at its time; what was revoked elsewhere is found by the next round. */
  #failed(error: unknown): void {
    this.#options.log.error({ err: error }, 'grants can’t be read or closed; trying again')
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#endDue(), 1_000)
    this.#timer.unref()
  }
}

function place(grant: Grant): string {
  return `${grant.principalId}\n${grant.connection}`
}

export function toGrant(row: GrantRow): Grant {
  return {
    id: row.id,
    principalId: row.principal_id,
    connection: row.connection_name,
    actions: row.actions,
    dataClasses: row.data_classes,
    startsAt: row.starts_at.toISOString(),
    endsAt: (row.revoked_at ?? row.ends_at).toISOString(),
    requestId: row.request_id,
    approvedBy: row.approved_by,
  }
}
