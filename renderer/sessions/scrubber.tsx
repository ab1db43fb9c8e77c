import './scrubber.css'
import { useElementSize } from '@mantine/hooks'
import { useMemo } from 'react'
import type { RecordingEvent } from '../../shared/recording.ts'
import { useActions } from '../actions/use-actions.ts'
import { clock } from '../decisions/time.ts'
import { IconButton, Segments, Switch } from '../theme/controls.tsx'
import { DecisionMarks } from './decision-marks.tsx'
import { type Player, speeds } from './player.ts'
import type { TimelineItem } from './recording.ts'
import { Gaps, Wave } from './wave.tsx'

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
  const decisions = useMemo(() => items.filter((item) => item.outcome !== 'allowed'), [items])
  const share = (ms: number) => `${total === 0 ? 0 : (ms / total) * 100}%`
  const { ref, width } = useElementSize()
  const places = useMemo(
    () => decisions.map((item) => (total === 0 ? 0 : (item.at / total) * width)),
    [decisions, total, width],
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
        <Wave events={events} input={input} />
        <div className="scr__track">
          <i style={{ width: share(at) }} />
        </div>
        <Gaps events={events} total={total} />
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
        <DecisionMarks
          className="mkr"
          items={decisions}
          places={places}
          size={markWidth}
          width={width}
          name={(item) => `at ${clock(item.at)}`}
          onChoose={(item) => player.seek(item.at)}
        />
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
