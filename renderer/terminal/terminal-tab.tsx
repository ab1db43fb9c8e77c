import '@xterm/xterm/css/xterm.css'
import './terminal.css'
import { useEffect, useRef, useState } from 'react'
import { createPortal } from 'react-dom'
import { useActions, useKeys } from '../actions/use-actions.ts'
import { useAnnounce } from '../decisions/announce.tsx'
import { EnvTag } from '../decisions/environment.tsx'
import { Icon } from '../decisions/icon.tsx'
import { looks } from '../decisions/words.ts'
import type { Document } from '../dock/workspace.ts'
import { useDesk, useInFront, useNavigation } from '../frame/desk.tsx'
import { ExpiredGate } from '../frame/expired-gate.tsx'
import { useAside } from '../frame/use-aside.ts'
import { usePause, usePerson, useRpc } from '../rpc/context.tsx'
import { useStore } from '../rpc/store.ts'
import { useConnection } from '../sidebar/connections.ts'
import { Grants, Recorded } from '../sql/toolbar.tsx'
import { Button, IconButton } from '../theme/controls.tsx'
import { useThemeName } from '../theme/theme.tsx'
import { Block } from './block.tsx'
import { glyphRow, line, lookOf, typed } from './blocks.ts'
import { Find } from './find.tsx'
import { Rail } from './rail.tsx'
import { createTerminalRuntime, saidNow, type TerminalRuntime, type TerminalState } from './runtime.ts'
import { openScreen, type Placed, type TerminalScreen } from './screen.ts'

type TerminalDocument = Extract<Document, { kind: 'terminal' }>

/** A shell, with the gateway's decisions between its lines and beside them. */
export default function TerminalTab({ document }: { document: TerminalDocument }) {
  const { client } = useRpc()
  const { runtimes } = useDesk()
  const person = usePerson()
  const pause = usePause()
  const runtime = runtimes.terminal(document.id, () => createTerminalRuntime(client, document.connection))
  const state = useStore(runtime.state)
  const rail = useAside()
  const [finding, setFinding] = useState(false)
  const host = useRef<HTMLDivElement>(null)
  const screen = useScreen(host, runtime)
  const placed = usePlaced(screen)
  useSpoken(state)
  const findKeys = useKeys('terminal.find')
  const { phase } = state
  const reconnect = () => {
    if (screen !== undefined) runtime.start(screen, screen.terminal.cols, screen.terminal.rows)
  }
  useDecisionKeys(document, screen, placed)
  useActions({ 'terminal.find': () => setFinding(true) }, useInFront(document.id) && pause !== 'expired')
  return (
    <div className="termtab">
      <div className="termtab__l">
        <div className="tools" role="toolbar" aria-label={`${document.connection} tools`}>
          <div className="crumb">
            <EnvTag environment={document.environment} />
            <b>{document.connection}</b>
            <span>as {person?.id}</span>
          </div>
          <Grants connection={document.connection} />
          <span className="right row">
            {phase.state === 'open' && pause === undefined && <Recorded since={state.since} />}
            {phase.state === 'opening' && <span className="t2 sm">Connecting</span>}
            <Button
              className="tfind__open"
              size="sm"
              kind="ghost"
              icon="search"
              keys={findKeys}
              aria-pressed={finding}
              onClick={() => setFinding(!finding)}
            >
              <span className="tfind__word">
                Find<span className="visually-hidden"> in the terminal</span>
              </span>
            </Button>
            <IconButton
              icon="panel-right"
              label="Decisions"
              size={16}
              active={rail.open}
              onClick={() => rail.set(!rail.open)}
            />
          </span>
        </div>
        {phase.state === 'ended' && pause === undefined && (
          <Ended connection={document.connection} phase={phase} why={endedBy(state)} onReconnect={reconnect} />
        )}
        <div className="term" hidden={pause === 'expired'}>
          <div className="term__x" data-work ref={host} />
          {finding && screen && (
            <Find
              screen={screen}
              onClose={() => {
                setFinding(false)
                screen.terminal.focus()
              }}
            />
          )}
          {placed.map((entry) => (
            <Glyph key={entry.said.id} entry={entry} all={placed} screen={screen} />
          ))}
          {placed.map((entry) =>
            entry.node === undefined
              ? null
              : createPortal(
                  <Block
                    said={entry.said}
                    connection={document.connection}
                    onCancel={() => runtime.write('\u0003')}
                    onAgain={(command) => {
                      runtime.write(typed(command))
                      screen?.terminal.focus()
                    }}
                    onLeave={() => screen?.terminal.focus()}
                  />,
                  entry.node,
                  entry.said.id,
                ),
          )}
        </div>
        {pause === 'expired' && <ExpiredGate title="Sign in again to see this session" document={document} />}
        {screen?.terminal.buffer.active.type === 'alternate' && <Strip state={state} />}
      </div>
      {rail.open && (
        <Rail
          document={document}
          state={state}
          placed={placed}
          screen={screen}
          over={rail.over}
          onClose={() => rail.set(false)}
        />
      )}
    </div>
  )
}

/** Opens xterm once the element is there, connects with its size, and keeps the size. */
function useScreen(host: { current: HTMLDivElement | null }, runtime: TerminalRuntime): TerminalScreen | undefined {
  const [screen, setScreen] = useState<TerminalScreen | undefined>(undefined)
  const theme = useThemeName()
  const fontReady = useTerminalFont()
  useEffect(() => {
    const element = host.current
    if (element === null || !fontReady) return
    const opened = openScreen(element)
    opened.terminal.onData((data) => runtime.write(data))
    opened.terminal.onBinary((data) => runtime.write(data))
    opened.terminal.onResize(({ cols, rows }) => runtime.resize(cols, rows))
    const observer = new ResizeObserver(() => opened.fit())
    observer.observe(element)
    setScreen(opened)
    opened.fit()
    runtime.start(opened, opened.terminal.cols, opened.terminal.rows)
    opened.terminal.focus()
    return () => {
      observer.disconnect()
      opened.dispose()
      setScreen(undefined)
    }
  }, [host, runtime, fontReady])
  // biome-ignore lint/correctness/useExhaustiveDependencies: the tokens are others when the theme is
  useEffect(() => screen?.refreshTheme(), [screen, theme])
  return screen
}

/** xterm measures the font once, when it opens: it has to be there by then. */
export function useTerminalFont(): boolean {
  const [ready, setReady] = useState(false)
  useEffect(() => {
    const fonts = ['400 12.5px "JetBrains Mono"', '700 12.5px "JetBrains Mono"']
    Promise.all(fonts.map((font) => document.fonts.load(font))).then(
      () => setReady(true),
      // The fallback font does, too.
      () => setReady(true),
    )
  }, [])
  return ready
}

/** The annotations and where they are, again whenever that changes. */
export function usePlaced(screen: TerminalScreen | undefined): readonly Placed[] {
  const [placed, setPlaced] = useState<readonly Placed[]>([])
  useEffect(() => {
    if (screen === undefined) return
    let frame = 0
    const read = () => {
      cancelAnimationFrame(frame)
      frame = requestAnimationFrame(() => {
        const now = screen.placed()
        // A flood of output that nothing was said about draws nothing here.
        setPlaced((before) => (before.length === 0 && now.length === 0 ? before : now.map((entry) => ({ ...entry }))))
      })
    }
    const stop = screen.onChange(read)
    return () => {
      stop()
      cancelAnimationFrame(frame)
    }
  }, [screen])
  return placed
}

/** From decision to decision by key, and what a block that was refused leads to. */
function useDecisionKeys(document: TerminalDocument, screen: TerminalScreen | undefined, placed: readonly Placed[]) {
  const announce = useAnnounce()
  const go = useNavigation()
  const here = useRef<number | undefined>(undefined)
  const step = (by: 1 | -1) => {
    const at = placed.findIndex(({ said }) => said.id === here.current)
    const next = at === -1 ? (by === 1 ? placed[0] : placed.at(-1)) : placed[(at + by + placed.length) % placed.length]
    if (screen === undefined || next === undefined) return
    const { said, marker } = next
    here.current = said.id
    screen.terminal.scrollToLine(Math.max(0, marker.line - 4))
    announce(`${looks[lookOf(said.annotation)].word}. ${line(said.annotation)}`)
    // Its element may come with the scrolling.
    requestAnimationFrame(() => next.node?.querySelector<HTMLElement>('[role="group"]')?.focus())
  }
  const last = placed.at(-1)?.said.annotation
  const asks = last?.kind === 'blocked' && last.requestable
  const inFront = useInFront(document.id)
  useActions({ 'decision.next': () => step(1), 'decision.previous': () => step(-1) }, inFront && placed.length > 0)
  useActions(
    { 'decision.resolve': { label: 'Request access', run: () => go.compose({ connection: document.connection }) } },
    inFront && asks,
  )
}

/** The decision's icon in the gutter, at the line that it is about. */
export function Glyph({
  entry,
  all,
  screen,
}: {
  entry: Placed
  all: readonly Placed[]
  screen: TerminalScreen | undefined
}) {
  if (screen === undefined || screen.terminal.buffer.active.type !== 'normal') return null
  const lines = all.map(({ said, marker }) => ({ annotation: said.annotation, line: marker.line }))
  const row = glyphRow({ annotation: entry.said.annotation, line: entry.marker.line }, lines)
  const height = screen.topOf(entry.marker, row - entry.marker.line)
  const { icon, tone } = looks[lookOf(entry.said.annotation)]
  if (height < 0 || height > screen.terminal.rows * 20) return null
  return (
    <span className={`tr__g d-${tone}`} style={{ top: height + 8 }} aria-hidden="true">
      <Icon name={icon} size={14} />
    </span>
  )
}

/** Who or what ended the session, where the gateway said so last. */
function endedBy(state: TerminalState): string | undefined {
  const last = saidNow(state).at(-1)?.annotation
  return last?.kind === 'ended' ? last.reason : undefined
}

function Ended({
  connection,
  phase,
  why,
  onReconnect,
}: {
  connection: string
  phase: Extract<TerminalState['phase'], { state: 'ended' }>
  why: string | undefined
  onReconnect(): void
}) {
  const go = useNavigation()
  const { problem, code, signal } = phase
  // The grant that opened it has ended: it would not be opened again.
  const locked = useConnection(connection)?.access === 'locked'
  const how = signal ? ` by signal ${signal}` : code === undefined ? '' : ` with status ${code}`
  return (
    // Who leaves a shell by themselves has done nothing wrong, whatever its last command came to.
    <div className={problem || why ? 'banner banner--app' : 'banner banner--app banner--plain'} role="status">
      <span className={problem ? 'fg d-blocked' : 't3'}>
        <Icon name={problem ? 'circle-x' : 'log-out'} />
      </span>
      <span className="trunc">
        <b className="m">{problem?.message ?? why ?? `The session ended${how}.`}</b>{' '}
        <span className="t2">{problem?.hint}</span>
      </span>
      {locked ? (
        <Button size="sm" icon="key" onClick={() => go.compose({ connection })}>
          Request access…
        </Button>
      ) : (
        <Button size="sm" onClick={onReconnect}>
          Reconnect
        </Button>
      )}
    </div>
  )
}

/** While a full-screen program has the screen: the last decision in a line. */
function Strip({ state }: { state: TerminalState }) {
  const last = state.said.at(-1)
  if (last === undefined) return null
  const look = looks[lookOf(last.annotation)]
  return (
    <div className={`pane__sticky d-${look.tone}`}>
      <span className="fg">
        <Icon name={look.icon} size={14} />
      </span>
      <b className="m fg">{look.word}</b>
      <span className="t2 trunc">{line(last.annotation)}</span>
    </div>
  )
}

function useSpoken(state: TerminalState) {
  const announce = useAnnounce()
  const told = useRef(0)
  useEffect(() => {
    for (const said of state.said.filter((s) => s.id > told.current)) {
      told.current = said.id
      announce(`${looks[lookOf(said.annotation)].word}. ${line(said.annotation)}`)
    }
  }, [state.said, announce])
}
