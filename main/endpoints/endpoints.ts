import { createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream'
import type { ConnectionKind } from '../../shared/connection.ts'
import type { Endpoint, Problem } from '../../shared/rpc/contract.ts'
import type { CancelKey } from '../gateway/cancel.ts'
import { pause } from '../gateway/events.ts'
import { isOwnPeer } from '../peer.ts'
import { codeOf, fail, messageOf, toProblem } from '../problem.ts'
import { cancelAsked } from './opening.ts'
import { freePort, isFree } from './ports.ts'
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
  /** A PostgreSQL client cancels what it runs on another connection of this endpoint. */
  cancel(connection: string, key: CancelKey): Promise<void>
  /** The port that a connection had last, so that tools can be set up once. */
  port(connection: string): number | undefined
  savePort(connection: string, port: number): Promise<void>
  warn(message: string): void
  /** The port that one which was never opened gets, if it is free then; absent: any. */
  plan?(target: EndpointTarget): number
  /** Ports that are some connection's own. */
  ports?(): ReadonlySet<number>
  atStart?(connection: string): boolean
  /** How long until a taken port, or a gateway that does not say what is to be open, is looked at again. */
  retryMs?: number
  /** Opened, closed, failed to open, or a client came or went. */
  changed?(endpoint: Endpoint): void
}

interface Open {
  target: EndpointTarget
  server: Server
  sockets: Set<Socket>
  port: number
}

/** Why an endpoint is not open, and what port would be free instead. */
interface Failure {
  target: EndpointTarget
  problem: Problem
  freePort: number | undefined
}

const host = '127.0.0.1'
const retryMs = 5_000

/** Loopback listeners for native tools: each accepted connection is piped, byte for byte, into a tunnel of its own. */
export class Endpoints {
  private readonly options: EndpointOptions
  private readonly opened = new Map<string, Open>()
  private readonly failures = new Map<string, Failure>()
  private retrying: NodeJS.Timeout | undefined

  constructor(options: EndpointOptions) {
    this.options = options
  }

  /** The endpoint of a connection as it is now, open or not. Port 0: it never had one, and any will do. */
  describe(target: EndpointTarget): Endpoint {
    const { connection } = target
    const open = this.opened.get(connection)
    const failure = open === undefined ? this.failures.get(connection) : undefined
    return {
      ...target,
      host,
      port: open?.port ?? this.options.port(connection) ?? this.options.plan?.(target) ?? 0,
      open: open !== undefined,
      clients: open?.sockets.size ?? 0,
      atStart: this.options.atStart?.(connection) ?? false,
      ...(failure === undefined ? {} : { problem: failure.problem }),
      ...(failure?.freePort === undefined ? {} : { freePort: failure.freePort }),
    }
  }

  /**
   * Opens it on its fixed port (`port` sets another). One that never had a port takes the planned one, or the next that is free.
   * Throws `conflict` when a fixed port is taken; `describe` then says which one is free.
   */
  async open(target: EndpointTarget, port?: number): Promise<Endpoint> {
    if (this.opened.has(target.connection)) return this.describe(target)
    const fixed = port ?? this.options.port(target.connection)
    try {
      const bound = await this.listen(target, fixed ?? (await this.firstPort(target)))
      this.failures.delete(target.connection)
      await this.options.savePort(target.connection, bound)
      return this.tell(target)
    } catch (error) {
      const problem = toProblem(error)
      const free = problem.code === 'conflict' && fixed !== undefined ? await this.another(fixed) : undefined
      this.failures.set(target.connection, { target, problem, freePort: free })
      this.tell(target)
      this.retryLater()
      throw error
    }
  }

  /**
   * Opens all that `wanted` names, which is asked until it answers or `signal` aborts: a gateway may be away just then. What fails is told
   * with its endpoint, and stops no other.
   */
  async openAll(wanted: () => Promise<readonly EndpointTarget[]>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const targets = await wanted().catch((error: unknown) => {
        this.options.warn(`No endpoint was opened at start: ${messageOf(error)}`)
        return undefined
      })
      if (signal.aborted) return
      for (const target of targets ?? []) {
        await this.open(target).catch((error: unknown) => {
          this.options.warn(`${target.connection}: ${messageOf(error)}`)
        })
      }
      if (targets !== undefined) return
      await pause(this.options.retryMs ?? retryMs, signal)
    }
  }

  /** Whose port was taken is opened once it is free: until it is closed, or has another port. */
  private retryLater(): void {
    clearTimeout(this.retrying)
    this.retrying = undefined
    const taken = [...this.failures.values()].filter(({ problem }) => problem.code === 'conflict')
    if (taken.length === 0) return
    this.retrying = setTimeout(() => {
      void this.retry(taken.map(({ target }) => target)).finally(() => this.retryLater())
    }, this.options.retryMs ?? retryMs)
    this.retrying.unref()
  }

  private async retry(targets: readonly EndpointTarget[]): Promise<void> {
    for (const target of targets) {
      const port = this.options.port(target.connection)
      if (port === undefined || !this.failures.has(target.connection)) continue
      // What is still taken has been told. What is free now may be taken again until it is opened, which is told by that.
      const free = await isFree(port).catch(() => false)
      // Given up meanwhile, maybe.
      if (free && this.failures.has(target.connection)) await this.open(target).catch(() => {})
    }
  }

  /** Closes it, and the sessions that came in through it. */
  async close(target: EndpointTarget): Promise<Endpoint> {
    const open = this.opened.get(target.connection)
    this.opened.delete(target.connection)
    this.failures.delete(target.connection)
    if (open !== undefined) await shut(open)
    return this.tell(target)
  }

  async closeAll(): Promise<void> {
    const all = [...this.opened.values()]
    this.opened.clear()
    this.failures.clear()
    this.retryLater()
    await Promise.all(all.map(shut))
  }

  /** Those that are open now, and those that could not be opened. */
  list(): Endpoint[] {
    const used = new Map<string, { target: EndpointTarget }>([...this.opened, ...this.failures])
    return [...used.values()].map(({ target }) => this.describe(target))
  }

  /** Says how it is now. */
  tell(target: EndpointTarget): Endpoint {
    const endpoint = this.describe(target)
    this.options.changed?.(endpoint)
    return endpoint
  }

  private async listen(target: EndpointTarget, wanted: number): Promise<number> {
    const sockets = new Set<Socket>()
    const server = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => {
      sockets.add(socket)
      socket.once('close', () => {
        sockets.delete(socket)
        if (this.opened.has(target.connection)) this.tell(target)
      })
      this.tell(target)
      void this.serve(socket, target)
    })
    const port = await listen(server, wanted)
    this.opened.set(target.connection, { target, server, sockets, port })
    return port
  }

  private async firstPort(target: EndpointTarget): Promise<number> {
    const planned = this.options.plan?.(target)
    if (planned === undefined) return 0
    return (await freePort(planned, this.options.ports?.() ?? new Set())) ?? 0
  }

  private another(taken: number): Promise<number | undefined> {
    return freePort(taken + 1, this.options.ports?.() ?? new Set())
  }

  private async serve(socket: Socket, target: EndpointTarget): Promise<void> {
    socket.on('error', () => socket.destroy())
    try {
      if (!(await isOwnPeer(socket))) {
        this.options.warn(`another user of this machine tried the endpoint of ${target.connection}; it was turned away`)
        socket.destroy()
        return
      }
      const key = target.kind === 'postgres' ? await cancelAsked(socket) : undefined
      if (socket.destroyed) return
      if (key !== undefined) {
        // Its sender waits for the end of the connection, and for nothing else.
        await this.options.cancel(target.connection, key).finally(() => socket.end())
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
    server.listen(port, host, () => {
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
