import type { IDockviewPanelHeaderProps } from 'dockview-react'
import { useKeys } from '../actions/use-actions.ts'
import { EnvTag, environments } from '../decisions/environment.tsx'
import { Icon } from '../decisions/icon.tsx'
import { useDesk } from '../frame/desk.tsx'
import { usePause } from '../rpc/context.tsx'
import { useStore } from '../rpc/store.ts'
import { useRecordedSince } from '../status/recording.tsx'
import { focusWork } from './work-focus.ts'
import type { Document } from './workspace.ts'

/** A tab's head: kind with the record dot, environment, connection, and how to close it. */
export function Tab({ api }: IDockviewPanelHeaderProps) {
  const { workspace } = useDesk()
  const document = useStore(workspace.state, (s) => s.documents.find((d) => d.id === api.id))
  const on = useStore(workspace.state, (s) => s.active === api.id)
  if (document === undefined) return null
  return <TabHead document={document} on={on} onClose={() => workspace.close(document.id)} />
}

const tabIcons = { sql: 'database', terminal: 'terminal', desktop: 'monitor' } as const

function TabHead({ document, on, onClose }: { document: Document; on: boolean; onClose(): void }) {
  const paused = usePause() !== undefined
  const recorded = useRecordedSince(document) !== undefined && !paused
  const keys = useKeys('tab.close')
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: for the pointer alone; by key it is the action “Close tab”
    <div
      className={on ? 'tab is-on' : 'tab'}
      data-env={environments[document.environment].data}
      title={`${document.connection} · ${document.title}`}
      onMouseDown={(event) => {
        // The wheel would begin to scroll.
        if (event.button === 1) event.preventDefault()
      }}
      onMouseUp={(event) => {
        if (event.button === 0) focusWork(document.id)
      }}
      onAuxClick={(event) => {
        if (event.button === 1) onClose()
      }}
    >
      <span className={recorded ? 'tab__k is-rec' : 'tab__k'}>
        <Icon name={tabIcons[document.kind]} size={14} />
      </span>
      <EnvTag environment={document.environment} drawn />
      <span className="trunc">
        {document.connection} <span className="sub">· {document.title}</span>
      </span>
      {/* For the pointer alone: a tab can hold no other control. By key it is the action “Close tab”. */}
      <span
        className="tab__x"
        aria-hidden="true"
        title={`Close${keys === undefined ? '' : ` (${keys})`}`}
        onPointerDown={(event) => event.stopPropagation()}
        onClick={(event) => {
          event.stopPropagation()
          onClose()
        }}
      >
        <Icon name="x" size={12} />
      </span>
    </div>
  )
}
