import type { Duplex } from 'node:stream'
import type { SessionEnd } from '../../../shared/link.ts'
import type { InspectorPort } from '../port.ts'
import type { InspectorSession } from '../session.ts'
import { blockedError, endedError, write as say, type Voice } from './annotations.ts'
import { Backend } from './backend.ts'
import { type CancelRegistry, cancelDigest } from './cancels.ts'
import type { CatalogSource } from './catalog/catalog.ts'
import { closing, endedBy, Unheard } from './ending.ts'
import { FrameError, Outbox } from './frames.ts'
import { Frontend } from './frontend.ts'
import { Gate } from './gate.ts'
import { isLender, tookAll } from './lending.ts'
import { Line } from './line.ts'
import { messages } from './messages.ts'
import { loadParser } from './parser.ts'
import { unmaskable } from './replication.ts'
import { shownTooLong, showsTooMuch } from './shown.ts'
import { cancelAt, signInAt } from './start/dialling.ts'
import { greet } from './start/greeting.ts'
import { inTime, isLate, Phases } from './start/in-time.ts'
import { admitOpening, openingFailure, openingRequests } from './start/opening.ts'
import type { SignedIn } from './start/signin.ts'
import { cancelKeyLength, readOpening, targetParameters } from './start/startup.ts'
import type { PostgresTarget } from './start/tls.ts'
import { StateReader } from './state.ts'

export type { PostgresTarget } from './start/tls.ts'

/** Each phase before the first ReadyForQuery: the client's start-up packet, and the target's sign-in. */
const phaseMs = 30_000
/** While a statement waits, this much of what the client sends behind it is kept before it is told to stop. */
const longestBacklog = 1 << 20

export interface PostgresOptions {
  /** Begins with a StartupMessage (or a CancelRequest); SSLRequest and GSSENCRequest are answered N. */
  client: Duplex
  /** A fresh connection to the target, before TLS. */
  dial(): Promise<Duplex>
  target: PostgresTarget
  catalogs: CatalogSource
  cancels: CancelRegistry
  port: InspectorPort
  /** Milliseconds for each phase before the first ReadyForQuery. */
  patienceMs?: number
}

/** Inspects one PostgreSQL session. Never throws; what goes wrong is said to the client and in `done`. */
export function servePostgres(options: PostgresOptions): InspectorSession {
  return new Session(options)
}

class Session implements InspectorSession {
  readonly done: Promise<SessionEnd>
  readonly #options: PostgresOptions
  readonly #voice: Voice
  readonly #toClient = new Outbox()
  readonly #toTarget = new Outbox()
  readonly #phases = new Phases()
  #server: Duplex | undefined
  #frontend: Frontend | undefined
  #backend: Backend | undefined
  #gate: Gate | undefined
  #keyData: Buffer = Buffer.alloc(0)
  #cancelTarget: () => void = () => {}
  #busyAtTarget: () => boolean = () => false
  #ended = false
  #clientPaused = false
  /** Waits for the target to take what was written. */
  #draining = false
  #terminated = false
  readonly #unheard = new Unheard()
  #release: () => void = () => {}
  #line: Line | undefined
  #resolve: (end: SessionEnd) => void = () => {}

  constructor(options: PostgresOptions) {
    this.#options = options
    const { port } = options
    this.#voice = { annotations: port.annotations, connection: port.connection.name }
    this.done = new Promise((resolve) => {
      this.#resolve = resolve
    })
    // Errors of a socket are followed by its close, which is where they are dealt with.
    options.client.on('error', () => {})
    options.client.on('close', () => this.#clientLeft())
    this.#open().catch((error: unknown) => {
      if (this.#ended) return
      const { reason, words } = openingFailure(error, port.connection.name)
      this.#end(reason, words)
    })
  }

  end(reason: string): void {
    // What runs at the target is not left running for nobody.
    if (!this.#ended && this.#busyAtTarget()) this.#cancelTarget()
    this.#end(reason, endedError(this.#voice, reason))
  }

  reconsider(): void {
    if (!this.#ended && this.#line !== undefined && showsTooMuch(this.#line)) this.end(`${shownTooLong}.`)
  }

  async #open(): Promise<void> {
    const { client, target, catalogs, cancels, port } = this.#options
    const opening = await readOpening(client, this.#deadline()).catch((error: unknown) => {
      throw isLate(error) ? new FrameError('nobody said in time who they are') : error
    })
    this.#phases.end()
    if (opening.kind === 'cancel') {
      const digest = cancelDigest(opening.secret)
      if (!cancels.cancel(opening.processId, digest)) port.cancelElsewhere?.(opening.processId, digest)
      this.#end('cancel request')
      return
    }
    const asked = targetParameters(opening.parameters, target)
    if (!asked.ok) {
      this.#end(asked.message, say({ severity: 'FATAL', ...asked }))
      return
    }
    let n = 0
    for (const request of openingRequests(asked)) {
      const refusal = await admitOpening(port, this.#voice, request, ++n)
      if (this.#ended) return
      if (refusal !== undefined) {
        this.#end(`${request.text} is not allowed.`, refusal)
        return
      }
    }
    const catalog = catalogs.get(target)
    const signal = this.#deadline()
    const prepared = Promise.all([catalog.ready(), loadParser()])
    // Both sign in with the same account: when it is refused, the session's own sign-in is who says so.
    prepared.catch(() => {})
    const [server, signedIn] = await signInAt(this.#options, asked.parameters, catalog.salted, signal, (stream) => {
      this.#server = stream
    })
    await inTime(prepared, signal)
    this.#phases.end()
    if (this.#ended) {
      server.destroy()
      return
    }
    const line = new Line({
      port,
      target: catalog,
      account: target.user,
      fail: (reason) => this.end(reason),
    })
    line.n = n
    line.replicates = asked.replication !== 'none'
    if (line.replicates && (line.meaning === undefined || line.judge.anyMasked(line.meaning))) {
      this.#end(unmaskable.message, blockedError(this.#voice, unmaskable, 'sql:replication', 'FATAL'))
      return
    }
    for (let done = 1; done <= n; done++) {
      await port.record({ type: 'complete', at: port.elapsed(), n: done, ok: true, dbMs: 0, gatewayMs: 0 })
      if (this.#ended) return
    }
    line.begin(signedIn.parameters)
    if (signedIn.secret.length > 0) line.processId = signedIn.processId
    const backend = this.#wire(client, server, line)
    this.#registerCancel(signedIn, cancelKeyLength(opening.minor))
    greet(this.#toClient, { ...opening, keyData: this.#keyData }, signedIn, backend, line)
    this.#flushToClient()
    port.started({ user: target.user, database: target.database })
    if (opening.rest.length > 0) this.#fromClient(opening.rest)
    // What it has read meanwhile comes at once, so not before the client was told that it is in.
    if (isLender(client)) client.lend((chunk) => this.#fromClient(chunk))
    else client.on('data', (chunk: Buffer) => this.#fromClient(chunk))
    client.resume()
    this.#resumeTarget()
  }

  #wire(client: Duplex, server: Duplex, line: Line): Backend {
    const backend = new Backend(line, this.#toClient)
    const interject = (notice: Buffer): void => {
      if (this.#ended) return
      backend.interject(notice)
      this.#flushToClient()
    }
    const state = new StateReader(line, this.#toTarget, () => this.#flushToTarget())
    const gate = new Gate(line, state, interject)
    const frontend = new Frontend(line, gate, this.#toTarget, () => this.#clientTerminated())
    this.#backend = backend
    this.#gate = gate
    this.#frontend = frontend
    this.#line = line
    this.#busyAtTarget = () => line.queue.length > 0
    client.on('end', () => this.#clientFinished())
    client.on('drain', () => this.#resumeTarget())
    if (isLender(server)) server.lend((chunk) => this.#fromTarget(chunk, true))
    else server.on('data', (chunk: Buffer) => this.#fromTarget(chunk, false))
    server.on('end', () => this.#targetLeft())
    server.on('close', () => this.#targetLeft())
    return backend
  }

  /** True, as for a lender: a long chunk may wait, in the backlog or on its way to the target. */
  #fromClient(chunk: Buffer): true {
    const frontend = this.#frontend
    if (this.#unheard.hear(chunk.length)) this.#options.client.end()
    if (frontend === undefined || this.#ended) return true
    try {
      const later = frontend.push(chunk)
      this.#flushToTarget()
      if (later !== undefined) this.#waitFor(later)
      else if (frontend.backlog > longestBacklog) this.#pauseClient()
    } catch (error) {
      this.#failClient(error)
    }
    return true
  }

  #waitFor(later: Promise<void>): void {
    later.then(
      () => {
        if (this.#ended || this.#frontend === undefined) return
        try {
          const next = this.#frontend.resume()
          this.#flushToTarget()
          if (next !== undefined) this.#waitFor(next)
          else this.#resumeClient()
        } catch (error) {
          this.#failClient(error)
        }
      },
      (error: unknown) => this.#failClient(error),
    )
  }

  /** What came before it is on the recording, and is forwarded however the bytes came. */
  #failClient(error: unknown): void {
    this.#flushToTarget()
    if (this.#ended) return
    this.#unheard.expect(error, this.#frontend?.missing ?? 0)
    this.end(endedBy(error))
  }

  /** True: the chunk is still needed, and must not be overwritten. */
  #fromTarget(chunk: Buffer, lent: boolean): boolean {
    const backend = this.#backend
    if (backend === undefined || this.#ended) return true
    try {
      const { waiting } = backend
      backend.push(chunk)
      this.#flushToClient()
      if (backend.waiting !== undefined) {
        if (backend.waiting !== waiting) this.#waitForDefinitions(backend, backend.waiting)
        return true
      }
      const out = tookAll(this.#options.client)
      backend.settle(out, lent && out)
      return !out
    } catch (error) {
      this.#flushToClient()
      if (!this.#ended) this.end(endedBy(error))
      return true
    }
  }

  #waitForDefinitions(backend: Backend, read: Promise<void>): void {
    this.#server?.pause()
    const goOn = (): void => {
      if (this.#ended) return
      backend.resume()
      this.#flushToClient()
      if (backend.waiting !== undefined) this.#waitForDefinitions(backend, backend.waiting)
      else if (this.#server?.closed === true || this.#server?.readableEnded === true) this.#targetLeft()
      else this.#resumeTarget()
    }
    read.then(goOn).catch((error: unknown) => {
      this.#flushToClient()
      if (!this.#ended) this.end(endedBy(error))
    })
  }

  #flushToClient(): void {
    // The rest of a chunk in which the session ended: what it ended with was the last that is said.
    if (this.#ended) return
    if (!this.#toClient.flush(this.#options.client)) this.#server?.pause()
  }

  /** Unless the client has still to take what came before, or it is not known yet what that means. */
  #resumeTarget(): void {
    if (this.#ended || this.#backend?.waiting !== undefined || this.#options.client.writableNeedDrain) return
    this.#server?.resume()
  }

  #flushToTarget(): void {
    const server = this.#server
    if (server === undefined || this.#ended) return
    const ok = this.#toTarget.flush(server)
    if (ok) return
    // Also where it is paused for something else: what that waits for may come first.
    if (!this.#draining) server.once('drain', () => this.#drained())
    this.#draining = true
    if (!this.#clientPaused) this.#pauseClient()
  }

  #drained(): void {
    this.#draining = false
    this.#resumeClient()
  }

  #pauseClient(): void {
    this.#clientPaused = true
    this.#options.client.pause()
  }

  #resumeClient(): void {
    if (!this.#clientPaused || this.#ended) return
    if (this.#frontend?.busy === true || this.#server?.writableNeedDrain === true) return
    this.#clientPaused = false
    this.#options.client.resume()
  }

  #registerCancel({ processId, secret }: SignedIn, keyLength: number): void {
    // The key alone stays with the session, and not the chunk that it came in.
    const own = { processId, secret: Buffer.from(secret) }
    this.#cancelTarget = () => void cancelAt(this.#options, own, phaseMs)
    const key = this.#options.cancels.register(secret.length === 0 ? undefined : processId, keyLength, () => {
      // What waits here never reached the target.
      if (this.#frontend?.cancel() !== true) this.#cancelTarget()
    })
    this.#keyData = messages.backendKeyData(key.processId, key.secret)
    this.#release = () => key.release()
  }

  #deadline(): AbortSignal {
    return this.#phases.begin(this.#options.patienceMs ?? phaseMs)
  }

  /** The target answers what was sent before, and then closes. */
  #clientTerminated(): void {
    this.#terminated = true
    this.#flushToTarget()
  }

  /** The client says no more, but may still read. */
  #clientFinished(): void {
    const server = this.#server
    if (this.#ended || this.#terminated) return
    const asked = this.#frontend?.busy === false && this.#frontend.betweenMessages
    if (this.#backend === undefined || !asked || server === undefined) this.#clientLeft()
    else {
      this.#toTarget.push(messages.terminate)
      this.#clientTerminated()
    }
  }

  #clientLeft(): void {
    this.#end('The client left.')
  }

  #targetLeft(): void {
    // What it said before is still looked at.
    if (this.#ended || this.#backend?.waiting !== undefined) return
    if (this.#terminated) {
      this.#end('The client ended the session.')
      return
    }
    const reason = 'The target closed the connection'
    // Its own last words, where it had any, say why.
    if (this.#backend?.fatal === true) this.#end(`${reason}.`)
    else
      this.#end(`${reason}.`, endedError(this.#voice, `${reason}. What was running may or may not have taken effect`))
  }

  /** Closes both sides, once. `words` go to the client if a message can be put there. */
  #end(reason: string, words?: Buffer): void {
    if (this.#ended) return
    this.#ended = true
    this.#phases.abort(reason)
    this.#gate?.cancel()
    this.#release()
    const { client, port } = this.#options
    const server = this.#server
    const line = this.#line
    // When the target commits what it still does for us, only its goodbye tells.
    const awaited = line?.shared.underWay(line.confirmed)
    const left = server === undefined ? Promise.resolve() : closing(server)
    if (!awaited) line?.shared.close()
    else void left.then(() => line?.shared.close())
    const closed = Promise.all([closing(client), awaited ? undefined : left])
    if (words !== undefined && this.#backend?.betweenMessages !== false && client.writable) {
      this.#toClient.push(words)
      this.#toClient.flush(client)
    }
    if (!this.#unheard.some) client.end()
    client.resume()
    // Nothing more is read from the target, and it is told to stop rather than left to find out.
    if (server !== undefined) {
      const told = this.#terminated || this.#frontend?.betweenMessages === false
      if (this.#backend !== undefined && server.writable) server.end(told ? undefined : messages.terminate)
      else server.destroy()
      server.resume()
    }
    const goodbye = setTimeout(() => {
      client.destroy()
      if (!awaited) server?.destroy()
    }, this.#unheard.patienceMs)
    void closed
      .then(() => port.record({ type: 'end', at: port.elapsed(), reason }))
      // The session is over: who could be told that its last event was lost has been told that it ended.
      .catch(() => {})
      .then(() => {
        clearTimeout(goodbye)
        this.#resolve({ reason, bytesOut: this.#toClient.written, bytesIn: this.#toTarget.written })
      })
  }
}
