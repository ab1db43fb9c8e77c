import { counted } from '../../decisions/words.ts'
import { isOpen, type Mark, type ResultTab } from '../run-state.ts'

/** Its statement ended, by an error or with its session, before all of it was here. */
export function isStopped({ complete }: Pick<ResultTab, 'complete'>, mark: Mark | undefined): boolean {
  return !complete && (mark === undefined || !isOpen(mark))
}

/** What of a result can be saved as a file: all of it, a part that has to be called one, or nothing, and why. */
export type Exportable = { what: 'all' | 'part'; words: string } | { what: 'nothing'; words: string }

export function exportable(result: ResultTab, mark: Mark | undefined): Exportable {
  const all = counted(result.rows, 'row')
  if (isStopped(result, mark)) {
    if (result.rows === 0) return { what: 'nothing', words: 'It was stopped before there were any rows.' }
    const words = `It was stopped after ${all}. Only these can be saved; run it again for all of it.`
    return { what: 'part', words }
  }
  if (!result.complete) return { what: 'nothing', words: 'The result is still coming in.' }
  return result.truncated
    ? {
        what: 'part',
        words: `The result has more rows than were kept. Only the first ${all} can be saved; narrow the statement for all of it.`,
      }
    : { what: 'all', words: `All ${all}, from this computer: nothing is run again.` }
}
