import type { AccessRequest, Connection, SchemaTable, Session } from '../../shared/api/models.ts'
import type { HistoryEntry, SavedQuery } from '../../shared/rpc/editor.ts'
import { aboutConnection, kindIcon } from '../decisions/environment.tsx'
import type { IconName } from '../decisions/icon.tsx'
import { requestTitle } from '../decisions/words.ts'

/** Something the palette can go to or do. */
export type Item =
  | { kind: 'connection'; id: string; label: string; about: string; icon: IconName; connection: Connection }
  | { kind: 'table'; id: string; label: string; icon: IconName; connection: Connection; table: SchemaTable }
  | { kind: 'command'; id: string; label: string; icon: IconName; keys?: string; run(): void }
  | { kind: 'saved'; id: string; label: string; icon: IconName; saved: SavedQuery }
  | { kind: 'statement'; id: string; label: string; icon: IconName; ran: HistoryEntry }
  | { kind: 'request'; id: string; label: string; icon: IconName; request: AccessRequest }
  | { kind: 'session'; id: string; label: string; about: string; icon: IconName; session: Session }

export interface Group {
  title: string
  items: readonly Item[]
}

export interface Sources {
  connections: readonly Connection[]
  /** Names of those used last, newest first: they come first while nothing is typed. */
  recent: readonly string[]
  tables: readonly { connection: Connection; table: SchemaTable }[]
  commands: readonly Extract<Item, { kind: 'command' }>[]
  requests: readonly AccessRequest[]
  /** Newest first. */
  sessions: readonly Session[]
  saved: readonly SavedQuery[]
  /** What was run, newest first. */
  ran: readonly HistoryEntry[]
}

const prefixes: Readonly<Record<string, Item['kind']>> = { '>': 'command', '@': 'table', '#': 'request' }
const mostEach = 8
/** Of one kind that was asked for: every command, and as many tables as one looks through. */
const mostOfOne = 100

/** What fits the words, best first, in groups. `>`, `@` and `#` narrow it to commands, tables and requests. */
export function search(query: string, sources: Sources): Group[] {
  const only = prefixes[query.charAt(0)]
  const words = (only === undefined ? query : query.slice(1))
    .toLowerCase()
    .split(/\s+/)
    .filter((w) => w !== '')
  const groups: { kind: Item['kind']; title: string; items: readonly Item[] }[] = [
    { kind: 'connection', title: 'Connections', items: byRecent(sources).map(connectionItem) },
    { kind: 'table', title: 'Tables', items: sources.tables.map(tableItem) },
    { kind: 'command', title: 'Commands', items: sources.commands },
    { kind: 'saved', title: 'Saved queries', items: sources.saved.map(savedItem) },
    // Only what is looked for: without a word the list is for going somewhere.
    { kind: 'statement', title: 'Recent statements', items: words.length === 0 ? [] : statements(sources.ran) },
    { kind: 'request', title: 'Requests', items: sources.requests.map(requestItem) },
    { kind: 'session', title: 'Sessions', items: words.length === 0 ? [] : sessions(sources.sessions) },
  ]
  return groups
    .filter((group) => only === undefined || group.kind === only)
    .map(({ title, items }) => ({ title, items: best(items, words, only === undefined ? mostEach : mostOfOne) }))
    .filter((group) => group.items.length > 0)
}

/** Whoever has hundreds of databases looks for tables in those that are near: to read them all would be a storm. */
const mostDatabases = 20

/** Those named in `first`, in that order, and others up to so many as are read at once. */
export function nearest(databases: readonly Connection[], first: readonly string[]): Connection[] {
  const named = new Set(first)
  const near = [...named].flatMap((name) => databases.find((c) => c.name === name) ?? [])
  return [...near, ...databases.filter((c) => !named.has(c.name))].slice(0, mostDatabases)
}

/** Those used last first; the others as they come. */
function byRecent({ connections, recent }: Sources): Connection[] {
  const rank = (c: Connection) => (recent.includes(c.name) ? recent.indexOf(c.name) : recent.length)
  return [...connections].sort((a, b) => rank(a) - rank(b))
}

function best(items: readonly Item[], words: readonly string[], most: number): Item[] {
  return items
    .map((item) => ({ item, score: scoreOf(item, words) }))
    .filter((scored) => scored.score > 0)
    .sort((a, b) => b.score - a.score)
    .slice(0, most)
    .map((scored) => scored.item)
}

/** A name that fits comes before what is only said about it. */
function scoreOf(item: Item, words: readonly string[]): number {
  const named = score(item.label, words)
  if (named > 0 || !('about' in item)) return named
  return Math.min(1, score(`${item.label} ${item.about}`, words))
}

/** Every word must be there; at the start of a part of the name counts most. 0: does not fit. */
export function score(label: string, words: readonly string[]): number {
  const text = label.toLowerCase()
  let total = 1
  for (const word of words) {
    const at = text.indexOf(word)
    if (at === -1) return 0
    total += at === 0 ? 4 : /[^a-z0-9]/.test(text.charAt(at - 1)) ? 3 : 1
  }
  return total
}

/** The label in parts, with those that the words hit marked. */
export function highlight(label: string, query: string): { text: string; hit: boolean }[] {
  const words = query
    .replace(/^[>@#]/, '')
    .toLowerCase()
    .split(/\s+/)
    .filter((w) => w !== '')
  const hits = new Array<boolean>(label.length).fill(false)
  for (const word of words) {
    const at = label.toLowerCase().indexOf(word)
    if (at !== -1) hits.fill(true, at, at + word.length)
  }
  const parts: { text: string; hit: boolean }[] = []
  for (const [i, char] of [...label].entries()) {
    const hit = hits[i] ?? false
    const last = parts.at(-1)
    if (last?.hit === hit) last.text += char
    else parts.push({ text: char, hit })
  }
  return parts
}

function connectionItem(connection: Connection): Item {
  return {
    kind: 'connection',
    id: `c/${connection.name}`,
    label: connection.name,
    about: aboutConnection(connection),
    icon: kindIcon(connection),
    connection,
  }
}

function tableItem({ connection, table }: { connection: Connection; table: SchemaTable }): Item {
  const label = table.schema === 'public' ? table.name : `${table.schema}.${table.name}`
  return {
    kind: 'table',
    id: `t/${connection.name}/${table.schema}/${table.name}`,
    label,
    icon: 'table',
    connection,
    table,
  }
}

function savedItem(saved: SavedQuery): Item {
  const label = saved.folder === '' ? saved.name : `${saved.folder}/${saved.name}`
  return { kind: 'saved', id: `s/${saved.id}`, label, icon: 'file', saved }
}

/** Each text once, where it was run last. */
function statements(ran: readonly HistoryEntry[]): Item[] {
  const newest = new Map(ran.toReversed().map((entry) => [entry.text, entry]))
  return [...newest.values()].toReversed().map((entry) => ({
    kind: 'statement',
    id: `h/${entry.id}`,
    label: entry.text.replaceAll(/\s+/g, ' ').trim().slice(0, 200),
    icon: 'clock',
    ran: entry,
  }))
}

function requestItem(request: AccessRequest): Item {
  const label = `${requestTitle(request)} on ${request.connection.name}`
  return { kind: 'request', id: `r/${request.id}`, label, icon: 'inbox', request }
}

/** Those that may be replayed, by who was in them and where. */
function sessions(all: readonly Session[]): Item[] {
  return all
    .filter((session) => session.canReplay)
    .map((session) => {
      const { id, principal, connection, sourceIp } = session
      const about = `${principal.id} ${id} ${sourceIp} ${connection.environment} ${connection.kind}`
      return {
        kind: 'session',
        id: `e/${id}`,
        label: `${principal.name} on ${connection.name}`,
        about,
        icon: 'replay',
        session,
      }
    })
}
