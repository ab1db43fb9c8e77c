import type { ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'
import type { PolicyFile } from '../../shared/link.ts'
import type { Audit } from '../audit/audit.ts'
import type { NativeDeps } from '../native/enter.ts'
import { listenNative, type NativeListener } from '../native/listener.ts'
import type { Recordings } from '../recordings/recordings.ts'
import type { LocalAgent, Log } from '../services.ts'
import type { Cancels } from '../sessions/cancels.ts'
import { WorkerLink } from './link.ts'

export interface WorkersOptions {
  /** How many processes. */
  count: number
  /** Forks one, with a pipe of `advanced` serialization, that calls `serveSessions`. */
  fork(): ChildProcess
  log: Log
}

export interface WorkersDeps extends NativeDeps {
  agent: LocalAgent
  audit: Pick<Audit, 'failure' | 'watch'>
  cancels: Cancels
  recordings: Pick<Recordings, 'sealLeft'>
  dataDir: string
  tls: { cert: string; key: string } | undefined
}

const restartMs = 500

/**
 * The worker processes that serve native PostgreSQL sessions, so that these have more than one core and a fault in one ends only the
 * sessions there. One that stops is followed by another.
 */
export class Workers {
  readonly #options: WorkersOptions
  readonly #children: ChildProcess[]
  #deps: WorkersDeps | undefined
  #links: WorkerLink[] = []
  #policy: readonly PolicyFile[] = []
  #next = 0
  #stopWatching: () => void = () => {}
  #closing = false

  /** Forks them at once: they load while the gateway starts. */
  constructor(options: WorkersOptions) {
    this.#options = options
    this.#children = Array.from({ length: options.count }, () => options.fork())
  }

  /** The agent of this process; the policy that it takes is pushed to every worker too. */
  around(agent: LocalAgent): LocalAgent {
    return {
      ...agent,
      pushPolicy: async (files) => {
        const load = await agent.pushPolicy(files)
        if (load.ok) await this.#pushPolicy(files)
        return load
      },
    }
  }

  /** Resolves when all of them can serve. */
  async start(deps: WorkersDeps): Promise<void> {
    this.#deps = deps
    this.#stopWatching = deps.audit.watch((failure) => {
      for (const link of this.#links) link.standstill(failure?.message)
    })
    deps.cancels.also(async (processId, digest) => {
      const held = await Promise.all(this.#links.map((link) => link.cancel(processId, digest)))
      return held.includes(true)
    })
    await Promise.all(this.#children.map((child) => this.#link(child)))
  }

  /** Listens for PostgreSQL clients, and gives each to the worker that has the fewest sessions. */
  async listen(listen: { host: string; port: number }): Promise<NativeListener> {
    return listenNative({ listen, log: this.#options.log, handedOver: true }, (socket) => this.#give(socket))
  }

  /** Call when sessions have been ended. */
  async close(): Promise<void> {
    this.#closing = true
    this.#stopWatching()
    await Promise.all(this.#links.map((link) => link.stop()))
    for (const child of this.#children) if (child.connected) child.disconnect()
  }

  #give(socket: Socket): void {
    // Without one, between a fault and the next start: the client tries again.
    const link = this.#quietest()
    if (link === undefined) socket.destroy()
    else link.give(socket)
  }

  /** Those with equally few take turns. */
  #quietest(): WorkerLink | undefined {
    const fewest = Math.min(...this.#links.map(({ load }) => load))
    const quiet = this.#links.filter(({ load }) => load === fewest)
    return quiet[this.#next++ % Math.max(1, quiet.length)]
  }

  async #pushPolicy(files: readonly PolicyFile[]): Promise<void> {
    this.#policy = files
    await Promise.all(this.#links.map((link) => link.pushPolicy(files)))
  }

  async #link(child: ChildProcess): Promise<void> {
    const { log } = this.#options
    const deps = this.#deps
    if (deps === undefined) throw new Error('The workers have no gateway yet.')
    const { dataDir, tls, audit } = deps
    const link = new WorkerLink(child, { ...deps, log })
    child.once('exit', (code, signal) => {
      this.#links = this.#links.filter((one) => one !== link)
      if (!this.#closing) void this.#lost(child, link, signal ?? code)
    })
    try {
      await link.start({ dataDir, tls, policy: this.#policy, standstill: audit.failure?.message })
    } catch (error) {
      child.kill('SIGKILL')
      throw error
    }
    // It may have changed while the worker read the one before.
    await link.pushPolicy(this.#policy)
    link.standstill(audit.failure?.message)
    this.#links.push(link)
  }

  async #lost(child: ChildProcess, link: WorkerLink, why: NodeJS.Signals | number | null): Promise<void> {
    const { log, fork } = this.#options
    log.error({ pid: child.pid, why, sessions: link.sessions }, 'a worker process stopped; its sessions ended')
    await link.lost()
    await new Promise((done) => setTimeout(done, restartMs).unref())
    if (this.#closing) return
    const next = fork()
    this.#children.splice(this.#children.indexOf(child), 1, next)
    try {
      await this.#link(next)
    } catch (error) {
      log.error({ err: error }, 'a worker process could not be started; the next is tried')
    }
  }
}
