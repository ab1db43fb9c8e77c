import type { Kysely } from 'kysely'
import type { Events } from '../events/events.ts'
import type { Log } from '../services.ts'
import type { Database } from '../store/database.ts'
import type { NotifyConfig } from './config.ts'
import { type Letter, markFailed, markSent, nextDue, sweepOutbox, takeDue } from './outbox.ts'
import { createSenders, Rejected, type Senders } from './senders.ts'

export interface NotifierOptions {
  db: Kysely<Database>
  config: NotifyConfig
  events: Pick<Events, 'onHint'>
  /** As people reach the gateway, without a slash at the end. */
  publicUrl: string
  log: Log
  /** Seconds to wait after each attempt that failed; after the last one it is given up. */
  backoff?: readonly number[]
}

const defaultBackoff = [2, 10, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800]
const pollMs = 5_000
const sweepMs = 3_600_000

/** Sends what is in the outbox: at least once, in the order in which it was put there unless something has to be tried again. */
export class Notifier {
  readonly #options: NotifierOptions
  readonly #senders: Senders
  readonly #backoff: readonly number[]
  #timer: NodeJS.Timeout | undefined
  #sweep: NodeJS.Timeout | undefined
  #forget: () => void = () => {}
  #work: Promise<void> | undefined
  #again = false
  #closed = false

  constructor(options: NotifierOptions) {
    this.#options = options
    this.#backoff = options.backoff ?? defaultBackoff
    this.#senders = createSenders(options.config, options.publicUrl)
  }

  start(): void {
    const { events, db, log } = this.#options
    this.#forget = events.onHint((type) => {
      if (type === 'request' || type === '') this.#wake()
    })
    this.#sweep = setInterval(() => {
      sweepOutbox(db).catch((error: unknown) => log.error({ err: error }, 'old messages can’t be removed'))
    }, sweepMs)
    this.#sweep.unref()
    this.#wake()
  }

  /** Waits for what is being sent; the rest is sent after the next start. */
  async close(): Promise<void> {
    this.#closed = true
    this.#forget()
    clearTimeout(this.#timer)
    clearInterval(this.#sweep)
    await this.#work
    this.#senders.close()
  }

  #wake(): void {
    if (this.#closed) return
    if (this.#work !== undefined) {
      this.#again = true
      return
    }
    clearTimeout(this.#timer)
    this.#again = false
    this.#work = this.#drain()
      .catch((error: unknown) => this.#options.log.error({ err: error }, 'messages can’t be read; trying again'))
      .then(() => this.#rest())
  }

  async #drain(): Promise<void> {
    for (;;) {
      const letters = this.#closed ? [] : await takeDue(this.#options.db)
      if (letters.length === 0) return
      await Promise.all(letters.map((letter) => this.#send(letter)))
    }
  }

  async #rest(): Promise<void> {
    const due = await nextDue(this.#options.db).catch(() => undefined)
    this.#work = undefined
    if (this.#closed) return
    if (this.#again) return this.#wake()
    const wait = due === undefined ? pollMs : Math.min(Math.max(due * 1000, 50), pollMs)
    this.#timer = setTimeout(() => this.#wake(), wait)
    this.#timer.unref()
  }

  async #send(letter: Letter): Promise<void> {
    const { db, log } = this.#options
    const { id, attempts, destination } = letter
    try {
      await this.#senders.send(letter)
      await markSent(db, id)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      const again = error instanceof Rejected ? undefined : this.#backoff[attempts - 1]
      log.warn(
        { err: error, destination, attempts },
        again === undefined ? 'a message is given up' : 'a message will be sent again',
      )
      await markFailed(db, id, reason.slice(0, 500), again)
    }
  }
}
