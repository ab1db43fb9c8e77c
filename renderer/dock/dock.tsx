import 'dockview-react/dist/styles/dockview.css'
import './dock.css'
import {
  type DockviewApi,
  DockviewReact,
  type DockviewTheme,
  type IDockviewPanelProps,
  type SerializedDockview,
} from 'dockview-react'
import { Suspense, useEffect, useRef, useState } from 'react'
import { useDesk } from '../frame/desk.tsx'
import { useStore } from '../rpc/store.ts'
import { Spinner } from '../theme/controls.tsx'
import { Guard } from '../theme/guard.tsx'
import { preloaded } from '../theme/preloaded.tsx'
import { Actions } from './actions.tsx'
import { Tab } from './tab.tsx'
import { useTabActions } from './tab-actions.ts'
import { Watermark } from './watermark.tsx'
import type { Document } from './workspace.ts'

const SqlTab = preloaded(() => import('../sql/sql-tab.tsx'))
const TerminalTab = preloaded(() => import('../terminal/terminal-tab.tsx'))
const DesktopTab = preloaded(() => import('../rdp/desktop-tab.tsx'))

const theme: DockviewTheme = { name: 'sallyport', className: 'dockview-theme-sallyport' }

/** The tabs, where the person puts them. The workspace says which there are; dockview says where. */
export default function Dock() {
  const { workspace } = useDesk()
  const { documents, active } = useStore(workspace.state)
  const [api, setApi] = useState<DockviewApi | undefined>(undefined)
  useTabActions(api)

  useEffect(() => {
    if (api === undefined) return
    // What dockview closed or brought to the front by itself is told to the workspace.
    const removed = api.onDidRemovePanel((panel) => {
      if (workspace.state.get().documents.some((d) => d.id === panel.id)) workspace.close(panel.id)
    })
    const activated = api.onDidActivePanelChange((panel) => {
      const id = idOf(panel)
      if (id !== undefined && workspace.state.get().documents.some((d) => d.id === id)) workspace.activate(id)
    })
    return () => {
      removed.dispose()
      activated.dispose()
    }
  }, [api, workspace])

  useLayout(api)
  useSync(api, documents, active)
  return (
    <div className="dock">
      <DockviewReact
        theme={theme}
        components={components}
        defaultTabComponent={Tab}
        watermarkComponent={Watermark}
        rightHeaderActionsComponent={Actions}
        scrollbars="native"
        onReady={(event) => setApi(event.api)}
      />
    </div>
  )
}

/** Puts the tabs where they were at the last start, and keeps where they are. Before `useSync`, which adds what is missing. */
function useLayout(api: DockviewApi | undefined) {
  const { workspace } = useDesk()
  useEffect(() => {
    if (api === undefined) return
    const { layout, documents } = workspace.state.get()
    if (isLayout(layout)) {
      try {
        api.fromJSON(layout)
      } catch (error) {
        // Of another version: the tabs are there all the same, in one group.
        console.warn('The layout could not be restored.', error)
        api.clear()
      }
      // Terminals do not come back by themselves.
      for (const panel of api.panels) if (!documents.some((d) => d.id === panel.id)) api.removePanel(panel)
    }
    const changed = api.onDidLayoutChange(() => workspace.setLayout(api.toJSON()))
    return () => changed.dispose()
  }, [api, workspace])
}

function isLayout(value: unknown): value is SerializedDockview {
  return typeof value === 'object' && value !== null && 'grid' in value && 'panels' in value
}

/** Before dockview 7 the event was the panel, since then it holds it. */
function idOf(event: unknown): string | undefined {
  if (typeof event !== 'object' || event === null) return undefined
  if ('panel' in event) return idOf(event.panel)
  return 'id' in event && typeof event.id === 'string' ? event.id : undefined
}

function useSync(api: DockviewApi | undefined, documents: readonly Document[], active: string | undefined) {
  const { runtimes } = useDesk()
  const known = useRef(new Set<string>())
  useEffect(() => {
    if (api === undefined) return
    for (const document of documents) {
      known.current.add(document.id)
      if (api.getPanel(document.id) !== undefined) continue
      api.addPanel({
        id: document.id,
        component: document.kind,
        title: `${document.connection} · ${document.title}`,
        params: { id: document.id },
      })
    }
    for (const id of [...known.current]) {
      if (documents.some((d) => d.id === id)) continue
      known.current.delete(id)
      runtimes.close(id)
      const panel = api.getPanel(id)
      if (panel !== undefined) api.removePanel(panel)
    }
    if (active !== undefined && api.activePanel?.id !== active) api.getPanel(active)?.api.setActive()
  }, [api, documents, active, runtimes])
}

function Panel({
  params,
  children,
}: IDockviewPanelProps<{ id: string }> & { children(document: Document): React.ReactNode }) {
  const { workspace } = useDesk()
  const document = useStore(workspace.state, (s) => s.documents.find((d) => d.id === params.id))
  if (document === undefined) return null
  return (
    <section className="panel" data-tab={document.id} aria-label={`${document.connection}, ${document.title}`}>
      <Guard>
        <Suspense fallback={<div className="gate__wait">{<Spinner label={`Opening ${document.connection}`} />}</div>}>
          {children(document)}
        </Suspense>
      </Guard>
    </section>
  )
}

const components = {
  sql: (props: IDockviewPanelProps<{ id: string }>) => (
    <Panel {...props}>{(document) => (document.kind === 'sql' ? <SqlTab document={document} /> : null)}</Panel>
  ),
  desktop: (props: IDockviewPanelProps<{ id: string }>) => (
    <Panel {...props}>{(document) => (document.kind === 'desktop' ? <DesktopTab document={document} /> : null)}</Panel>
  ),
  terminal: (props: IDockviewPanelProps<{ id: string }>) => (
    <Panel {...props}>
      {(document) => (document.kind === 'terminal' ? <TerminalTab document={document} /> : null)}
    </Panel>
  ),
}
