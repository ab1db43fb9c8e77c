import './timeline.css'
import { memo, useRef } from 'react'
import { Icon } from '../decisions/icon.tsx'
import { clock } from '../decisions/time.ts'
import { counted, outcomeLook } from '../decisions/words.ts'
import { Marked } from './find.tsx'
import type { TimelineItem } from './recording.ts'
import { useRowsInView } from './rows-in-view.ts'

/** Pixels, as timeline.css has them. */
const rowHeight = 34
const headerHeight = 30

/** What happened in a recording, line by line. `at`: where the replay is; -1: before the first. */
export function Timeline({
  items,
  query,
  at,
  onSeek,
}: {
  items: readonly TimelineItem[]
  query: string
  at: number
  onSeek(at: number): void
}) {
  const scroller = useRef<HTMLElement>(null)
  const { indexes, before, after } = useRowsInView(scroller, {
    count: items.length,
    height: rowHeight,
    header: headerHeight,
    at,
  })
  return (
    <nav className="tl scroll" aria-label="Timeline" ref={scroller}>
      <div className="tl__h">
        <span>Timeline</span>
        <span className="t3 num">{counted(items.length, 'event')}</span>
      </div>
      <ol style={{ paddingTop: before, paddingBottom: after }}>
        {indexes.map((i) => {
          const item = items[i]
          return (
            item && (
              <li key={item.key} aria-setsize={items.length} aria-posinset={i + 1}>
                <Line item={item} query={query} current={i === at} onSeek={onSeek} />
              </li>
            )
          )
        })}
      </ol>
    </nav>
  )
}

const Line = memo(function Line({
  item,
  query,
  current,
  onSeek,
}: {
  item: TimelineItem
  query: string
  current: boolean
  onSeek(at: number): void
}) {
  const look = outcomeLook(item.outcome)
  return (
    <button
      type="button"
      className={`tl__r d-${look.tone}${current ? ' is-on' : ''}`}
      aria-current={current}
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
  )
})
