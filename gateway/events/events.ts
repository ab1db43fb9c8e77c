import { type Kysely, sql, type Transaction } from 'kysely'
import { z } from 'zod'
import type { Log } from '../services.ts'
import { type Database, json } from '../store/database.ts'
import type { Listener } from '../store/listener.ts'

/**
 * What happened, for clients. A row is a pointer ("request req_… changed"), not the thing itself: what a subscriber gets
 * is made for that subscriber, at the time of sending. LISTEN/NOTIFY only wakes readers; the table is the truth.
 */
export const EventPayload = z.discriminatedUnion('type', [
  z.object({ type: z.literal('request'), id: z.string() }),
  z.object({ type: z.literal('grant'), id: z.string(), state: z.enum(['active', 'ended']) }),
  z.object({ type: z.literal('session'), id: z.string() }),
  z.object({ type: z.literal('policy'), version: z.string() }),
])
export type EventPayload = z.infer<typeof EventPayload>

/** Whom an event may concern. A coarse filter: whether they may see it is asked again when it is sent. */
export const Audience = z.object({
  everyone: z.boolean().default(false),
  principals: z.array(z.string()).default([]),
  groups: z.array(z.string()).default([]),
  /** Also those who may replay or kill sessions on this connection. */
  sessionsOn: z.string().optional(),
})
export type Audience = z.input<typeof Audience>

export interface NewEvent {
  payload: EventPayload
  audience: Audience
}

export interface StoredEvent {
  id: number
  audience: z.output<typeof Audience>
  payload: EventPayload
}

/** An event as its row has it, for whoever adds it in a statement of their own. */
export function eventRow({ payload, audience }: NewEvent): Pick<StoredEvent, 'audience' | 'payload'> {
  return { payload, audience: Audience.parse(audience) }
}

const channel = 'sallyport_events'
/** Held from the insert to the commit, so that ids become visible in order and a reader's cursor misses none. */
const publishLock = 7_717_003
const sweepMs = 3_600_000
const keptMs = 24 * 3_600_000
/** Readers look this often even if no hint came: the listening connection may be down. */
const pollMs = 5_000

export class Events {
  readonly #db: Kysely<Database>
  readonly #listener: Listener
  readonly #log: Log
  readonly #wake = new Set<() => void>()
  readonly #hints = new Set<(type: string) => void>()
  /** Reads under way, by cursor: streams that were woken together read once. */
  #reading = new Map<number, Promise<StoredEvent[]>>()
  #sweep: NodeJS.Timeout | undefined
  #unsubscribe: (() => void) | undefined
  #closed = false

  constructor(options: { db: Kysely<Database>; listener: Listener; log: Log }) {
    this.#db = options.db
    this.#listener = options.listener
    this.#log = options.log
  }

  async start(): Promise<void> {
    this.#unsubscribe = await this.#listener.subscribe(channel, (type) => {
      // What is under way may have begun before the change that this tells of.
      this.#reading = new Map()
      for (const wake of this.#wake) wake()
      for (const hear of this.#hints) hear(type)
    })
    this.#sweep = setInterval(() => {
      this.sweep().catch((error: unknown) => this.#log.error({ err: error }, 'old events can’t be removed'))
    }, sweepMs)
    this.#sweep.unref()
  }

  /**
   * Calls back when something of a type changed, here or at another replica, and with an empty type when hints may have
   * been missed. Returns what stops it.
   */
  onHint(hear: (type: string) => void): () => void {
    this.#hints.add(hear)
    return () => this.#hints.delete(hear)
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#sweep)
    this.#unsubscribe?.()
    for (const wake of this.#wake) wake()
  }

  /** Adds an event, last thing in the transaction of the change that it tells of. */
  publish(trx: Transaction<Database>, payload: EventPayload, audience: Audience): Promise<void> {
    return this.publishAll(trx, [{ payload, audience }])
  }

  /** Several at once, as `publish`. */
  async publishAll(trx: Transaction<Database>, events: readonly NewEvent[]): Promise<void> {
    await sql`select pg_advisory_xact_lock(${publishLock})`.execute(trx)
    await trx
      .insertInto('events')
      .values(
        events.map((event) => {
          const { audience, payload } = eventRow(event)
          return { type: payload.type, audience: json(audience), payload: json(payload) }
        }),
      )
      .execute()
    const types = [...new Set(events.map(({ payload }) => payload.type))]
    await sql`select pg_notify(${channel}, type) from unnest(${types}::text[]) as type`.execute(trx)
  }

  /** Wakes readers, here and at other replicas, for events that were stored without. They look by themselves after a while. */
  hint(type: EventPayload['type']): void {
    if (this.#closed) return
    this.#listener
      .notify(channel, type)
      .catch((error: unknown) => this.#log.warn({ err: error }, 'readers of events can’t be woken'))
  }

  /** Adds an event about something that is stored already; failing to is logged, because the thing itself has happened. */
  async tell(payload: EventPayload, audience: Audience): Promise<void> {
    try {
      await this.#db.transaction().execute((trx) => this.publish(trx, payload, audience))
    } catch (error) {
      this.#log.error({ err: error, event: payload }, 'clients can’t be told of an event')
    }
  }

  /** Tells every client that another policy set is in force. */
  policyChanged(version: string): Promise<void> {
    return this.tell({ type: 'policy', version }, { everyone: true })
  }

  /** Id of the newest event; 0 when there is none. */
  async newest(): Promise<number> {
    const row = await this.#db
      .selectFrom('events')
      .select((eb) => eb.fn.max('id').as('id'))
      .executeTakeFirst()
    return row?.id ?? 0
  }

  /** Events after `cursor`, as they come, until `signal` aborts. Each at least once, in order. */
  async *follow(cursor: number, signal: AbortSignal): AsyncGenerator<StoredEvent, void, undefined> {
    let after = cursor
    let heard = true
    let rest: (() => void) | undefined
    const wake = () => {
      heard = true
      rest?.()
    }
    this.#wake.add(wake)
    signal.addEventListener('abort', wake)
    try {
      while (!signal.aborted) {
        heard = false
        const events = await this.#shared(after)
        for (const event of events) {
          yield event
          if (signal.aborted) return
          after = event.id
        }
        if (events.length > 0) continue
        await new Promise<void>((done) => {
          const timer = setTimeout(done, pollMs)
          timer.unref()
          rest = () => {
            clearTimeout(timer)
            done()
          }
          // Heard while reading: what it told of may have been committed after the read.
          if (heard || signal.aborted) rest()
        })
      }
    } finally {
      this.#wake.delete(wake)
      signal.removeEventListener('abort', wake)
    }
  }

  /** Removes events that nobody resumes from any more. */
  async sweep(): Promise<void> {
    await this.#db
      .deleteFrom('events')
      .where('at', '<', new Date(Date.now() - keptMs))
      .execute()
  }

  #shared(cursor: number): Promise<StoredEvent[]> {
    const reading = this.#reading
    let read = reading.get(cursor)
    if (read === undefined) {
      read = this.#after(cursor).finally(() => reading.delete(cursor))
      reading.set(cursor, read)
    }
    return read
  }

  async #after(cursor: number): Promise<StoredEvent[]> {
    const rows = await this.#db
      .selectFrom('events')
      .select(['id', 'audience', 'payload'])
      .where('id', '>', cursor)
      .orderBy('id')
      .limit(200)
      .execute()
    return rows.map((row) => ({
      id: row.id,
      audience: Audience.parse(row.audience),
      payload: EventPayload.parse(row.payload),
    }))
  }
}
