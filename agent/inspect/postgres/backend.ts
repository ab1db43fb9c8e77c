import { timedNotice } from './annotations.ts'
import { type Execution, type Expected, kinds } from './expected.ts'
import { assembleBelow, FRAGMENT, FrameError, FrameScanner, NONE, type Outbox } from './frames.ts'
import { type Line, statuses } from './line.ts'
import { maskCopyRow } from './mask/copy.ts'
import { copyMasks } from './mask/copy-shape.ts'
import { type FieldMask, Sheet } from './mask/rows.ts'
import { backend, firstValue, inLetters, readParameterStatus, rowsOf } from './messages.ts'
import { overtaken } from './overtaken.ts'
import { endCopyIn, failQuery, skipToSync } from './settling.ts'
import { maskerOf } from './verdicts.ts'
import { askedFor, described, endWithheld, mayStream, withhold } from './withheld.ts'
import { Words } from './words.ts'

/** A row that has to be masked, or any other message that has to be read, may be this long. */
const longestMasked = 64 << 20
const longestOther = 16 << 20

/** The target's half: attributes every message to what was asked, masks rows, replaces errors that stand for ours. */
export class Backend {
  readonly #line: Line
  readonly #toClient: Outbox
  readonly #scanner = new FrameScanner((type, size) => this.#route(type, size))
  /** Masked rows of the chunk at hand. */
  #sheet: Sheet | undefined
  #chunkLength = 0
  /** The execution whose rows are coming. */
  #flow: Execution | undefined
  #copyMasks: readonly (FieldMask | null)[] | undefined
  /** Between CopyOutResponse and CopyDone. */
  #copyingOut = false
  readonly #words: Words
  /** Waits for the end of a message that is passed on in fragments. */
  #waiting: Buffer[] = []
  /** The target said goodbye itself. */
  fatal = false
  /** What comes is looked at after this: see `resume`. */
  waiting: Promise<void> | undefined
  #later: Buffer[] = []

  constructor(line: Line, toClient: Outbox) {
    this.#line = line
    this.#toClient = toClient
    this.#words = new Words(line, toClient)
  }

  /** What goes to the client for a chunk is in the outbox after this. Throws FrameError when the session has to end. */
  push(chunk: Buffer): void {
    if (this.waiting !== undefined) {
      this.#later.push(chunk)
      return
    }
    this.#chunkLength = chunk.length
    this.#scanner.push(chunk)
    this.#go()
  }

  /** Goes on with what came meanwhile, once that was waited for. */
  resume(): void {
    this.waiting = undefined
    this.#go()
    for (const chunk of this.#later.splice(0)) this.push(chunk)
  }

  #go(): void {
    try {
      this.#pump()
    } finally {
      // Rows that came before what is wrong are the client's, however the bytes came.
      this.#endSheet()
    }
  }

  #pump(): void {
    const scanner = this.#scanner
    for (;;) {
      if (this.#flow === undefined) this.waiting = overtaken(this.#line, scanner.upcoming)
      if (this.waiting !== undefined) return
      const found = scanner.next()
      if (found === NONE) return
      const { buf, start, end, type } = scanner
      if (found !== FRAGMENT) {
        if (type === backend.dataRow) this.#row(buf, start, end)
        else if (type === backend.copyData) this.#copyRow(buf, start, end)
        else this.#message(type, buf, start, end)
        continue
      }
      if (scanner.first) this.#fragmented(type)
      this.#toClient.add(buf, start, end)
      if (scanner.last) for (const notice of this.#waiting.splice(0)) this.#toClient.push(notice)
    }
  }

  /** After `push`, with what the outbox held written. `out`: it left our memory; `lent`: so will the chunk. */
  settle(out: boolean, lent: boolean): void {
    if (lent) this.#scanner.own()
    // Kept while rows come, and not by every session that ever had some.
    if (out && this.#flow !== undefined) this.#sheet?.reset()
    else this.#sheet = undefined
  }

  /** False while a long message is half way to the client: nothing can be said then. */
  get betweenMessages(): boolean {
    return this.#scanner.betweenFrames
  }

  /** Says something between two messages. */
  interject(message: Buffer): void {
    const said = inLetters(message, this.#line.foreign)
    if (this.betweenMessages) this.#toClient.push(said)
    else this.#waiting.push(said)
  }

  #route(type: number, size: number): 'whole' | 'stream' {
    if (type !== backend.dataRow && type !== backend.copyData) {
      if (size > longestOther) throw new FrameError(`the target sent a message of ${size} bytes`)
      return 'whole'
    }
    if (size <= assembleBelow) return 'whole'
    const { execution, head } = this.#flowing()
    const masked = type === backend.dataRow ? execution?.masker !== undefined : this.#copyMasks !== undefined
    if (!masked && !head.hidden && execution?.withheld === undefined) {
      // Before any of it is forwarded, so that the client can still be told.
      askedFor(execution, type, this.#copyingOut)
      return 'stream'
    }
    if (size > longestMasked) throw new FrameError(`a row of ${size} bytes is too long to be masked`)
    return 'whole'
  }

  #fragmented(type: number): void {
    askedFor(this.#flowing().execution, type, this.#copyingOut).rows++
    this.#endSheet()
  }

  /** What the rows that come belong to, begun. */
  #flowing(): { head: Expected; execution: Execution | undefined } {
    const head = this.#head()
    const execution = head.current
    if (execution !== undefined && !execution.began) this.#begin(execution)
    return { head, execution }
  }

  #head(): Expected {
    const head = this.#line.queue.peek()
    if (head === undefined) throw new FrameError('the target answered what nobody asked')
    return head
  }

  #row(buf: Buffer, start: number, end: number): void {
    let flow = this.#flow
    if (flow === undefined) {
      const { head, execution } = this.#flowing()
      if (head.kind !== kinds.execute && head.kind !== kinds.query) throw new FrameError('a row that nobody asked for')
      if (head.hidden) {
        head.values?.push(firstValue(buf, start, end))
        return
      }
      if (execution === undefined) throw new FrameError('a row that nobody asked for')
      described(execution)
      this.#flow = flow = execution
    }
    const { masker } = flow
    // Rows come in thousands: those that lie whole in the chunk are taken together.
    flow.rows += this.#scanner.run()
    if (flow.withheld !== undefined) return
    const last = this.#scanner.end
    if (masker === undefined) this.#toClient.add(buf, start, last)
    else masker.rows(buf, start, last, this.#openSheet())
  }

  #openSheet(): Sheet {
    this.#sheet ??= new Sheet(this.#chunkLength + (this.#chunkLength >> 2) + 1024)
    return this.#sheet
  }

  /** Masked rows go before whatever follows them. */
  #endSheet(): void {
    const sheet = this.#sheet
    if (sheet === undefined || !sheet.pending) return
    const { buf, start, end } = sheet.take()
    this.#toClient.add(buf, start, end)
  }

  /** The first sign of a result: compares its columns, and tells the client what is masked. */
  #begin(execution: Execution): void {
    execution.began = true
    const { run, judged } = execution
    this.#words.touched ||= run.scrub
    if (execution.overtaken !== undefined) {
      withhold(this.#line, this.#head(), execution, execution.overtaken)
      return
    }
    const { fields } = judged
    // COPY is described as having no columns: CopyOutResponse says how many there are.
    if (!run.free && fields !== undefined && judged.analysis.copyOut === undefined) {
      const shape = run.shape(fields)
      if (!shape.ok) {
        withhold(this.#line, this.#head(), execution, shape.reason)
        return
      }
      const { formats } = execution
      execution.masker = maskerOf(
        shape,
        (column) => fields[column]?.binary === true || formats[formats.length === 1 ? 0 : column] === 1,
        this.#line.foreign,
      )
    }
    if (run.notice !== undefined) this.#toClient.push(inLetters(run.notice, this.#line.foreign))
  }

  #message(type: number, buf: Buffer, start: number, end: number): void {
    this.#endSheet()
    const line = this.#line
    switch (type) {
      case backend.bindComplete:
        this.#done(kinds.bind, buf, start, end)
        return
      case backend.rowDescription:
        this.#described(buf, start, end)
        return
      case backend.commandComplete:
        this.#completed(buf, start, end, rowsOf(buf, start, end))
        return
      case backend.readyForQuery:
        this.#ready(buf, start, end)
        return
      case backend.parseComplete:
        this.#done(kinds.parse, buf, start, end)
        return
      case backend.closeComplete:
        this.#done(kinds.close, buf, start, end)
        return
      case backend.parameterDescription:
        this.#pass(this.#expect(kinds.describe), buf, start, end)
        return
      case backend.noData: {
        const head = this.#expect(kinds.describe)
        line.queue.shift()
        head.judged?.describeNone()
        this.#pass(head, buf, start, end)
        return
      }
      case backend.functionCallResponse:
      case backend.portalSuspended:
      case backend.emptyQuery:
        this.#completed(buf, start, end, undefined)
        return
      case backend.copyInResponse: {
        const execution = this.#copying()
        if (execution.judged.analysis.node !== 'CopyStmt' && execution.replicates === undefined)
          throw new FrameError('COPY that nobody asked for')
        execution.copyingIn = true
        this.#line.tellCopyNews()
        break
      }
      case backend.copyOutResponse:
        this.#copyMasks = copyMasks(this.#copying(), line.meaning?.catalog, buf, start, end)
        this.#copyingOut = true
        break
      case backend.copyBothResponse:
        if (this.#copying().replicates === undefined) throw new FrameError('replication that nobody asked for')
        this.#copyingOut = true
        break
      case backend.copyDone:
        this.#copyMasks = undefined
        // A walsender that is asked to stop says so at once, and then sends the rest of the transaction that it is in.
        this.#copyingOut = this.#line.queue.peek()?.current?.replicates !== undefined
        break
      case backend.error:
        this.#failed(buf, start, end)
        return
      case backend.notice:
        this.#words.notice(buf, start, end)
        return
      case backend.parameterStatus:
        line.report(...readParameterStatus(buf, start, end))
        break
      case backend.notification:
        this.#words.notification(buf, start, end)
        return
      default:
        throw new FrameError(`the target sent a message of type ${JSON.stringify(String.fromCharCode(type))}`)
    }
    this.#toClient.add(buf, start, end)
  }

  #pass(head: Expected, buf: Buffer, start: number, end: number): void {
    if (!head.hidden) this.#toClient.add(buf, start, end)
  }

  #expect(kind: number): Expected {
    const head = this.#head()
    if (head.kind !== kind) throw new FrameError('the target answered out of order')
    return head
  }

  #done(kind: number, buf: Buffer, start: number, end: number): void {
    const head = this.#expect(kind)
    if (head.error !== undefined) throw new FrameError('the target accepted what stands for a refused statement')
    this.#line.queue.shift()
    head.write?.confirm()
    head.settled?.(true)
    this.#pass(head, buf, start, end)
  }

  #described(buf: Buffer, start: number, end: number): void {
    const head = this.#head()
    if (head.kind === kinds.describe) {
      this.#line.queue.shift()
      head.judged?.describe(buf, start, end)
      this.#pass(head, buf, start, end)
      return
    }
    if (head.kind === kinds.query && head.hidden) return
    const execution = head.kind === kinds.query ? head.current : undefined
    if (execution === undefined) throw new FrameError('the target described a result that nobody asked for')
    if (!execution.run.free) execution.judged.describe(buf, start, end)
    this.#begin(execution)
    if (execution.withheld === undefined) this.#toClient.add(buf, start, end)
  }

  /** CommandComplete, EmptyQueryResponse and PortalSuspended. */
  #completed(buf: Buffer, start: number, end: number, counted: number | undefined): void {
    const head = this.#head()
    if ((head.kind !== kinds.execute && head.kind !== kinds.query) || head.error !== undefined) {
      throw new FrameError('the target completed what nobody asked for')
    }
    const execution = head.current
    this.#flow = undefined
    if (execution?.replicates !== undefined) {
      this.#toClient.add(buf, start, end)
      return
    }
    if (execution !== undefined) {
      if (!execution.began) this.#begin(execution)
      for (const write of execution.writes) write.confirm()
      if (execution.withheld !== undefined) {
        this.#toClient.push(inLetters(execution.withheld, this.#line.foreign))
        endWithheld(this.#line, head, execution)
        return
      }
      const dbMs = this.#line.complete(execution, true, counted ?? (execution.rows > 0 ? execution.rows : undefined))
      if (this.#line.voice.annotations === 'machine' && buf[start] === backend.commandComplete && !head.hidden) {
        this.#toClient.push(timedNotice({ dbMs, gatewayMs: execution.gatewayMs }))
      }
    } else if (head.kind === kinds.query && !head.hidden && buf[start] !== backend.emptyQuery) {
      throw new FrameError('the target completed more statements than were asked for')
    }
    if (head.kind === kinds.query) {
      head.at++
      // PortalSuspended starts the same statement over in the extended protocol alone.
      if (execution !== undefined) execution.began = false
    } else {
      this.#line.queue.shift()
      head.settled?.(true)
      if (execution?.copyingIn === true) endCopyIn(this.#line)
    }
    this.#pass(head, buf, start, end)
  }

  #ready(buf: Buffer, start: number, end: number): void {
    const line = this.#line
    const head = line.queue.peek()
    const status = buf[start + 5] ?? statuses.failed
    if (status === statuses.idle) this.#words.touched = false
    if (head === undefined && line.doubtfulSyncs > 0) {
      line.ready(status)
      line.doubtfulSyncs--
      line.skipping = false
      this.#toClient.add(buf, start, end)
      return
    }
    if (head === undefined || (head.kind !== kinds.sync && head.kind !== kinds.query)) {
      throw new FrameError('the target is ready before it answered')
    }
    const stream = head.current
    if (stream?.replicates !== undefined) {
      this.#copyingOut = false
      line.complete(stream, true, stream.rows > 0 ? stream.rows : undefined)
      head.at++
    }
    if (head.kind === kinds.query && (head.error !== undefined || head.at < head.executions.length)) {
      throw new FrameError('the target left a statement unanswered')
    }
    line.queue.shift()
    line.confirmSegment()
    line.ready(status)
    if (status === statuses.idle && line.uncommitted.names !== undefined) {
      line.uncommitted.names = undefined
      line.catalogDirty = true
    }
    head.settled?.(true)
    this.#pass(head, buf, start, end)
  }

  #failed(buf: Buffer, start: number, end: number): void {
    const line = this.#line
    const head = line.queue.peek()
    this.#flow = undefined
    this.#copyMasks = undefined
    this.#copyingOut = false
    const { fatal, reason } = this.#words.error(buf, start, end, head)
    this.fatal = fatal
    if (line.stateInTransaction) line.stateDirty = true
    if (head === undefined) return
    if (head.kind === kinds.query) failQuery(line, head, reason)
    else if (head.kind !== kinds.sync) skipToSync(line, head, reason)
  }

  #copying(): Execution {
    const { head, execution } = this.#flowing()
    if (execution === undefined || head.hidden) throw new FrameError('COPY that nobody asked for')
    return execution
  }

  #copyRow(buf: Buffer, start: number, end: number): void {
    const { execution } = this.#flowing()
    if (execution === undefined || !this.#copyingOut) throw new FrameError('COPY data that nobody asked for')
    mayStream(execution)
    execution.rows++
    if (this.#copyMasks === undefined) this.#toClient.add(buf, start, end)
    else this.#openSheet().append(maskCopyRow(this.#copyMasks, buf, start, end, this.#line.foreign))
  }
}
