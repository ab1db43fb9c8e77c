import type { RequestState } from '../../shared/api/models.ts'

/** What the history is narrowed to; empty text means all. */
export interface HistoryFilter {
  text: string
  person: string
  rule: string
  connection: string
  state: RequestState | ''
  kind: 'once' | 'grant' | ''
  /** Of the last so many days. */
  days: number | undefined
}

export const anyHistory: HistoryFilter = {
  text: '',
  person: '',
  rule: '',
  connection: '',
  state: '',
  kind: '',
  days: undefined,
}

const pageSize = 50

/** The filter as the gateway takes it: what is empty is left out. `before` is the page before's `next`. */
export function historyInput(filter: HistoryFilter, before?: string, now = Date.now()) {
  const { state, kind, days } = filter
  const word = (text: string): string | undefined => (text.trim() === '' ? undefined : text.trim())
  const [text, person, rule, connection] = [filter.text, filter.person, filter.rule, filter.connection].map(word)
  // To the minute, so that the same question is the same key.
  const from =
    days === undefined ? undefined : new Date(Math.floor((now - days * 86_400_000) / 60_000) * 60_000).toISOString()
  return {
    limit: pageSize,
    ...(text === undefined ? {} : { text }),
    ...(person === undefined ? {} : { person }),
    ...(rule === undefined ? {} : { rule }),
    ...(connection === undefined ? {} : { connection }),
    ...(state === '' ? {} : { state }),
    ...(kind === '' ? {} : { kind }),
    ...(from === undefined ? {} : { from }),
    ...(before === undefined ? {} : { before }),
  }
}
