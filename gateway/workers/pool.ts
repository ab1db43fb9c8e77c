import type { ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'
import type { PolicyFile } from '../../shared/link.ts'
import type { Audit } from '../audit/audit.ts'
import { listenNative, type NativeListener } from '../native/listener.ts'
import { fatal } from '../native/startup.ts'
import type { LocalAgent, Log } from '../services.ts'
import type { Cancels } from '../sessions/cancels.ts'
import { WorkerProcess, type WorkerProcessDeps } from './process.ts'

export interface WorkerPoolOptions {
  /** How many processes. */
  count: number
  /** Forks one, with a pipe of `advanced` serialization, that calls `serveSessions`. */
  fork(): ChildProcess
  log: Log
}

export interface WorkerPoolDeps extends WorkerProcessDeps {
  audit: Pick<Audit, 'failure' | 'watch'>
  cancels: Cancels
  dataDir: string
  tls: { cert: string; key: string } | undefined
}

const firstRestartMs = 250
const longestRestartMs = 30_000

/**
 * The worker processes that serve native PostgreSQL sessions, so that these have more than one core and a fault in one ends only the
 * sessions there. One that stops is followed by another.
 */
export class WorkerPool {
  readonly #options: WorkerPoolOptions
  /** Forked, and not started yet. */
  readonly #idle = new Set<WorkerProcess>()
  readonly #serving = new Set<WorkerProcess>()
  readonly #burials = new Set<Promise<void>>()
  #policy: readonly PolicyFile[] = []
  #turn = 0
  #stopWatching: () => void = () => {}
  #closing: Promise<void> | undefined

  /** Forks them at once: they load while the gateway starts. */
  constructor(options: WorkerPoolOptions) {
    this.#options = options
    for (let count = 0; count < options.count; count++) this.#fork()
  }

  /** The agent of this process; the policy that it takes is pushed to every worker too. */
  around(agent: LocalAgent): LocalAgent {
    return {
      ...agent,
      pushPolicy: async (files) => {
        const load = await agent.pushPolicy(files)
        if (load.ok) {
          this.#policy = files
          await Promise.all([...this.#serving].map((worker) => worker.pushPolicy(files)))
        }
        return load
      },
    }
  }

  /** Resolves when all of them can serve; rejects, in words, when one can't. */
  async start(deps: WorkerPoolDeps): Promise<void> {
    this.#stopWatching = deps.audit.watch((failure) => {
      for (const worker of this.#serving) worker.standstill(failure?.message)
    })
    deps.cancels.also(async (processId, digest) => {
      const held = await Promise.all([...this.#serving].map((worker) => worker.cancel(processId, digest)))
      return held.includes(true)
    })
    await Promise.all([...this.#idle].map((worker) => this.#start(worker, deps)))
  }

  /** Listens for PostgreSQL clients, and gives each to the worker that has the fewest. */
  listen(listen: { host: string; port: number }): Promise<NativeListener> {
    return listenNative({ listen, log: this.#options.log, handedOver: true }, (socket) => this.#give(socket))
  }

  /** Call when sessions have been ended. Never rejects; a second call does nothing more. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#stopWatching()
    for (const worker of this.#idle) worker.kill()
    await Promise.all([...this.#serving].map((worker) => worker.stop()))
    await Promise.all(this.#burials)
  }

  #fork(): WorkerProcess {
    const { fork, log } = this.#options
    const worker = new WorkerProcess(fork(), log)
    this.#idle.add(worker)
    return worker
  }

  #give(socket: Socket): void {
    const fewest = Math.min(...[...this.#serving].map(({ load }) => load))
    const quiet = [...this.#serving].filter(({ load }) => load === fewest)
    // Those with equally few take turns.
    const worker = quiet[this.#turn++ % Math.max(1, quiet.length)]
    if (worker !== undefined) worker.give(socket)
    else socket.end(fatal('57P03', 'What serves PostgreSQL sessions here is starting again.', 'Try again in a moment.'))
  }

  async #start(worker: WorkerProcess, deps: WorkerPoolDeps): Promise<void> {
    const { dataDir, tls, audit } = deps
    let policy = this.#policy
    try {
      await worker.start(deps, { dataDir, tls, policy, standstill: audit.failure?.message })
      await deps.definitions.add(worker)
      // Whatever came into force meanwhile; it is among those that are told in the turn in which nothing has.
      while (policy !== this.#policy) {
        policy = this.#policy
        await worker.pushPolicy(policy)
      }
    } finally {
      this.#idle.delete(worker)
    }
    worker.standstill(audit.failure?.message)
    this.#serving.add(worker)
    void worker.gone.then((why) => this.#lost(worker, why, deps))
  }

  #lost(worker: WorkerProcess, why: string, deps: WorkerPoolDeps): void {
    this.#serving.delete(worker)
    deps.definitions.remove(worker)
    const burial = worker.bury().finally(() => this.#burials.delete(burial))
    this.#burials.add(burial)
    if (this.#closing !== undefined) return
    this.#options.log.error(
      { pid: worker.pid, why },
      'a worker process stopped; the sessions that it served have ended',
    )
    void this.#replace(deps)
  }

  async #replace(deps: WorkerPoolDeps): Promise<void> {
    for (let wait = firstRestartMs; this.#closing === undefined; wait = Math.min(2 * wait, longestRestartMs)) {
      try {
        await this.#start(this.#fork(), deps)
        return
      } catch (error) {
        if (this.#closing !== undefined) return
        this.#options.log.error({ err: error }, 'a worker process could not be started; it is tried again')
      }
      await new Promise((done) => setTimeout(done, wait).unref())
    }
  }
}
