import { memo } from 'react'
import { Icon } from '../decisions/icon.tsx'
import { timeOfDay } from '../decisions/time.ts'
import { counted, looks, roughTables, statementTitle } from '../decisions/words.ts'
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
  const current = new Set(state.marks.map((mark) => mark.id))
  const all = [...state.past, ...state.marks].toReversed().toSorted((a, b) => b.startedAt - a.startedAt)
  const shown = all.slice(0, mostShown)
  return (
    <aside className={over ? 'log is-over' : 'log'} aria-label="Decision log">
      <div className="log__hd">
        <span className="grow">
          Decisions <span className="t3">this session</span>
        </span>
        <IconButton icon="x" label="Hide decisions" onClick={onClose} />
      </div>
      <ol className="scroll log__bd">
        {all.length === 0 && <li className="log__none t3 sm">Nothing was run yet.</li>}
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
        <span className="ds trunc">{detail(mark)}</span>
      </button>
    </li>
  ),
  (before, after) => before.mark === after.mark && before.current === after.current,
)

function title(mark: Mark): string {
  return statementTitle(mark.text, roughTables(mark.text), 'sql:')
}

/** A name that is wrong is more to people than what follows from it. */
function whyBlocked({ message, policy }: Blocked): string {
  return unknownName(message)?.sentence.replace(/\.$/, '') ?? policy.reason
}

function detail(mark: Mark): string {
  switch (mark.look) {
    case 'running':
      return 'Running'
    case 'masked': {
      const names = [...new Set(mark.masked.map((m) => m.label))].join(', ')
      const policies = [...new Set(mark.masked.map((m) => m.policy.id))].join(', ')
      return `${names} · ${policies}`
    }
    case 'blocked':
      return mark.blocked === undefined ? '' : `${whyBlocked(mark.blocked)} · ${mark.blocked.policy.id}`
    case 'held':
      return mark.held === undefined
        ? ''
        : `${counted(mark.held.approval.count, 'approval')} needed · ${mark.held.policy.id}`
    case 'denied':
      return `${mark.decision?.by.join(', ') ?? ''}: ${mark.decision?.reason ?? ''}`
    case 'failed':
      return mark.error?.message ?? ''
    case 'granted':
      return `${ranWords(mark)} · ${mark.granted?.policy.id ?? ''}`
    case 'approved':
      return `by ${mark.decision?.by.join(', ') ?? ''} · ${ranWords(mark)}`
    case 'cancelled':
      return stoppedWords(mark)
    case 'expired':
      return 'Nothing ran'
    default:
      return ranWords(mark)
  }
}
