import type { ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'
import { createBirpc } from 'birpc'
import type { Grant } from '../../shared/decision.ts'
import type { Held, PolicyFile } from '../../shared/link.ts'
import type { NativeDeps } from '../native/enter.ts'
import { admitPostgres } from '../native/entrance.ts'
import type { Recordings } from '../recordings/recordings.ts'
import type { Log } from '../services.ts'
import type { Cancels } from '../sessions/cancels.ts'
import type { DistantSession } from '../sessions/distant.ts'
import { connection, type GatewayCalls, type WorkerCalls, type WorkerStart } from './calls.ts'

export interface WorkerLinkDeps extends NativeDeps {
  recordings: Pick<Recordings, 'sealLeft'>
  cancels: Pick<Cancels, 'request'>
  log: Log
}

/** A session that was told to end is gone by then, or the worker does not listen any more. */
const deafMs = 10_000
const stopMs = 6_000

/** One worker process, seen from the gateway: its sessions, and what is asked in either direction. */
export class WorkerLink {
  readonly #child: ChildProcess
  readonly #deps: WorkerLinkDeps
  readonly #worker: ReturnType<typeof createBirpc<WorkerCalls, GatewayCalls>>
  readonly #sessions = new Map<string, DistantSession>()
  readonly #held = new Map<string, Held>()

  constructor(child: ChildProcess, deps: WorkerLinkDeps) {
    this.#child = child
    this.#deps = deps
    this.#worker = createBirpc<WorkerCalls, GatewayCalls>(this.#calls(), {
      // One that left is dealt with when its end is told.
      post: (message) => void (child.connected && child.send(message, () => undefined)),
      on: (take) => void child.on('message', take),
      eventNames: ['standstill', 'end', 'setGrants'],
      timeout: -1,
    })
    child.once('exit', () => this.#worker.$close(new Error('The worker process stopped.')))
  }

  /** Connections that it has; those on their way in are not counted. */
  get load(): number {
    return this.#sessions.size
  }

  get sessions(): readonly string[] {
    return [...this.#sessions.keys()]
  }

  start(options: WorkerStart): Promise<void> {
    return this.#worker.start(options)
  }

  /** A worker that can't follow the policy in force must not go on: its sessions end. */
  async pushPolicy(files: readonly PolicyFile[]): Promise<void> {
    const load = await this.#worker.pushPolicy(files)
    if (load.ok) return
    this.#deps.log.error({ problems: load.problems }, 'a worker process refused the policy in force and is stopped')
    this.#child.kill('SIGKILL')
  }

  standstill(reason: string | undefined): void {
    void this.#worker.standstill(reason)
  }

  cancel(processId: number, digest: Uint8Array): Promise<boolean> {
    return this.#worker.cancel(processId, digest)
  }

  /** Hands a connection over; nothing has been read from it. */
  give(socket: Socket): void {
    if (!this.#child.connected) {
      socket.destroy()
      return
    }
    this.#child.send(connection, socket, (error) => {
      if (error !== null) socket.destroy()
    })
  }

  /** Lets it leave in order; one that does not is ended. */
  async stop(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const patience = new Promise<void>((done) => {
      timer = setTimeout(() => {
        this.#child.kill('SIGKILL')
        done()
      }, stopMs)
    })
    await Promise.race([this.#worker.stop(), patience])
    clearTimeout(timer)
  }

  /** It is gone: closes what its sessions left behind. */
  async lost(): Promise<void> {
    const { recordings, log } = this.#deps
    const reason = 'The process of the gateway that served this session stopped.'
    for (const live of this.#sessions.values()) {
      try {
        if (live.startedAt !== undefined) {
          const left = await recordings.sealLeft(live.id)
          if (left !== undefined) live.count(left.counts)
          await live.ended({ reason, bytesIn: 0, bytesOut: 0 }, left?.seal)
        }
      } catch (error) {
        log.error({ err: error, session: live.id }, 'the end of a session can’t be stored')
      }
      live.close()
    }
    this.#sessions.clear()
  }

  #calls(): GatewayCalls {
    const { log, cancels, sessions } = this.#deps
    const orders = {
      end: (id: string, reason: string) => this.#end(id, reason),
      setGrants: (id: string, grants: readonly Grant[]) => void this.#worker.setGrants(id, grants),
    }
    return {
      enter: async (typed) => {
        const entry = await admitPostgres(this.#deps, typed, (session) => sessions.distant(session, orders))
        if (!entry.ok) return entry
        const { live } = entry
        this.#sessions.set(live.id, live)
        const { spec, door, accessTokenId } = live
        return { ok: true, session: { spec, door, accessTokenId } }
      },
      taken: (id) => this.#sessions.get(id)?.taken(),
      begun: (id, startedAt) => this.#session(id).begun(startedAt),
      counted: (counts) => {
        for (const [id, counted] of counts) this.#sessions.get(id)?.count(counted)
      },
      hold: async (id, request) => {
        const held = await this.#session(id).hold(request)
        const { requestId, expiresAt } = held
        this.#held.set(requestId, held)
        return { requestId, expiresAt }
      },
      outcome: async (requestId) => {
        const held = this.#held.get(requestId)
        if (held === undefined) throw new Error(`Nothing is held as ${requestId}.`)
        try {
          return await held.outcome
        } finally {
          this.#held.delete(requestId)
        }
      },
      giveUp: (requestId) => this.#held.get(requestId)?.cancel(),
      ended: (id, end, seal) => this.#session(id).ended(end, seal),
      closed: (id) => {
        this.#sessions.get(id)?.close()
        this.#sessions.delete(id)
      },
      cancel: (processId, digest) => cancels.request(processId, digest),
      log: (level, fields, message) => log[level]({ ...fields, worker: this.#child.pid }, message),
    }
  }

  #end(id: string, reason: string): void {
    void this.#worker.end(id, reason)
    const live = this.#sessions.get(id)
    if (live === undefined) return
    const timer = setTimeout(() => {
      this.#deps.log.error(
        { session: id, pid: this.#child.pid },
        'a worker process does not end a session, and is ended',
      )
      this.#child.kill('SIGKILL')
    }, deafMs).unref()
    void live.closed.then(() => clearTimeout(timer))
  }

  #session(id: string): DistantSession {
    const live = this.#sessions.get(id)
    if (live === undefined) throw new Error(`There is no session ${id} here.`)
    return live
  }
}
