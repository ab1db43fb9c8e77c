import type { Socket } from 'node:net'
import { seldom } from '../seldom.ts'
import type { Log } from '../services.ts'
import { Deadline } from './reader.ts'

export interface EnteringOptions {
  log: Log
  /** Milliseconds from the first byte to being let in. */
  patienceMs?: number
  /** Connections that may be on their way in at once. */
  entering?: number
  /** The same connection, as those read it best who get it. */
  lending?: (accepted: Socket) => Socket
  /** Told of each that is in, or was refused and is closed. */
  left?: () => void
}

/** What became of a connection: a session has it, or it is told why not. */
export type Served = 'in' | 'refused'

const defaultPatienceMs = 5_000
const defaultEntering = 1_000

/**
 * Connections that are on their way in. Until `serve` says that one was let in, it has a deadline and counts towards the cap; one that
 * is refused has it until it is closed, for a peer may never read why. Beyond the cap, one makes room for the next: the oldest from the
 * address that has most of them. So a crowd of stalled ones costs nothing more, and keeps nobody out who is on their way in.
 */
export class Entering {
  readonly #options: EnteringOptions
  readonly #broken: Pick<Log, 'info'>
  readonly #serve: (socket: Socket, deadline: Deadline) => Promise<Served>
  /** Oldest first. */
  readonly #pending = new Map<Socket, { address: string; cut(): void }>()

  constructor(options: EnteringOptions, serve: (socket: Socket, deadline: Deadline) => Promise<Served>) {
    this.#options = options
    this.#broken = seldom(options.log)
    this.#serve = serve
  }

  take(accepted: Socket): void {
    const { log, patienceMs = defaultPatienceMs, entering = defaultEntering, lending, left } = this.#options
    // What is given to be lent is closed, and knows nothing any more.
    const { remoteAddress: address = '' } = accepted
    const socket = lending?.(accepted) ?? accepted
    // A reset at any time before somebody else listens must not end the gateway.
    socket.on('error', (error) => this.#broken.info({ err: error }, 'a connection at a native listener broke'))
    if (this.#pending.size >= entering) this.#makeRoom()
    const deadline = new Deadline(patienceMs, () => socket.destroy())
    const leave = () => {
      deadline.clear()
      if (this.#pending.delete(socket)) left?.()
    }
    const cut = () => {
      leave()
      socket.destroy()
    }
    this.#pending.set(socket, { address, cut })
    socket.once('close', leave)
    this.#serve(socket, deadline).then(
      (served) => {
        if (served === 'in') leave()
      },
      (error: unknown) => {
        log.error({ err: error }, 'a connection at a native listener could not be served')
        socket.destroy()
      },
    )
  }

  /** Cuts those that are not let in yet. */
  close(): void {
    for (const socket of this.#pending.keys()) socket.destroy()
  }

  #makeRoom(): void {
    const counts = new Map<string, number>()
    for (const { address } of this.#pending.values()) counts.set(address, (counts.get(address) ?? 0) + 1)
    const most = Math.max(...counts.values())
    for (const { address, cut } of this.#pending.values()) {
      if (counts.get(address) !== most) continue
      cut()
      return
    }
  }
}
