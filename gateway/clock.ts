import { type Kysely, sql } from 'kysely'
import type { Log } from './services.ts'
import type { Database } from './store/database.ts'

const syncMs = 30_000

/**
 * The time by the store's clock, carried on by this process's monotonic one: setting the clock of the gateway's machine changes
 * nothing, and replicas agree.
 */
export class StoreClock {
  readonly #db: Kysely<Database>
  readonly #log: Log
  /** Store time minus monotonic time, in milliseconds. */
  #offset = Date.now() - performance.now()
  #timer: NodeJS.Timeout | undefined

  constructor(db: Kysely<Database>, log: Log) {
    this.#db = db
    this.#log = log
  }

  /** Rejects when the store does not answer. */
  async start(): Promise<void> {
    await this.#sync()
    this.#timer = setInterval(() => {
      this.#sync().catch((error: unknown) => this.#log.warn({ err: error }, 'the store’s clock can’t be read'))
    }, syncMs)
    this.#timer.unref()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  now(): Date {
    return new Date(performance.now() + this.#offset)
  }

  async #sync(): Promise<void> {
    const before = performance.now()
    const { rows } = await sql<{ at: Date }>`select clock_timestamp() as at`.execute(this.#db)
    const after = performance.now()
    const [row] = rows
    // It was read some time between the two; taken for the end of it, nothing lasts longer than it should.
    if (row !== undefined) this.#offset = row.at.getTime() + (after - before) / 2 - after
  }
}
