import './scrubber.css'
import { useElementSize } from '@mantine/hooks'
import { useMemo } from 'react'
import type { RecordingEvent } from '../../shared/recording.ts'
import { useActions } from '../actions/use-actions.ts'
import { Icon } from '../decisions/icon.tsx'
import { clock } from '../decisions/time.ts'
import { outcomeLook } from '../decisions/words.ts'
import { IconButton, Segments, Switch } from '../theme/controls.tsx'
import { type Player, speeds } from './player.ts'
import { activity, idleGaps, inputActivity, type TimelineItem } from './recording.ts'
import { spread } from './spread.ts'

const buckets = 150
/** A mark and two pixels. */
const markWidth = 26

/** Where the replay is: what went on when, the decisions as buttons, and the controls. */
export function Scrubber({
  player,
  events,
  items,
  input = false,
}: {
  player: Player
  events: readonly RecordingEvent[]
  items: readonly TimelineItem[]
  /** A second lane: when somebody typed or clicked. */
  input?: boolean
}) {
  const { at, total } = player
  const decisions = items.filter((item) => item.outcome !== 'allowed')
  const bars = useMemo(() => activity(events, buckets), [events])
  const keys = useMemo(() => (input ? inputActivity(events, buckets) : []), [events, input])
  const gaps = useMemo(() => idleGaps(events), [events])
  const share = (ms: number) => `${total === 0 ? 0 : (ms / total) * 100}%`
  const { ref, width } = useElementSize()
  const marks = spread(
    decisions.map((item) => (total === 0 ? 0 : (item.at / total) * width)),
    markWidth,
    width,
  )
  const step = (direction: 1 | -1) => {
    const next = direction === 1 ? decisions.find((d) => d.at > at + 1) : decisions.findLast((d) => d.at < at - 1)
    if (next !== undefined) player.seek(next.at)
  }
  useActions({
    'replay.play': player.toggle,
    'replay.previous': () => step(-1),
    'replay.next': () => step(1),
    'replay.back': () => player.seek(at - 5_000),
    'replay.forward': () => player.seek(at + 5_000),
  })
  return (
    <div className={input ? 'scr scr--in' : 'scr'}>
      <div className="scr__t" ref={ref}>
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
        <div className="scr__track">
          <i style={{ width: share(at) }} />
        </div>
        {gaps.map((gap) => (
          <span
            key={gap.from}
            className="scr__idle"
            style={{ left: share(gap.from), width: share(gap.to - gap.from) }}
          />
        ))}
        <input
          type="range"
          className="scr__range"
          aria-label="Position"
          aria-valuetext={`${clock(at)} of ${clock(total)}`}
          min={0}
          max={Math.max(1, total)}
          value={at}
          onChange={(event) => player.seek(Number(event.target.value))}
        />
        {decisions.map((item, i) => {
          const look = outcomeLook(item.outcome)
          return (
            <button
              type="button"
              key={item.key}
              className={`mkr d-${look.tone}`}
              style={{ left: marks[i] }}
              aria-label={`${look.word} at ${clock(item.at)}`}
              onClick={() => player.seek(item.at)}
            >
              <Icon name={look.icon} size={12} />
            </button>
          )
        })}
        <span className="scr__head" style={{ left: share(at) }} aria-hidden="true" />
      </div>
      <div className="scr__c">
        <IconButton icon="skip-back" label="Previous decision" size={16} onClick={() => step(-1)} />
        <IconButton
          icon={player.playing ? 'pause' : 'play'}
          label={player.playing ? 'Pause' : 'Play'}
          size={16}
          className="scr__pl"
          onClick={player.toggle}
        />
        <IconButton icon="skip-fwd" label="Next decision" size={16} onClick={() => step(1)} />
        <span className="num scr__n">
          <b className="m">{clock(at)}</b> <span className="t3">/ {clock(total)}</span>
        </span>
        <Segments
          label="Speed"
          value={String(player.speed)}
          onChange={(value) => player.setSpeed(speeds.find((speed) => String(speed) === value) ?? 1)}
          options={speeds.map((speed) => ({ value: String(speed), label: `${speed}×` }))}
        />
        <span className="row sm t2 scr__s">
          <Switch label="Skip idle" checked={player.skipIdle} onChange={player.setSkipIdle} />
          Skip idle
        </span>
        <span className="right row sm t3 scr__k" aria-hidden="true">
          <kbd className="kbd">Space</kbd>play
          <kbd className="kbd">[</kbd>
          <kbd className="kbd">]</kbd>decision
          <kbd className="kbd">←</kbd>
          <kbd className="kbd">→</kbd>5 s
        </span>
      </div>
    </div>
  )
}
