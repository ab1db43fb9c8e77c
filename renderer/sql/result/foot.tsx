import type { ReactNode } from 'react'
import { Icon } from '../../decisions/icon.tsx'
import { milliseconds } from '../../decisions/time.ts'
import { counted } from '../../decisions/words.ts'
import { Button } from '../../theme/controls.tsx'
import type { Mark, ResultTab } from '../run-state.ts'
import { isStopped } from './exportable.ts'
import { boxOf, cellCount, type Selection } from './selection.ts'

/** Under a result: how much there is of it, what is hidden or masked, what was done last, and how long it took. */
export function Foot({
  result,
  mark,
  selection,
  said,
  hidden,
  shown,
  onAgain,
  onShowAll,
  children,
}: {
  result: ResultTab
  mark: Mark | undefined
  selection: Selection | undefined
  said: string
  /** Columns that are not shown. */
  hidden: number
  /** Masked columns that a grant would show, if it were run again. */
  shown: readonly string[]
  /** Undefined while that can't be. */
  onAgain: (() => void) | undefined
  onShowAll(): void
  children: ReactNode
}) {
  const masked = result.columns.filter((column) => column.masked !== undefined).length
  const cells = selection === undefined ? 0 : cellCount(boxOf(selection))
  return (
    <div className="res__ft">
      <span className="num">
        {counted(result.rows, 'row')}
        {!result.complete && (
          <span className="t3">{isStopped(result, mark) ? ', then it was stopped' : ' so far'}</span>
        )}
        {result.truncated && <b className="fg d-held"> kept of more, see Messages</b>}
      </span>
      {masked > 0 && (
        <span className="fg d-masked row row--4">
          <Icon name="eye-off" size={12} />
          {counted(masked, 'column')} masked
        </span>
      )}
      {shown.length > 0 && (
        <span className="fg d-granted row row--4">
          <Icon name="key" size={12} />
          {shown.join(', ')} granted since
          <Button size="sm" icon="play" disabled={onAgain === undefined} onClick={onAgain}>
            Run again
          </Button>
        </span>
      )}
      {result.view !== undefined && result.view.sort.length + result.view.filters.length > 0 && (
        <span className="t2">Run again, as a sub-query</span>
      )}
      {hidden > 0 && (
        <span className="row row--4">
          {counted(hidden, 'column')} hidden
          <Button size="sm" kind="ghost" onClick={onShowAll}>
            Show all
          </Button>
        </span>
      )}
      {cells > 1 && <span className="t3 num">{cells.toLocaleString('en-GB')} cells selected</span>}
      <span className="t2" role="status">
        {said}
      </span>
      <span className="right row">
        {children}
        {mark !== undefined && <Speed mark={mark} />}
      </span>
    </div>
  )
}

/** How long it took: of that in the database, and at the gateway. */
function Speed({ mark: { ms, dbMs, gatewayMs } }: { mark: Mark }) {
  if (ms === undefined) return null
  if (dbMs === undefined || gatewayMs === undefined) return <span className="num">{milliseconds(ms)}</span>
  return (
    <span className="num t2 nowrap" title={`${milliseconds(ms)} until all of it was here`}>
      <b className="m t1">{milliseconds(dbMs)}</b> db · <b className="m t1">{milliseconds(gatewayMs)}</b> gateway
    </span>
  )
}
