import { type ReactNode, useMemo, useState } from 'react'
import type { Session } from '../../shared/api/models.ts'
import { DecisionFilter, passes } from '../decisions/filter.tsx'
import { clock } from '../decisions/time.ts'
import type { LookName } from '../decisions/words.ts'
import { useFocusHere } from '../frame/use-focus-here.ts'
import { CopyLink } from './copy-link.tsx'
import { FindInRecording } from './find.tsx'
import { Integrity, SessionMeta } from './integrity.tsx'
import type { Player } from './player.ts'
import { type Recording, timeline } from './recording.ts'
import { Scrubber } from './scrubber.tsx'
import { Timeline } from './timeline.tsx'

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
  const outcomes = useMemo(() => all.map((item) => item.outcome), [all])
  const items = useMemo(() => all.filter((item) => passes(item.outcome, filter)), [all, filter])
  const texts = useMemo(() => items.map((item) => item.text), [items])
  const at = items.findLastIndex((item) => item.at <= player.at)
  return (
    <section
      className={className === undefined ? 'rp__a' : `rp__a ${className}`}
      ref={here}
      tabIndex={-1}
      aria-label={`Recording of ${session.connection.name}`}
    >
      <div className="tools">
        <FindInRecording
          texts={texts}
          at={at}
          query={query}
          onQuery={setQuery}
          onGo={(i) => player.seek(items[i]?.at ?? player.at)}
        />
        <DecisionFilter present={outcomes} value={filter} onChange={setFilter} words />
        <span className="right row">
          <Integrity id={session.id} />
          <CopyLink id={session.id} at={player.at} time={clock(player.at)} />
        </span>
      </div>
      <div className="rp__cols">
        <Timeline items={items} query={query} at={at} onSeek={player.seek} />
        <div className="rp__m">
          {children}
          <Scrubber player={player} events={events} items={items} input={input} />
        </div>
        <SessionMeta session={session} recording={recording} />
      </div>
    </section>
  )
}
