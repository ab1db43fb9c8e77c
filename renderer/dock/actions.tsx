import type { IDockviewHeaderActionsProps } from 'dockview-react'
import { useDesk, useNavigation } from '../frame/desk.tsx'
import { useConnections } from '../sidebar/connections.ts'
import { IconButton } from '../theme/controls.tsx'
import { split } from './tab-actions.ts'

/** At the end of a row of tabs: another tab on the same connection, and a split. */
export function Actions({ activePanel, containerApi, group }: IDockviewHeaderActionsProps) {
  const { workspace } = useDesk()
  const go = useNavigation()
  const connections = useConnections().data ?? []
  const document = workspace.state.get().documents.find((d) => d.id === activePanel?.id)
  const connection = connections.find((c) => c.name === document?.connection)
  if (activePanel === undefined) return null
  return (
    <div className="tabs__end">
      <IconButton
        icon="plus"
        label="New tab"
        size={16}
        onClick={() => (connection === undefined ? go.palette(true) : go.connection(connection, { fresh: true }))}
      />
      <IconButton
        icon="split"
        label="Split"
        size={16}
        disabled={group.panels.length < 2 && connection === undefined}
        onClick={() => {
          activePanel.api.setActive()
          split(containerApi, () => connection && go.connection(connection, { fresh: true }))
        }}
      />
    </div>
  )
}
