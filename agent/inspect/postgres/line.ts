import { performance } from 'node:perf_hooks'
import type { RecordingEvent } from '../../../shared/recording.ts'
import type { InspectorPort } from '../port.ts'
import type { SessionEffect } from './analysis.ts'
import type { Voice } from './annotations.ts'
import type { TargetCatalog } from './catalog/catalog.ts'
import { SharedChanges } from './catalog/shared-changes.ts'
import { Uncommitted } from './catalog/uncommitted.ts'
import { type Execution, Expected, type kinds, Queue } from './expected.ts'
import { Identity } from './identity.ts'
import { Names } from './names.ts'
import { bytesOfPortal, bytesOfPrepared } from './prepared.ts'
import { Concealing } from './record/concealing.ts'
import { parseSearchPath } from './sql/settings.ts'
import { type Meaning, Scripts } from './statements.ts'
import type { Letters } from './text/charsets/charset.ts'
import { isUnicode, lettersOf } from './text/encoding.ts'
import { Judge } from './verdicts.ts'

export interface CopyIn {
  execution: Execution
  /** Of a Query message, where the target ignores Sync as well. */
  simple: boolean
}

/** Settings that the bytes of a text are read by. */
export interface Reading {
  encoding: string
  /** standard_conforming_strings: off, a backslash in '…' escapes. */
  conforming: boolean
}

export const statuses = { idle: 0x49, transaction: 0x54, failed: 0x45 } as const

/** What both directions of one session share: what was asked and not answered, and what names mean. */
export class Line {
  readonly port: InspectorPort
  readonly voice: Voice
  readonly judge: Judge
  readonly concealing: Concealing
  readonly scripts = new Scripts()
  readonly queue = new Queue()
  readonly statements = new Names(bytesOfPrepared)
  readonly portals = new Names(bytesOfPortal)
  readonly target: TargetCatalog
  readonly shared: SharedChanges
  readonly identity: Identity
  readonly uncommitted = new Uncommitted()
  /** The target's process, as its cancel key says; undefined: it gave none. */
  processId: number | undefined
  /** The session was begun for replication: it takes simple queries alone. */
  replicates = false
  /** Of the last ReadyForQuery. */
  status: number = statuses.idle
  /** The target skips everything up to the next Sync, and that was not sent yet. */
  skipping = false
  /** The client cancelled the statement that waits here. */
  cancelled = false
  /** Syncs that the target may or may not have ignored because COPY data was due. */
  doubtfulSyncs = 0
  /** The segment that the client is in: a simple Query, or everything up to Sync. */
  segment = 1
  /** The last segment whose ReadyForQuery arrived. */
  confirmed = 0
  /** Something of the current segment was forwarded. */
  midSegment = false
  /** It has changed in this session, so an error may change it back: how a text is read hangs on the answers before it. */
  readingMoves = false
  /** A statement was forwarded that may change client_encoding. */
  encodingMoved = false
  /** search_path or role may have changed: to be asked of the target before the next name is resolved. */
  stateDirty = true
  /** Definitions changed: read the catalog before the next name is resolved. */
  catalogDirty = false
  /** The session may have a temporary schema by now: to be asked of the target before the next name is resolved. */
  tempDirty = false
  /**
   * COPY … FROM that was forwarded and whose data the client has not ended, in order. The target takes what follows for that data,
   * and loses it when it is something else: until it is clear, nothing may be forwarded that this side would believe was read.
   */
  readonly copies: CopyIn[] = []
  #copyWaiters: (() => void)[] = []
  n = 0
  readonly fail: (reason: string) => void
  /** As it is within the segment that is answered. */
  #reading: Reading = { encoding: 'UTF8', conforming: true }
  /** server_encoding, as the target says it. */
  server = ''
  #letters: Letters | undefined = lettersOf('UTF8', '')
  /** As the target reported it last, which is how it is whenever the target is ready: what changed back at once is not reported. */
  #reported: Reading = this.#reading
  /** The segment that changed a setting which names depend on, until its transaction is over. */
  #stateMoved: number | undefined
  #searchPath: readonly string[] = ['public']
  /** `pg_temp_N`, which stays the session's once it has one. */
  #temp: string | undefined
  #meaning: Meaning | undefined
  #waiters: { segment: number; resolve(): void }[] = []

  constructor(options: {
    port: InspectorPort
    target: TargetCatalog
    account: string
    fail: (reason: string) => void
  }) {
    this.port = options.port
    this.voice = { annotations: options.port.annotations, connection: options.port.connection.name }
    this.judge = new Judge(options.port, this.voice)
    this.concealing = new Concealing(options.port)
    this.target = options.target
    this.shared = new SharedChanges(options.target, options.port)
    this.identity = new Identity(options.account)
    this.fail = options.fail
  }

  /** Undefined before the catalog was read. The same object as long as names mean the same. */
  get meaning(): Meaning | undefined {
    const { current } = this.target
    if (current === undefined) return undefined
    const catalog = this.uncommitted.withMade(current)
    const { names } = this.uncommitted
    const known = this.#meaning
    if (known !== undefined && known.catalog === catalog && known.uncommitted === names) return known
    this.#meaning = { catalog, searchPath: this.#withTemp(), uncommitted: names }
    return this.#meaning
  }

  /** Takes `search_path`, `role` and, where asked for, `session_authorization` as SHOW gives them. False: they can't be read. */
  setPath(searchPath: string, role: string, authorized?: string): boolean {
    const names = parseSearchPath(searchPath)
    if (names === undefined) return false
    const user = this.identity.set(role, authorized)
    const path = names.map((name) => (name === '$user' ? user : name))
    if (path.join('\0') !== this.#searchPath.join('\0')) {
      this.#searchPath = path
      this.#meaning = undefined
    }
    this.stateDirty = false
    return true
  }

  get encoding(): string {
    return this.#reading.encoding
  }

  /** How letters beyond ASCII are read and written; undefined: not at all. */
  get letters(): Letters | undefined {
    return this.#letters
  }

  /** Where the client's letters are not those of UTF-8. */
  get foreign(): Letters | undefined {
    return isUnicode(this.#reading.encoding) ? undefined : this.#letters
  }

  /** The target's own encoding is not UTF-8. */
  get wide(): boolean {
    return this.server !== 'UTF8'
  }

  get conforming(): boolean {
    return this.#reading.conforming
  }

  /** Takes what the target reported while it signed the session in. */
  begin(parameters: ReadonlyMap<string, string>): void {
    this.server = parameters.get('server_encoding') ?? ''
    this.#letters = lettersOf(this.encoding, this.server)
    for (const [name, value] of parameters) this.report(name, value)
    this.readingMoves = false
  }

  /** Takes a ParameterStatus. */
  report(name: string, value: string): void {
    const reported = this.#reported
    if (name === 'session_authorization' && this.identity.report(value)) this.stateDirty = true
    if (name === 'client_encoding') this.#reported = { ...reported, encoding: value }
    else if (name === 'standard_conforming_strings') this.#reported = { ...reported, conforming: value !== 'off' }
    else return
    this.setReading(this.#reported)
  }

  /** Takes what holds within the segment that is answered. */
  setReading(reading: Reading): void {
    const { encoding, conforming } = this.#reading
    if (encoding !== reading.encoding || conforming !== reading.conforming) this.readingMoves = true
    if (encoding !== reading.encoding) this.#letters = lettersOf(reading.encoding, this.server)
    this.#reading = reading
  }

  /** Definitions may change. */
  change(effect: Extract<SessionEffect, { kind: 'ddl' }>): void {
    this.catalogDirty = this.tempDirty = true
    this.uncommitted.change(effect, this.segment)
  }

  /** The transaction ends, or goes back to a savepoint: what it made may be gone, or be there for everybody. */
  endFresh(): void {
    const { made } = this.uncommitted
    if (made.size > 0) this.change({ kind: 'ddl', changes: made })
  }

  /** The catalog is read again: what was committed by then is in it. */
  refreshed(): void {
    this.uncommitted.refreshed(this.segment, !this.midSegment && this.status === statuses.idle)
  }

  /** A setting that names depend on may change. */
  moveState(): void {
    this.stateDirty = true
    this.#stateMoved = this.segment
  }

  /** A setting that names depend on was changed in this transaction, so an error or its end may change it back. */
  get stateInTransaction(): boolean {
    return this.#stateMoved !== undefined
  }

  /** The target is ready: texts are read as it reported. With its transaction over, settings of that alone have changed back. */
  ready(status: number): void {
    this.status = status
    this.setReading(this.#reported)
    this.shared.ready(status === statuses.idle, this.confirmed)
    if (status === statuses.idle) this.uncommitted.over(this.confirmed)
    // With its transaction over, the target has dropped them.
    if (status === statuses.idle && this.portals.bytes > 0) this.portals.forget(({ held }) => !held)
    if (status !== statuses.idle || this.#stateMoved === undefined || this.#stateMoved > this.confirmed) return
    this.#stateMoved = undefined
    this.stateDirty = true
  }

  get searchPath(): readonly string[] {
    return this.#searchPath
  }

  /** Takes the session's temporary schema; undefined while it has none. */
  setTemp(schema: string | undefined): void {
    this.tempDirty = false
    if (schema === undefined || schema === this.#temp) return
    this.#temp = schema
    this.#meaning = undefined
  }

  #withTemp(): readonly string[] {
    return this.#temp === undefined ? this.#searchPath : [this.#temp, ...this.#searchPath]
  }

  /** Queues what the target will answer next. Nothing while it skips. */
  expect(item: Expected): void {
    this.queue.push(item)
    this.midSegment = true
  }

  /** The client ended its segment: Sync or Query. */
  endSegment(): void {
    this.segment++
    this.midSegment = false
  }

  /** A segment was answered in full, or its Sync turned out to be ignored. */
  confirmSegment(): void {
    this.confirmed++
    if (this.#waiters.length === 0) return
    const due = this.#waiters.filter((waiter) => waiter.segment <= this.confirmed)
    this.#waiters = this.#waiters.filter((waiter) => waiter.segment > this.confirmed)
    for (const waiter of due) waiter.resolve()
  }

  get isSettled(): boolean {
    return this.confirmed >= this.segment - 1
  }

  /** Resolves when all segments before the client's current one are answered. */
  settled(): Promise<void> | undefined {
    if (this.isSettled) return undefined
    const segment = this.segment - 1
    return new Promise((resolve) => this.#waiters.push({ segment, resolve }))
  }

  /** These were forwarded: where one of them is COPY … FROM, data is due. */
  expectCopies(executions: readonly Execution[], simple: boolean): void {
    for (const execution of executions) {
      const { node, copyOut } = execution.judged.analysis
      if (node === 'CopyStmt' && copyOut === undefined) this.copies.push({ execution, simple })
    }
  }

  /** Resolves when the target said something about COPY: that data is due, or that the statement is over. */
  copyNews(): Promise<void> {
    return new Promise((resolve) => this.#copyWaiters.push(resolve))
  }

  tellCopyNews(): void {
    for (const resolve of this.#copyWaiters.splice(0)) resolve()
  }

  /** The target is done with it, so no data is due any more. */
  endCopy(execution: Execution): void {
    const at = this.copies.findIndex((one) => one.execution === execution)
    if (at < 0) return
    this.copies.splice(at, 1)
    this.tellCopyNews()
  }

  /** Puts an event on the recording; the session ends when that fails (RecordError). Undefined: stored. */
  record(event: RecordingEvent): Promise<void> | undefined {
    try {
      return this.port.record(event)?.catch(notRecorded)
    } catch (error) {
      return notRecorded(error)
    }
  }

  /** These are on the recording, and do not run after all. */
  notRun(executions: readonly Execution[], why: string): void {
    for (const execution of executions) this.complete(execution, false, undefined, `not run: ${why}`)
  }

  /** The target answered, after so many milliseconds. What can't be recorded ends the session. */
  complete(execution: Execution, ok: boolean, rows: number | undefined, error?: string): number {
    if (this.copies.length > 0) this.endCopy(execution)
    const now = performance.now()
    const dbMs = now - execution.startedAt
    const event: Extract<RecordingEvent, { type: 'complete' }> = {
      type: 'complete',
      at: this.port.elapsed(now),
      n: execution.n,
      ok,
      dbMs,
      gatewayMs: execution.gatewayMs,
    }
    if (rows !== undefined) event.rows = rows
    if (error !== undefined) event.error = error
    try {
      this.record(event)?.catch(() => this.fail(unrecorded))
    } catch {
      this.fail(unrecorded)
    }
    return dbMs
  }
}

/** An event is not on the recording, so what it is about must not be forwarded. */
export class RecordError extends Error {
  override readonly name = 'RecordError'
}

function notRecorded(error: unknown): never {
  throw new RecordError(error instanceof Error ? error.message : String(error), { cause: error })
}

export const unrecorded =
  'The recording of this session could not be written, so nothing more is forwarded. Tell the people who run the gateway'

/** A hidden or refused message, for short. */
export function expected(kind: (typeof kinds)[keyof typeof kinds], error?: Buffer): Expected {
  const item = new Expected(kind)
  item.error = error
  return item
}
