import { type KeyboardEvent, lazy, Suspense, useEffect, useRef, useState } from 'react'
import { Icon } from '../decisions/icon.tsx'
import { clock, timeOfDay, useNow } from '../decisions/time.ts'
import type { SqlDocument } from '../dock/workspace.ts'
import { ExpiredGate } from '../frame/expired-gate.tsx'
import type { Aside } from '../frame/use-aside.ts'
import { usePause } from '../rpc/context.tsx'
import { IconButton, Spinner } from '../theme/controls.tsx'
import { preloaded, preloadWhenIdle } from '../theme/preloaded.tsx'
import { DecisionLog } from './decision-log.tsx'
import { type Leads, Messages } from './messages.tsx'
import { planForm } from './plan/is-plan.ts'
import type { ResultTable } from './result/table.ts'
import { markOf, type ResultTab, type SqlState, waits } from './run-state.ts'
import type { SqlRuntime } from './runtime.ts'

const ResultPane = preloaded(() => import('./result/result-pane.tsx'))
const openTable = () => import('./result/table.ts')
const PlanPane = lazy(() => import('./plan/plan-pane.tsx'))

/** What goes on, and for how long. */
function Underway({ state, paused }: { state: SqlState; paused: boolean }) {
  const now = useNow()
  const since = state.marks.find((mark) => mark.look === 'running')?.startedAt
  if (paused) return <span className="t2">Not known until the gateway answers</span>
  return (
    <>
      <Spinner label={waits(state) ? 'Waiting' : 'Running'} />
      {since !== undefined && <span className="t3 num">{clock(now - since)}</span>}
    </>
  )
}

/** Below the editor: a tab for each result, the messages, and the decision log. */
export function Results({
  document,
  runtime,
  state,
  log,
  enter,
  ...leads
}: Leads & {
  document: SqlDocument
  runtime: SqlRuntime
  state: SqlState
  log: Aside
  /** Gets what gives the focus to what is shown. */
  enter: { current: (() => void) | undefined }
}) {
  const pause = usePause()
  const shown = state.results.find((result) => result.key === state.shown)
  const tabs = tabsAround(state.results, shown)
  const failed = state.messages.some(({ kind }) => kind === 'error')
  const grid = shown === undefined || planForm(shown.columns) !== undefined ? undefined : shown
  const pane = useLast(grid)
  const [slot, setSlot] = useState<HTMLElement | null>(null)
  const table = useTable(state.running !== undefined)
  const list = useRef<HTMLDivElement>(null)
  useEffect(() => {
    enter.current = () => {
      if (grid !== undefined && table.current !== undefined) table.current.focusAny()
      else list.current?.querySelector<HTMLElement>('[aria-selected="true"]')?.focus()
    }
  })
  // By the time rows come the grid is there: it loads while the first statement is written.
  useEffect(() => preloadWhenIdle(ResultPane), [])
  return (
    <div className="res">
      <div className="res__tabs">
        <div className="row res__list" role="tablist" aria-label="Results" ref={list} onKeyDown={moveAmongTabs}>
          {tabs.before > 0 && <span className="t3 num res__more">{tabs.before.toLocaleString('en-GB')} before</span>}
          {tabs.shown.map((result) => (
            <Tab key={result.key} on={result.key === state.shown} onClick={() => runtime.show(result.key)}>
              <Icon name={planForm(result.columns) === undefined ? 'table' : 'gauge'} size={14} />
              {result.pinned && <Icon name="pin" size={12} />}
              {result.title}
              {result.pinned && <span className="t3 num"> {pinnedAt(state, result)}</span>}
              {planForm(result.columns) === undefined && (
                <span className="t3 num"> {result.rows.toLocaleString('en-GB')}</span>
              )}
            </Tab>
          ))}
          {tabs.after > 0 && <span className="t3 num res__more">{tabs.after.toLocaleString('en-GB')} more</span>}
          <Tab on={shown === undefined} onClick={() => runtime.show('messages')}>
            {failed && (
              <span className="fg d-blocked">
                <Icon name="circle-x" size={14} />
              </span>
            )}
            Messages {state.messages.length > 0 && <span className="t3 num">{state.messages.length}</span>}
            {failed && <span className="visually-hidden">, with errors</span>}
          </Tab>
        </div>
        <span className="right row">
          {state.running !== undefined && <Underway state={state} paused={pause !== undefined} />}
          <span className="row res__tools" ref={setSlot} />
          {!log.open && <IconButton icon="panel-right" label="Decisions" onClick={() => log.set(true)} />}
        </span>
      </div>
      {pause === 'expired' ? (
        <ExpiredGate title="Sign in again to see these results" document={document} />
      ) : (
        <div className="res__bd">
          <div className="res__main" role="tabpanel" aria-label={shown?.title ?? 'Messages'}>
            {shown === undefined ? (
              <Messages connection={document.connection} state={state} {...leads} />
            ) : (
              grid === undefined && (
                <Suspense fallback={<Spinner label="Opening the plan" />}>
                  <PlanPane
                    key={shown.key}
                    connection={document.connection}
                    result={shown}
                    explain={markOf(state, shown.mark)?.explain}
                    runtime={runtime}
                    slot={slot}
                  />
                </Suspense>
              )
            )}
            {pane !== undefined && (
              <div className={grid === undefined ? 'res__pane is-behind' : 'res__pane'} inert={grid === undefined}>
                <Suspense fallback={<Spinner label="Opening the result" />}>
                  <ResultPane
                    table={table}
                    connection={document.connection}
                    result={pane}
                    mark={markOf(state, pane.mark)}
                    runtime={runtime}
                    running={state.running !== undefined}
                    slot={grid === undefined ? null : slot}
                  />
                </Suspense>
              </div>
            )}
          </div>
          {log.open && (
            <DecisionLog state={state} over={log.over} onClose={() => log.set(false)} onReveal={leads.onReveal} />
          )}
        </div>
      )}
    </div>
  )
}

/**
 * The result in the grid, or the one that was there last: behind messages and plans the grid stays as it is, so that the next result
 * has only to fill it.
 */
function useLast(grid: ResultTab | undefined): ResultTab | undefined {
  const [last, setLast] = useState(grid)
  if (grid !== undefined && grid !== last) setLast(grid)
  return grid ?? last
}

/**
 * The tab's grid, which outlives its results. To make it takes as long as rows may take to come: so it is made with the tab, before anybody
 * has begun to write, or at the latest while the first statement runs.
 */
function useTable(running: boolean): { current: ResultTable | undefined } {
  const table = useRef<ResultTable | undefined>(undefined)
  useEffect(() => {
    if (table.current !== undefined) return
    let idle: number | undefined
    let left = false
    openTable().then(
      ({ ResultTable }) => {
        const make = () => {
          table.current ??= new ResultTable()
        }
        if (left) return
        if (running) make()
        else idle = requestIdleCallback(make)
      },
      (error: unknown) => console.warn('The grid will be loaded when it is needed.', error),
    )
    return () => {
      left = true
      if (idle !== undefined) cancelIdleCallback(idle)
    }
  }, [running])
  useEffect(
    () => () => {
      table.current?.dispose()
      table.current = undefined
    },
    [],
  )
  return table
}

/** Tabs that are there at a time: a script may have thousands of results. */
const mostTabs = 60

/** The tabs around the one in front, and how many there are on either side. */
function tabsAround(results: readonly ResultTab[], shown: ResultTab | undefined) {
  const at = shown === undefined ? results.length : results.indexOf(shown)
  const before = Math.max(0, Math.min(at - mostTabs / 2, results.length - mostTabs))
  const some = results.slice(before, before + mostTabs)
  return { before, shown: some, after: results.length - before - some.length }
}

/** When a pinned result was run: another of the same title may stand beside it. */
function pinnedAt(state: SqlState, { mark }: ResultTab): string {
  const ran = markOf(state, mark)
  return ran === undefined ? 'pinned' : `pinned ${timeOfDay(ran.startedAt)}`
}

function Tab({ on, onClick, children }: { on: boolean; onClick(): void; children: React.ReactNode }) {
  return (
    <button
      type="button"
      role="tab"
      aria-selected={on}
      tabIndex={on ? 0 : -1}
      className={on ? 'rtab is-on' : 'rtab'}
      onClick={onClick}
    >
      {children}
    </button>
  )
}

/** Arrows, Home and End go from tab to tab, and open it. */
function moveAmongTabs(event: KeyboardEvent<HTMLElement>) {
  const tabs = [...event.currentTarget.querySelectorAll<HTMLElement>('[role="tab"]')]
  const at = event.target instanceof HTMLElement ? tabs.indexOf(event.target) : -1
  const to: Readonly<Record<string, number>> = {
    ArrowRight: (at + 1) % tabs.length,
    ArrowLeft: (at - 1 + tabs.length) % tabs.length,
    Home: 0,
    End: tabs.length - 1,
  }
  const next = at === -1 ? undefined : tabs[to[event.key] ?? -1]
  if (next === undefined) return
  event.preventDefault()
  next.click()
  next.focus()
}
