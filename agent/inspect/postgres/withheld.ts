import type { StatementAnalysis } from './analysis.ts'
import { withheldError } from './annotations.ts'
import { type Execution, type Expected, kinds } from './expected.ts'
import { FrameError } from './frames.ts'
import type { Line } from './line.ts'
import { backend } from './messages.ts'

/**
 * The result is not what was decided on: somebody dropped a table and made another of its name, say. Nothing of it is sent, and the
 * catalog is read again. The session goes on where a read is all that the target did for the client by now.
 */
export function withhold(line: Line, head: Expected, execution: Execution, reason: string): void {
  const alone = head.executions.length === 1 && [...line.queue.rest()].every(({ kind }) => kind === kinds.close)
  const last = head.kind === kinds.query ? head.executions.length === 1 : alone
  if (!last || !isRead(execution.judged.analysis)) throw new FrameError(reason)
  line.change({ kind: 'ddl', changes: 'any' })
  line.target.outdate()
  execution.withheld = withheldError(line.voice, reason)
}

/** A result that is withheld is over. What the client asked for behind it counts as skipped. */
export function endWithheld(line: Line, head: Expected, execution: Execution): void {
  line.complete(execution, false, undefined, 'not shown: the result is not the one that was decided on')
  if (head.kind === kinds.query) {
    head.at++
    return
  }
  for (const item of line.queue.rest()) item.hidden = true
  const synced = line.queue.firstSync() !== undefined
  line.queue.shift()
  head.settled?.(true)
  if (!synced) line.skipping = true
}

/** It changes nothing, neither in the database nor in the session. */
function isRead({ node, written, effects, complete }: StatementAnalysis): boolean {
  return node === 'SelectStmt' && complete && written.length === 0 && effects.length === 0
}

/** Rows are compared with their description before any of them is passed on. Throws FrameError where there is none. */
export function described({ run, judged }: Execution): void {
  if (!run.free && judged.fields === undefined) throw new FrameError('rows that were not described')
}

/** A row, or data of COPY, that is passed on as it comes. Throws FrameError where nothing of the kind may come. */
export function askedFor(execution: Execution | undefined, type: number, copyingOut: boolean): Execution {
  const isCopy = type === backend.copyData
  if (isCopy && !copyingOut) throw new FrameError('COPY data that nobody asked for')
  if (execution === undefined) throw new FrameError('a row that nobody asked for')
  if (!isCopy) described(execution)
  mayStream(execution)
  return execution
}

/** Throws FrameError where what streams is not open to the client any more. */
export function mayStream({ replicates }: Execution): void {
  if (replicates?.allowed === false) throw new FrameError('replication is not open to you any more')
}
