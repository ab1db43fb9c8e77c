import { z } from 'zod'
import type { LocalAgent, Log } from '../services.ts'
import type { Listener } from '../store/listener.ts'

export interface CancelsOptions {
  agent: Pick<LocalAgent, 'cancelPostgres'>
  listener: Listener
  log: Log
}

/** Cancels at the session that holds the key; resolves with whether one did. */
export type CancelHolder = (processId: number, digest: Uint8Array) => boolean | Promise<boolean>

const channel = 'sallyport_cancels'
/** Anybody may send cancel requests, and each of an unknown key would reach every process of every replica. */
const mostASecond = 100
const Order = z.object({ processId: z.number().int(), digest: z.base64() })

/**
 * PostgreSQL's cancel requests, which come without a sign-in over a connection of their own: to this process, a worker of this gateway,
 * or another replica. Best effort, as in the protocol: nobody is told how one went. The secret itself is never passed on.
 */
export class Cancels {
  readonly #options: CancelsOptions
  readonly #holders: CancelHolder[] = []
  #unsubscribe: (() => void) | undefined
  #second = 0
  #passedOn = 0

  constructor(options: CancelsOptions) {
    this.#options = options
  }

  /** Sessions of this gateway that another process serves. */
  also(holder: CancelHolder): void {
    this.#holders.push(holder)
  }

  /** Listens for those that reached other replicas. */
  async start(): Promise<void> {
    const { listener, log } = this.#options
    this.#unsubscribe = await listener.subscribe(channel, (payload) => {
      if (payload === '') return
      const { processId, digest } = Order.parse(JSON.parse(payload))
      const key = Buffer.from(digest, 'base64')
      if (this.#options.agent.cancelPostgres(processId, key)) return
      this.#elsewhere(processId, key).catch((error: unknown) =>
        log.warn({ err: error }, 'a cancel request could not be passed on'),
      )
    })
  }

  close(): void {
    this.#unsubscribe?.()
  }

  /** @param digest SHA-256 of the secret of the key */
  request(processId: number, digest: Uint8Array): void {
    this.#route(processId, digest).catch((error: unknown) =>
      this.#options.log.warn({ err: error }, 'a cancel request could not be passed on'),
    )
  }

  async #route(processId: number, digest: Uint8Array): Promise<void> {
    if (this.#options.agent.cancelPostgres(processId, digest)) return
    const second = Math.floor(performance.now() / 1000)
    if (second !== this.#second) this.#passedOn = 0
    this.#second = second
    if (++this.#passedOn > mostASecond || (await this.#elsewhere(processId, digest))) return
    const order = { processId, digest: Buffer.from(digest).toString('base64') }
    await this.#options.listener.notify(channel, JSON.stringify(order))
  }

  /** In other processes of this gateway. */
  async #elsewhere(processId: number, digest: Uint8Array): Promise<boolean> {
    const held = await Promise.all(this.#holders.map((holder) => holder(processId, digest)))
    return held.includes(true)
  }
}
