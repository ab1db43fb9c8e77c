import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { Icon } from '../decisions/icon.tsx'
import { timeOfDay } from '../decisions/time.ts'
import { usePause, useRpc } from '../rpc/context.tsx'
import { Empty } from '../theme/controls.tsx'
import { indexCatalog } from './complete/catalog.ts'
import { FixButton } from './fix-button.tsx'
import { type Fix, meant } from './fixes.ts'
import { type Mark, type Message, type SqlState, waits } from './run-state.ts'
import { unknownName } from './unknown.ts'

/** Where an offset within a mark's statement is now; undefined when it is gone, or is another by now. */
export type PlaceOf = (mark: string, offset: number) => { line: number; column: number } | undefined

/** From what was said to the text. */
export interface Leads {
  onReveal(mark: string, offset?: number): void
  placeOf: PlaceOf
  onFix(mark: Mark, fix: Fix): void
}

/** What was said of the last run, in order. Each leads to its statement, an error to the character that it is about. */
export function Messages({ state, connection, ...leads }: Leads & { connection: string; state: SqlState }) {
  const { messages, marks, running } = state
  const partial = usePartial(connection)
  const paused = usePause() !== undefined
  if (messages.length === 0) {
    if (waits(state))
      return <Empty icon="hourglass" title="Waiting" text="Nothing has run. Its result shows here once it has." />
    if (running !== undefined && paused)
      return (
        <Empty
          icon="cloud-off"
          title="The gateway does not answer"
          text="What was sent before may still run. It is not sent again; what became of it shows here once the gateway is back."
        />
      )
    if (running !== undefined) return <Empty icon="list" title="Running" text="Its result shows here." />
    const text =
      marks.length === 0 ? 'Run a statement, and its result shows here.' : 'Nothing was said by the last run.'
    return <Empty icon="list" title="No messages" text={partial === undefined ? text : `${text} ${partial}`} />
  }
  const shown = shortened(messages)
  // Only of the last: the others wait for their turn.
  const failed = shown.findLast(({ kind }) => kind === 'error')
  const mark = marks.findLast(({ id, error }) => id === failed?.mark && error && unknownName(error.message))
  return (
    <ol className="msgs scroll" aria-label="Messages">
      {shown.length < messages.length && (
        <li className="msg">
          <span className="msg__text t3">
            {(messages.length - shown.length).toLocaleString('en-GB')} are not shown: errors, and what was said last,
            are.
          </span>
        </li>
      )}
      {shown.map((message) => (
        <li key={message.id} className={message.kind === 'error' ? 'msg msg--error' : 'msg'}>
          <span className="tm num t3">{timeOfDay(message.at)}</span>
          <Sign kind={message.kind} />
          <span className="msg__text">
            {message.text}
            {message.sqlstate !== undefined && <span className="t3 mono msg__code">{message.sqlstate}</span>}
            <Lead message={message} {...leads} />
            {message.detail !== undefined && <span className="t2 msg__more">{message.detail}</span>}
            {message === failed && mark !== undefined && (
              <Help key={mark.id} connection={connection} mark={mark} {...leads} />
            )}
          </span>
        </li>
      ))}
    </ol>
  )
}

/** Why completion knows less than it could, where policy keeps the system catalog closed. */
function usePartial(connection: string): string | undefined {
  const { queries } = useRpc()
  const catalog = queries.editor.catalog.queryOptions({ input: { connection }, enabled: false })
  return useQuery({ ...catalog, select: ({ partial }) => partial }).data
}

/** Messages that are shown at most. */
const mostShown = 500

/** Of very many, those that matter: the first errors, and what was said last. */
function shortened(messages: readonly Message[]): readonly Message[] {
  if (messages.length <= mostShown) return messages
  const errors = messages.slice(0, -mostShown / 2).filter((message) => message.kind === 'error')
  return [...errors.slice(0, mostShown / 2), ...messages.slice(-mostShown / 2)]
}

function Sign({ kind }: { kind: Message['kind'] }) {
  if (kind === 'error')
    return (
      <span className="fg d-blocked">
        <Icon name="circle-x" size={14} />
      </span>
    )
  if (kind === 'warning')
    return (
      <span className="fg d-held">
        <Icon name="alert" size={14} />
      </span>
    )
  return <span />
}

/** What would help a statement that failed by a wrong name; names may be known later than that. */
function Help({ connection, mark, onFix }: Pick<Leads, 'onFix'> & { connection: string; mark: Mark }) {
  const { queries } = useRpc()
  const catalog = queries.editor.catalog.queryOptions({ input: { connection }, enabled: false })
  const index = useQuery({ ...catalog, select: indexCatalog }).data
  const fix = useMemo(() => mark.error && meant(mark.text, mark.error, index), [mark, index])
  if (fix === undefined) return null
  return (
    <span className="msg__more">
      <FixButton fix={fix} onClick={() => onFix(mark, fix)} />
    </span>
  )
}

/** To the statement in the text. */
function Lead({
  message: { mark, position },
  onReveal,
  placeOf,
}: Pick<Leads, 'onReveal' | 'placeOf'> & { message: Message }) {
  const at = mark === undefined ? undefined : placeOf(mark, position ?? 0)
  if (mark === undefined || at === undefined) return null
  return (
    <button type="button" className="msg__at num" onClick={() => onReveal(mark, position ?? 0)}>
      line {at.line}
      {position !== undefined && `, column ${at.column}`}
    </button>
  )
}
