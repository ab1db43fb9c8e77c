import { useEffect, useRef, useState } from 'react'
import type { RecordingEvent } from '../../shared/recording.ts'
import type { Said } from '../terminal/runtime.ts'
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
  from = 0,
): Player {
  const player = usePlayhead(events, duration(events), { onBack: renew, from })
  const { at } = player
  const written = useRef<{ screen: TerminalScreen; count: number; feed: ReturnType<typeof createFeed> }>(undefined)
  const feeding = useRef(Promise.resolve())

  // What lies before `at` and is not on the screen yet.
  useEffect(() => {
    if (screen === undefined) return
    const done = written.current?.screen === screen ? written.current : { screen, count: 0, feed: createFeed(screen) }
    written.current = done
    const from = done.count
    let to = from
    while (to < events.length && (events[to]?.at ?? Number.POSITIVE_INFINITY) <= at) to += 1
    if (to === from) return
    done.count = to
    const batch = events.slice(from, to)
    feeding.current = feeding.current.then(() => done.feed(batch))
  }, [screen, events, at])
  return player
}

/** The place in a recording, at first `from`, and how it moves: by playing, or by a jump. `onBack` is called before one back. */
export function usePlayhead(
  events: readonly { at: number }[],
  total: number,
  { onBack = () => {}, from = 0 }: { onBack?: () => void; from?: number } = {},
): Player {
  const [at, setAt] = useState(Math.min(from, total))
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

type ReplayScreen = Pick<TerminalScreen, 'write' | 'annotate' | 'atLineStart'> & {
  readonly terminal: Pick<TerminalScreen['terminal'], 'resize'>
}

/** Puts a recording's events onto a screen, batch after batch. What is said of a line that has not ended waits for its end. */
export function createFeed(screen: ReplayScreen): (events: readonly RecordingEvent[]) => Promise<void> {
  let waiting: Said[] = []
  const sayWaiting = async () => {
    const said = waiting
    waiting = []
    for (const each of said) await screen.annotate(each)
  }
  const write = async (text: string) => {
    const lineEnd = waiting.length > 0 ? text.indexOf('\n') + 1 : 0
    if (lineEnd > 0) {
      await screen.write(text.slice(0, lineEnd))
      await sayWaiting()
    }
    if (lineEnd < text.length) await screen.write(text.slice(lineEnd))
  }
  return async (events) => {
    let text = ''
    const flush = async () => {
      const out = text
      text = ''
      if (out !== '') await write(out)
    }
    for (const [i, event] of events.entries()) {
      if (event.type === 'output') {
        text += event.data
        continue
      }
      const annotation = annotationOf(event)
      if (event.type !== 'resize' && annotation === undefined) continue
      await flush()
      if (event.type === 'resize') screen.terminal.resize(Math.max(2, event.cols), Math.max(2, event.rows))
      else if (annotation !== undefined) {
        const said = { id: event.at * 1000 + i, at: new Date(event.at).toISOString(), annotation }
        if (annotation.kind === 'masked' && !screen.atLineStart()) waiting.push(said)
        else await screen.annotate(said)
      }
    }
    await flush()
  }
}
