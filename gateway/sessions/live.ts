import type { Duplex } from 'node:stream'
import type { Annotation } from '../../shared/annotation.ts'
import type { Session } from '../../shared/api/models.ts'
import type { Grant } from '../../shared/decision.ts'
import type { AgentSession, Held, HoldRequest, SessionEnd, SessionPort, SessionSpec } from '../../shared/link.ts'
import type { RecordingEvent } from '../../shared/recording.ts'
import type { Recordings } from '../recordings/recordings.ts'
import type { RecordingSeal, RecordingWriter } from '../recordings/writer.ts'
import type { Log } from '../services.ts'
import { type Counts, countEvent, noCounts } from './counts.ts'

/** A live session as the register has it, wherever it is served. */
export interface Live {
  readonly spec: SessionSpec
  readonly id: string
  readonly door: Session['door']
  /** The sign-in that it was entered with. */
  readonly accessTokenId: string
  readonly counts: Counts
  /** Undefined until it begins. */
  readonly startedAt: Date | undefined
  /** Somebody was asked for approval on its behalf. */
  readonly asked: boolean
  /** Set when counts changed since they were last stored. */
  dirty: boolean
  /** Nobody is served by it any more, though its end may not be stored yet. */
  readonly over: boolean
  /** Resolves when the session has ended and its end is stored. */
  readonly closed: Promise<void>
  /** Ends it now; the client is told why where the protocol can, and cut off when that takes too long. */
  end(reason: string): void
  setGrants(grants: readonly Grant[]): void
}

/** What becomes of a session in the store. */
export interface SessionUpkeep {
  /** Stores the session's row and audit record. Nothing is forwarded before. */
  begun(session: Live): Promise<void>
  hold(request: HoldRequest): Promise<Held>
  /** Stores its end, once both sides are closed. `seal` is undefined when the recording could not be closed. */
  ended(session: Live, end: SessionEnd, seal: RecordingSeal | undefined): Promise<void>
}

export interface LiveSessionOptions extends SessionUpkeep {
  spec: SessionSpec
  door: Session['door']
  /** The sign-in that it was entered with. */
  accessTokenId: string
  /** The stream towards the client; cut when an end that was asked for takes too long. */
  client: Duplex
  /** Told once, before the agent is, when the gateway ends it. */
  ending?: ((reason: string) => void) | undefined
  /** See SessionPort.annotate. */
  annotate?: ((annotation: Annotation) => void) | undefined
  recordings: Recordings
  /** See SessionPort.cancelElsewhere. */
  cancel(processId: number, digest: Uint8Array): void
  /** See SessionPort.changing. */
  changing(): Promise<void> | undefined
  changed(): void
  log: Log
  /** Why nothing may be forwarded right now (the audit log can't be written). */
  standstill(): Error | undefined
}

export const endPatienceMs = 750

/**
 * One session between a client and the agent: its recording, its counts, its end. It is stored and listed from the moment
 * that the target accepted it, or that something was recorded; one that never gets there leaves nothing behind.
 */
export class LiveSession implements Live {
  readonly spec: SessionSpec
  readonly door: Session['door']
  readonly accessTokenId: string
  readonly port: SessionPort
  readonly counts: Counts = noCounts()
  asked = false
  dirty = false
  startedAt: Date | undefined
  over = false
  readonly closed: Promise<void>
  readonly #options: LiveSessionOptions
  #recording: RecordingWriter | undefined
  #storing: Promise<void> | undefined
  #stored = false
  #failure: Error | undefined
  #agent: AgentSession | undefined
  #endReason: string | undefined
  /** Those that it was let in with have changed. */
  #grants: readonly Grant[] | undefined
  #markClosed: () => void = () => {}

  constructor(options: LiveSessionOptions) {
    this.#options = options
    this.spec = options.spec
    this.door = options.door
    this.accessTokenId = options.accessTokenId
    this.port = {
      started: (info) => this.#started(info),
      record: (event) => this.#record(event),
      hold: (request) => {
        this.asked = true
        return options.hold(request)
      },
      annotate: (annotation) => options.annotate?.(annotation),
      cancelElsewhere: (processId, digest) => options.cancel(processId, digest),
      changing: () => options.changing(),
      changed: () => options.changed(),
    }
    this.closed = new Promise((done) => {
      this.#markClosed = done
    })
    const { client } = options
    if (client.closed) this.#leave()
    else client.once('close', () => this.#leave())
  }

  get id(): string {
    return this.spec.sessionId
  }

  /** Resolves with why it ended, when the agent has closed both sides. */
  attach(agent: AgentSession): Promise<SessionEnd> {
    this.#agent = agent
    if (this.#grants !== undefined) agent.setGrants(this.#grants)
    if (this.#endReason !== undefined) agent.end(this.#endReason)
    const { client } = this.#options
    return agent.done.then(
      (end) => this.#finish(end),
      (error: unknown) => {
        // It should never reject; if it does, the session must not stay open on our side.
        this.#options.log.error({ err: error, session: this.id }, 'the agent failed to end a session')
        client.destroy()
        return this.#finish({ reason: 'The agent failed.', bytesIn: 0, bytesOut: 0 })
      },
    )
  }

  /** A client that went away before the agent took the session leaves nothing behind. */
  #leave(): void {
    if (this.#agent === undefined) void this.#finish({ reason: 'The client left.', bytesIn: 0, bytesOut: 0 })
  }

  end(reason: string): void {
    if (this.#endReason !== undefined) return
    this.#endReason = reason
    this.#options.ending?.(reason)
    this.#agent?.end(reason)
    const { client } = this.#options
    // Also for an agent that has let go: a client that does not read would never see the end of the stream.
    const timer = setTimeout(() => client.destroy(), endPatienceMs)
    timer.unref()
    client.once('close', () => clearTimeout(timer))
  }

  setGrants(grants: readonly Grant[]): void {
    this.#grants = grants
    this.#agent?.setGrants(grants)
  }

  #started(info: Parameters<SessionPort['started']>[0]): void {
    try {
      const recording = this.#begin()
      if (info.cols !== undefined && info.rows !== undefined) recording.size(info.cols, info.rows)
    } catch (error) {
      this.#fail(error)
    }
  }

  #record(event: RecordingEvent): Promise<void> | undefined {
    if (this.#failure !== undefined) throw this.#failure
    const standstill = this.#options.standstill()
    if (standstill !== undefined) throw standstill
    this.#begin().record(event)
    if (countEvent(this.counts, event)) this.dirty = true
    return this.#stored ? undefined : this.#storing
  }

  #begin(): RecordingWriter {
    if (this.#recording !== undefined) return this.#recording
    const startedAt = new Date()
    const { principal, connection, purpose } = this.spec
    this.#recording = this.#options.recordings.start({ session: this.id, principal, connection, purpose, startedAt })
    this.startedAt = startedAt
    this.#storing = this.#options.begun(this).then(
      () => {
        this.#stored = true
      },
      (error: unknown) => {
        this.#fail(error)
        throw error
      },
    )
    // Whoever records waits for it; when nobody does, `#fail` has ended the session.
    this.#storing.catch(() => undefined)
    return this.#recording
  }

  #fail(error: unknown): void {
    this.#options.log.error({ err: error, session: this.id }, 'a session can’t be recorded and is ended')
    this.#failure = new Error(unrecordable, { cause: error })
    this.end(this.#failure.message)
  }

  async #finish(end: SessionEnd): Promise<SessionEnd> {
    this.over = true
    const why = { ...end, reason: this.#endReason ?? end.reason }
    try {
      if (this.#recording !== undefined) {
        await Promise.allSettled([this.#storing])
        const seal = await this.#seal()
        await this.#options.ended(this, why, seal)
        // Not before: a gateway that stops in between tells of the seal when it starts again.
        if (seal !== undefined) this.#options.recordings.settled(this.id)
      }
    } catch (error) {
      this.#options.log.error({ err: error, session: this.id }, 'the end of a session can’t be stored')
    }
    this.#markClosed()
    return why
  }

  async #seal(): Promise<RecordingSeal | undefined> {
    try {
      return await this.#options.recordings.finish(this.id, new Date())
    } catch (error) {
      this.#options.log.error({ err: error, session: this.id }, 'a recording can’t be closed; the next start seals it')
      return undefined
    }
  }
}

const unrecordable =
  'This session can’t be recorded, so nothing was forwarded. Tell the people who run the gateway: its log says why.'
