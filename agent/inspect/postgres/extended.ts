import { performance } from 'node:perf_hooks'
import { firstOwnOid } from '../../../shared/postgres/oids.ts'
import { write as say } from './annotations.ts'
import type { Asked } from './asked.ts'
import { applyEffects } from './effects.ts'
import { Expected, kinds } from './expected.ts'
import { FrameError, type Outbox, sameAt } from './frames.ts'
import type { Gate } from './gate.ts'
import { admitted, again, type Later, settled } from './later.ts'
import type { Line } from './line.ts'
import { dependsOnFormat } from './mask/plan.ts'
import { messages, type ReadName, readBind, readExecute, readNamed, readParse } from './messages.ts'
import { uncertain } from './names.ts'
import { type Bound, detached, resultFormats, withParameters } from './parameters.ts'
import { asItRuns } from './portals.ts'
import { type Portal, type Prepared, preparedBySql } from './prepared.ts'
import { beside, comparing, shakenHint, unknown } from './referred.ts'
import { nameInstead, type Refusals } from './refusals.ts'
import { quoted } from './sql/ids.ts'
import type { Judged, Script } from './statements.ts'
import { isAscii, longestName, readName } from './text/encoding.ts'
import type { Texts } from './text/texts.ts'
import { isUnnamed } from './text/unnamed.ts'

/** Parse, Bind, Describe, Execute and Close: statements and portals by name, each judged again when it runs. */
export class ExtendedQueries {
  readonly #line: Line
  readonly #gate: Gate
  readonly #toTarget: Outbox
  readonly #texts: Texts
  readonly #refusals: Refusals
  /** The last name of ASCII: mostly the next one as well. */
  #lastName = { bytes: Buffer.alloc(0), name: '' }
  /** Names beyond ASCII are read by an encoding, which has to be certain by then. */
  readonly #name: ReadName = (buf, start, end) => {
    if (sameAt(this.#lastName.bytes, buf, start, end)) return this.#lastName.name
    const line = this.#line
    const name = readName(buf, start, end, line)
    const ascii = isAscii(buf, start, end)
    if (name === undefined || ((line.readingMoves || line.encodingMoved) && !ascii)) {
      throw new FrameError('a name of a statement or portal that can not be read here: use letters of ASCII')
    }
    if (ascii && end - start <= longestName) this.#lastName = { bytes: Buffer.from(buf.subarray(start, end)), name }
    return name
  }

  constructor(line: Line, gate: Gate, toTarget: Outbox, texts: Texts, refusals: Refusals) {
    this.#line = line
    this.#gate = gate
    this.#toTarget = toTarget
    this.#texts = texts
    this.#refusals = refusals
  }

  /** A statement is judged when it is prepared, so that one that is blocked never is. */
  parse(buf: Buffer, start: number, end: number): Later {
    const startedAt = performance.now()
    const { name, textStart, textEnd } = readParse(buf, start, end, this.#name)
    return this.#texts.read(buf, textStart, textEnd, (text, script) => {
      const refuse = (error: Buffer): undefined => this.#refusals.refuse(error, nameInstead(name === ''))
      // Of several statements, the target says that it takes none. Should it, none of them runs.
      if (!script.ok || script.statements.length > 1) {
        const written = buf.subarray(textStart, textEnd + 1)
        const error = script.ok ? severalCommands : this.#texts.syntaxError(text, script)
        this.#refusals.unreadable(written, error, nameInstead(name === ''))
        return undefined
      }
      const [first] = script.statements
      const declared = declaredTypes(buf, textEnd + 1, end)
      const judged = first && this.#checking(first, declared)
      const verdict = judged === undefined ? undefined : this.#verdictOn(judged, script)
      if (verdict?.kind === 'block' && judged !== undefined) {
        // The record and the words are the same as when it would run.
        const redacted = () => this.#line.concealing.text(text, judged, script.meaning)
        const asked = { statements: [judged], shown: () => text, redacted, startedAt }
        return admitted(this.#gate.admit(asked), (one) => {
          if (one.ok) throw new Error('a blocked statement was admitted')
          refuse(one.error)
        })
      }
      const prepared: Prepared = {
        text,
        meaning: script.meaning,
        judged,
        redacted: undefined,
        bySql: false,
        declared,
        bindable: judged,
        shaken: false,
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

  /** With what checks and compares the values of its parameters, where they are of types of people's own. */
  #checking(given: Judged, declared: readonly number[] | undefined): Judged {
    const { meaning, scripts } = this.#line
    if (declared === undefined || meaning === undefined) return given
    const { codedTypes, lenientTypes } = meaning.catalog
    const judged = lenientTypes.some(({ oid }) => declared.includes(oid)) ? comparing(given) : given
    const types = codedTypes.filter(({ oid }) => declared.includes(oid))
    if (types.length === 0) return judged
    const text = `SELECT ${types.map(({ name }) => `NULL::${quoted(name)}`).join(', ')}`
    const checks = scripts.fresh(text, meaning, meaning.searchPath)
    const [one] = checks.ok ? checks.statements : []
    return one === undefined ? unknown(judged) : beside(judged, one.analysis)
  }

  #verdictOn(judged: Prepared['judged'] & {}, script: Script) {
    // EXECUTE and FETCH are judged by what they refer to when they run.
    if (judged.analysis.refers !== undefined) return undefined
    return this.#line.judge.judge(judged, script.meaning, this.#line)
  }

  /** A portal stands for its statement as that reads now. */
  bind(buf: Buffer, start: number, end: number): Later {
    if (this.#gate.unsettled && this.#bindsUnnamed(buf, start, end)) return this.#bindSettled(buf, start, end)
    return settled(this.#line, this.#gate, () => this.#bindSettled(buf, start, end))
  }

  #bindsUnnamed(buf: Buffer, start: number, end: number): boolean {
    const { statements, segment, confirmed } = this.#line
    const { statement } = readBind(buf, start, end, this.#name)
    const prepared = statements.read(statement, segment, confirmed)
    return prepared !== uncertain && prepared !== undefined && isUnnamed(prepared.text)
  }

  #bindSettled(buf: Buffer, start: number, end: number): Later {
    const line = this.#line
    const { portal, statement, parametersAt } = readBind(buf, start, end, this.#name)
    const prepared = line.statements.read(statement, line.segment, line.confirmed)
    if (prepared === uncertain) return this.#whenSettled(() => this.bind(buf, start, end))
    const known = prepared === undefined ? undefined : this.#gate.renewed(prepared)
    const missing = prepared === undefined || (known === undefined && prepared.judged !== undefined)
    if ((missing || prepared.shaken) && this.#hides) {
      const which = statement === '' ? 'unnamed prepared statement' : `prepared statement "${statement}"`
      return this.#refuseName('26000', `${which} does not exist`, prepared?.shaken)
    }
    const bind = { buf, at: parametersAt, end }
    const judged = missing ? unknown() : known && this.#checking(known, prepared?.declared)
    // Binding checks values and plans, which runs code: not by what Parse was decided on, where definitions changed since.
    if (prepared !== undefined && judged !== undefined && judged !== prepared.bindable) {
      const refused = this.#refusedAtBind(judged, prepared, bind)
      if (refused !== undefined) return refused.later
      prepared.bindable = judged
    }
    const value: Portal = {
      prepared: prepared ?? this.#foreign(judged),
      judged,
      bind: portal === '' ? bind : detached(bind),
      held: false,
      shaken: false,
      path: line.meaning?.searchPath,
      catalog: line.target.current,
      moved: undefined,
      redefined: undefined,
    }
    const item = new Expected(kinds.bind)
    item.judged = judged
    item.write = line.portals.write(portal, value, line.segment)
    line.expect(item)
    this.#toTarget.add(buf, start, end)
    return undefined
  }

  /** Undefined: it may be bound. */
  #refusedAtBind(judged: Judged, { text, meaning }: Prepared, bind: Bound): { later: Later } | undefined {
    const line = this.#line
    if (judged.analysis.refers !== undefined) return undefined
    if (line.judge.judge(judged, line.meaning ?? meaning, line).kind !== 'block') return undefined
    const asked: Asked = {
      statements: [judged],
      shown: () => withParameters(text, bind),
      redacted: () => this.#recorded(text, judged, bind),
      startedAt: performance.now(),
    }
    const later = admitted(this.#gate.admit(asked), (one) => {
      if (one.ok) throw new Error('a blocked statement was admitted')
      this.#refusals.refuse(one.error)
    })
    return { later }
  }

  #refuseName(sqlstate: string, message: string, shaken = false): undefined {
    const hint = shaken ? { hint: shakenHint } : {}
    return this.#refusals.refuse(say({ severity: 'ERROR', sqlstate, message, ...hint }))
  }

  /** What a name stands for depends on an answer that is still on its way. */
  #whenSettled(act: () => Later): Later {
    const settled = this.#line.settled()
    if (settled === undefined) throw new Error('a name that no open segment writes is uncertain')
    return settled.then(() => again(this.#line, act))
  }

  /** What the target says of it is what its rows are compared with. */
  describe(buf: Buffer, start: number, end: number): Later {
    const line = this.#line
    const { kind, name } = readNamed(buf, start, end, this.#name)
    const { segment, confirmed } = line
    const found =
      kind === 'S' ? line.statements.read(name, segment, confirmed) : line.portals.read(name, segment, confirmed)
    if (found === uncertain) return this.#whenSettled(() => this.describe(buf, start, end))
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

  /** Decides on the portal once more, with its parameters, and forwards it. */
  execute(buf: Buffer, start: number, end: number): Later {
    return this.#execute(buf, start, end, performance.now(), false)
  }

  #execute(buf: Buffer, start: number, end: number, startedAt: number, isSettled: boolean): Later {
    const line = this.#line
    const { portal: name } = readExecute(buf, start, end, this.#name)
    const portal = line.portals.read(name, line.segment, line.confirmed)
    if (portal === uncertain) {
      return this.#whenSettled(() => this.#execute(buf, start, end, startedAt, isSettled))
    }
    // Names in code that it runs, and of what EXECUTE runs, are looked up now, not when the portal was bound.
    const bound = portal?.judged?.analysis
    const hangsOn = bound?.refers !== undefined || bound?.code === true || line.target.outdated
    if (!isSettled && hangsOn && !(portal !== undefined && isUnnamed(portal.prepared.text))) {
      return settled(line, this.#gate, () => this.#execute(buf, start, end, startedAt, true))
    }
    if ((portal === undefined || portal.shaken) && this.#hides) {
      return this.#refuseName('34000', `portal "${name}" does not exist`, portal?.shaken)
    }
    const prepared = portal?.prepared ?? this.#foreign(undefined)
    const judged = portal === undefined ? unknown() : asItRuns(portal, 'same', this.#line)
    if (judged === undefined) {
      line.expect(new Expected(kinds.execute))
      this.#toTarget.add(buf, start, end)
      return undefined
    }
    const { text } = prepared
    const admission = this.#gate.admit({
      statements: [judged],
      shown: () => withParameters(text, portal?.bind),
      redacted: () => this.#recorded(text, judged, portal?.bind, prepared),
      startedAt,
      again: () => {
        const now = portal === undefined ? judged : asItRuns(portal, 'same', this.#line)
        return Promise.resolve(now && [now])
      },
    })
    return admitted(admission, (one) => {
      if (this.#refusals.skipped(one)) return
      if (!one.ok) {
        this.#refusals.refuse(one.error)
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

  /** For the record. The text of what is `prepared` is made once. */
  #recorded(text: string, judged: Judged, bound: Bound | undefined, prepared?: Prepared): string {
    const { concealing, meaning, port } = this.#line
    const { epoch } = port
    let known = prepared?.redacted
    if (known?.judged !== judged || known.epoch !== epoch) {
      known = { judged, epoch, text: concealing.text(text, judged, meaning) }
      if (prepared !== undefined) prepared.redacted = known
    }
    return withParameters(known.text, bound, bound && concealing.show(text, judged, meaning))
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

  /** The name stands for nothing once the target confirms. */
  close(buf: Buffer, start: number, end: number): void {
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

  /** A statement that was prepared in a way that is not seen here. */
  #foreign(judged: Prepared['judged']): Prepared {
    const { meaning } = this.#line
    if (meaning === undefined) throw new Error('the catalog was read and is not there')
    return preparedBySql('a statement prepared by code', meaning, judged)
  }
}

const severalCommands = say({
  severity: 'ERROR',
  sqlstate: '42601',
  message: 'cannot insert multiple commands into a prepared statement',
})

/** Those of people's own among the types that Parse declares; undefined: none. */
function declaredTypes(buf: Buffer, at: number, end: number): readonly number[] | undefined {
  let declared: number[] | undefined
  for (let oid = at + 2; oid + 4 <= end; oid += 4) {
    const one = buf.readUInt32BE(oid)
    if (one < firstOwnOid) continue
    declared ??= []
    if (!declared.includes(one)) declared.push(one)
  }
  return declared
}
