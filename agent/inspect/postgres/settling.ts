import { type Expected, kinds } from './expected.ts'
import type { Line } from './line.ts'

/** What an error of the target, or the end of COPY data, makes of all that was asked and is not answered. */

/** A statement of a Query failed: those behind it do not run. */
export function failQuery(line: Line, head: Expected, reason: string): void {
  for (const [i, execution] of head.executions.entries()) {
    if (i < head.at) continue
    for (const write of execution.writes) write.discard(false)
    line.complete(execution, false, undefined, i === head.at ? reason : 'not run: a statement before it failed')
  }
  head.at = head.executions.length
  head.error = undefined
}

/** As the target: everything up to the next Sync is skipped. */
export function skipToSync(line: Line, head: Expected, reason: string): void {
  const { queue } = line
  const failed = head.current
  queue.shift()
  drop(line, head, head.unnamed)
  if (failed !== undefined) line.complete(failed, false, undefined, reason)
  if (failed?.copyingIn === true && !endCopyIn(line)) {
    // Syncs that came before the error were ignored, unless they crossed it on the way.
    for (let item = queue.peek(); item !== undefined; item = queue.peek()) {
      queue.shift()
      if (item.kind === kinds.sync) {
        line.confirmSegment()
        line.doubtfulSyncs++
      }
      drop(line, item, false)
    }
    line.skipping = true
    return
  }
  for (let item = queue.peek(); item !== undefined && item.kind !== kinds.sync; item = queue.peek()) {
    queue.shift()
    drop(line, item, false)
    line.notRun(item.executions, 'skipped after an error')
    if (item.kind === kinds.query) line.confirmSegment()
  }
  if (queue.length === 0) line.skipping = true
}

/** The target ignored every Sync up to the end of the COPY data. */
export function endCopyIn(line: Line): boolean {
  const { queue } = line
  if (queue.indexOf(kinds.copyDone) < 0) return false
  for (let item = queue.shift(); item !== undefined && item.kind !== kinds.copyDone; item = queue.shift()) {
    if (item.kind === kinds.sync) line.confirmSegment()
    drop(line, item, false)
  }
  return true
}

/** An error of a question of our own, asked between two segments, is none of the client's. */
export function isOwn(line: Line, head: Expected): boolean {
  if (!head.hidden || head.outspoken) return false
  if (head.kind === kinds.query) return true
  return line.queue.firstSync()?.hidden === true
}

function drop(line: Line, item: Expected, lost: boolean): void {
  item.write?.discard(lost)
  for (const execution of item.executions) {
    for (const write of execution.writes) write.discard(false)
    line.endCopy(execution)
  }
  item.settled?.(false)
}
