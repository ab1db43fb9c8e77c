import './timeline.css'
import { type ReactNode, useMemo, useState } from 'react'
import type { Session } from '../../shared/api/models.ts'
import { DecisionFilter, passes } from '../decisions/filter.tsx'
import { Icon } from '../decisions/icon.tsx'
import { clock } from '../decisions/time.ts'
import { counted, type LookName, outcomeLook } from '../decisions/words.ts'
import { useFocusHere } from '../frame/use-focus-here.ts'
import { CopyLink } from './copy-link.tsx'
import { FindInRecording, Marked } from './find.tsx'
import { Integrity, SessionMeta } from './integrity.tsx'
import type { Player } from './player.ts'
import { type Recording, type TimelineItem, timeline } from './recording.ts'
import { Scrubber } from './scrubber.tsx'

/** Around what a recording shows: the filter, the timeline, the scrubber, and what is known of the session. */
export function ReplayFrame({
  session,
  recording,
  player,
  input = false,
  className,
  children,
}: {
  session: Session
  recording: Recording
  player: Player
  /** A second lane of the scrubber: when somebody typed or clicked. */
  input?: boolean
  className?: string
  children: ReactNode
}) {
  const { events } = recording
  const here = useFocusHere<HTMLElement>()
  const [query, setQuery] = useState('')
  const [filter, setFilter] = useState<LookName | undefined>(undefined)
  const all = useMemo(() => timeline(events), [events])
  const items = all.filter((item) => passes(item.outcome, filter))
  const current = items.findLast((item) => item.at <= player.at)
  return (
    <section
      className={className === undefined ? 'rp__a' : `rp__a ${className}`}
      ref={here}
      tabIndex={-1}
      aria-label={`Recording of ${session.connection.name}`}
    >
      <div className="tools">
        <FindInRecording
          texts={items.map((item) => item.text)}
          at={items.findIndex((item) => item.key === current?.key)}
          query={query}
          onQuery={setQuery}
          onGo={(i) => player.seek(items[i]?.at ?? player.at)}
        />
        <DecisionFilter present={all.map((item) => item.outcome)} value={filter} onChange={setFilter} words />
        <span className="right row">
          <Integrity id={session.id} />
          <CopyLink id={session.id} at={player.at} time={clock(player.at)} />
        </span>
      </div>
      <div className="rp__cols">
        <Timeline items={items} query={query} current={current?.key} onSeek={player.seek} />
        <div className="rp__m">
          {children}
          <Scrubber player={player} events={events} items={items} input={input} />
        </div>
        <SessionMeta session={session} recording={recording} />
      </div>
    </section>
  )
}

function Timeline({
  items,
  query,
  current,
  onSeek,
}: {
  items: readonly TimelineItem[]
  query: string
  current: string | undefined
  onSeek(at: number): void
}) {
  return (
    <nav className="tl scroll" aria-label="Timeline">
      <div className="tl__h">
        <span>Timeline</span>
        <span className="t3 num">{counted(items.length, 'event')}</span>
      </div>
      <ol>
        {items.map((item) => {
          const look = outcomeLook(item.outcome)
          return (
            <li key={item.key}>
              <button
                type="button"
                className={`tl__r d-${look.tone}${item.key === current ? ' is-on' : ''}`}
                aria-current={item.key === current}
                onClick={() => onSeek(item.at)}
              >
                <span className="tm">{clock(item.at)}</span>
                <span className="fg">
                  <Icon name={look.icon} size={14} />
                </span>
                <code className="trunc">
                  <Marked text={item.text} query={query} />
                </code>
                {look.word !== 'Allowed' && <span className="fg wd">{look.word}</span>}
              </button>
            </li>
          )
        })}
      </ol>
    </nav>
  )
}
