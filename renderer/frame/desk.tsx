import { createContext, type ReactNode, useContext } from 'react'
import type { Connection } from '../../shared/api/models.ts'
import type { ConnectionKind } from '../../shared/connection.ts'
import type { ActionRegistry } from '../actions/registry.ts'
import type { RuntimeMap } from '../dock/runtime.ts'
import type { Workspace } from '../dock/workspace.ts'
import type { BrowserNotices } from '../notices/browser.ts'
import type { Notices } from '../notices/notices.ts'
import { type Store, useStore } from '../rpc/store.ts'

export type Area = 'connections' | 'requests' | 'sessions' | 'settings'

/** What a request starts from, when something on the screen led to it. */
export interface RequestDraft {
  connection?: string
  actions?: readonly string[]
  dataClasses?: readonly string[]
  /** What was stopped: shown beside the request, and checked against what it would allow. */
  statement?: string
  reason?: string
  /** A grant of one's own that this one goes on from. */
  extends?: string
}

/** How the tree of connections is looked at: it is so again after another area was in front. */
export interface TreeView {
  filter: string
  kind: ConnectionKind | undefined
  /** Keys of groups and schemas that are folded. */
  folded: ReadonlySet<string>
  /** Names of databases whose tables are shown. */
  unfolded: readonly string[]
  /** Pixels. */
  scrolled: number
  /** The filter is to be given the focus. */
  asked: boolean
}

export const startTree: TreeView = {
  filter: '',
  kind: undefined,
  folded: new Set(),
  unfolded: [],
  scrolled: 0,
  asked: false,
}

export interface Place {
  area: Area
  /** Where there is no room for the side bar beside the work: whether it lies over it. */
  side: boolean
  /** Saved queries in the side bar; `asked`: open, and to be given the focus. */
  saved: 'folded' | 'open' | 'asked'
  /** Requests: which list, which one is shown, or the composer. */
  list: 'mine' | 'review' | 'history'
  request: string | undefined
  /** What the cursor goes to when the request opens. */
  focus?: 'deny' | undefined
  draft: RequestDraft | undefined
  /** Requests picked to be decided together. */
  picked: readonly string[]
  /** The charts instead of a request. */
  metrics: boolean
  /** Sessions: recordings open as tabs beside the list; `undefined` is the list. */
  replays: readonly string[]
  replay: string | undefined
  /** Milliseconds into the recording that is open. */
  replayFrom?: number | undefined
  palette: boolean
  /** The shortcut sheet is open. */
  shortcuts: boolean
  /** Settings: the section to show. */
  section: string | undefined
}

export const startPlace: Place = {
  area: 'connections',
  side: false,
  saved: 'folded',
  list: 'mine',
  request: undefined,
  draft: undefined,
  picked: [],
  metrics: false,
  replays: [],
  replay: undefined,
  palette: false,
  shortcuts: false,
  section: undefined,
}

/** Where the person is, and what is open. One for the page, made at its start. */
export interface Desk {
  place: Store<Place>
  tree: Store<TreeView>
  /** What is typed into the palette, from the key that opens it on. */
  query: Store<string>
  workspace: Workspace
  runtimes: RuntimeMap
  notices: Notices
  actions: ActionRegistry
  /** Notifications outside the window. */
  system: BrowserNotices
}

const Context = createContext<Desk | undefined>(undefined)

export function DeskProvider({ value, children }: { value: Desk; children: ReactNode }) {
  return <Context value={value}>{children}</Context>
}

export function useDesk(): Desk {
  const desk = useContext(Context)
  if (desk === undefined) throw new Error('useDesk outside DeskProvider')
  return desk
}

export function usePlace(): Place {
  return useStore(useDesk().place)
}

/** The ways to go somewhere; each brings its area to the front. */
export function navigation({ place, workspace, tree, query }: Pick<Desk, 'place' | 'workspace' | 'tree' | 'query'>) {
  const go = (change: Partial<Place>) => place.update((p) => ({ ...p, side: false, ...change, palette: false }))
  const goToSide = (change: Partial<Place> = {}) => {
    workspace.setSidebar(true)
    go({ area: 'connections', side: true, ...change })
  }
  return {
    area: (area: Area) => go({ area }),
    saved: () => goToSide({ saved: 'asked' }),
    /** Where it has room, whether the side bar is there is kept; where it has none it comes for the next thing that is done. */
    toggleSidebar: (room: boolean) => {
      if (room) workspace.setSidebar(!workspace.state.get().sidebar)
      else place.update((p) => ({ ...p, side: !p.side }))
    },
    /** The side bar, whether or not it was there. */
    sidebar: () => goToSide(),
    /** The filter of the side bar. */
    filter: () => {
      tree.update((t) => ({ ...t, asked: true }))
      goToSide()
    },
    closeSide: () => place.update((p) => ({ ...p, side: false })),
    /** A section of the settings, by its id. */
    settings: (section?: string) => go({ area: 'settings', section }),
    shortcuts: (open: boolean) => place.update((p) => ({ ...p, shortcuts: open })),
    palette: (open: boolean) => {
      if (open) query.set('')
      place.update((p) => ({ ...p, palette: open }))
    },
    /** Opens what may be opened; what is locked leads to the composer. */
    connection: (connection: Connection, options?: { fresh?: boolean; text?: string }) => {
      if (connection.access === 'locked') {
        go({ area: 'requests', request: undefined, metrics: false, draft: { connection: connection.name } })
        return
      }
      workspace.open(connection, options)
      go({ area: 'connections' })
    },
    compose: (draft: RequestDraft = {}) =>
      go({ area: 'requests', list: 'mine', request: undefined, picked: [], metrics: false, draft }),
    request: (id: string, list: Place['list'], focus?: Place['focus']) =>
      go({ area: 'requests', list, request: id, draft: undefined, picked: [], metrics: false, focus }),
    requests: (list: Place['list']) =>
      go({ area: 'requests', list, request: undefined, draft: undefined, picked: [], metrics: false }),
    /** Picks a request for a decision together with others, or leaves it out again. */
    pick: (id: string) =>
      place.update((p) => ({
        ...p,
        draft: undefined,
        metrics: false,
        picked: p.picked.includes(id) ? p.picked.filter((other) => other !== id) : [...p.picked, id],
      })),
    metrics: () =>
      go({ area: 'requests', list: 'history', request: undefined, draft: undefined, picked: [], metrics: true }),
    session: (id: string, replayFrom?: number) =>
      place.update((p) => ({
        ...p,
        replayFrom,
        palette: false,
        side: false,
        area: 'sessions',
        replay: id,
        replays: p.replays.includes(id) ? p.replays : [...p.replays, id],
      })),
    sessionList: () => go({ area: 'sessions', replay: undefined }),
    closeSession: (id: string) =>
      place.update((p) => ({
        ...p,
        replays: p.replays.filter((r) => r !== id),
        replay: p.replay === id ? undefined : p.replay,
      })),
  }
}

/** Whether a tab is the one that the person works in. */
export function useInFront(id: string): boolean {
  const { workspace } = useDesk()
  const active = useStore(workspace.state, (s) => s.active === id)
  return usePlace().area === 'connections' && active
}

export function useNavigation() {
  return navigation(useDesk())
}
