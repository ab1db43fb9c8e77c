import { memo, useState } from 'react'
import { DecisionFilter, passes } from '../decisions/filter.tsx'
import { Icon } from '../decisions/icon.tsx'
import { timeOfDay } from '../decisions/time.ts'
import { counted, type LookName, looks, roughTables, statementTitle } from '../decisions/words.ts'
import { IconButton } from '../theme/controls.tsx'
import { ranWords, stoppedWords } from './marks.ts'
import type { Blocked, Mark, SqlState } from './run-state.ts'
import { unknownName } from './unknown.ts'

/** Nobody reads more of them in a list, and a script may make thousands. */
const mostShown = 200

/** Every decision of the tab's session, newest first. A row leads to its statement. */
export function DecisionLog({
  state,
  over,
  onClose,
  onReveal,
}: {
  state: SqlState
  /** Over the results, where there is no room beside them. */
  over: boolean
  onClose(): void
  onReveal(mark: string): void
}) {
  const [filtering, setFiltering] = useState(false)
  const [filter, setFilter] = useState<LookName | undefined>(undefined)
  const current = new Set(state.marks.map((mark) => mark.id))
  const every = [...state.past, ...state.marks].toReversed().toSorted((a, b) => b.startedAt - a.startedAt)
  const all = every.filter((mark) => passes(mark.look, filter))
  const shown = all.slice(0, mostShown)
  return (
    <aside className={over ? 'log is-over' : 'log'} aria-label="Decision log">
      <div className="log__hd">
        <span className="grow">
          Decisions <span className="t3">this session</span>
        </span>
        <IconButton
          icon="filter"
          label="Filter decisions"
          active={filtering}
          onClick={() => {
            setFiltering(!filtering)
            setFilter(undefined)
          }}
        />
        <IconButton icon="x" label="Hide decisions" onClick={onClose} />
      </div>
      {filtering && (
        <div className="log__ft">
          <DecisionFilter present={every.map((mark) => mark.look)} value={filter} onChange={setFilter} />
        </div>
      )}
      <ol className="scroll log__bd">
        {all.length === 0 && (
          <li className="log__none t3 sm">{every.length === 0 ? 'Nothing was run yet.' : 'None of them.'}</li>
        )}
        {shown.map((mark) => (
          <Row key={mark.id} mark={mark} current={current.has(mark.id)} onReveal={onReveal} />
        ))}
        {all.length > shown.length && (
          <li className="log__none t3 sm">
            {(all.length - shown.length).toLocaleString('en-GB')} before these. Each stands beside its statement.
          </li>
        )}
      </ol>
    </aside>
  )
}

interface RowProps {
  mark: Mark
  /** Its statement is still in the text. */
  current: boolean
  onReveal(mark: string): void
}

/** Drawn again only for another mark: during a long run the list is drawn many times. */
const Row = memo(
  ({ mark, current, onReveal }: RowProps) => (
    <li>
      <button
        type="button"
        className={`log__row d-${looks[mark.look].tone}`}
        disabled={!current}
        onClick={() => onReveal(mark.id)}
      >
        <Icon name={looks[mark.look].icon} size={14} />
        <span className="trunc">
          <span className="word">{looks[mark.look].word}</span> {title(mark)}
        </span>
        <span className="tm">{timeOfDay(mark.startedAt)}</span>
        <Detail mark={mark} />
      </button>
    </li>
  ),
  (before, after) => before.mark === after.mark && before.current === after.current,
)

function title(mark: Mark): string {
  return statementTitle(mark.text, roughTables(mark.text), 'sql:')
}

/** What came of it, cut where there is no room, and the policy, never cut: by its name it is found again. */
function Detail({ mark }: { mark: Mark }) {
  const { text, policies } = detail(mark)
  return (
    <span className="ds">
      <span className="trunc" title={text}>
        {text}
      </span>
      {policies.length > 0 && <span className="ds__p">&nbsp;· {policies.join(', ')}</span>}
    </span>
  )
}

/** A name that is wrong is more to people than what follows from it. */
function whyBlocked({ message, policy }: Blocked): string {
  return unknownName(message)?.sentence.replace(/\.$/, '') ?? policy.reason
}

function detail(mark: Mark): { text: string; policies: readonly string[] } {
  const by = mark.decision?.by.join(', ') ?? ''
  const of = (text: string, ...policies: readonly { id: string }[]) => ({
    text,
    policies: [...new Set(policies.map(({ id }) => id))],
  })
  switch (mark.look) {
    case 'running':
      return of('Running')
    case 'masked':
      return of([...new Set(mark.masked.map((m) => m.label))].join(', '), ...mark.masked.map((m) => m.policy))
    case 'blocked':
      return mark.blocked === undefined ? of('') : of(whyBlocked(mark.blocked), mark.blocked.policy)
    case 'held':
      return mark.held === undefined
        ? of('')
        : of(`${counted(mark.held.approval.count, 'approval')} needed`, mark.held.policy)
    case 'denied':
      return of(`${by}: ${mark.decision?.reason ?? ''}`)
    case 'failed':
      return of(mark.error?.message ?? '')
    case 'granted':
      return mark.granted === undefined ? of(ranWords(mark)) : of(ranWords(mark), mark.granted.policy)
    case 'approved':
      return of(`by ${by} · ${ranWords(mark)}`)
    case 'cancelled':
      return of(stoppedWords(mark))
    case 'expired':
      return of('Nothing ran')
    default:
      return of(ranWords(mark))
  }
}
