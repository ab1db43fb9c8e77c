import type { DockviewApi } from 'dockview-react'
import { useActions } from '../actions/use-actions.ts'
import { useDesk, useNavigation, usePlace } from '../frame/desk.tsx'
import { useStore } from '../rpc/store.ts'
import { useConnections } from '../sidebar/connections.ts'
import { focusWork } from './work-focus.ts'

/** What can be done with the tab in front. */
export function useTabActions(api: DockviewApi | undefined): void {
  const { workspace } = useDesk()
  const go = useNavigation()
  const here = usePlace().area === 'connections'
  const { documents, active } = useStore(workspace.state)
  const connections = useConnections().data ?? []
  const document = documents.find((d) => d.id === active)
  const connection = connections.find((c) => c.name === document?.connection)
  const step = (by: 1 | -1) => {
    const tabs = inSight(api)
    const at = tabs.indexOf(active ?? '')
    const next = tabs[(at + by + tabs.length) % tabs.length]
    if (next === undefined) return
    workspace.activate(next)
    focusWork(next)
  }
  const on = here && document !== undefined
  useActions(
    {
      'tab.close': () => {
        if (document === undefined) return
        workspace.close(document.id)
        const next = workspace.state.get().active
        if (next !== undefined) focusWork(next)
      },
      'tab.next': () => step(1),
      'tab.previous': () => step(-1),
      'tab.split': {
        label: `Split with ${document?.connection ?? ''}`,
        run: () => api && split(api, () => connection && go.connection(connection, { fresh: true })),
      },
    },
    on,
  )
  useActions(
    {
      'tab.new': {
        label: `New tab on ${connection?.name ?? ''}`,
        run: () => connection && go.connection(connection, { fresh: true }),
      },
      'tab.askAccess': {
        label: `Request access on ${connection?.name ?? ''}`,
        run: () => go.compose(connection === undefined ? {} : { connection: connection.name }),
      },
    },
    on && connection !== undefined,
  )
}

/** The tabs as they are seen: group by group from left to right and down, and in each as the person put them. */
function inSight(api: DockviewApi | undefined): readonly string[] {
  const groups = (api?.groups ?? []).map((group) => ({ group, box: group.element.getBoundingClientRect() }))
  return groups
    .sort((a, b) => a.box.left - b.box.left || a.box.top - b.box.top)
    .flatMap(({ group }) => group.panels.map((panel) => panel.id))
}

/** Moves the tab in front to a group of its own, right of where it was. Beside one that is alone, another on its connection is opened. */
export function split(api: DockviewApi, another: () => void): void {
  const alone = api.activeGroup !== undefined && api.activeGroup.panels.length < 2
  if (alone) another()
  // The dock shows it with the next frame.
  if (alone) requestAnimationFrame(() => moveRight(api))
  else moveRight(api)
}

function moveRight(api: DockviewApi): void {
  const { activePanel, activeGroup } = api
  if (activePanel === undefined || activeGroup === undefined || activeGroup.panels.length < 2) return
  activePanel.api.moveTo({ group: api.addGroup({ referenceGroup: activeGroup, direction: 'right' }) })
}
