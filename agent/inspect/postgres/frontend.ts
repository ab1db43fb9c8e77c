import { write as say } from './annotations.ts'
import { applyEffects } from './effects.ts'
import { decode, isAscii, readName } from './encoding.ts'
import { Expected, kinds } from './expected.ts'
import { FRAGMENT, FrameError, FrameScanner, NONE, type Outbox } from './frames.ts'
import { type Admission, type Gate, unknown } from './gate.ts'
import { namesReadAlike } from './identifiers.ts'
import { type CopyIn, expected, type Line, type Portal, type Prepared } from './line.ts'
import {
  cstring,
  frontend,
  int16,
  int32At,
  message,
  messages,
  type ReadName,
  readBind,
  readExecute,
  readNamed,
  readParse,
  zeroAt,
} from './messages.ts'
import { uncertain } from './names.ts'
import { detached, resultFormats, type Show, withParameters } from './parameters.ts'
import { dependsOnFormat } from './plan.ts'
import { ReplicationWatch, replicationCommand } from './replication.ts'
import type { Judged, Script } from './statements.ts'
import { withEscapeStrings } from './strings.ts'

/** Statements and parameters longer than this are refused. */
const longestMessage = 64 << 20
/** Of a parameter, this many bytes are on the recording. Who is asked to approve sees all of it. */
const longestRecorded = 1000

/**
 * What stands at the target for a statement that was not forwarded: it fails in every state, before any name is looked
 * up, so that the target answers in order, aborts a transaction and skips to Sync as for any error. Its error is
 * replaced by ours on the way back.
 */
const refused = 'sallyport: refused'
const refusedName = 'sallyport refused'

type Later = Promise<void> | undefined

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
  /** Parameters as they are on the recording. */
  readonly #recorded: Show
  readonly #scanner = new FrameScanner((type, size) => {
    if (type === frontend.copyData) return 'stream'
    if (size > longestMessage) throw new FrameError(`a message of ${size} bytes; the longest that is read is 64 MiB`)
    return 'whole'
  })
  /** Names beyond ASCII are read by an encoding, which has to be certain by then. */
  readonly #name: ReadName = (buf, start, end) => {
    const line = this.#line
    const name = readName(buf, start, end, line)
    if (name === undefined || ((line.readingMoves || line.encodingMoved) && !isAscii(buf, start, end))) {
      throw new FrameError('a name of a statement or portal that can not be read here: use letters of ASCII')
    }
    return name
  }
  #backlog: Buffer[] = []
  #backlogLength = 0
  #busy = false
  #terminated = false
  /** The message that comes in fragments is forwarded. */
  #passing = false

  constructor(line: Line, gate: Gate, toTarget: Outbox, ended: () => void) {
    this.#line = line
    this.#gate = gate
    this.#toTarget = toTarget
    this.#ended = ended
    this.#recorded = { longest: longestRecorded, redact: (value) => line.port.redact(value) }
  }

  /** A statement waits (for people, the catalog, the record or the target), and what comes behind it with it. */
  get busy(): boolean {
    return this.#busy
  }

  /** False while a long message is half way to the target: nothing else can be said to it then. */
  get betweenMessages(): boolean {
    return this.#scanner.betweenFrames
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
        // Once begun it goes on to its end, or what follows would be read as the rest of it.
        if (scanner.first) this.#passing = !this.#line.skipping
        if (this.#passing) this.#toTarget.add(scanner.buf, scanner.start, scanner.end)
        continue
      }
      const later = this.#take(scanner.type, scanner.buf, scanner.start, scanner.end)
      if (later !== undefined) return this.#wait(later)
      if (this.#terminated) return undefined
    }
  }

  #wait(later: Promise<void>): Promise<void> {
    this.#busy = true
    return later.finally(() => {
      this.#busy = false
    })
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
        return this.#bind(buf, start, end)
      case frontend.execute:
        return this.#execute(buf, start, end)
      case frontend.sync:
        line.skipping = false
        line.expect(new Expected(kinds.sync))
        line.endSegment()
        break
      case frontend.describe:
        return this.#describe(buf, start, end)
      case frontend.query:
        return this.#query(buf, start, end)
      case frontend.parse:
        return this.#parse(buf, start, end)
      case frontend.close:
        this.#close(buf, start, end)
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
        return this.#functionCall(buf, start, end)
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

  #query(buf: Buffer, start: number, end: number): Later {
    const startedAt = performance.now()
    if (zeroAt(buf, start + 5, end) !== end - 1) throw new FrameError('a query with bytes behind its end')
    return this.#withText(buf, start + 5, end - 1, (text, script) => {
      const command = this.#line.replicates ? replicationCommand(text) : undefined
      if (command !== undefined) return this.#replicate(command, text, buf, start, end)
      if (!script.ok) return this.#unreadableQuery(buf.subarray(start + 5, end), this.#syntaxError(text, script))
      const statements = this.#gate.sequence(text, script)
      const { port } = this.#line
      const admission = this.#gate.admit({
        statements,
        shown: () => text,
        redacted: (index) => port.redact(statements.length === 1 ? text : partOf(text, script, index)),
        startedAt,
      })
      return admitted(admission, (one) => this.#forwardQuery(one, text, script, buf, start, end))
    })
  }

  /** A replication command may give any number of results, and stream in both directions. */
  #replicate(command: Judged, text: string, buf: Buffer, start: number, end: number): Later {
    const line = this.#line
    const asked = {
      statements: [command],
      shown: () => text,
      redacted: () => line.port.redact(text),
      startedAt: performance.now(),
    }
    return admitted(this.#gate.admit(asked), (one) => {
      if (!one.ok) return void this.#refuseQuery(one.error)
      const item = new Expected(kinds.query)
      item.executions = one.executions
      for (const execution of one.executions) execution.replicates = new ReplicationWatch(line, command)
      line.expect(item)
      line.endSegment()
      this.#toTarget.add(buf, start, end)
    })
  }

  #forwardQuery(admission: Admission, text: string, script: Script, buf: Buffer, start: number, end: number): void {
    if (this.#skipped(admission)) return
    if (!admission.ok) {
      this.#refuseQuery(admission.error)
      return
    }
    const line = this.#line
    const item = new Expected(kinds.query)
    item.executions = admission.executions
    for (const execution of admission.executions) applyEffects(line, execution, text, script.meaning)
    line.expect(item)
    line.expectCopies(admission.executions, true)
    line.endSegment()
    this.#toTarget.add(buf, start, end)
  }

  /** While it was waited for, the target began to skip: it would not answer, whatever was said to it. */
  #skipped(admission: Admission): boolean {
    const line = this.#line
    if (!line.skipping) return false
    if (admission.ok) {
      for (const execution of admission.executions)
        line.complete(execution, false, undefined, 'not run: skipped after an error')
    }
    return true
  }

  #refuseQuery(error: Buffer): undefined {
    this.#line.expect(expected(kinds.query, error))
    this.#line.endSegment()
    this.#toTarget.push(messages.query(refused))
    return undefined
  }

  /** What does not parse here does not run. The target's own words on it come first; `error` is for what only it can read. */
  #unreadable(text: Buffer, error: Buffer, name: string): void {
    const { head, tail } = { head: new Expected(kinds.parse), tail: new Expected(kinds.close) }
    head.hidden = tail.hidden = true
    head.outspoken = true
    this.#line.expect(head)
    this.#line.expect(tail)
    this.#toTarget.push(message(frontend.parse, cstring(name), text, int16(0)))
    this.#toTarget.push(messages.close('S', name))
    this.#refuse(error, name)
  }

  #unreadableQuery(text: Buffer, error: Buffer): undefined {
    const line = this.#line
    if (line.replicates) return this.#refuseQuery(error)
    this.#unreadable(text, error, refusedName)
    line.expect(new Expected(kinds.sync))
    line.endSegment()
    this.#toTarget.push(messages.sync)
    return undefined
  }

  #parse(buf: Buffer, start: number, end: number): Later {
    const startedAt = performance.now()
    const { name, textStart, textEnd } = readParse(buf, start, end, this.#name)
    return this.#withText(buf, textStart, textEnd, (text, script) => {
      const refuse = (error: Buffer): undefined => this.#refuse(error, name === '' ? '' : refusedName)
      if (!script.ok) {
        const written = buf.subarray(textStart, textEnd + 1)
        this.#unreadable(written, this.#syntaxError(text, script), name === '' ? '' : refusedName)
        return undefined
      }
      const [judged] = script.statements
      const verdict = judged === undefined ? undefined : this.#verdictOn(judged, script)
      if (verdict?.kind === 'block' && judged !== undefined) {
        // The record and the words are the same as when it would run.
        const { port } = this.#line
        const asked = { statements: [judged], shown: () => text, redacted: () => port.redact(text), startedAt }
        return admitted(this.#gate.admit(asked), (one) => {
          if (one.ok) throw new Error('a blocked statement was admitted')
          refuse(one.error)
        })
      }
      const prepared: Prepared = {
        text,
        meaning: script.meaning,
        // Several statements: the target refuses them, and nothing may run should it not.
        judged: script.statements.length === 1 ? judged : undefined,
        redacted: undefined,
        bySql: false,
        describing: -1,
      }
      const line = this.#line
      const item = new Expected(kinds.parse)
      item.unnamed = name === ''
      item.write = line.statements.write(name, prepared, line.segment)
      line.expect(item)
      this.#toTarget.add(buf, start, end)
      return undefined
    })
  }

  #verdictOn(judged: Prepared['judged'] & {}, script: Script) {
    // EXECUTE and FETCH are judged by what they refer to when they run.
    if (judged.analysis.refers !== undefined) return undefined
    return this.#line.judge.judge(judged, script.meaning, this.#line)
  }

  /** Stands for a refused message of the extended protocol. */
  #refuse(error: Buffer, name = refusedName): undefined {
    const item = expected(kinds.parse, error)
    item.unnamed = name === ''
    this.#line.expect(item)
    this.#toTarget.push(messages.parse(name, refused))
    return undefined
  }

  #bind(buf: Buffer, start: number, end: number): Later {
    return this.#settled(() => this.#bindSettled(buf, start, end))
  }

  /** In a failed transaction not all can be settled, nor has to be: it is not asked twice. */
  #settled(act: () => Later): Later {
    return this.#gate.unsettled ? this.#gate.settle().then(() => this.#again(act)) : act()
  }

  #bindSettled(buf: Buffer, start: number, end: number): Later {
    const line = this.#line
    const { portal, statement, parametersAt } = readBind(buf, start, end, this.#name)
    const prepared = line.statements.read(statement, line.segment, line.confirmed)
    if (prepared === uncertain) return this.#whenSettled(() => this.#bind(buf, start, end))
    const known = prepared === undefined ? undefined : this.#gate.renewed(prepared)
    const missing = prepared === undefined || (known === undefined && prepared.judged !== undefined)
    if (missing && this.#hides) {
      const which = statement === '' ? 'unnamed prepared statement' : `prepared statement "${statement}"`
      return this.#refuse(say({ severity: 'ERROR', sqlstate: '26000', message: `${which} does not exist` }))
    }
    const bind = { buf, at: parametersAt, end }
    const judged = missing ? unknown() : known
    const value: Portal = {
      prepared: prepared ?? this.#foreign(judged),
      judged,
      bind: portal === '' ? bind : detached(bind),
      held: false,
    }
    const item = new Expected(kinds.bind)
    item.write = line.portals.write(portal, value, line.segment)
    line.expect(item)
    this.#toTarget.add(buf, start, end)
    return undefined
  }

  /** What a name stands for depends on an answer that is still on its way. */
  #whenSettled(act: () => Later): Later {
    const settled = this.#line.settled()
    if (settled === undefined) throw new Error('a name that no open segment writes is uncertain')
    return settled.then(() => this.#again(act))
  }

  /** After a wait the target may have begun to skip. */
  #again(act: () => Later): Later {
    return this.#line.skipping ? undefined : act()
  }

  #describe(buf: Buffer, start: number, end: number): Later {
    const line = this.#line
    const { kind, name } = readNamed(buf, start, end, this.#name)
    const { segment, confirmed } = line
    const found =
      kind === 'S' ? line.statements.read(name, segment, confirmed) : line.portals.read(name, segment, confirmed)
    if (found === uncertain) return this.#whenSettled(() => this.#describe(buf, start, end))
    const item = new Expected(kinds.describe)
    if (found !== undefined) {
      const prepared = 'prepared' in found ? found.prepared : found
      prepared.describing = segment
      item.judged = found.judged
    }
    line.expect(item)
    this.#toTarget.add(buf, start, end)
    return undefined
  }

  #execute(buf: Buffer, start: number, end: number): Later {
    const startedAt = performance.now()
    const line = this.#line
    const { portal: name } = readExecute(buf, start, end, this.#name)
    const portal = line.portals.read(name, line.segment, line.confirmed)
    if (portal === uncertain) return this.#whenSettled(() => this.#execute(buf, start, end))
    if (portal === undefined && this.#hides) {
      return this.#refuse(say({ severity: 'ERROR', sqlstate: '34000', message: `portal "${name}" does not exist` }))
    }
    const { judged, prepared } = portal ?? { judged: unknown(), prepared: this.#foreign(undefined) }
    if (judged === undefined) {
      line.expect(new Expected(kinds.execute))
      this.#toTarget.add(buf, start, end)
      return undefined
    }
    const { text } = prepared
    const admission = this.#gate.admit({
      statements: [judged],
      shown: () => withParameters(text, portal?.bind),
      redacted: () => {
        prepared.redacted ??= line.port.redact(text)
        return withParameters(prepared.redacted, portal?.bind, this.#recorded)
      },
      startedAt,
    })
    return admitted(admission, (one) => {
      if (this.#skipped(one)) return
      if (!one.ok) {
        this.#refuse(one.error)
        return
      }
      const [execution] = one.executions
      if (execution === undefined) throw new Error('an admission without an execution')
      if (portal?.bind !== undefined && execution.run.columns.some(dependsOnFormat)) {
        execution.formats = resultFormats(portal.bind)
      }
      if (portal !== undefined && !execution.run.free) this.#describeFirst(portal, execution.judged, name)
      applyEffects(line, execution, prepared.text, prepared.meaning)
      const item = new Expected(kinds.execute)
      item.executions = one.executions
      line.expect(item)
      line.expectCopies(one.executions, false)
      this.#toTarget.add(buf, start, end)
    })
  }

  /** Has the target describe the result when the client does not, so that it can be compared and masked. */
  #describeFirst(portal: Portal, judged: Prepared['judged'] & {}, name: string): void {
    const line = this.#line
    const { prepared } = portal
    if (judged.fields !== undefined || prepared.describing === line.segment) return
    if (judged.analysis.outputs === null && judged.analysis.complete && judged.analysis.refers === undefined) return
    const item = new Expected(kinds.describe)
    item.hidden = true
    item.judged = portal.judged
    line.expect(item)
    prepared.describing = line.segment
    this.#toTarget.push(messages.describe('P', name))
  }

  #close(buf: Buffer, start: number, end: number): void {
    const line = this.#line
    const { kind, name } = readNamed(buf, start, end, this.#name)
    const item = new Expected(kinds.close)
    item.write =
      kind === 'S' ? line.statements.write(name, null, line.segment) : line.portals.write(name, null, line.segment)
    line.expect(item)
  }

  /** Whether anything of this connection is masked for this person, so that what is not known here does not run. */
  get #hides(): boolean {
    const { judge, meaning } = this.#line
    return meaning === undefined || judge.anyMasked(meaning)
  }

  /** A call by number is judged as the SELECT that does the same. Its value can't be masked. */
  #functionCall(buf: Buffer, start: number, end: number): Later {
    return this.#settled(() => {
      const startedAt = performance.now()
      const text = this.#gate.callText(int32At(buf, start + 5, end) >>> 0)
      const script = text === undefined ? undefined : this.#gate.script(text)
      const bound = { buf, at: start + 9, end }
      const written = text ?? 'function call'
      const act = (one: Script | undefined): Later => {
        const statements = one?.ok === true ? one.statements : [unknown()]
        const asked = {
          statements,
          shown: () => withParameters(written, bound),
          redacted: () => withParameters(this.#line.port.redact(written), bound, this.#recorded),
          startedAt,
        }
        return admitted(this.#gate.admit(asked), (admission) => {
          if (this.#skipped(admission)) return
          if (!admission.ok) return void this.#refuseQuery(admission.error)
          const item = new Expected(kinds.query)
          item.executions = admission.executions
          this.#line.expect(item)
          this.#line.endSegment()
          this.#toTarget.add(buf, start, end)
          return undefined
        })
      }
      return script instanceof Promise ? script.then(act) : act(script)
    })
  }

  /** A statement that was prepared in a way that is not seen here. */
  #foreign(judged: Prepared['judged']): Prepared {
    const { meaning } = this.#line
    if (meaning === undefined) throw new Error('the catalog was read and is not there')
    return { text: 'a statement prepared by code', meaning, judged, redacted: undefined, bySql: true, describing: -1 }
  }

  /** Decodes a text and takes it apart, waiting where names are unsettled. */
  #withText(buf: Buffer, start: number, end: number, act: (text: string, script: Script) => Later): Later {
    const line = this.#line
    const text = decode(buf, start, end, line.letters)
    if (
      text === undefined ||
      line.readingMoves ||
      (line.wide && !namesReadAlike(text)) ||
      !line.conforming ||
      this.#gate.unsettled
    ) {
      return this.#withTextLater(buf, start, end, act)
    }
    const script = this.#gate.script(text)
    if (!(script instanceof Promise)) return act(text, script)
    return script.then((one) => (line.skipping ? undefined : act(text, one)))
  }

  async #withTextLater(
    buf: Buffer,
    start: number,
    end: number,
    act: (text: string, script: Script) => Later,
  ): Promise<void> {
    // A SET client_encoding may be on its way.
    await this.#gate.settle()
    if (this.#line.readingMoves && !readsAnyWay(buf, start, end)) await this.#line.settled()
    const { encoding, letters, wide } = this.#line
    const sent = decode(buf, start, end, letters)
    const read = sent === undefined || this.#line.conforming ? sent : withEscapeStrings(sent)
    const text = read === undefined || !wide || namesReadAlike(read) ? read : undefined
    const script = await (text === undefined
      ? this.#gate.unreadable(
          sent === undefined
            ? `Letters in the client encoding ${encoding} can not be read here: SET client_encoding TO UTF8, and send it again.`
            : read !== undefined
              ? 'A name beyond ASCII in it can not be read as the server reads it: put it in quotes, in at most 15 letters.'
              : 'With standard_conforming_strings off, the strings in it can not be read here.',
        )
      : this.#gate.script(text))
    if (!this.#line.skipping) await act(text ?? sent ?? '', script)
  }

  #syntaxError(text: string, script: Extract<Script, { ok: false }>): Buffer {
    const { message, position } = script
    // What the parser of the newest PostgreSQL finds wrong beyond syntax, older ones find when it runs, and show no place for it.
    const placed = position !== undefined && message.startsWith('syntax error')
    return say({
      severity: 'ERROR',
      sqlstate: '42601',
      message,
      ...(!placed ? {} : { position: [...text.slice(0, position)].length + 1 }),
    })
  }
}

function admitted(admission: Admission | Promise<Admission>, act: (admission: Admission) => void): Later {
  if (!(admission instanceof Promise)) {
    act(admission)
    return undefined
  }
  return admission.then(act)
}

/** Without letters beyond ASCII and backslashes a text says the same under every setting. */
function readsAnyWay(buf: Buffer, start: number, end: number): boolean {
  return isAscii(buf, start, end) && !buf.subarray(start, end).includes(0x5c)
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

function partOf(text: string, script: Extract<Script, { ok: true }>, index: number): string {
  const analysis = script.statements[index]?.analysis
  return analysis === undefined ? text : text.slice(analysis.start, analysis.end).trim()
}
