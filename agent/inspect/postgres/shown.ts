import type { Execution } from './expected.ts'
import type { Line } from './line.ts'
import { Judged, type Meaning } from './statements.ts'

export const shownTooLong =
  'What you were let see in the clear is masked for you again, and a statement was showing it. The session ended: open it again, and ask anew'

/**
 * Whether something that runs was decided on when the person could see more than they can by now: its rows would go on to show it. Looked at
 * when grants or the policy have changed. What only writes goes on as it was decided.
 */
export function showsTooMuch(line: Line): boolean {
  const { meaning } = line
  if (meaning === undefined) return false
  for (const execution of line.queue.executions()) {
    // A stream looks at itself with every message.
    if (execution.replicates === undefined && showsMore(execution, meaning, line)) return true
  }
  return false
}

/** Whether it was decided on when less of what it shows was masked. */
export function showsMore({ run, judged }: Execution, meaning: Meaning, line: Line): boolean {
  const verdict = line.judge.judge(new Judged(judged.analysis, 1), meaning, line)
  switch (verdict.kind) {
    case 'block':
      // It computes with what is masked, or compares it.
      return (verdict.refusal.columns ?? []).length > 0
    case 'hold':
    case 'run':
      return verdict.run.columns.some((mask, i) => mask !== null && (run.columns[i] ?? null) === null)
    default:
      return verdict satisfies never
  }
}
