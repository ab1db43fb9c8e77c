import type { Duplex } from 'node:stream'
import { type Kysely, sql } from 'kysely'
import { z } from 'zod'
import type { Annotation } from '../../shared/annotation.ts'
import type { Session } from '../../shared/api/models.ts'
import type { SessionEnd, SessionSpec } from '../../shared/link.ts'
import type { Audit } from '../audit/audit.ts'
import type { Events } from '../events/events.ts'
import type { Recordings } from '../recordings/recordings.ts'
import type { RecordingSeal } from '../recordings/writer.ts'
import type { Requests } from '../requests/requests.ts'
import type { LiveSessions, LocalAgent, Log } from '../services.ts'
import type { Database } from '../store/database.ts'
import type { Listener } from '../store/listener.ts'
import type { RunPrepared } from '../store/store.ts'
import { reasonOf } from '../text.ts'
import type { Tokens } from '../tokens.ts'
import { type AdmissionDeps, admit } from './admission.ts'
import type { Cancels } from './cancels.ts'
import type { ChangePort } from './definitions.ts'
import { DistantSession, type DistantSessionOptions } from './distant.ts'
import { SessionLedger } from './ledger.ts'
import { type Live, LiveSession, type SessionUpkeep } from './live.ts'
import { type Full, room } from './room.ts'
import type { Standing } from './standing.ts'

export interface SessionsOptions extends AdmissionDeps {
  db: Kysely<Database>
  listener: Listener
  events: Pick<Events, 'hint'>
  prepared: RunPrepared
  audit: Audit
  recordings: Recordings
  cancels: Pick<Cancels, 'request'>
  definitions: ChangePort
  requests: Requests
  tokens: Tokens
  standing: Standing
  agent: LocalAgent
  log: Log
  /** Names this gateway among replicas, the same after a restart. */
  replica: string
}

export interface NewSession {
  spec: SessionSpec
  door: Session['door']
  /** The computer, as its client calls it. */
  device?: string | undefined
  accessTokenId: string
  client: Duplex
  /** Told once, before the agent is, when the gateway ends the session. */
  ending?: (reason: string) => void
  /** See SessionPort.annotate. */
  annotate?: (annotation: Annotation) => void
}

const channel = 'sallyport_sessions'
const countsMs = 1_000
const sweepMs = 600_000
const storeTries = 5
const lateEntryMs = 300
const killPatienceMs = 1_500
const closePatienceMs = 5_000
const EndOrder = z.object({ id: z.string(), reason: z.string() })

/** The live sessions of this process. */
export class Sessions implements LiveSessions {
  readonly #options: SessionsOptions
  readonly #ledger: SessionLedger
  readonly #live = new Map<string, Live>()
  readonly #onEndFor = new Set<(who: EndFor) => void>()
  #timer: NodeJS.Timeout | undefined
  #sweep: NodeJS.Timeout | undefined
  #unsubscribe: (() => void) | undefined
  #closing = false

  constructor(options: SessionsOptions) {
    this.#options = options
    this.#ledger = new SessionLedger(options)
  }

  /** Closes what a crash left open, then listens for orders of other replicas. */
  async start(): Promise<void> {
    const { listener, tokens, log } = this.#options
    await this.#recover()
    this.#timer = setInterval(() => {
      this.#storeCounts().catch((error: unknown) => log.error({ err: error }, 'counts of sessions can’t be stored'))
    }, countsMs)
    this.#timer.unref()
    this.#sweep = setInterval(() => {
      tokens.sweep().catch((error: unknown) => log.error({ err: error }, 'old tokens can’t be removed'))
    }, sweepMs)
    this.#sweep.unref()
    this.#unsubscribe = await listener.subscribe(channel, (payload) => {
      if (payload === '') return
      const { id, reason } = EndOrder.parse(JSON.parse(payload))
      this.#live.get(id)?.end(reason)
    })
  }

  /** Ends every session, and waits until their ends are stored. */
  async close(): Promise<void> {
    this.#closing = true
    this.#unsubscribe?.()
    clearInterval(this.#timer)
    clearInterval(this.#sweep)
    const live = [...this.#live.values()]
    for (const session of live) session.end('The gateway is being stopped. Connect again in a moment.')
    await within(
      closePatienceMs,
      live.map((session) => session.closed),
    )
  }

  /** Gives a client's stream to the agent. Resolves with why it ended. */
  open(session: NewSession): Promise<SessionEnd> {
    const live = this.prepare(session)
    return live.attach(this.#options.agent.open(session.spec, session.client, live.port))
  }

  /** For whoever opens it at the agent by themselves: the session waits to be attached. */
  prepare(session: NewSession): LiveSession {
    const { spec, door, accessTokenId, client, ending, annotate } = session
    const { recordings, log, audit, cancels, definitions } = this.#options
    const live = new LiveSession({
      spec,
      door,
      accessTokenId,
      client,
      ending,
      annotate,
      recordings,
      log,
      standstill: () => audit.failure,
      cancel: (processId, digest) => cancels.request(processId, digest),
      changing: () => definitions.changing(spec),
      changed: () => definitions.changed(spec.sessionId),
      ...this.#upkeep(session),
    })
    this.#enlist(live)
    return live
  }

  /** A session that another process serves, which takes `orders` about it. */
  distant(session: Omit<NewSession, 'client'>, orders: DistantSessionOptions['orders']): DistantSession {
    const { spec, door, accessTokenId } = session
    const live = new DistantSession({ spec, door, accessTokenId, orders, ...this.#upkeep(session) })
    this.#enlist(live)
    return live
  }

  /** What becomes of it in the store. */
  #upkeep({ spec, door, device }: Omit<NewSession, 'client'>): SessionUpkeep {
    const { sessionId, principal, connection, context } = spec
    const origin = { sessionId, principal, connection, client: door, device, ...context }
    return {
      begun: (live) => this.#ledger.begun(live),
      ended: (live, end, seal) => this.#ended(live, end, seal),
      hold: (request) => this.#options.requests.hold(origin, request),
    }
  }

  #enlist(live: Live): void {
    if (this.#closing) throw new Error('The gateway is being stopped.')
    this.#live.set(live.id, live)
    const forget = this.#options.standing.enter({
      principal: live.spec.principal,
      signIn: live.accessTokenId,
      leave: (reason) => live.end(reason),
    })
    void live.closed.then(() => {
      forget()
      this.#live.delete(live.id)
    })
  }

  get(id: string): Live | undefined {
    return this.#live.get(id)
  }

  /**
   * Why there is no room for one more session, where there is none. Whoever opens one asks in the same turn: nobody can come
   * in between.
   */
  room(connectionName: string, principalId: string): Full | undefined {
    const connection = this.#options.connections.get(connectionName)
    if (connection === undefined) return undefined
    const open = [...this.#live.values()].filter(({ spec, over }) => !over && spec.connection.name === connectionName)
    return room(
      connection,
      principalId,
      open.map(({ spec }) => spec.principal.id),
    )
  }

  /** How many are open here. */
  get size(): number {
    return this.#live.size
  }

  /**
   * Ends a live session, here or at another replica. The record of who did it is stored first, but a log that can't be
   * written keeps no session alive.
   */
  async kill(id: string, by: string, said: string): Promise<void> {
    const reason = reasonOf(said)
    const { audit, db } = this.#options
    const words = reason === '' ? `${by} ended this session.` : `${by} ended this session: ${reason}`
    const live = this.#live.get(id)
    try {
      await audit.append({ actor: by, action: 'session.kill', subject: id, detail: { reason } })
    } finally {
      if (live === undefined)
        await sql`select pg_notify(${channel}, ${JSON.stringify({ id, reason: words })})`.execute(db)
      else live.end(words)
    }
    if (live !== undefined) await within(killPatienceMs, [live.closed])
  }

  /** Cancels what the session that holds the key runs. Who asked is stored first, but a log that can't be written keeps nothing running. */
  async cancel(key: { processId: number; digest: Uint8Array }, by: string, connection: string): Promise<void> {
    const { audit, cancels } = this.#options
    try {
      await audit.append({
        actor: by,
        action: 'session.cancel',
        subject: connection,
        detail: { processId: key.processId },
      })
    } finally {
      cancels.request(key.processId, key.digest)
    }
  }

  /** Grants of a principal on a connection changed: decisions from here on use these, and who may not stay must leave. */
  grantsChanged(principalId: string, connection: string): void {
    for (const live of this.#live.values()) {
      const { spec } = live
      if (spec.principal.id !== principalId || spec.connection.name !== connection) continue
      live.setGrants(this.#options.grants.now(principalId, connection))
      this.#recheck(live)
    }
  }

  /** Another policy set is in force: ends the sessions that it does not let in. */
  policyChanged(): void {
    for (const live of this.#live.values()) this.#recheck(live)
  }

  async endFor(who: EndFor, reason: string): Promise<number> {
    const ended = new Set<string>()
    const end = () => {
      for (const live of this.#live.values()) {
        if (!isTheirs(live, who)) continue
        live.end(reason)
        ended.add(live.id)
      }
    }
    end()
    for (const tell of this.#onEndFor) tell(who)
    try {
      await this.#options.tokens.revoke(who)
    } finally {
      // Somebody whose token was checked just before may have come in meanwhile.
      end()
      setTimeout(end, lateEntryMs).unref()
    }
    return ended.size
  }

  review(): Promise<void> {
    return this.#options.standing.look()
  }

  /** Calls back when a sign-in ends, for streams that are no sessions. Returns what stops it. */
  onEndFor(tell: (who: EndFor) => void): () => void {
    this.#onEndFor.add(tell)
    return () => this.#onEndFor.delete(tell)
  }

  #recheck(live: Live): void {
    const { principal, context, connection } = live.spec
    const admission = admit(this.#options, { principal, context }, connection.name)
    if (admission.ok) return
    live.end(
      admission.kind === 'held'
        ? `Your access to ${connection.name} ended. ${admission.hint}`
        : `${admission.message} The session ended.`,
    )
  }

  async #ended(live: Live, end: SessionEnd, seal: RecordingSeal | undefined): Promise<void> {
    if (live.asked) await this.#options.requests.sessionEnded(live.id)
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#ledger.ended(live, end, seal)
        return
      } catch (error) {
        if (attempt === storeTries || this.#closing) throw error
        await new Promise((done) => setTimeout(done, attempt * 1_000))
      }
    }
  }

  async #storeCounts(): Promise<void> {
    for (const live of this.#live.values()) {
      if (!live.dirty) continue
      live.dirty = false
      await this.#options.db.updateTable('sessions').set(live.counts).where('id', '=', live.id).execute()
    }
  }

  /** Sessions of this gateway that the store still calls live are those that a crash ended. */
  async #recover(): Promise<void> {
    const { db, audit, recordings, requests, replica, log } = this.#options
    const left = new Map((await recordings.recover()).map((recording) => [recording.session, recording]))
    const rows = await db
      .selectFrom('sessions')
      .select(['id', 'connection_name'])
      .where('replica', '=', replica)
      .where('state', '<>', 'ended')
      .execute()
    for (const row of rows) {
      const reason = 'The gateway stopped.'
      const { seal, counts } = left.get(row.id) ?? {}
      await audit.within(async (trx, append) => {
        const ended = { state: 'ended', ended_at: new Date(), end_reason: reason, ...counts } as const
        await trx.updateTable('sessions').set(ended).where('id', '=', row.id).execute()
        const detail = { connection: row.connection_name, reason, recording: seal ?? null, replica }
        await append({ actor: 'gateway', action: 'session.end', subject: row.id, detail })
      })
      await requests.sessionEnded(row.id)
      recordings.settled(row.id)
      left.delete(row.id)
    }
    // Ended properly, but with a recording that could not be closed at the time.
    for (const { session, seal } of left.values()) {
      const detail = { recording: seal, replica }
      await audit.append({ actor: 'gateway', action: 'recording.seal', subject: session, detail })
      recordings.settled(session)
    }
    if (rows.length > 0) log.warn({ sessions: rows.length }, 'closed sessions that were open when the gateway stopped')
  }
}

type EndFor = Parameters<LiveSessions['endFor']>[0]

function isTheirs(live: Live, who: EndFor): boolean {
  if ('principalId' in who) return live.spec.principal.id === who.principalId
  return live.accessTokenId === who.accessTokenId
}

/** Waits for all of them, but no longer than `ms`. */
async function within(ms: number, work: readonly Promise<void>[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const patience = new Promise<void>((done) => {
    timer = setTimeout(done, ms)
  })
  await Promise.race([Promise.all(work), patience])
  clearTimeout(timer)
}
