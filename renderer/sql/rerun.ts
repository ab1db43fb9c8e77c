import type { ResultTab, SqlState, View } from './run-state.ts'

/** A result is run again under its own tab. The editor's marks stay as they are: what runs is not in the text. */
export function beginAgain(state: SqlState): SqlState {
  return { ...state, running: state.runs, runs: state.runs + 1, cancelling: false }
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
  const stopped = made === undefined && sub.messages.some((message) => message.kind === 'error')
  return {
    ...state,
    running: sub.running,
    cancelling: sub.running === undefined ? false : state.cancelling,
    results: state.results.map(place),
    messages: [...before.messages, ...messages],
    past: [...before.past, ...sub.marks],
    shown: stopped ? 'messages' : state.shown,
  }
}
