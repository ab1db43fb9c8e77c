import type { KeyboardEvent } from 'react'
import { memo } from 'react'
import { Chip } from '../decisions/chip.tsx'
import { SqlText } from '../decisions/sql-text.tsx'
import { milliseconds, timeOfDay } from '../decisions/time.ts'
import { firstLine, outcomeLook } from '../decisions/words.ts'
import { useFocusHere } from '../frame/use-focus-here.ts'
import type { Entry } from './recording.ts'
import { useRowsInView } from './rows-in-view.ts'

/** Pixels, as sql-replay.css has them. */
const rowHeight = 30
const headerHeight = 28
/** More of a statement than a row has room for: the whole is beside the table. */
const mostShown = 500

/** What was run, line by line. Arrows move through it. `at`: the row that is chosen; -1: none. */
export function SqlTable({
  all,
  start,
  at,
  onSelect,
}: {
  all: readonly Entry[]
  start: number
  at: number
  onSelect(entry: Entry): void
}) {
  const scroller = useFocusHere<HTMLElement>()
  const { indexes, before, after } = useRowsInView(scroller, {
    count: all.length,
    height: rowHeight,
    header: headerHeight,
    at,
  })
  const step = (event: KeyboardEvent) => {
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / rowHeight) - 2)
    const to = target(event.key, at, all.length - 1, page)
    const next = to === undefined ? undefined : all[to]
    if (next === undefined) return
    event.preventDefault()
    onSelect(next)
  }
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: arrows move through the rows
    <section className="grid scroll sqt__s" tabIndex={0} ref={scroller} aria-label="Statements" onKeyDown={step}>
      <table
        className="sqt"
        aria-label="Statements"
        aria-rowcount={all.length + 1}
        style={{ marginTop: before, marginBottom: after }}
      >
        <thead>
          <tr aria-rowindex={1}>
            <th className="rn">#</th>
            <th className="sqt__time">Time</th>
            <th className="sqt__dec">Decision</th>
            <th>Statement</th>
            <th className="r sqt__num">Rows</th>
            <th className="r sqt__num sqt__more">DB</th>
            <th className="r sqt__num sqt__more">Gateway</th>
            <th className="sqt__pol sqt__more">Policy</th>
          </tr>
        </thead>
        <tbody>
          {indexes.map((i) => {
            const entry = all[i]
            return (
              entry && <Row key={entry.n} entry={entry} i={i} start={start} chosen={i === at} onSelect={onSelect} />
            )
          })}
        </tbody>
      </table>
    </section>
  )
}

function target(key: string, at: number, last: number, page: number): number | undefined {
  switch (key) {
    case 'ArrowDown':
      return Math.min(last, at + 1)
    case 'ArrowUp':
      return Math.max(0, at - 1)
    case 'PageDown':
      return Math.min(last, at + page)
    case 'PageUp':
      return Math.max(0, at - page)
    case 'Home':
      return 0
    case 'End':
      return last
    default:
      return undefined
  }
}

const Row = memo(function Row({
  entry,
  i,
  start,
  chosen,
  onSelect,
}: {
  entry: Entry
  i: number
  start: number
  chosen: boolean
  onSelect(entry: Entry): void
}) {
  return (
    <tr
      className={chosen ? 'is-sel' : undefined}
      aria-rowindex={i + 2}
      aria-selected={chosen}
      onClick={() => onSelect(entry)}
    >
      <td className="rn">{entry.n}</td>
      <td className="num t2 ui sqt__time">{timeOfDay(start + entry.at)}</td>
      <td className="ui">
        <Chip look={outcomeLook(entry.outcome)} quiet />
      </td>
      <td title={entry.text.slice(0, 2 * mostShown)}>
        <SqlText text={firstLine(entry.text).slice(0, mostShown)} />
      </td>
      <td className="r">
        {entry.error === undefined ? (
          entry.rows?.toLocaleString('en-GB')
        ) : (
          <span className="err" title={entry.error}>
            failed
          </span>
        )}
      </td>
      <td className="r sqt__more">{entry.dbMs === undefined ? '' : milliseconds(entry.dbMs)}</td>
      <td className="r sqt__more">{entry.gatewayMs === undefined ? '' : milliseconds(entry.gatewayMs)}</td>
      <td className="ui sqt__more">{entry.policy && <span className="policy">{entry.policy.id}</span>}</td>
    </tr>
  )
})
