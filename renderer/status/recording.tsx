import { useSyncExternalStore } from 'react'
import type { Document } from '../dock/workspace.ts'
import { useDesk } from '../frame/desk.tsx'
import type { DesktopView } from '../rdp/runtime.ts'
import { createStore, useStore } from '../rpc/store.ts'
import type { SqlState } from '../sql/run-state.ts'
import type { TerminalState } from '../terminal/runtime.ts'

type RuntimeState = SqlState | TerminalState | DesktopView

const nothing = createStore<RuntimeState | undefined>(undefined)

/** Since when a tab's session is on record; undefined when none is open. */
export function useRecordedSince(document: Document): number | undefined {
  const { runtimes } = useDesk()
  const runtime = useSyncExternalStore(runtimes.subscribe, () => runtimes.get(document.id))
  const state = useStore<RuntimeState | undefined>(runtime === undefined ? nothing : runtime.state)
  if (state === undefined) return undefined
  if ('desktop' in state) {
    const phase = state.desktop?.phase
    return phase?.state === 'open' ? Date.parse(phase.since) : undefined
  }
  if ('phase' in state) return state.phase.state === 'open' ? state.since : undefined
  return state.since
}

export function Recording({ document }: { document: Document }) {
  if (useRecordedSince(document) === undefined) return null
  return (
    <span className="status__i">
      <span className="rec">Recording</span>
    </span>
  )
}
