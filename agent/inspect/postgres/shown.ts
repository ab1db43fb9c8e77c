import type { Line } from './line.ts'
import { Judged } from './statements.ts'

export const shownTooLong =
  'What you were let see in the clear is masked for you again, and a statement was showing it. The session ended: open it again, and ask anew'

/**
 * Whether something that runs was decided on when the person could see more than they can by now: its rows would go on to show it. Looked at
 * when grants or the policy have changed. What only writes goes on as it was decided.
 */
export function showsTooMuch(line: Line): boolean {
  const { meaning, judge } = line
  if (meaning === undefined) return false
  for (const { run, judged, replicates } of line.queue.executions()) {
    // A stream looks at itself with every message.
    if (replicates !== undefined) continue
    const verdict = judge.judge(new Judged(judged.analysis, 1), meaning, line)
    switch (verdict.kind) {
      case 'block':
        // It computes with what is masked, or compares it.
        if ((verdict.refusal.columns ?? []).length > 0) return true
        break
      case 'hold':
      case 'run':
        if (verdict.run.columns.some((mask, i) => mask !== null && (run.columns[i] ?? null) === null)) return true
        break
      default:
        verdict satisfies never
    }
  }
  return false
}
