import { shallowEqual } from '@mantine/hooks'
import type { Connection } from '../../shared/api/models.ts'
import type { Environment } from '../../shared/connection.ts'
import { createStore, type Store } from '../rpc/store.ts'

/** A tab. What it holds is here, what it does lives with its kind (`sql/`, `terminal/`, `rdp/`). */
export type Document =
  | {
      kind: 'sql'
      id: string
      connection: string
      environment: Environment
      title: string
      text: string
      /** Share of the height that the editor has. */
      share?: number
    }
  | { kind: 'terminal'; id: string; connection: string; environment: Environment; title: string }
  | { kind: 'desktop'; id: string; connection: string; environment: Environment; title: string }

export type SqlDocument = Extract<Document, { kind: 'sql' }>

export interface WorkspaceState {
  documents: readonly Document[]
  active: string | undefined
  /** Where the tabs are: dockview's own, opaque here. Undefined: one group. */
  layout?: unknown
  /** Whether the side bar is shown. */
  sidebar: boolean
  /** Queries whose tabs were closed with a text in them, the last one last. Not saved: they are gone with the window. */
  closed: readonly SqlDocument[]
}

const none: WorkspaceState = { documents: [], active: undefined, sidebar: true, closed: [] }
const mostClosed = 20

export interface Workspace {
  state: Pick<Store<WorkspaceState>, 'get' | 'subscribe'>
  /** Opens a tab on a connection, or shows the one that is there; `fresh` opens another one in any case. */
  open(
    connection: Pick<Connection, 'name' | 'kind' | 'environment'>,
    options?: { fresh?: boolean; text?: string },
  ): void
  activate(id: string): void
  /** A tab's guard may keep it: it then asks the person, and closes once that is settled. */
  close(id: string): void
  /** The query that was closed last is there again, with its text. */
  reopen(): void
  /** `keeps` says, when the tab is to be closed, whether it must stay for now. Returns how to take the guard away. */
  guard(id: string, keeps: () => boolean): () => void
  /** An editor writes the text of a tab: it is read before drafts are saved, and when the editor ends. */
  write(id: string, read: () => string): Writer
  setShare(id: string, share: number): void
  setSidebar(shown: boolean): void
  /** Where the tabs are now, to be put there again after a restart. */
  setLayout(layout: unknown): void
  /** Somebody is signed in: their saved drafts are put back, once. Tabs of the same person stay as they are. */
  enter(person: string, saved: unknown): void
  /** Saves at once what is still to be saved. */
  flush(): void
  /** Nobody is signed in any more: every tab goes, and what was saved stays saved. */
  leave(): void
}

export interface Writer {
  /** The text is another now. On the way of a key: does next to nothing. */
  changed(): void
  end(): void
}

/** Kinds of connection that open as a tab; others are reached with native tools only. */
export function opensAsTab(kind: Connection['kind']): kind is 'postgres' | 'ssh' | 'rdp' {
  return kind === 'postgres' || kind === 'ssh' || kind === 'rdp'
}

const tabKinds = { postgres: 'sql', ssh: 'terminal', rdp: 'desktop' } as const
const tabWords = { sql: 'query', terminal: 'shell', desktop: 'desktop' } as const

/**
 * `save` is called with what `enter` takes, a moment after a change; while changes go on, again and again. One at a time: it resolves when
 * it has ended, however it did.
 */
export function createWorkspace(save: (drafts: unknown) => Promise<void>): Workspace {
  const state = createStore(none)
  const guards = new Map<string, () => boolean>()
  /** Texts that have changed since they were read. */
  const unread = new Map<string, () => string>()
  /** Texts as they were read last, until their editors end: to put each into `state` would draw the whole window while a person types. */
  const texts = new Map<string, string>()
  let owner: string | undefined
  const read = () => {
    for (const [id, text] of unread) texts.set(id, text())
    unread.clear()
  }
  const saving = createSaving(async () => {
    read()
    if (owner !== undefined) await save(toSaved(withTexts(state.get(), texts), owner))
  })
  const change = (update: (current: WorkspaceState) => WorkspaceState) => {
    state.update(update)
    saving.later()
  }
  return {
    state,
    open: (connection, { fresh = false, text = '' } = {}) => {
      const { name, kind, environment } = connection
      if (!opensAsTab(kind)) return
      const wanted = tabKinds[kind]
      const there = state.get().documents.filter((d) => d.connection === name && d.kind === wanted)
      const [first] = there
      if (!fresh && first !== undefined) {
        change((s) => ({ ...s, active: first.id }))
        return
      }
      const id = crypto.randomUUID()
      const title = freeTitle(there, tabWords[wanted])
      const base = { id, connection: name, environment, title }
      const document: Document = wanted === 'sql' ? { kind: 'sql', ...base, text } : { kind: wanted, ...base }
      change((s) => ({ ...s, documents: [...s.documents, document], active: id }))
    },
    activate: (id) => {
      if (state.get().active !== id) change((s) => ({ ...s, active: id }))
    },
    close: (id) => {
      if (guards.get(id)?.()) return
      change((before) => {
        const s = withClosed(before, id, unread.get(id)?.() ?? texts.get(id))
        const at = s.documents.findIndex((d) => d.id === id)
        const documents = s.documents.filter((d) => d.id !== id)
        const neighbour = documents[Math.min(at, documents.length - 1)]?.id
        return { ...s, documents, active: s.active === id ? neighbour : s.active }
      })
    },
    reopen: () =>
      change((s) => {
        const last = s.closed.at(-1)
        if (last === undefined) return s
        const there = s.documents.filter((d) => d.connection === last.connection && d.kind === 'sql')
        const title = there.some((d) => d.title === last.title) ? freeTitle(there, tabWords.sql) : last.title
        const document = { ...last, id: crypto.randomUUID(), title }
        return { ...s, documents: [...s.documents, document], active: document.id, closed: s.closed.slice(0, -1) }
      }),
    guard: (id, keeps) => {
      guards.set(id, keeps)
      return () => {
        if (guards.get(id) === keeps) guards.delete(id)
      }
    },
    write: (id, text) => ({
      changed: () => {
        unread.set(id, text)
        saving.later()
      },
      end: () => {
        if (unread.get(id) === text) read()
        state.update((s) => withTexts(s, texts))
        texts.delete(id)
      },
    }),
    setShare: (id, share) =>
      change((s) => ({
        ...s,
        documents: s.documents.map((d) => (d.id === id && d.kind === 'sql' ? { ...d, share } : d)),
      })),
    setSidebar: (sidebar) => change((s) => ({ ...s, sidebar })),
    setLayout: (layout) => change((s) => ({ ...s, layout })),
    flush: saving.now,
    enter: (person, saved) => {
      if (owner === person) return
      owner = person
      state.set(fromSaved(saved, person))
    },
    leave: () => {
      saving.now()
      owner = undefined
      texts.clear()
      state.set(none)
    },
  }
}

/** Whether a tab is as it was, whatever is written in it meanwhile. */
export function isSameButText(a: SqlDocument, b: SqlDocument): boolean {
  return shallowEqual(a, { ...b, text: a.text })
}

/** The query of a tab that is to be closed is kept, where somebody wrote one. */
function withClosed(state: WorkspaceState, id: string, written: string | undefined): WorkspaceState {
  const document = state.documents.find((d) => d.id === id)
  if (document?.kind !== 'sql') return state
  const text = written ?? document.text
  return text.trim() === '' ? state : { ...state, closed: [...state.closed, { ...document, text }].slice(-mostClosed) }
}

function freeTitle(there: readonly Document[], word: string): string {
  for (let n = 1; ; n += 1) {
    const title = `${word} ${n}`
    if (!there.some((d) => d.title === title)) return title
  }
}

/** Only SQL drafts are kept: a terminal that opened by itself would be a session nobody asked for. */
function toSaved(state: WorkspaceState, owner: string): unknown {
  const { documents, active, layout, sidebar } = state
  return { version: 1, owner, documents: documents.filter((d) => d.kind === 'sql'), active, layout, sidebar }
}

function fromSaved(saved: unknown, owner: string): WorkspaceState {
  if (!isRecord(saved) || saved.owner !== owner || !Array.isArray(saved.documents)) return none
  const documents = saved.documents.filter(isDraft)
  const active = documents.find((d) => d.id === saved.active) ?? documents[0]
  return {
    documents,
    active: active?.id,
    sidebar: saved.sidebar !== false,
    closed: [],
    ...(isRecord(saved.layout) ? { layout: saved.layout } : {}),
  }
}

function isDraft(value: unknown): value is SqlDocument {
  return (
    isRecord(value) &&
    value.kind === 'sql' &&
    [value.id, value.connection, value.title, value.text].every((field) => typeof field === 'string') &&
    (value.share === undefined || typeof value.share === 'number') &&
    (value.environment === 'production' || value.environment === 'staging' || value.environment === 'development')
  )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function withTexts(state: WorkspaceState, texts: ReadonlyMap<string, string>): WorkspaceState {
  if (texts.size === 0) return state
  const documents = state.documents.map((document) => {
    const text = texts.get(document.id)
    return document.kind === 'sql' && text !== undefined && text !== document.text ? { ...document, text } : document
  })
  return { ...state, documents }
}

/** How long what is typed may be nowhere but in the page. */
const saveMs = 150

/** Runs `save` that long after the first of some changes, one at a time; `now` does not wait for anything. */
function createSaving(save: () => Promise<void>): { later(): void; now(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined
  let running = 0
  let again = false
  const run = () => {
    clearTimeout(timer)
    timer = undefined
    again = false
    running += 1
    void save().finally(() => {
      running -= 1
      if (again && running === 0) later()
    })
  }
  const later = () => {
    if (running > 0) again = true
    else timer ??= setTimeout(run, saveMs)
  }
  return {
    later,
    now: () => {
      if (timer !== undefined || again) run()
    },
  }
}
