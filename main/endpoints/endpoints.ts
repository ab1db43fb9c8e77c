import { createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream'
import type { ConnectionKind } from '../../shared/connection.ts'
import type { Endpoint } from '../../shared/rpc/contract.ts'
import { isOwnPeer } from '../peer.ts'
import { codeOf, fail, messageOf, toProblem } from '../problem.ts'
import { refuse } from './refusal.ts'

/** What is to be reached through an endpoint, and as whom native tools are to say they come. */
export interface EndpointTarget {
  connection: string
  kind: ConnectionKind
  user: string
  database?: string
}

export interface EndpointOptions {
  /** A new session's tunnel for each native client. */
  dial(connection: string): Promise<Duplex>
  /** The port that a connection had last, so that tools can be set up once. */
  port(connection: string): number | undefined
  savePort(connection: string, port: number): Promise<void>
  warn(message: string): void
}

interface Open {
  server: Server
  sockets: Set<Socket>
  endpoint: Endpoint
}

/** Loopback listeners for native tools: each accepted connection is piped, byte for byte, into a tunnel of its own. */
export class Endpoints {
  private readonly options: EndpointOptions
  private readonly opened = new Map<string, Open>()

  constructor(options: EndpointOptions) {
    this.options = options
  }

  /** The endpoint of a connection as it is now, open or not. Port 0: it never had one. */
  describe(target: EndpointTarget): Endpoint {
    return (
      this.opened.get(target.connection)?.endpoint ??
      endpointOf(target, this.options.port(target.connection) ?? 0, false)
    )
  }

  /** Opens it on its fixed port (`port` sets another). Throws `conflict` when the port is taken. */
  async open(target: EndpointTarget, port?: number): Promise<Endpoint> {
    const already = this.opened.get(target.connection)
    if (already !== undefined) return already.endpoint
    const sockets = new Set<Socket>()
    const server = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
      void this.serve(socket, target)
    })
    const bound = await listen(server, port ?? this.options.port(target.connection) ?? 0)
    const endpoint = endpointOf(target, bound, true)
    this.opened.set(target.connection, { server, sockets, endpoint })
    await this.options.savePort(target.connection, bound)
    return endpoint
  }

  /** Closes it, and the sessions that came in through it. */
  async close(target: EndpointTarget): Promise<Endpoint> {
    const open = this.opened.get(target.connection)
    this.opened.delete(target.connection)
    if (open !== undefined) await shut(open)
    return this.describe(target)
  }

  async closeAll(): Promise<void> {
    const all = [...this.opened.values()]
    this.opened.clear()
    await Promise.all(all.map(shut))
  }

  private async serve(socket: Socket, target: EndpointTarget): Promise<void> {
    socket.on('error', () => socket.destroy())
    try {
      if (!(await isOwnPeer(socket))) {
        this.options.warn(`another user of this machine tried the endpoint of ${target.connection}; it was turned away`)
        socket.destroy()
        return
      }
      const tunnel = await this.options.dial(target.connection)
      if (socket.destroyed) {
        tunnel.destroy()
        return
      }
      pipeline(socket, tunnel, socket, (error) => {
        if (error && codeOf(error) !== 'ERR_STREAM_PREMATURE_CLOSE') {
          this.options.warn(`${target.connection}: ${messageOf(error)}`)
        }
        tunnel.destroy()
        socket.destroy()
      })
    } catch (error) {
      const problem = toProblem(error)
      this.options.warn(`${target.connection}: ${problem.message}`)
      refuse(socket, target.kind, problem)
    }
  }
}

function endpointOf(target: EndpointTarget, port: number, open: boolean): Endpoint {
  return { ...target, host: '127.0.0.1', port, open }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      if (codeOf(error) === 'EADDRINUSE') {
        reject(
          fail('conflict', `Port ${port} is in use by another program.`, {
            hint: `See which one with: lsof -i :${port}. Or choose another port with: sallyport connect NAME --port N`,
            action: 'retry',
            cause: error,
          }),
        )
      } else reject(fail('failed', `Port ${port} can't be opened: ${messageOf(error)}.`, { cause: error }))
    })
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      if (address === null || typeof address === 'string') reject(fail('failed', 'No local port could be opened.'))
      else resolve(address.port)
    })
  })
}

async function shut(open: Open): Promise<void> {
  for (const socket of open.sockets) socket.destroy()
  await new Promise<void>((resolve) => open.server.close(() => resolve()))
}
