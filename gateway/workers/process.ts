import type { ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'
import { createBirpc } from 'birpc'
import type { Grant } from '../../shared/decision.ts'
import type { DefinitionChange, Held, PolicyFile } from '../../shared/link.ts'
import type { NativeDeps } from '../native/enter.ts'
import { admitPostgres } from '../native/entrance.ts'
import type { Recordings } from '../recordings/recordings.ts'
import type { Log } from '../services.ts'
import type { Cancels } from '../sessions/cancels.ts'
import type { CatalogReader, Definitions } from '../sessions/definitions.ts'
import type { DistantSession } from '../sessions/distant.ts'
import { type GatewayCalls, handover, type WorkerCalls, type WorkerStart } from './calls.ts'
import { eachOf, gathered } from './gathered.ts'

export interface WorkerProcessDeps extends NativeDeps {
  recordings: Pick<Recordings, 'sealLeft' | 'settled'>
  cancels: Pick<Cancels, 'request'>
  definitions: Definitions
}

const startMs = 30_000
const policyMs = 10_000
const cancelMs = 2_000
const stopMs = 6_000
const pulseMs = 3_000
/** Pulses without an answer: counted rather than timed, so that a machine that slept does not end its workers. */
const mostMissed = 5
const burials = 4
const goneReason = 'The process of the gateway that served this session stopped.'

/**
 * One worker process, seen from the gateway: its sessions, and what is asked in either direction. From the turn in which it is gone,
 * nobody is let in through it and nothing is told to it; what its sessions left behind is for `bury`.
 */
export class WorkerProcess implements CatalogReader {
  /** Resolves with why, when it has stopped or never was. */
  readonly gone: Promise<string>
  readonly #child: ChildProcess
  readonly #log: Log
  readonly #worker: ReturnType<typeof createBirpc<WorkerCalls, GatewayCalls>>
  readonly #sessions = new Map<string, DistantSession>()
  readonly #held = new Map<string, Held>()
  /** Sessions that announced a change of definitions. */
  readonly #changing = new Set<string>()
  /** Connections that are on their way to it. */
  readonly #handedOver = new Set<Socket>()
  #deps: WorkerProcessDeps | undefined
  #entering = 0
  /** Those of them that are sessions already: nobody counts twice, or a burst would be spread unevenly. */
  #enlisted = 0
  #over = false
  #missed = 0
  #pulse: NodeJS.Timeout | undefined

  constructor(child: ChildProcess, log: Log) {
    this.#child = child
    this.#log = log
    this.#worker = createBirpc<WorkerCalls, GatewayCalls>(this.#calls(), {
      // One that left is dealt with when its end is told.
      post: gathered((messages) => void (child.connected && child.send(messages, () => undefined))),
      on: (take) => void child.on('message', eachOf(take)),
      eventNames: ['standstill', 'end', 'setGrants', 'definitionsChanged'],
      timeout: -1,
    })
    this.gone = new Promise((tell) => {
      const over = (why: string): void => {
        if (this.#over) return
        this.#over = true
        clearInterval(this.#pulse)
        this.#worker.$close(new Error('The worker process stopped.'))
        for (const socket of this.#handedOver) socket.destroy()
        for (const live of this.#sessions.values()) live.lose()
        for (const id of this.#changing) this.#theirs.definitions.changed(id)
        tell(why)
      }
      child.once('exit', (code, signal) => over(signal ?? `exit code ${code}`))
      child.once('error', (error) => over(error.message))
    })
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Connections that it has, those on their way in included. */
  get load(): number {
    return this.#sessions.size + this.#entering - this.#enlisted
  }

  /** Rejects, in words, when it can't serve; it is ended then. */
  async start(deps: WorkerProcessDeps, options: WorkerStart): Promise<void> {
    this.#deps = deps
    try {
      await this.#answer(this.#worker.start(options), startMs)
    } catch (error) {
      if (this.#over) throw new Error(`A worker process stopped before it could serve (${await this.gone}).`)
      this.kill()
      throw error
    }
    this.#pulse = setInterval(() => this.#feel(), pulseMs).unref()
  }

  /** Never rejects. A worker that can't follow the policy in force must not go on: its sessions end. */
  async pushPolicy(files: readonly PolicyFile[]): Promise<void> {
    try {
      const load = await this.#answer(this.#worker.pushPolicy(files), policyMs)
      if (load.ok) return
      this.#log.error({ pid: this.pid, problems: load.problems }, 'a worker process refused the policy, and is ended')
    } catch (error) {
      if (this.#over) return
      this.#log.error({ pid: this.pid, err: error }, 'a worker process did not take the policy, and is ended')
    }
    this.kill()
  }

  standstill(reason: string | undefined): void {
    this.#tell(() => this.#worker.standstill(reason))
  }

  /** False also when it does not say. */
  async cancel(processId: number, digest: Uint8Array): Promise<boolean> {
    return this.#answer(this.#worker.cancel(processId, digest), cancelMs).catch(() => false)
  }

  /** Also resolves when it is gone. One that hangs is waited for until it is found out and ended. */
  async definitionsChanging(change: DefinitionChange): Promise<void> {
    if (!this.#over) await this.#worker.definitionsChanging(change).catch(() => undefined)
  }

  definitionsChanged(change: DefinitionChange | undefined): void {
    this.#tell(() => this.#worker.definitionsChanged(change))
  }

  /** Hands a connection over; nothing has been read from it. */
  give(socket: Socket): void {
    this.#handedOver.add(socket)
    this.#entering++
    this.#child.send(handover, socket, (error) => {
      this.#handedOver.delete(socket)
      if (error === null) return
      this.#entering--
      socket.destroy()
    })
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  /** Lets it leave in order; one that does not is ended. Never rejects. */
  async stop(): Promise<void> {
    try {
      await this.#answer(this.#worker.stop(), stopMs)
    } catch (error) {
      if (!this.#over) this.#log.warn({ pid: this.pid, err: error }, 'a worker process did not stop in order')
      this.kill()
    }
    if (this.#child.connected) this.#child.disconnect()
  }

  /** Once it is gone: stores the ends of its sessions, with what they recorded. */
  async bury(): Promise<void> {
    const left = [...this.#sessions.values()]
    this.#sessions.clear()
    const next = async (): Promise<void> => {
      for (let live = left.shift(); live !== undefined; live = left.shift()) await this.#bury(live)
    }
    await Promise.all(Array.from({ length: burials }, next))
  }

  async #bury(live: DistantSession): Promise<void> {
    try {
      if (live.startedAt !== undefined) {
        const recorded =
          live.ending === undefined ? await this.#theirs.recordings.sealLeft(live.id, goneReason) : undefined
        if (recorded !== undefined) live.count(recorded.counts)
        await live.ended({ reason: goneReason, bytesIn: 0, bytesOut: 0 }, recorded?.seal)
        this.#theirs.recordings.settled(live.id)
      }
    } catch (error) {
      this.#log.error({ err: error, session: live.id }, 'the end of a session can’t be stored')
    }
    live.close()
  }

  #calls(): GatewayCalls {
    return {
      enter: async (typed) => {
        const entry = await admitPostgres(this.#theirs, typed, (session) => {
          if (this.#over) throw new Error('The worker process stopped.')
          const live = this.#theirs.sessions.distant(session, {
            end: (id, reason) => this.#tell(() => this.#worker.end(id, reason)),
            setGrants: (id, grants: readonly Grant[]) => this.#tell(() => this.#worker.setGrants(id, grants)),
          })
          this.#sessions.set(live.id, live)
          this.#enlisted++
          return live
        })
        if (!entry.ok) return entry
        const { spec, door, accessTokenId } = entry.live
        return { ok: true, session: { spec, door, accessTokenId } }
      },
      left: () => {
        this.#entering--
        this.#enlisted = Math.max(0, this.#enlisted - 1)
      },
      taken: (id) => this.#sessions.get(id)?.taken(),
      begun: (id, startedAt) => this.#session(id).begun(startedAt),
      counted: (counts) => {
        for (const [id, counted] of counts) this.#sessions.get(id)?.count(counted)
      },
      hold: async (id, request) => {
        const held = await this.#session(id).hold(request)
        if (this.#over) {
          held.cancel()
          throw new Error('The worker process stopped.')
        }
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
      cancel: (processId, digest) => this.#theirs.cancels.request(processId, digest),
      changing: async (id) => {
        const { spec } = this.#session(id)
        this.#changing.add(id)
        await this.#theirs.definitions.changing(spec, this)
      },
      changed: (id) => {
        this.#changing.delete(id)
        this.#theirs.definitions.changed(id)
      },
      log: (level, fields, message) => this.#log[level]({ ...fieldsOf(fields), worker: this.pid }, message),
    }
  }

  /** A worker says nothing before it was started, and with that the gateway's parts are known. */
  get #theirs(): WorkerProcessDeps {
    if (this.#deps === undefined) throw new Error('The worker was not started.')
    return this.#deps
  }

  #session(id: string): DistantSession {
    const live = this.#sessions.get(id)
    if (live === undefined) throw new Error(`There is no session ${id} here.`)
    return live
  }

  #tell(order: () => Promise<unknown>): void {
    if (this.#over) return
    order().catch((error: unknown) => {
      if (!this.#over) this.#log.error({ err: error, pid: this.pid }, 'a worker process could not be told something')
    })
  }

  /** `call`, for so long; it rejects by itself when the process is gone. */
  #answer<T>(call: Promise<T>, ms: number): Promise<T> {
    return new Promise((done, fail) => {
      const timer = setTimeout(() => fail(new Error(`A worker process did not answer within ${ms / 1000} s.`)), ms)
      call.then(done, fail).finally(() => clearTimeout(timer))
    })
  }

  /** One that hangs can't end its sessions when it is told to, and its clients wait for nothing. */
  #feel(): void {
    if (this.#missed >= mostMissed) {
      this.#log.error({ pid: this.pid }, 'a worker process does not answer any more, and is ended')
      this.kill()
      return
    }
    this.#missed++
    this.#tell(async () => {
      await this.#worker.alive()
      this.#missed = 0
    })
  }
}

function fieldsOf(text: string): object {
  const fields: unknown = JSON.parse(text)
  return typeof fields === 'object' && fields !== null ? fields : {}
}
