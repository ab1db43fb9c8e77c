import { Socket } from 'node:net'
import { createBirpc } from 'birpc'
import { stdSerializers } from 'pino'
import type { HoldRequest, SessionPort } from '../../shared/link.ts'
import type { Entering } from '../native/entering.ts'
import { type PostgresEntrance, postgresDoor } from '../native/postgres.ts'
import { Recordings } from '../recordings/recordings.ts'
import type { LocalAgent, Log } from '../services.ts'
import { LiveSession } from '../sessions/live.ts'
import { type GatewayCalls, handover, type WorkerCalls, type WorkerStart } from './calls.ts'
import { eachOf, gathered } from './gathered.ts'

/** The pipe to the gateway that started this process; `process` of a forked one fits. */
export interface GatewayPipe {
  send?(message: unknown, told: (error: Error | null) => void): boolean
  on(event: 'message', listener: (message: unknown, handle: unknown) => void): unknown
  on(event: 'disconnect', listener: () => void): unknown
}

type Gateway = ReturnType<typeof createBirpc<GatewayCalls, WorkerCalls>>

const countsMs = 250

/**
 * Serves sessions for the gateway that forked this process: an agent, the native PostgreSQL door, and the recordings of its own
 * sessions. Who may enter, who is asked and what is stored is the gateway's; when the gateway is gone, so is this process.
 */
export function serveSessions(pipe: GatewayPipe, createAgent: (log: Log) => Promise<LocalAgent>): void {
  let worker: Worker | undefined
  const started = (): Worker => {
    if (worker === undefined) throw new Error('The worker was not started.')
    return worker
  }
  const gateway: Gateway = createBirpc<GatewayCalls, WorkerCalls>(
    {
      async start(options) {
        const log = logThrough(gateway)
        worker = new Worker(gateway, await createAgent(log), options, log)
        const load = await worker.agent.pushPolicy(options.policy)
        if (!load.ok) throw new Error('The policy in force does not load here.')
      },
      pushPolicy: (files) => started().agent.pushPolicy(files),
      alive: () => undefined,
      standstill: (reason) => started().setStandstill(reason),
      end: (id, reason) => started().sessions.get(id)?.end(reason),
      setGrants: (id, grants) => started().sessions.get(id)?.setGrants(grants),
      cancel: (processId, digest) => started().agent.cancelPostgres(processId, digest),
      definitionsChanging: (change) => started().agent.definitionsChanging(change),
      definitionsChanged: (change) => started().agent.definitionsChanged(change),
      stop: () => started().stop(),
    },
    {
      post: gathered((messages) => void pipe.send?.(messages, (error) => (error === null ? undefined : leave()))),
      on: (take) => void pipe.on('message', eachOf(take)),
      eventNames: ['left', 'taken', 'counted', 'closed', 'cancel', 'giveUp', 'changed', 'log'],
      timeout: -1,
    },
  )
  pipe.on('message', (message, handle) => {
    // A client that left on the way here has no socket any more.
    if (message !== handover) return
    if (handle instanceof Socket) started().door.take(handle)
    else void gateway.left()
  })
  pipe.on('disconnect', leave)
}

/** The gateway is gone: nobody could end the sessions here any more. */
function leave(): void {
  process.exit(0)
}

class Worker {
  readonly agent: LocalAgent
  readonly door: Entering
  readonly sessions = new Map<string, LiveSession>()
  readonly #gateway: Gateway
  readonly #recordings: Recordings
  readonly #log: Log
  readonly #counting: NodeJS.Timeout
  #standstill: Error | undefined

  constructor(gateway: Gateway, agent: LocalAgent, { dataDir, tls, standstill }: WorkerStart, log: Log) {
    this.#gateway = gateway
    this.agent = agent
    this.#log = log
    this.#recordings = new Recordings({ dataDir, log })
    const { lending } = agent
    this.door = postgresDoor({ entrance: this.#entrance(), tls, log, lending, left: () => void gateway.left() })
    this.setStandstill(standstill)
    this.#counting = setInterval(() => this.#count(), countsMs).unref()
  }

  setStandstill(reason: string | undefined): void {
    this.#standstill = reason === undefined ? undefined : new Error(reason)
  }

  async stop(): Promise<void> {
    this.door.close()
    await this.agent.close()
    await Promise.all([...this.sessions.values()].map(({ closed }) => closed))
    clearInterval(this.#counting)
    this.#recordings.close()
  }

  #entrance(): PostgresEntrance {
    return {
      cancel: (processId, digest) => {
        if (!this.agent.cancelPostgres(processId, digest)) void this.#gateway.cancel(processId, digest)
      },
      enter: async (typed, client) => {
        const entry = await this.#gateway.enter(typed)
        if (!entry.ok) return entry
        const live = this.#session({ ...entry.session, client })
        return { ok: true, begin: () => live.attach(this.agent.open(live.spec, client, live.port)) }
      },
    }
  }

  #session(entered: Pick<ConstructorParameters<typeof LiveSession>[0], 'spec' | 'door' | 'accessTokenId' | 'client'>) {
    const id = entered.spec.sessionId
    const live = new LiveSession({
      ...entered,
      recordings: this.#recordings,
      log: this.#log,
      standstill: () => this.#standstill,
      cancel: (processId, digest) => void this.#gateway.cancel(processId, digest),
      changing: () => this.#gateway.changing(id),
      changed: () => void this.#gateway.changed(id),
      begun: ({ startedAt = new Date() }) => this.#gateway.begun(id, startedAt),
      hold: (request) => this.#hold(id, request),
      ended: (session, end, seal) => {
        void this.#gateway.counted([[id, session.counts]])
        return this.#gateway.ended(id, end, seal)
      },
    })
    this.sessions.set(id, live)
    void this.#gateway.taken(id)
    void live.closed.then(() => {
      this.sessions.delete(id)
      void this.#gateway.closed(id)
    })
    return live
  }

  async #hold(id: string, request: HoldRequest): ReturnType<SessionPort['hold']> {
    const { requestId, expiresAt } = await this.#gateway.hold(id, request)
    return {
      requestId,
      expiresAt,
      outcome: this.#gateway.outcome(requestId),
      cancel: () => void this.#gateway.giveUp(requestId),
    }
  }

  #count(): void {
    const changed = [...this.sessions.values()].filter(({ dirty }) => dirty)
    if (changed.length === 0) return
    for (const live of changed) live.dirty = false
    void this.#gateway.counted(changed.map(({ id, counts }) => [id, counts]))
  }
}

function logThrough(gateway: Gateway): Log {
  return {
    info: (fields, message) => void gateway.log('info', written(fields), message),
    warn: (fields, message) => void gateway.log('warn', written(fields), message),
    error: (fields, message) => void gateway.log('error', written(fields), message),
  }
}

/** As JSON: an error would lose its code and its kind on the way as it is. */
function written(fields: object): string {
  const plain =
    'err' in fields && fields.err instanceof Error ? { ...fields, err: stdSerializers.err(fields.err) } : fields
  try {
    return JSON.stringify(plain)
  } catch (error) {
    return JSON.stringify({ unwritable: String(error) })
  }
}
