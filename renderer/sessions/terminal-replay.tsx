import '@xterm/xterm/css/xterm.css'
import '../terminal/terminal.css'
import { useEffect, useRef, useState } from 'react'
import { createPortal } from 'react-dom'
import type { Session } from '../../shared/api/models.ts'
import { Block } from '../terminal/block.tsx'
import { openScreen, type TerminalScreen } from '../terminal/screen.ts'
import { Glyph, usePlaced, useTerminalFont } from '../terminal/terminal-tab.tsx'
import { useThemeName } from '../theme/theme.tsx'
import { usePlayer } from './player.ts'
import type { Recording } from './recording.ts'
import { ReplayFrame } from './replay-frame.tsx'

/** A recorded shell: the timeline, the terminal as it was, and the scrubber. */
export function TerminalReplay({ session, recording, from }: { session: Session; recording: Recording; from: number }) {
  const { events, manifest } = recording
  const [run, setRun] = useState(0)
  const host = useRef<HTMLDivElement>(null)
  const screen = useReplayScreen(host, run, manifest.cols ?? 80, manifest.rows ?? 24)
  const placed = usePlaced(screen)
  const player = usePlayer(events, screen, () => setRun((n) => n + 1), from)
  return (
    <ReplayFrame session={session} recording={recording} player={player}>
      <div className="term rp__term scroll">
        <div className="rp__x" ref={host} />
        {placed.map((entry) => (
          <Glyph key={entry.said.id} entry={entry} all={placed} screen={screen} />
        ))}
        {placed.map((entry) =>
          entry.node === undefined
            ? null
            : createPortal(<Block said={entry.said} />, entry.node, String(entry.said.id)),
        )}
      </div>
    </ReplayFrame>
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
