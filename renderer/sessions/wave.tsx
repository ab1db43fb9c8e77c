import { memo, useMemo } from 'react'
import type { RecordingEvent } from '../../shared/recording.ts'
import { activity, idleGaps, inputActivity } from './recording.ts'

const buckets = 150

/** What went on when. `input`: a second lane, when somebody typed or clicked. Drawn once, while the replay moves on over it. */
export const Wave = memo(function Wave({ events, input }: { events: readonly RecordingEvent[]; input: boolean }) {
  const bars = useMemo(() => activity(events, buckets), [events])
  const keys = useMemo(() => (input ? inputActivity(events, buckets) : []), [events, input])
  return (
    <>
      <svg className="wave" viewBox={`0 0 ${buckets * 4} 18`} preserveAspectRatio="none" aria-hidden="true">
        {bars.map((height, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: places in time
          <rect key={i} x={i * 4} y={18 - height * 17} width="2.4" height={height * 17} rx="1" />
        ))}
      </svg>
      {input && (
        <svg className="wave wave--in" viewBox={`0 0 ${buckets * 4} 8`} preserveAspectRatio="none" role="img">
          <title>When somebody typed or clicked; what was typed is not kept</title>
          {keys.map((height, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: places in time
            <rect key={i} x={i * 4} y={8 - height * 8} width="2.4" height={height * 8} rx="1" />
          ))}
        </svg>
      )}
    </>
  )
})

/** Where nothing happened for a while. */
export const Gaps = memo(function Gaps({ events, total }: { events: readonly RecordingEvent[]; total: number }) {
  const gaps = useMemo(() => idleGaps(events), [events])
  const share = (ms: number) => `${total === 0 ? 0 : (ms / total) * 100}%`
  return gaps.map(({ from, to }) => (
    <span key={from} className="scr__idle" style={{ left: share(from), width: share(to - from) }} />
  ))
})
