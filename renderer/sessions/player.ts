import { useEffect, useRef, useState } from 'react'
import type { RecordingEvent } from '../../shared/recording.ts'
import type { TerminalScreen } from '../terminal/screen.ts'
import { annotationOf, duration, idleMs } from './recording.ts'

export const speeds = [1, 2, 4, 8] as const
export type Speed = (typeof speeds)[number]

export interface Player {
  at: number
  total: number
  playing: boolean
  speed: Speed
  skipIdle: boolean
  toggle(): void
  seek(at: number): void
  setSpeed(speed: Speed): void
  setSkipIdle(skip: boolean): void
}

/** Plays a terminal's recording onto a screen that is made anew for every jump back. */
export function usePlayer(
  events: readonly RecordingEvent[],
  screen: TerminalScreen | undefined,
  renew: () => void,
): Player {
  const player = usePlayhead(events, duration(events), renew)
  const { at } = player
  const written = useRef({ screen, count: 0 })
  const feeding = useRef(Promise.resolve())

  // What lies before `at` and is not on the screen yet.
  useEffect(() => {
    if (screen === undefined) return
    if (written.current.screen !== screen) written.current = { screen, count: 0 }
    const from = written.current.count
    let to = from
    while (to < events.length && (events[to]?.at ?? Number.POSITIVE_INFINITY) <= at) to += 1
    if (to === from) return
    written.current.count = to
    const batch = events.slice(from, to)
    feeding.current = feeding.current.then(() => feed(screen, batch))
  }, [screen, events, at])
  return player
}

/** The place in a recording, and how it moves: by playing, or by a jump. `onBack` is called before one back. */
export function usePlayhead(events: readonly { at: number }[], total: number, onBack: () => void = () => {}): Player {
  const [at, setAt] = useState(0)
  const [playing, setPlaying] = useState(false)
  const [speed, setSpeed] = useState<Speed>(1)
  const [skipIdle, setSkipIdle] = useState(true)

  useEffect(() => {
    if (!playing) return
    let last = performance.now()
    let frame = requestAnimationFrame(function tick(now) {
      const passed = (now - last) * speed
      last = now
      setAt((current) => {
        const next = firstAfter(events, current)?.at
        if (next === undefined) return total
        const jump = skipIdle && next - current > idleMs ? next - idleMs / 4 : current
        return Math.min(total, Math.max(jump, current) + passed)
      })
      frame = requestAnimationFrame(tick)
    })
    return () => cancelAnimationFrame(frame)
  }, [playing, speed, skipIdle, events, total])

  useEffect(() => {
    if (playing && at >= total) setPlaying(false)
  }, [playing, at, total])

  const seek = (to: number) => {
    const target = Math.min(total, Math.max(0, to))
    if (target < at) onBack()
    setAt(target)
  }
  return {
    at,
    total,
    playing,
    speed,
    skipIdle,
    toggle: () => {
      if (!playing && at >= total) seek(0)
      setPlaying(!playing)
    },
    seek,
    setSpeed,
    setSkipIdle,
  }
}

/** The first of events in order that is later than `at`. */
function firstAfter<T extends { at: number }>(events: readonly T[], at: number): T | undefined {
  let low = 0
  let high = events.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((events[middle]?.at ?? 0) > at) high = middle
    else low = middle + 1
  }
  return events[low]
}

async function feed(screen: TerminalScreen, events: readonly RecordingEvent[]): Promise<void> {
  let text = ''
  const flush = async () => {
    if (text === '') return
    const out = text
    text = ''
    await screen.write(out)
  }
  for (const [i, event] of events.entries()) {
    if (event.type === 'output') text += event.data
    else if (event.type === 'resize') {
      await flush()
      screen.terminal.resize(Math.max(2, event.cols), Math.max(2, event.rows))
    } else {
      const annotation = annotationOf(event)
      if (annotation === undefined) continue
      await flush()
      await screen.annotate({ id: event.at * 1000 + i, at: new Date(event.at).toISOString(), annotation })
    }
  }
  await flush()
}
