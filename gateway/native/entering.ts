import type { Socket } from 'node:net'
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
const defaultEntering = 256

/**
 * Connections that are on their way in. Until `serve` says that one was let in, it has a deadline and counts towards the cap; one that
 * is refused has it until it is closed, for a peer may never read why. Connections beyond the cap are cut at once, so that a crowd of
 * stalled ones costs nothing more.
 */
export class Entering {
  readonly #options: EnteringOptions
  readonly #serve: (socket: Socket, deadline: Deadline) => Promise<Served>
  readonly #pending = new Set<Socket>()

  constructor(options: EnteringOptions, serve: (socket: Socket, deadline: Deadline) => Promise<Served>) {
    this.#options = options
    this.#serve = serve
  }

  take(accepted: Socket): void {
    const { log, patienceMs = defaultPatienceMs, entering = defaultEntering, lending, left } = this.#options
    const socket = lending?.(accepted) ?? accepted
    // A reset at any time before somebody else listens must not end the gateway.
    socket.on('error', (error) => log.info({ err: error }, 'a connection at a native listener broke'))
    if (this.#pending.size >= entering) {
      socket.destroy()
      left?.()
      return
    }
    const deadline = new Deadline(patienceMs, () => socket.destroy())
    const leave = () => {
      deadline.clear()
      if (this.#pending.delete(socket)) left?.()
    }
    this.#pending.add(socket)
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
    for (const socket of this.#pending) socket.destroy()
  }
}
