import type { Connection } from '../../shared/api/models.ts'
import { actionName } from '../decisions/words.ts'
import { askable } from '../requests/askable.ts'

export interface MayDo {
  /** At once. */
  now: readonly string[]
  /** With an approval. */
  asked: readonly string[]
  /** Classes of data whose values are hidden. */
  masked: readonly string[]
}

/** What a person may do with a connection, in words: from the verdicts that the gateway gave. */
export function mayDo(connection: Connection): MayDo {
  const offers = askable(connection).actions
  const named = (state: 'have' | 'ask') => offers.filter((o) => o.state === state).map((o) => actionName(o.action))
  return {
    now: named('have'),
    asked: named('ask'),
    masked: connection.dataClasses.filter((c) => c.unmask.verdict === 'masked').map((c) => c.name),
  }
}

/** `You may read. With approval: write. Masked: email, card.` */
export function mayDoWords(connection: Connection): string {
  const { now, asked, masked } = mayDo(connection)
  if (connection.access === 'locked') return 'Locked. Request access to open it.'
  return [
    now.length > 0 && `You may ${now.join(', ')}.`,
    asked.length > 0 && `With approval: ${asked.join(', ')}.`,
    masked.length > 0 && `Masked: ${masked.join(', ')}.`,
  ]
    .filter((part) => part !== false)
    .join(' ')
}
