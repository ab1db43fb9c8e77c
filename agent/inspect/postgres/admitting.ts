import { performance } from 'node:perf_hooks'
import type { RecordingEvent } from '../../../shared/recording.ts'
import type { StatementAnalysis } from './analysis.ts'
import { blockedError, type Refusal } from './annotations.ts'
import type { Admission, Asked } from './asked.ts'
import { Execution } from './expected.ts'
import type { Line } from './line.ts'
import type { Judged } from './statements.ts'
import type { Run } from './verdict.ts'

/** The statement of a text over which none of them runs. */
export interface Blocked {
  index: number
  judged: Judged
  refusal: Refusal
}

/** Puts on the recording what was decided, before anything of it is forwarded. Synchronous where the record is. */
export class Admitting {
  readonly #line: Line

  constructor(line: Line) {
    this.#line = line
  }

  /** One statement that runs: what nearly every request is. */
  one(asked: Asked, judged: Judged, run: Run): Admission | Promise<Admission> {
    const n = ++this.#line.n
    const { analysis } = judged
    const now = performance.now()
    const wait = this.#request(asked, 0, analysis, n, run, now)
    const told = analysis.effects.length === 0 && analysis.complete ? undefined : this.#announce(analysis, n)
    const decidedOn = this.#line.target.current
    const execution = new Execution(judged, run, n, { startedAt: now, gatewayMs: now - asked.startedAt, decidedOn })
    const admission: Admission = { ok: true, executions: [execution] }
    if (told !== undefined) return Promise.all([wait, told]).then(() => admission)
    return wait === undefined ? admission : wait.then(() => admission)
  }

  /** Statements that run one after the other. `approved`: the numbers under which people were asked about them, and which are recorded. */
  all(
    asked: Asked,
    statements: readonly Judged[],
    runs: readonly Run[],
    approved?: readonly number[],
  ): Admission | Promise<Admission> {
    const executions: Execution[] = []
    const waits: Promise<void>[] = []
    const now = performance.now()
    for (const [i, judged] of statements.entries()) {
      const run = runs[i]
      if (run === undefined) continue
      const known = approved?.[i]
      const n = known ?? ++this.#line.n
      if (known === undefined) {
        const wait = this.#request(asked, i, judged.analysis, n, run, now)
        if (wait !== undefined) waits.push(wait)
      }
      const told = this.#announce(judged.analysis, n)
      if (told !== undefined) waits.push(told)
      const gatewayMs = approved === undefined ? now - asked.startedAt : 0
      const decidedOn = this.#line.target.current
      executions.push(new Execution(judged, run, n, { startedAt: now, gatewayMs, decidedOn }))
    }
    const admission: Admission = { ok: true, executions }
    return waits.length === 0 ? admission : Promise.all(waits).then(() => admission)
  }

  #announce(analysis: StatementAnalysis, n: number): Promise<void> | undefined {
    return this.#line.shared.announce(analysis, this.#line.segment, n)
  }

  #request(
    asked: Asked,
    index: number,
    analysis: StatementAnalysis,
    n: number,
    run: Run,
    now: number,
  ): Promise<void> | undefined {
    const { outcome, policy, recorded, grantId } = run
    const { port } = this.#line
    // Built by hand, not by spreading: this runs for every statement.
    const event: Extract<RecordingEvent, { type: 'request' }> = {
      type: 'request',
      at: port.elapsed(now),
      n,
      action: analysis.action,
      text: asked.redacted(index),
      outcome,
    }
    if (policy !== undefined) event.policy = policy
    if (recorded.masks !== undefined) event.masks = recorded.masks
    if (recorded.tables !== undefined) event.tables = recorded.tables
    if (grantId !== undefined) event.grantId = grantId
    return this.#line.record(event)
  }

  /** One that does not run, and with it none of those beside it. */
  blocked(asked: Asked, { index, judged: { analysis }, refusal }: Blocked): Admission | Promise<Admission> {
    const line = this.#line
    const { action, tables } = analysis
    const wait = line.record({
      type: 'request',
      at: line.port.elapsed(),
      n: ++line.n,
      action,
      text: asked.redacted(index),
      outcome: 'blocked',
      policy: refusal.policy,
      ...(refusal.columns === undefined ? {} : { masks: [...refusal.columns] }),
      ...(tables.length === 0 ? {} : { tables: [...tables] }),
    })
    const admission: Admission = { ok: false, error: blockedError(line.voice, refusal, action) }
    return wait === undefined ? admission : wait.then(() => admission)
  }
}
