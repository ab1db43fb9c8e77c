import type { Kysely } from 'kysely'
import type { Log } from '../services.ts'
import type { Database } from '../store/database.ts'
import { type RequestStore, readReviews } from './store.ts'
import { outcomeOf, WaitingHolds } from './waiting.ts'

export interface EndingsOptions {
  db: Kysely<Database>
  stored: RequestStore
  log: Log
}

/** Requests that end undecided, and telling whoever waits in this process what became of any. */
export class Endings {
  readonly waiting = new WaitingHolds()
  readonly #options: EndingsOptions

  constructor(options: EndingsOptions) {
    this.#options = options
  }

  /** Tells those who wait here what was decided, here or by another replica. */
  async settle(ids: readonly string[] = this.waiting.ids()): Promise<void> {
    if (ids.length === 0) return
    const { db } = this.#options
    const rows = await db
      .selectFrom('requests')
      .selectAll()
      .where('id', 'in', ids)
      .where('state', '<>', 'pending')
      .execute()
    const reviews = await readReviews(
      db,
      rows.map((row) => row.id),
    )
    for (const row of rows) {
      const outcome = outcomeOf(
        row,
        reviews.filter((review) => review.request_id === row.id),
      )
      if (outcome !== undefined) this.waiting.settle(row.id, outcome)
    }
  }

  /** Ends those whose time is up. */
  async expireDue(): Promise<void> {
    const { stored } = this.#options
    await this.#end(await stored.due(), 'expired', 'gateway')
  }

  /** Cancels those of them that are still pending; resolves with which. */
  cancel(ids: readonly string[], by: string): Promise<readonly string[]> {
    return this.#end(ids, 'cancelled', by)
  }

  /** For work that nobody waits for; the sweep does it again. */
  quietly(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.#options.log.error({ err: error }, 'a request can’t be closed; trying again'))
  }

  async #end(ids: readonly string[], state: 'expired' | 'cancelled', by: string): Promise<readonly string[]> {
    const ended = await this.#options.stored.end(ids, state, by)
    for (const id of ended) this.waiting.settle(id, { kind: state })
    return ended
  }
}
