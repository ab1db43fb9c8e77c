import './sql-replay.css'
import { useCallback, useMemo, useState } from 'react'
import type { Session } from '../../shared/api/models.ts'
import { useActions } from '../actions/use-actions.ts'
import { Chip, Policy } from '../decisions/chip.tsx'
import { DecisionFilter, passes } from '../decisions/filter.tsx'
import { SqlText } from '../decisions/sql-text.tsx'
import { longDuration, milliseconds, timeOfDay } from '../decisions/time.ts'
import { type LookName, outcomeLook } from '../decisions/words.ts'
import { Empty } from '../theme/controls.tsx'
import { CopyLink } from './copy-link.tsx'
import { FindInRecording } from './find.tsx'
import { Integrity, SessionMeta } from './integrity.tsx'
import { type Entry, entries, type Recording } from './recording.ts'
import { SqlLane } from './sql-lane.tsx'
import { SqlTable } from './sql-table.tsx'

/** A recorded SQL session: when, what, how it ended. The lane and the table share the selection. */
export function SqlReplay({ session, recording, from }: { session: Session; recording: Recording; from: number }) {
  const every = useMemo(() => entries(recording.events), [recording.events])
  const outcomes = useMemo(() => every.map((entry) => entry.outcome), [every])
  const [filter, setFilter] = useState<LookName | undefined>(undefined)
  const all = useMemo(() => every.filter((entry) => passes(entry.outcome, filter)), [every, filter])
  const texts = useMemo(() => all.map((entry) => entry.text), [all])
  const decisions = useMemo(() => all.filter((entry) => entry.outcome !== 'allowed'), [all])
  // By number: while it is going on, it is read anew every few seconds.
  const [chosen, setChosen] = useState<number | undefined>(() => entryAt(every, from)?.n)
  const at = useMemo(() => indexOf(all, chosen ?? decisions[0]?.n), [all, decisions, chosen])
  const selected = all[at]
  const start = Date.parse(session.startedAt)
  const [query, setQuery] = useState('')
  const choose = useCallback((entry: Entry | undefined) => {
    if (entry !== undefined) setChosen(entry.n)
  }, [])
  useActions({
    'replay.next': () => choose(decisions.find((entry) => entry.n > (selected?.n ?? 0))),
    'replay.previous': () => choose(decisions.findLast((entry) => entry.n < (selected?.n ?? 0))),
  })
  return (
    <section className="rp__b" aria-label={`Recording of ${session.connection.name}`}>
      <div className="tools">
        <FindInRecording texts={texts} at={at} query={query} onQuery={setQuery} onGo={(i) => choose(all[i])} />
        <DecisionFilter present={outcomes} value={filter} onChange={setFilter} words />
        <span className="right row">
          <Integrity id={session.id} />
          {selected && <CopyLink id={session.id} at={selected.at} time={timeOfDay(start + selected.at)} />}
        </span>
      </div>
      {every.length === 0 ? (
        <Empty icon="replay" title="Nothing was run" text="The session was opened, and no statement was sent." />
      ) : (
        <>
          <SqlLane all={all} start={start} selected={selected} onSelect={choose} />
          <div className="rp__bb">
            <SqlTable all={all} start={start} at={at} onSelect={choose} />
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

/** Of one that is not among them, that of the first. -1: there are none. */
function indexOf(all: readonly Entry[], n: number | undefined): number {
  const at = n === undefined ? -1 : all.findIndex((entry) => entry.n === n)
  return at === -1 ? Math.min(0, all.length - 1) : at
}

/** What went on at a moment: the last that had begun. A link counts in whole seconds. */
function entryAt(all: readonly Entry[], from: number): Entry | undefined {
  return from === 0 ? undefined : all.findLast((entry) => entry.at < from + 1000)
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
