import { useState } from 'react'
import { DecisionFilter, passes } from '../decisions/filter.tsx'
import { Icon } from '../decisions/icon.tsx'
import { timeOfDay } from '../decisions/time.ts'
import { counted, type LookName, looks } from '../decisions/words.ts'
import type { Document } from '../dock/workspace.ts'
import { useNavigation } from '../frame/desk.tsx'
import { IconButton } from '../theme/controls.tsx'
import { line, lookOf, shortLine } from './blocks.ts'
import { saidNow, type TerminalState } from './runtime.ts'
import type { Placed, TerminalScreen } from './screen.ts'

/** The rail's own heads are this much taller than the terminal's, in pixels. */
const railAbove = 28
/** Least distance between two entries, in pixels. */
const pitch = 38

/** The decisions of a session, each at the height of its line, pushed down where they would meet. */
export function Rail({
  document,
  state,
  placed,
  screen,
  over,
  onClose,
}: {
  document: Document
  state: TerminalState
  placed: readonly Placed[]
  screen: TerminalScreen | undefined
  /** Over the terminal, where there is no room beside it. */
  over: boolean
  onClose(): void
}) {
  const go = useNavigation()
  const [filter, setFilter] = useState<LookName | undefined>(undefined)
  const shown = placed.filter(({ said }) => passes(lookOf(said.annotation), filter))
  const tops = spread(shown.map((entry) => (screen?.topOf(entry.marker) ?? 0) - railAbove))
  const { sessionId } = state
  const maskedValues = saidNow(state).reduce(
    (sum, { annotation }) => sum + (annotation.kind === 'masked' ? (annotation.count ?? 1) : 0),
    0,
  )
  return (
    <aside className={over ? 'rail is-over' : 'rail'} aria-label="Decisions">
      <div className="rail__hd">
        <h2 className="h-label">Decisions</h2>
        <span className="t3 xs trunc grow">{document.connection}</span>
        <IconButton icon="x" label="Hide decisions" onClick={onClose} />
      </div>
      <div className="rail__ft">
        <DecisionFilter
          present={state.said.map((said) => lookOf(said.annotation))}
          value={filter}
          onChange={setFilter}
        />
      </div>
      <div className="rail__bd">
        {shown.length === 0 && <p className="rail__none sm t2">Nothing was masked, held or blocked.</p>}
        {shown.length > 0 && <span className="rail__line" aria-hidden="true" />}
        <ol>
          {shown.map(({ said, marker }, i) => {
            const look = looks[lookOf(said.annotation)]
            return (
              <li key={said.id} className={`rail__ev d-${look.tone}`} style={{ top: tops[i] }}>
                <button type="button" onClick={() => screen?.terminal.scrollToLine(Math.max(0, marker.line - 4))}>
                  <span className="rail__n">
                    <Icon name={look.icon} size={12} />
                  </span>
                  <span className="rail__l1">
                    <span className="fg">{look.word}</span>
                    <span className="tm">{timeOfDay(said.at)}</span>
                  </span>
                  <span className="rail__l2 trunc" title={line(said.annotation)}>
                    {shortLine(said.annotation)}
                  </span>
                </button>
              </li>
            )
          })}
        </ol>
      </div>
      <div className="rail__sum">
        <h3 className="h-label">This session</h3>
        <dl className="kv">
          <dt>Session</dt>
          <dd className="mono">{sessionId?.slice(0, 12) ?? '–'}</dd>
          <dt>Started</dt>
          <dd>{timeOfDay(state.since)}</dd>
          <dt>Masked</dt>
          <dd>{counted(maskedValues, 'value')}</dd>
        </dl>
        {sessionId !== undefined && (
          <button type="button" className="linkish sm" onClick={() => go.session(sessionId)}>
            Open recording
          </button>
        )}
      </div>
    </aside>
  )
}

/** Keeps entries at least `pitch` apart, in order. */
export function spread(tops: readonly number[]): number[] {
  const placed: number[] = []
  for (const top of tops) {
    const above = placed.at(-1)
    placed.push(above === undefined ? Math.max(4, top) : Math.max(top, above + pitch))
  }
  return placed
}
