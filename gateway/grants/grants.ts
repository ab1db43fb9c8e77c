import type { Kysely, Selectable, Transaction } from 'kysely'
import { covers, isAction } from '../../shared/actions.ts'
import type { Grant } from '../../shared/decision.ts'
import type { Audit, AuditEntry } from '../audit/audit.ts'
import type { Events } from '../events/events.ts'
import type { TellChange } from '../requests/store.ts'
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
  /** The start that was asked for; now, if that has passed or there is none. */
  startsAt?: Date | undefined
  /** A grant that it goes on from, if that still holds. */
  extends?: string | undefined
  approvedBy: readonly string[]
}

export interface GrantsOptions {
  db: Kysely<Database>
  events: Events
  audit: Audit
  /** The store's time. */
  clock: { now(): Date }
  /** Tells people outside the client. */
  tell?: TellChange
  log: Log
}

export type GrantRow = Selectable<Database['grants']>

/** setTimeout counts no further than this. */
const longestTimer = 2 ** 31 - 1
const sweepMs = 15_000

/**
 * Grants not yet over, held in memory and pushed to live sessions the moment they change. The table is the truth:
 * `refresh` reads it after every change here and after every hint of a change elsewhere. Each has a deadline by this process's
 * monotonic clock that only ever moves closer: no clock that is set, here or at the store, makes it last longer.
 */
export class GrantBook implements Grants {
  readonly #options: GrantsOptions
  #open: readonly Grant[] = []
  /** By grant, in milliseconds of `performance.now()`. */
  #times = new Map<string, { start: number; deadline: number }>()
  /** Those in force when somebody was last told. */
  #told = new Map<string, Grant>()
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
    return this.#open
      .filter(
        (grant) =>
          grant.principalId === principalId &&
          (connection === undefined || grant.connection === connection) &&
          this.#inForce(grant),
      )
      .map(begun)
  }

  #inForce({ id }: Grant): boolean {
    const times = this.#times.get(id)
    const now = performance.now()
    return times !== undefined && times.start <= now && now < times.deadline
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
   * Stores a grant that begins now, at the start that was asked for, or where the one that it extends ends; and lasts as long
   * as was asked for from there, whenever it was asked. Call `refresh` after the commit.
   */
  async create(trx: Transaction<Database>, grant: NewGrant): Promise<Grant> {
    const now = this.#options.clock.now()
    const before =
      grant.extends === undefined
        ? undefined
        : await trx
            .selectFrom('grants')
            .select('ends_at')
            .where('id', '=', grant.extends)
            .where('principal_id', '=', grant.principalId)
            .where('ended_at', 'is', null)
            .executeTakeFirst()
    const starts = [now, grant.startsAt ?? now, before?.ends_at ?? now]
    const startsAt = new Date(Math.max(...starts.map((each) => each.getTime())))
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
        extends_grant: before === undefined ? null : (grant.extends ?? null),
      })
      .returningAll()
      .executeTakeFirstOrThrow()
    return toGrant(row)
  }

  /**
   * Ends a grant now, and those that were to go on from it. Undefined when it had ended already. Live sessions have lost it
   * when this resolves.
   */
  async revoke(id: string, by: string): Promise<Grant | undefined> {
    const { audit, clock } = this.#options
    const revoked = await audit.within(async (trx, append) => {
      const now = clock.now()
      const row = await this.#revokeOne(trx, append, id, by, now)
      for (let last = row; last !== undefined; ) {
        const next = await trx
          .selectFrom('grants')
          .select('id')
          .where('extends_grant', '=', last.id)
          .where('ended_at', 'is', null)
          .executeTakeFirst()
        last = next && (await this.#revokeOne(trx, append, next.id, by, now))
      }
      return row
    })
    await this.refresh()
    return revoked
  }

  /** Ends all of somebody who left. */
  async revokeAll(principalId: string, by: string): Promise<void> {
    const rows = await this.#options.db
      .selectFrom('grants')
      .select('id')
      .where('principal_id', '=', principalId)
      .where('ended_at', 'is', null)
      .where('ends_at', '>', this.#options.clock.now())
      .execute()
    for (const { id } of rows) await this.revoke(id, by)
  }

  async #revokeOne(
    trx: Transaction<Database>,
    append: (entry: AuditEntry) => Promise<void>,
    id: string,
    by: string,
    now: Date,
  ): Promise<Grant | undefined> {
    const row = await trx
      .updateTable('grants')
      .set({ revoked_at: now, revoked_by: by, ended_at: now })
      .where('id', '=', id)
      .where('ended_at', 'is', null)
      .where('ends_at', '>', now)
      .returningAll()
      .executeTakeFirst()
    if (row === undefined) return undefined
    const request = await trx
      .updateTable('requests')
      .set({ state: 'revoked' })
      .where('id', '=', row.request_id)
      .returningAll()
      .executeTakeFirstOrThrow()
    const grant = toGrant(row)
    const action = by === grant.principalId ? 'grant.give-back' : 'grant.revoke'
    await append({ actor: by, action, subject: id, detail: { ...grant } })
    await this.#options.tell?.(trx, request, { kind: 'revoked', by })
    await this.#options.events.publish(
      trx,
      { type: 'grant', id, state: 'ended' },
      { principals: [grant.principalId, by] },
    )
    return grant
  }

  /** Reads what is in force, and tells whom it changed for. */
  refresh(): Promise<void> {
    this.#work = this.#work.then(() => this.#read()).catch((error: unknown) => this.#failed(error))
    return this.#work
  }

  async #read(): Promise<void> {
    const { clock } = this.#options
    const now = clock.now()
    const rows = await this.#options.db
      .selectFrom('grants')
      .selectAll()
      .where('ended_at', 'is', null)
      .where('ends_at', '>', now)
      .orderBy('ends_at')
      .execute()
    const times = new Map<string, { start: number; deadline: number }>()
    for (const row of rows) {
      const start = performance.now() + row.starts_at.getTime() - now.getTime()
      const deadline = performance.now() + row.ends_at.getTime() - now.getTime()
      const before = this.#times.get(row.id) ?? { start, deadline }
      times.set(row.id, { start: Math.min(start, before.start), deadline: Math.min(deadline, before.deadline) })
    }
    this.#times = times
    this.#open = rows.map(toGrant)
    const before = this.#told
    this.#told = new Map(this.#open.filter((grant) => this.#inForce(grant)).map((grant) => [grant.id, grant]))
    const changed = new Map<string, Grant>()
    for (const grant of this.#told.values()) if (!before.delete(grant.id)) changed.set(place(grant), grant)
    for (const grant of before.values()) changed.set(place(grant), grant)
    this.#wakeAtNextChange()
    for (const grant of changed.values()) this.#changed(grant.principalId, grant.connection)
  }

  #wakeAtNextChange(): void {
    clearTimeout(this.#timer)
    const now = performance.now()
    const times = [...this.#times.values()]
    const starts = times.map(({ start }) => start - now).filter((wait) => wait > 0)
    const wait = Math.min(...starts, ...times.map(({ deadline }) => deadline - now))
    if (wait === Number.POSITIVE_INFINITY) return
    this.#timer = setTimeout(() => void this.#endDue(), Math.min(Math.max(Math.ceil(wait), 0), longestTimer))
    this.#timer.unref()
  }

  /** Closes what has run out: sessions lose it first, then it is written down. */
  async #endDue(): Promise<void> {
    const over = [...this.#times].filter(([, { deadline }]) => deadline <= performance.now()).map(([id]) => id)
    await this.refresh()
    const { audit, clock, events } = this.#options
    try {
      await audit.within(async (trx, append) => {
        const rows = await trx
          .updateTable('grants')
          .set((eb) => ({ ended_at: eb.ref('ends_at') }))
          .where('ended_at', 'is', null)
          .where((eb) =>
            eb.or([eb('ends_at', '<=', clock.now()), ...(over.length === 0 ? [] : [eb('id', 'in', over)])]),
          )
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

/** As an agent sees it, whose clock may be a little behind the store's: what is in force has begun. */
function begun(grant: Grant): Grant {
  const now = new Date().toISOString()
  return grant.startsAt <= now ? grant : { ...grant, startsAt: now }
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
    ...(row.revoked_by === null ? {} : { endedBy: row.revoked_by }),
    ...(row.extends_grant === null ? {} : { extends: row.extends_grant }),
  }
}
