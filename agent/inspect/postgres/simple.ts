import { performance } from 'node:perf_hooks'
import { blockedError } from './annotations.ts'
import type { Admission } from './asked.ts'
import { applyEffects } from './effects.ts'
import { type Execution, Expected, kinds } from './expected.ts'
import { FrameError, type Outbox } from './frames.ts'
import type { Gate } from './gate.ts'
import { admitted, type Later, settled } from './later.ts'
import type { Line } from './line.ts'
import { unprovable } from './mask/plan.ts'
import { int32At, zeroAt } from './messages.ts'
import { type Bound, withParameters } from './parameters.ts'
import { unknown } from './referred.ts'
import type { Refusals } from './refusals.ts'
import { ReplicationWatch, replicationCommand } from './replication.ts'
import { quoted } from './sql/ids.ts'
import type { Judged, Meaning, Script } from './statements.ts'
import type { Texts } from './text/texts.ts'

/** Messages that a ReadyForQuery of their own answers: Query, with all its statements, and FunctionCall. */
export class SimpleQueries {
  readonly #line: Line
  readonly #gate: Gate
  readonly #toTarget: Outbox
  readonly #texts: Texts
  readonly #refusals: Refusals

  constructor(line: Line, gate: Gate, toTarget: Outbox, texts: Texts, refusals: Refusals) {
    this.#line = line
    this.#gate = gate
    this.#toTarget = toTarget
    this.#texts = texts
    this.#refusals = refusals
  }

  /** Decides on all statements of the text before any of it is forwarded. */
  query(buf: Buffer, start: number, end: number): Later {
    const startedAt = performance.now()
    if (zeroAt(buf, start + 5, end) !== end - 1) throw new FrameError('a query with bytes behind its end')
    return this.#texts.read(buf, start + 5, end - 1, (text, script) => {
      const command = this.#line.replicates ? replicationCommand(text) : undefined
      if (command !== undefined) return this.#replicate(command, text, buf, start, end)
      if (!script.ok)
        return this.#refusals.unreadableQuery(buf.subarray(start + 5, end), this.#texts.syntaxError(text, script))
      const { concealing } = this.#line
      const act = (statements: readonly Judged[]): Later => {
        const admission = this.#gate.admit({
          statements,
          shown: () => text,
          redacted: (index) =>
            concealing.text(
              statements.length === 1 ? text : partOf(text, script, index),
              statements[index],
              script.meaning,
            ),
          startedAt,
          again: () => this.#again(text),
        })
        return admitted(admission, (one) => this.#forwardQuery(one, text, script, buf, start, end))
      }
      const statements = this.#gate.sequence(text, script)
      return statements instanceof Promise ? statements.then(act) : act(statements)
    })
  }

  async #again(text: string): Promise<readonly Judged[] | undefined> {
    const script = await this.#gate.script(text)
    return script.ok ? this.#gate.sequence(text, script) : undefined
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
      if (!one.ok) return void this.#refusals.refuseQuery(one.error)
      const item = new Expected(kinds.query)
      item.executions = one.executions
      for (const execution of one.executions) execution.replicates = new ReplicationWatch(line, command)
      line.expect(item)
      line.endSegment()
      this.#toTarget.add(buf, start, end)
    })
  }

  #forwardQuery(admission: Admission, text: string, script: Script, buf: Buffer, start: number, end: number): void {
    if (this.#refusals.skipped(admission)) return
    if (!admission.ok) {
      this.#refusals.refuseQuery(admission.error)
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

  /** A call by number is judged as the SELECT that does the same. Its value can't be masked. */
  functionCall(buf: Buffer, start: number, end: number): Later {
    return settled(this.#line, this.#gate, () => {
      const startedAt = performance.now()
      const text = callText(this.#line.meaning, int32At(buf, start + 5, end) >>> 0)
      const script = text === undefined ? undefined : this.#gate.script(text)
      const bound = { buf, at: start + 9, end }
      const written = text ?? 'function call'
      const act = (one: Script | undefined): Later => {
        const statements = one?.ok === true ? one.statements : [unknown()]
        const asked = {
          statements,
          shown: () => withParameters(written, bound),
          redacted: () => this.#recorded(written, statements[0], bound),
          startedAt,
          again: () => this.#again(written),
        }
        return admitted(this.#gate.admit(asked), (admission) => {
          if (this.#refusals.skipped(admission)) return
          if (!admission.ok) return void this.#refusals.refuseQuery(admission.error)
          const { executions } = admission
          if (executions.some(({ run }) => run.columns.some((mask) => mask !== null))) {
            return void this.#refuseMasked(executions)
          }
          const item = new Expected(kinds.query)
          item.executions = executions
          const { meaning } = this.#line
          if (meaning !== undefined) {
            for (const execution of executions) applyEffects(this.#line, execution, written, meaning)
          }
          this.#line.expect(item)
          this.#line.endSegment()
          this.#toTarget.add(buf, start, end)
          return undefined
        })
      }
      return script instanceof Promise ? script.then(act) : act(script)
    })
  }

  #recorded(text: string, judged: Judged | undefined, bound: Bound): string {
    const { concealing, meaning } = this.#line
    return withParameters(concealing.text(text, judged, meaning), bound, concealing.show(text, judged, meaning))
  }

  /** The answer to a FunctionCall is bytes of no known type: there is no mask for them. */
  #refuseMasked(executions: readonly Execution[]): void {
    const line = this.#line
    const columns = executions.flatMap(({ run }) => run.masked)
    line.notRun(executions, 'its value can not be masked')
    const refusal = {
      policy: columns[0]?.policy ?? { id: unprovable, reason: 'The value of a function call can not be masked.' },
      message:
        'the function gives values that are masked for you, and what it gives by a function call can not be masked. Nothing ran.',
      hint: 'Call it in a SELECT.',
      columns,
      requestable: columns.some(({ requestable }) => requestable),
    }
    this.#refusals.refuseQuery(blockedError(line.voice, refusal, 'sql:call'))
  }
}

function partOf(text: string, script: Extract<Script, { ok: true }>, index: number): string {
  const analysis = script.statements[index]?.analysis
  return analysis === undefined ? text : text.slice(analysis.start, analysis.end).trim()
}

/** A call by function number (FunctionCall), as the SELECT that does the same; undefined when the number is not known. */
function callText(meaning: Meaning | undefined, oid: number): string | undefined {
  const found = meaning?.catalog.functionByOid(oid)
  if (found?.inputs === undefined) return undefined
  const inputs = Array.from({ length: found.inputs }, (_, i) => `$${i + 1}`)
  return `SELECT ${quoted(found.schema)}.${quoted(found.name)}(${inputs.join(', ')})`
}
