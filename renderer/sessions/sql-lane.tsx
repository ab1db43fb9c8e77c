import { useElementSize } from '@mantine/hooks'
import { memo, useMemo } from 'react'
import { hourMinute, timeOfDay } from '../decisions/time.ts'
import { DecisionMarks } from './decision-marks.tsx'
import type { Entry } from './recording.ts'
import { type Bar, barsOf } from './spread.ts'

/** Of a decision's button, with room beside it. */
const buttonRoom = 24
const laneHeight = 28

/** Statements over time; decisions as buttons. */
export const SqlLane = memo(function SqlLane({
  all,
  start,
  selected,
  onSelect,
}: {
  all: readonly Entry[]
  start: number
  selected: Entry | undefined
  onSelect(entry: Entry): void
}) {
  const last = all.at(-1)?.at ?? 0
  const first = all[0]?.at ?? 0
  const span = Math.max(1000, last - first)
  const { ref, width } = useElementSize()
  const { decided, places, bars } = useMemo(() => {
    const left = (entry: Entry) => share(entry.at, first, span) * width
    const decided = all.filter((entry) => entry.outcome !== 'allowed')
    const ticks = all
      .filter((entry) => entry.outcome === 'allowed')
      .map((entry) => ({ at: left(entry), height: Math.min(16, 4 + Math.log2(1 + (entry.dbMs ?? 0)) * 2) }))
    return { decided, places: decided.map(left), bars: barsOf(ticks, 4) }
  }, [all, first, span, width])
  const time = (at: number) => (span < 300_000 ? timeOfDay(start + at) : hourMinute(start + at))
  // Within a few seconds several would be called the same.
  const axis = Array.from({ length: 6 }, (_, i) => first + (span * i) / 5).filter(
    (at, i, all) => i === 0 || time(at) !== time(all[i - 1] ?? at),
  )
  return (
    <nav className="lane" aria-label="Timeline">
      <div className="lane__ax" aria-hidden="true">
        {axis.map((at) => (
          <span key={at} style={{ left: `${share(at, first, span) * 100}%` }}>
            {time(at)}
          </span>
        ))}
      </div>
      <div className="lane__b" ref={ref}>
        <svg className="lane__w" width={width} height={laneHeight} aria-hidden="true">
          <path d={bars.map(drawn).join('')} />
        </svg>
        <DecisionMarks
          className="on"
          items={decided}
          places={places}
          size={buttonRoom}
          width={width - buttonRoom / 2}
          chosen={selected}
          name={(entry) => `statement ${entry.n}`}
          onChoose={onSelect}
        />
      </div>
    </nav>
  )
})

function share(at: number, first: number, span: number): number {
  return 0.01 + ((at - first) / span) * 0.94
}

function drawn({ at, height }: Bar): string {
  return `M${at + 1.5} ${laneHeight}v${-height}`
}
