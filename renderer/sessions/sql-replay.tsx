import './sql-replay.css'
import { useElementSize } from '@mantine/hooks'
import { type KeyboardEvent, useState } from 'react'
import type { Session } from '../../shared/api/models.ts'
import { useActions } from '../actions/use-actions.ts'
import { Chip, Policy } from '../decisions/chip.tsx'
import { DecisionFilter, passes } from '../decisions/filter.tsx'
import { Icon } from '../decisions/icon.tsx'
import { SqlText } from '../decisions/sql-text.tsx'
import { hourMinute, longDuration, milliseconds, timeOfDay } from '../decisions/time.ts'
import { firstLine, type LookName, outcomeLook } from '../decisions/words.ts'
import { useFocusHere } from '../frame/use-focus-here.ts'
import { Empty } from '../theme/controls.tsx'
import { CopyLink } from './copy-link.tsx'
import { FindInRecording } from './find.tsx'
import { Integrity, SessionMeta } from './integrity.tsx'
import { type Entry, entries, type Recording } from './recording.ts'
import { spread } from './spread.ts'

/** A recorded SQL session: when, what, how it ended. The lane and the table share the selection. */
export function SqlReplay({ session, recording, from }: { session: Session; recording: Recording; from: number }) {
  const every = entries(recording.events)
  const [filter, setFilter] = useState<LookName | undefined>(undefined)
  const all = every.filter((entry) => passes(entry.outcome, filter))
  const [chosen, setChosen] = useState<number | undefined>(() => entryAt(every, from)?.n)
  const selected = all.find((entry) => entry.n === chosen) ?? all.find((entry) => entry.outcome !== 'allowed') ?? all[0]
  const start = Date.parse(session.startedAt)
  const [query, setQuery] = useState('')
  const at = all.findIndex((entry) => entry.n === selected?.n)
  const choose = (entry: Entry | undefined) => {
    if (entry !== undefined) setChosen(entry.n)
  }
  const step = (event: KeyboardEvent) => {
    const next = event.key === 'ArrowDown' ? all[at + 1] : event.key === 'ArrowUp' ? all[at - 1] : undefined
    if (next === undefined) return
    event.preventDefault()
    choose(next)
  }
  const rows = useFocusHere<HTMLElement>()
  const decisions = all.filter((entry) => entry.outcome !== 'allowed')
  useActions({
    'replay.next': () => choose(decisions.find((entry) => entry.n > (selected?.n ?? 0))),
    'replay.previous': () => choose(decisions.findLast((entry) => entry.n < (selected?.n ?? 0))),
  })
  return (
    <section className="rp__b" aria-label={`Recording of ${session.connection.name}`}>
      <div className="tools">
        <FindInRecording
          texts={all.map((entry) => entry.text)}
          at={at}
          query={query}
          onQuery={setQuery}
          onGo={(i) => choose(all[i])}
        />
        <DecisionFilter present={every.map((entry) => entry.outcome)} value={filter} onChange={setFilter} words />
        <span className="right row">
          <Integrity id={session.id} />
          {selected && <CopyLink id={session.id} at={selected.at} time={timeOfDay(start + selected.at)} />}
        </span>
      </div>
      {every.length === 0 ? (
        <Empty icon="replay" title="Nothing was run" text="The session was opened, and no statement was sent." />
      ) : (
        <>
          <Lane all={all} start={start} selected={selected?.n} onSelect={setChosen} />
          <div className="rp__bb">
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: arrows move through the rows */}
            <section className="grid scroll sqt__s" tabIndex={0} ref={rows} aria-label="Statements" onKeyDown={step}>
              <Table all={all} start={start} selected={selected?.n} onSelect={setChosen} />
            </section>
            <div className="rp__side scroll">
              {selected && <EntryDetail entry={selected} start={start} />}
              <SessionMeta session={session} recording={recording} />
            </div>
          </div>
        </>
      )}
    </section>
  )
}

/** What went on at a moment: the last that had begun. A link counts in whole seconds. */
function entryAt(all: readonly Entry[], from: number): Entry | undefined {
  return from === 0 ? undefined : all.findLast((entry) => entry.at < from + 1000)
}

interface Selectable {
  all: readonly Entry[]
  start: number
  selected: number | undefined
  onSelect(n: number): void
}

/** Of a decision's button, with room beside it. */
const buttonRoom = 24

/** Statements over time; decisions as buttons, none of them under another. */
function Lane({ all, start, selected, onSelect }: Selectable) {
  const last = all.at(-1)?.at ?? 0
  const first = all[0]?.at ?? 0
  const span = Math.max(1000, last - first)
  const share = (at: number) => 0.01 + ((at - first) / span) * 0.94
  const left = (at: number) => `${share(at) * 100}%`
  const { ref, width } = useElementSize()
  const decided = all.filter((entry) => entry.outcome !== 'allowed')
  const places = spread(
    decided.map((entry) => share(entry.at) * width),
    buttonRoom,
    width - buttonRoom / 2,
  )
  const time = (at: number) => (span < 300_000 ? timeOfDay(start + at) : hourMinute(start + at))
  // Within a few seconds several would be called the same.
  const ticks = Array.from({ length: 6 }, (_, i) => first + (span * i) / 5).filter(
    (at, i, all) => i === 0 || time(at) !== time(all[i - 1] ?? at),
  )
  return (
    <nav className="lane" aria-label="Timeline">
      <div className="lane__ax" aria-hidden="true">
        {ticks.map((at) => (
          <span key={at} style={{ left: left(at) }}>
            {time(at)}
          </span>
        ))}
      </div>
      <div className="lane__b" ref={ref}>
        {all
          .filter((entry) => entry.outcome === 'allowed')
          .map((entry) => (
            <i
              key={entry.n}
              style={{ left: left(entry.at), height: Math.min(16, 4 + Math.log2(1 + (entry.dbMs ?? 0)) * 2) }}
            />
          ))}
        {decided.map((entry, i) => {
          const look = outcomeLook(entry.outcome)
          return (
            <button
              type="button"
              key={entry.n}
              className={`on d-${look.tone}${entry.n === selected ? ' is-sel' : ''}`}
              style={{ left: places[i] }}
              aria-label={`${look.word}, statement ${entry.n}`}
              onClick={() => onSelect(entry.n)}
            >
              <Icon name={look.icon} size={12} />
            </button>
          )
        })}
      </div>
    </nav>
  )
}

function Table({ all, start, selected, onSelect }: Selectable) {
  return (
    <table className="sqt" aria-label="Statements">
      <thead>
        <tr>
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
        {all.map((entry) => (
          <tr
            key={entry.n}
            className={entry.n === selected ? 'is-sel' : undefined}
            aria-selected={entry.n === selected}
            onClick={() => onSelect(entry.n)}
          >
            <td className="rn">{entry.n}</td>
            <td className="num t2 ui sqt__time">{timeOfDay(start + entry.at)}</td>
            <td className="ui">
              <Chip look={outcomeLook(entry.outcome)} quiet />
            </td>
            <td title={entry.text}>
              <SqlText text={firstLine(entry.text)} />
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
        ))}
      </tbody>
    </table>
  )
}

function EntryDetail({ entry, start }: { entry: Entry; start: number }) {
  const look = outcomeLook(entry.outcome)
  const { decided } = entry
  return (
    <aside className="sqd scroll" aria-label={`Statement ${entry.n}`}>
      <div className="row">
        <Chip look={look}>{decided && entry.outcome === 'approved' ? 'after it was held' : ''}</Chip>
        <span className="right xs t3 num">
          #{entry.n} · {timeOfDay(start + entry.at)}
        </span>
      </div>
      <div className="well sqd__w">
        <SqlText text={entry.text} />
      </div>
      <dl className="kv sqd__kv">
        {decided && (
          <>
            <dt>Waited</dt>
            <dd className="num">{longDuration(decided.at - entry.at)}</dd>
            <dt>{decided.outcome === 'approved' ? 'Approved by' : 'Decided by'}</dt>
            <dd>{decided.by.join(', ') || 'nobody'}</dd>
          </>
        )}
        {entry.masked.length > 0 && (
          <>
            <dt>Masked</dt>
            <dd>{entry.masked.join(', ')}</dd>
          </>
        )}
        {entry.tables.length > 0 && (
          <>
            <dt>Tables</dt>
            <dd>{entry.tables.join(', ')}</dd>
          </>
        )}
        {entry.rows !== undefined && (
          <>
            <dt>Rows</dt>
            <dd className="num">{entry.rows.toLocaleString('en-GB')}</dd>
          </>
        )}
        {entry.dbMs !== undefined && (
          <>
            <dt>Database</dt>
            <dd className="num">{milliseconds(entry.dbMs)}</dd>
          </>
        )}
        {entry.gatewayMs !== undefined && (
          <>
            <dt>Gateway</dt>
            <dd className="num">{milliseconds(entry.gatewayMs)}</dd>
          </>
        )}
      </dl>
      {entry.policy && (
        <p className="sm t2 sqd__p">
          <Policy policy={entry.policy} /> {entry.policy.reason}
        </p>
      )}
      {decided?.reason && <p className="quote">{decided.reason}</p>}
      {entry.error && <p className="err sqd__p">{entry.error}</p>}
    </aside>
  )
}
