import { write as say } from './annotations.ts'
import { Cancelled, cancelledError } from './cancelled.ts'
import { CatalogUnread } from './catalog/locks.ts'
import { unreadError } from './catalog/unread.ts'
import { Expected, kinds } from './expected.ts'
import { ExtendedQueries } from './extended.ts'
import { FRAGMENT, FrameError, FrameScanner, NONE, type Outbox } from './frames.ts'
import type { Gate } from './gate.ts'
import type { Later } from './later.ts'
import type { CopyIn, Line } from './line.ts'
import { cstring, frontend, message, messages } from './messages.ts'
import { nameInstead, Refusals, refusedName } from './refusals.ts'
import { SimpleQueries } from './simple.ts'
import { Texts } from './text/texts.ts'

/** Statements and parameters longer than this are refused. */
const longestMessage = 64 << 20
/** PostgreSQL takes no longer one. */
const longestAnywhere = 0x3fff_fffe

const tooLarge = say({
  severity: 'ERROR',
  sqlstate: '54000',
  message: 'The message has more than 64 MiB, and no longer one is read here. Nothing of it ran.',
  hint: 'Load the value with COPY, where data has no limit, or write it in parts, as a large object for example.',
})

/** In their place something can stand that the target refuses. */
const canBeRefused: ReadonlySet<number> = new Set([frontend.query, frontend.parse, frontend.bind])

/** What a session for replication takes. */
const inReplication: ReadonlySet<number> = new Set([
  frontend.query,
  frontend.copyData,
  frontend.copyDone,
  frontend.copyFail,
  frontend.sync,
  frontend.flush,
  frontend.terminate,
])

/** The client's half: reads its messages, asks the gate about every statement, forwards what may pass. */
export class Frontend {
  readonly #line: Line
  readonly #gate: Gate
  readonly #toTarget: Outbox
  readonly #ended: () => void
  readonly #refusals: Refusals
  readonly #simple: SimpleQueries
  readonly #extended: ExtendedQueries
  readonly #scanner = new FrameScanner((type, size) => {
    if (type === frontend.copyData) return 'stream'
    if (size <= longestMessage) return 'whole'
    if (canBeRefused.has(type) && size <= longestAnywhere) return 'stream'
    throw new FrameError(`a message of ${size} bytes; the longest that is read is 64 MiB`)
  })
  #backlog: Buffer[] = []
  #backlogLength = 0
  #busy = false
  #terminated = false
  /** The message that comes in fragments is forwarded. */
  #passing = false
  /** What stands for the message that comes in fragments and is not read. */
  #swallowed = refusedName

  constructor(line: Line, gate: Gate, toTarget: Outbox, ended: () => void) {
    this.#line = line
    this.#gate = gate
    this.#toTarget = toTarget
    this.#ended = ended
    const texts = new Texts(line, gate)
    this.#refusals = new Refusals(line, toTarget)
    this.#simple = new SimpleQueries(line, gate, toTarget, texts, this.#refusals)
    this.#extended = new ExtendedQueries(line, gate, toTarget, texts, this.#refusals)
  }

  /** A statement waits (for people, the catalog, the record or the target), and what comes behind it with it. */
  get busy(): boolean {
    return this.#busy
  }

  /** True: what the client cancels waits here, and will not be forwarded. Otherwise the target has it, if anybody. */
  cancel(): boolean {
    if (this.#gate.cancel()) return true
    if (!this.#busy) return false
    const line = this.#line
    const [running] = line.queue.executions()
    // The target may be done with one of the same segment, and have its answer from nobody before the Sync.
    line.cancelled = running === undefined || line.isSettled
    return running === undefined
  }

  /** False while a long message is half way to the target: nothing else can be said to it then. */
  get betweenMessages(): boolean {
    return this.#scanner.betweenFrames
  }

  /** Bytes that the client has yet to send of what it is saying. */
  get missing(): number {
    return this.#scanner.missing
  }

  /** Bytes that arrived and wait. */
  get backlog(): number {
    return this.#backlogLength
  }

  /**
   * Takes a chunk. Undefined: all of it was dealt with, and what may pass is in the outbox. Otherwise a statement
   * waits; flush, and call `resume` when the promise resolves. It rejects with the reason to end the session.
   */
  push(chunk: Buffer): Later {
    if (this.#terminated) return undefined
    if (this.#busy) {
      this.#backlog.push(chunk)
      this.#backlogLength += chunk.length
      return undefined
    }
    this.#line.target.keepFresh()
    this.#scanner.push(chunk)
    return this.#pump()
  }

  #pump(): Later {
    const scanner = this.#scanner
    for (;;) {
      const found = scanner.next()
      if (found === NONE) return undefined
      if (found === FRAGMENT) {
        if (scanner.type !== frontend.copyData) {
          this.#swallow()
          continue
        }
        // Once begun it goes on to its end, or what follows would be read as the rest of it.
        if (scanner.first) this.#passing = !this.#line.skipping
        if (this.#passing) this.#toTarget.add(scanner.buf, scanner.start, scanner.end)
        continue
      }
      const { type, buf, start, end } = scanner
      const later = this.#take(type, buf, start, end)
      if (later !== undefined) {
        const name = nameOf(type, buf, start)
        return this.#wait(later.catch((error: unknown) => this.#refuse(type, name, error)))
      }
      if (this.#terminated) return undefined
    }
  }

  /** What is too long to be read is not kept, and refused once it is over. */
  #swallow(): void {
    const { type, buf, start, first, last } = this.#scanner
    const line = this.#line
    if (line.copies.length > 0) throw new FrameError('a message of more than 64 MiB that is no COPY data, during COPY')
    if (first) this.#swallowed = nameOf(type, buf, start)
    if (last && !line.skipping) this.#refusals.refuseMessage(type, tooLarge, this.#swallowed)
  }

  #wait(later: Promise<void>): Promise<void> {
    this.#busy = true
    return later.finally(() => {
      this.#busy = false
      this.#line.cancelled = false
    })
  }

  /** What was cancelled, or needs the catalog while that can't be read, does not run, and the session goes on. */
  #refuse(type: number, name: string, error: unknown): void {
    if (!(error instanceof Cancelled || error instanceof CatalogUnread)) throw error
    const line = this.#line
    if (line.skipping) return
    const words = error instanceof Cancelled ? cancelledError : unreadError(error, line)
    this.#refusals.refuseMessage(type, words, name)
  }

  /** Goes on after a wait; as `push`. */
  resume(): Later {
    const later = this.#pump()
    if (later !== undefined || this.#backlogLength === 0 || this.#terminated) return later
    const chunk = Buffer.concat(this.#backlog, this.#backlogLength)
    this.#backlog = []
    this.#backlogLength = 0
    this.#scanner.push(chunk)
    return this.#pump()
  }

  #take(type: number, buf: Buffer, start: number, end: number): Later {
    const line = this.#line
    // As the target does after an error in the extended protocol.
    if (line.skipping && type !== frontend.sync && type !== frontend.terminate) return undefined
    if (line.replicates && !inReplication.has(type)) {
      throw new FrameError('the extended protocol, which a session for replication does not speak')
    }
    const [copy] = line.copies
    if (copy !== undefined && !isCopying(type, copy)) return this.#besideCopy(copy, type, buf, start, end)
    switch (type) {
      case frontend.bind:
        return this.#extended.bind(buf, start, end)
      case frontend.execute:
        return this.#extended.execute(buf, start, end)
      case frontend.sync:
        line.skipping = false
        line.expect(new Expected(kinds.sync))
        line.endSegment()
        break
      case frontend.describe:
        return this.#extended.describe(buf, start, end)
      case frontend.query:
        return this.#simple.query(buf, start, end)
      case frontend.parse:
        return this.#extended.parse(buf, start, end)
      case frontend.close:
        this.#extended.close(buf, start, end)
        break
      case frontend.copyData:
      case frontend.flush:
        break
      case frontend.copyDone:
      case frontend.copyFail:
        this.#endCopy()
        break
      case frontend.terminate:
        this.#toTarget.add(buf, start, end)
        this.#terminated = true
        this.#ended()
        return undefined
      case frontend.functionCall:
        return this.#simple.functionCall(buf, start, end)
      default:
        throw new FrameError(`a message of type ${JSON.stringify(String.fromCharCode(type))} that no client sends here`)
    }
    this.#toTarget.add(buf, start, end)
    return undefined
  }

  #endCopy(): void {
    const line = this.#line
    line.copies.shift()
    if (line.queue.lastAsked()?.kind === kinds.execute) line.expect(new Expected(kinds.copyDone))
  }

  /**
   * What is no COPY data while that may be due. The target would lose it and fail: it is lost here as well, and the target is told
   * to fail, so that both sides agree on what was said.
   */
  #besideCopy({ execution, simple }: CopyIn, type: number, buf: Buffer, start: number, end: number): Later {
    if (!execution.copyingIn) {
      this.#toTarget.push(messages.flush)
      return this.#line.copyNews().then(() => this.#take(type, buf, start, end))
    }
    if (simple && type === frontend.sync) return undefined
    const shown = JSON.stringify(String.fromCharCode(type))
    this.#toTarget.push(message(frontend.copyFail, cstring(`a message of type ${shown} came during COPY`)))
    this.#endCopy()
    return undefined
  }
}

/** What may be said between COPY … FROM and the end of its data. */
function isCopying(type: number, { simple }: CopyIn): boolean {
  switch (type) {
    case frontend.copyData:
    case frontend.copyDone:
    case frontend.copyFail:
    case frontend.flush:
    case frontend.terminate:
      return true
    default:
      return type === frontend.sync && !simple
  }
}

/** What stands for a message, by the message's beginning. */
function nameOf(type: number, buf: Buffer, start: number): string {
  return nameInstead(type === frontend.parse && buf[start + 5] === 0)
}
