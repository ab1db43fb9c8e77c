import type { Held, HoldOutcome, HoldRequest } from '../../../shared/link.ts'
import { approvedNotice, deniedError, endedError, expiredError, heldNotice, write as say } from './annotations.ts'
import type { Asked } from './asked.ts'
import { firstComment } from './comment.ts'
import type { Line } from './line.ts'
import type { Judged } from './statements.ts'
import type { Verdict } from './verdict.ts'

/** Asks people about a statement, and waits for what they say. One at a time. */
export class Holding {
  readonly #line: Line
  readonly #interject: (notice: Buffer) => void
  #held: Held | undefined
  #cancelled = false

  constructor(line: Line, interject: (notice: Buffer) => void) {
    this.#line = line
    this.#interject = interject
  }

  /** True when a request was waiting for people, and now is not. */
  cancel(): boolean {
    if (this.#held === undefined) return false
    this.#cancelled = true
    this.#held.cancel()
    return true
  }

  /** Undefined: approved. Otherwise what the client is told. */
  async ask(
    asked: Asked,
    statements: readonly Judged[],
    { index, judged, verdict }: { index: number; judged: Judged; verdict: Extract<Verdict, { kind: 'hold' }> },
    numbers: number[],
  ): Promise<Buffer | undefined> {
    const line = this.#line
    const { analysis } = judged
    const { policy, approval } = verdict
    let held: Held
    try {
      held = await line.port.hold({
        action: analysis.action,
        text: asked.shown(),
        policy,
        approval,
        tables: analysis.tables,
        ...this.#shownToOthers(asked.shown(), statements),
        binding: {
          search_path: line.searchPath.join(', '),
          role: line.identity.account,
          database: line.target.current?.database ?? '',
        },
      })
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      return endedError(line.voice, `Approval could not be asked for: ${reason}. Nothing ran`, 'ERROR')
    }
    const n = numbers[index] ?? ++line.n
    numbers[index] = n
    this.#held = held
    this.#cancelled = false
    let outcome: HoldOutcome
    try {
      await line.record({
        type: 'request',
        at: line.port.elapsed(),
        n,
        action: analysis.action,
        text: asked.redacted(index),
        outcome: 'held',
        policy,
        requestId: held.requestId,
        ...(analysis.tables.length === 0 ? {} : { tables: [...analysis.tables] }),
      })
      this.#interject(heldNotice(line.voice, held, policy, approval, analysis.action))
      outcome = await held.outcome
    } catch (error) {
      held.cancel()
      throw error
    } finally {
      this.#held = undefined
    }
    if (this.#cancelled) outcome = { kind: 'cancelled' }
    await line.record({
      type: 'decided',
      at: line.port.elapsed(),
      n,
      outcome: outcome.kind,
      by: outcome.kind === 'approved' ? [...outcome.by] : outcome.kind === 'denied' ? [outcome.by] : [],
      ...(outcome.kind === 'denied' ? { reason: outcome.reason } : {}),
      requestId: held.requestId,
    })
    switch (outcome.kind) {
      case 'approved':
        this.#interject(approvedNotice(line.voice, held.requestId, outcome.by))
        return undefined
      case 'denied':
        return deniedError(line.voice, held.requestId, policy, outcome.by, outcome.reason)
      case 'expired':
        return expiredError(line.voice, held.requestId, policy)
      case 'cancelled':
        return say({
          severity: 'ERROR',
          sqlstate: '57014',
          message: `canceling statement due to user request. Request ${held.requestId} is withdrawn; nothing ran.`,
        })
      default:
        return outcome satisfies never
    }
  }

  /** What reviewers see who may not see everything: which columns are touched, and the text without what might be their values. */
  #shownToOthers(
    text: string,
    statements: readonly Judged[],
  ): Pick<HoldRequest, 'columns' | 'hiddenClasses' | 'reason' | 'redacted'> {
    const { concealing, meaning, port } = this.#line
    const touched = new Set(statements.flatMap(({ analysis }) => analysis.columns))
    return {
      columns: [...touched].sort(),
      reason: port.redact(firstComment(text)),
      hiddenClasses: [],
      ...concealing.forOthers(text, statements, meaning),
    }
  }
}
