import '@xterm/xterm/css/xterm.css'
import '../terminal/terminal.css'
import { useEffect, useRef, useState } from 'react'
import { createPortal } from 'react-dom'
import type { Session } from '../../shared/api/models.ts'
import { DecisionFilter, passes } from '../decisions/filter.tsx'
import { Icon } from '../decisions/icon.tsx'
import { clock } from '../decisions/time.ts'
import { type LookName, outcomeLook } from '../decisions/words.ts'
import { Block } from '../terminal/block.tsx'
import { openScreen, type TerminalScreen } from '../terminal/screen.ts'
import { Glyph, usePlaced, useTerminalFont } from '../terminal/terminal-tab.tsx'
import { useThemeName } from '../theme/theme.tsx'
import { Integrity, SessionMeta } from './integrity.tsx'
import { usePlayer } from './player.ts'
import { type Recording, type TimelineItem, timeline } from './recording.ts'
import { Scrubber } from './scrubber.tsx'

/** A recorded shell: the timeline, the terminal as it was, and the scrubber. */
export function TerminalReplay({ session, recording }: { session: Session; recording: Recording }) {
  const { events, manifest } = recording
  const all = timeline(events)
  const [filter, setFilter] = useState<LookName | undefined>(undefined)
  const items = all.filter((item) => passes(item.outcome, filter))
  const [run, setRun] = useState(0)
  const host = useRef<HTMLDivElement>(null)
  const screen = useReplayScreen(host, run, manifest.cols ?? 80, manifest.rows ?? 24)
  const placed = usePlaced(screen)
  const player = usePlayer(events, screen, () => setRun((n) => n + 1))
  const current = items.findLast((item) => item.at <= player.at)
  return (
    <section className="rp__a" aria-label={`Recording of ${session.connection.name}`}>
      <div className="tools">
        <DecisionFilter present={all.map((item) => item.outcome)} value={filter} onChange={setFilter} words />
        <span className="right row">
          <Integrity id={session.id} />
        </span>
      </div>
      <div className="rp__cols">
        <Timeline items={items} current={current?.key} onSeek={player.seek} />
        <div className="rp__m">
          <div className="term rp__term scroll">
            <div className="rp__x" ref={host} />
            {placed.map((entry) => (
              <Glyph key={entry.said.id} entry={entry} screen={screen} />
            ))}
            {placed.map((entry) =>
              entry.node === undefined
                ? null
                : createPortal(<Block said={entry.said} />, entry.node, String(entry.said.id)),
            )}
          </div>
          <Scrubber player={player} events={events} items={items} />
        </div>
        <SessionMeta session={session} recording={recording} />
      </div>
    </section>
  )
}

/** A read-only screen of the recorded size; a new one for every `run`. */
function useReplayScreen(
  host: { current: HTMLDivElement | null },
  run: number,
  cols: number,
  rows: number,
): TerminalScreen | undefined {
  const [screen, setScreen] = useState<TerminalScreen | undefined>(undefined)
  const theme = useThemeName()
  const fontReady = useTerminalFont()
  // biome-ignore lint/correctness/useExhaustiveDependencies: `run` asks for a new screen
  useEffect(() => {
    const element = host.current
    if (element === null || !fontReady) return
    const opened = openScreen(element, { readOnly: true })
    opened.terminal.resize(cols, rows)
    setScreen(opened)
    return () => {
      opened.dispose()
      setScreen(undefined)
    }
  }, [host, run, cols, rows, fontReady])
  // biome-ignore lint/correctness/useExhaustiveDependencies: the tokens are others when the theme is
  useEffect(() => screen?.refreshTheme(), [screen, theme])
  return screen
}

export function Timeline({
  items,
  current,
  onSeek,
}: {
  items: readonly TimelineItem[]
  current: string | undefined
  onSeek(at: number): void
}) {
  return (
    <nav className="tl scroll" aria-label="Timeline">
      <div className="tl__h">
        <span>Timeline</span>
        <span className="t3 num">{items.length} events</span>
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
                <code className="trunc">{item.text}</code>
                {look.word !== 'Allowed' && <span className="fg wd">{look.word}</span>}
              </button>
            </li>
          )
        })}
      </ol>
    </nav>
  )
}
