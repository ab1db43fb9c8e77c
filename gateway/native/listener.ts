import type { Server, Socket } from 'node:net'
import { hostPort } from '../http.ts'
import type { Log } from '../services.ts'
import { Deadline } from './reader.ts'

export interface NativeOptions {
  listen: { host: string; port: number }
  log: Log
  /** Milliseconds from the first byte to being let in. */
  patienceMs?: number
  /** Connections that may be on their way in at once. */
  entering?: number
}

/** What became of a connection: a session has it, or it is told why not. */
export type Served = 'in' | 'refused'

export interface NativeListener {
  /** `host:port` as clients write it. */
  address: string
  /** Stops listening, and cuts connections that are not let in yet. Sessions are the registry's to end. */
  close(): Promise<void>
}

const defaultPatienceMs = 5_000
const defaultEntering = 256

/**
 * Listens, and calls `serve` for every connection. Until it says that the connection was let in, that has a deadline and counts
 * towards the cap; one that is refused has it until it is closed, for a peer may never read why. Connections beyond the cap are
 * cut at once, so that a crowd of stalled ones costs nothing more.
 * @throws when the port is taken, in words
 */
export async function bind(
  server: Server,
  { listen, log, patienceMs = defaultPatienceMs, entering = defaultEntering }: NativeOptions,
  serve: (socket: Socket, deadline: Deadline) => Promise<Served>,
): Promise<NativeListener> {
  const pending = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    // A reset at any time before somebody else listens must not end the gateway.
    socket.on('error', (error) => log.info({ err: error }, 'a connection at a native listener broke'))
    if (pending.size >= entering) {
      socket.destroy()
      return
    }
    const deadline = new Deadline(patienceMs, () => socket.destroy())
    const leave = () => {
      deadline.clear()
      pending.delete(socket)
    }
    pending.add(socket)
    socket.once('close', leave)
    serve(socket, deadline).then(
      (served) => {
        if (served === 'in') leave()
      },
      (error: unknown) => {
        log.error({ err: error }, 'a connection at a native listener could not be served')
        socket.destroy()
      },
    )
  })
  server.on('error', (error) => log.error({ err: error }, 'a native listener failed'))
  await new Promise<void>((done, fail) => {
    const failed = (error: Error) => fail(inWords(error, listen))
    server.once('error', failed)
    server.listen(listen.port, listen.host, () => {
      server.off('error', failed)
      done()
    })
  })
  return {
    address: hostPort(listen.host, server.address()),
    close: () =>
      new Promise((done) => {
        for (const socket of pending) socket.destroy()
        server.close(() => done())
      }),
  }
}

function inWords(error: Error, { host, port }: { host: string; port: number }): Error {
  if (!('code' in error) || error.code !== 'EADDRINUSE') return error
  return new Error(`Port ${port} on ${host} is in use. Stop what uses it, or set another port (0 picks a free one).`, {
    cause: error,
  })
}
