import { createServer, type Socket } from 'node:net'
import { hostPort } from '../http.ts'
import type { Log } from '../services.ts'
import type { Entering } from './entering.ts'

export interface NativeListener {
  /** `host:port` as clients write it. */
  address: string
  /** Stops listening. Connections are for whom they were given to to end. */
  close(): Promise<void>
}

export interface ListenOptions {
  listen: { host: string; port: number }
  log: Log
  /** Nothing is read from a connection here: another process serves it. */
  handedOver?: boolean
}

/** Listens for a door of this process. Closed, it lets nobody else in, and cuts those that are on their way. */
export async function listenDoor(
  options: Pick<ListenOptions, 'listen' | 'log'>,
  door: Entering,
): Promise<NativeListener> {
  const { address, close } = await listenNative(options, (socket) => door.take(socket))
  return {
    address,
    close: () => {
      door.close()
      return close()
    },
  }
}

/**
 * Listens, and gives every connection to `take`.
 * @throws when the port is taken, in words
 */
export async function listenNative(
  { listen, log, handedOver = false }: ListenOptions,
  take: (socket: Socket) => void,
): Promise<NativeListener> {
  const server = createServer({
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 30_000,
    pauseOnConnect: handedOver,
  })
  server.on('connection', take)
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
        server.close(() => done())
        // Node would ask every process that ever got a connection, also one that is gone.
        if (handedOver) done()
      }),
  }
}

function inWords(error: Error, { host, port }: { host: string; port: number }): Error {
  if (!('code' in error) || error.code !== 'EADDRINUSE') return error
  return new Error(`Port ${port} on ${host} is in use. Stop what uses it, or set another port (0 picks a free one).`, {
    cause: error,
  })
}
