import { capitalise, sentence } from '../decisions/words.ts'
import type { Message, ResultTab, SqlState, View } from './run-state.ts'

/** A result is run again under its own tab. The editor's marks stay as they are: what runs is not in the text. */
export function beginAgain(state: SqlState): SqlState {
  const results = state.results.map(({ refused: _, ...result }) => result)
  return { ...state, running: state.runs, runs: state.runs + 1, cancelling: false, results }
}

/**
 * The tab's state while and after a result is run again: `before` is what it was, `sub` is that run alone. The result takes the
 * place of the one before once it has columns; its decision is in the log like any other.
 */
export function project(state: SqlState, before: SqlState, sub: SqlState, key: string, view: View): SqlState {
  const [made] = sub.results
  const place = (result: ResultTab): ResultTab =>
    result.key === key && made !== undefined
      ? { ...made, key, title: result.title, view, ...(result.pinned ? { pinned: true } : {}) }
      : result
  const messages = sub.messages.map((message, i) => ({ ...message, id: `again-${sub.runs}-${i}` }))
  // Said at the result that it did not become, which stays.
  const failure = made === undefined ? sub.messages.findLast((message) => message.kind === 'error') : undefined
  const failed = (result: ResultTab): ResultTab =>
    result.key === key && failure !== undefined ? { ...result, refused: failureLine(failure) } : result
  return {
    ...state,
    running: sub.running,
    transaction: sub.transaction,
    onlyRead: sub.onlyRead,
    since: sub.since,
    idleSince: sub.idleSince ?? state.idleSince,
    cancelling: sub.running === undefined ? false : state.cancelling,
    results: state.results.map(place).map(failed),
    messages: [...before.messages, ...messages],
    past: [...before.past, ...sub.marks],
  }
}

/** With what to do, where it says that. */
function failureLine({ text, detail }: Message): string {
  const line = capitalise(sentence(text))
  return detail === undefined ? line : `${line} ${detail.replaceAll('\n', ' ')}`
}
