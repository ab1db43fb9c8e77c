import type { Connection, SchemaTable } from '../../shared/api/models.ts'
import type { ConnectionKind, Environment } from '../../shared/connection.ts'
import type { Problem } from '../../shared/rpc/problem.ts'
import { aboutConnection } from '../decisions/environment.tsx'

/** One line of the tree. `level` counts from 1, as `aria-level` does. */
export type Row =
  | { type: 'own'; key: 'pinned' | 'recent'; level: 1; open: boolean }
  | { type: 'tag'; key: string; level: 1; tag: string; count: number; open: boolean }
  | { type: 'group'; key: string; level: 1; environment: Environment; count: number; open: boolean }
  | { type: 'connection'; key: string; level: 2; connection: Connection; tagged: boolean; open: boolean | undefined }
  | { type: 'schema'; key: string; level: 3; connection: Connection; schema: string; open: boolean }
  | { type: 'table'; key: string; level: 4; connection: Connection; table: SchemaTable; masked: number }
  /** `lack`: a better sign-in is all that is missing for the tables of the connection. */
  | { type: 'note'; key: string; level: 3; text: string; lack?: { connection: string; problem: Problem } }

export type SchemaState = readonly SchemaTable[] | 'loading' | { problem: Problem }

export interface TreeInput {
  connections: readonly Connection[]
  pinned: readonly string[]
  /** Opened last, newest first. */
  recent: readonly string[]
  grouping: 'environment' | 'tag'
  filter: string
  kind: ConnectionKind | undefined
  /** Keys of groups and schemas that are folded. */
  folded: ReadonlySet<string>
  /** Names of databases that are unfolded, with what is known of them. */
  schemas: ReadonlyMap<string, SchemaState>
}

const order: readonly Environment[] = ['production', 'staging', 'development']

/** The visible lines, from top to bottom. What a filter finds is shown, also where it was folded away. */
export function buildRows(given: TreeInput): Row[] {
  const input = given.filter.trim() === '' ? given : { ...given, folded: new Set<string>() }
  const shown = input.connections.filter(
    (c) => (input.kind === undefined || c.kind === input.kind) && matchesFilter(c, input),
  )
  const pinned = input.pinned.flatMap((name) => shown.find((c) => c.name === name) ?? [])
  const recent = input.recent.flatMap((name) => shown.find((c) => c.name === name && !pinned.includes(c)) ?? [])
  return [
    ...ownRows('pinned', pinned, input),
    ...ownRows('recent', recent.slice(0, mostRecent), input),
    ...(input.grouping === 'tag' ? byTag(shown, input) : byEnvironment(shown, input)),
  ]
}

/** The person's own groups, on top; each connection is in its group below as well. */
function ownRows(key: 'pinned' | 'recent', connections: readonly Connection[], input: TreeInput): Row[] {
  if (connections.length === 0) return []
  const open = !input.folded.has(key)
  const head: Row = { type: 'own', key, level: 1, open }
  return [head, ...(open ? connections.map((connection) => mention(key, connection)) : [])]
}

/** A connection that stands apart from its environment: it shows it, and does not unfold. */
function mention(group: string, connection: Connection): Row {
  const key = `${group}/${connection.name}`
  return { type: 'connection', key, level: 2, connection, tagged: true, open: undefined }
}

function byEnvironment(shown: readonly Connection[], input: TreeInput): Row[] {
  return order.flatMap((environment): Row[] => {
    const members = shown.filter((c) => c.environment === environment).sort((a, b) => a.name.localeCompare(b.name))
    if (members.length === 0) return []
    const open = !input.folded.has(environment)
    const head: Row = { type: 'group', key: environment, level: 1, environment, count: members.length, open }
    return [head, ...(open ? members.flatMap((connection) => connectionRows(connection, input)) : [])]
  })
}

/** Under each of its tags; what has none comes last. Production first within a tag. */
function byTag(shown: readonly Connection[], input: TreeInput): Row[] {
  const tags = [...new Set(shown.flatMap((c) => c.tags))].sort((a, b) => a.localeCompare(b))
  const groups = [...tags.map((tag) => ({ tag, has: (c: Connection) => c.tags.includes(tag) })), untagged]
  return groups.flatMap(({ tag, has }): Row[] => {
    const members = shown
      .filter(has)
      .sort((a, b) => order.indexOf(a.environment) - order.indexOf(b.environment) || a.name.localeCompare(b.name))
    if (members.length === 0) return []
    const key = `tag:${tag}`
    const open = !input.folded.has(key)
    const head: Row = { type: 'tag', key, level: 1, tag, count: members.length, open }
    return [head, ...(open ? members.map((connection) => mention(key, connection)) : [])]
  })
}

const untagged = { tag: '', has: (c: Connection) => c.tags.length === 0 }
const mostRecent = 4

function connectionRows(connection: Connection, input: TreeInput): Row[] {
  const expands = connection.kind === 'postgres' && connection.access === 'open'
  const schema = input.schemas.get(connection.name)
  const open = expands ? schema !== undefined : undefined
  const { name } = connection
  const row: Row = { type: 'connection', key: name, level: 2, connection, tagged: false, open }
  if (!expands || schema === undefined) return [row]
  if (schema === 'loading') return [row, { type: 'note', key: `${name}/…`, level: 3, text: 'Loading' }]
  if ('problem' in schema)
    return [
      row,
      { type: 'note', key: `${name}/!`, level: 3, text: schema.problem.message, ...lackOf(name, schema.problem) },
    ]
  return [row, ...schemaRows(connection, tablesMeant(connection, schema, input), input)]
}

function schemaRows(connection: Connection, tables: readonly SchemaTable[], input: TreeInput): Row[] {
  const names = [...new Set(tables.map((table) => table.schema))].sort(
    (a, b) => rank(a) - rank(b) || a.localeCompare(b),
  )
  return names.flatMap((schema): Row[] => {
    const key = `${connection.name}/${schema}`
    const open = !input.folded.has(key)
    const head: Row = { type: 'schema', key, level: 3, connection, schema, open }
    if (!open) return [head]
    const inside = tables.filter((table) => table.schema === schema).sort((a, b) => a.name.localeCompare(b.name))
    return [
      head,
      ...inside.map((table): Row => {
        const masked = table.columns.filter((column) => column.masked).length
        return { type: 'table', key: `${key}/${table.name}`, level: 4, connection, table, masked }
      }),
    ]
  })
}

/** `public` first, catalogs last. */
function rank(schema: string): number {
  if (schema === 'public') return 0
  return schema === 'information_schema' || schema.startsWith('pg_') ? 2 : 1
}

/** Every word of the filter is in the name, a tag, the description, the kind, the environment or a known table. */
function matchesFilter(connection: Connection, input: TreeInput): boolean {
  const words = wordsBeyond(connection, input)
  if (words.length === 0) return true
  const schema = input.schemas.get(connection.name)
  return Array.isArray(schema) && schema.some((table: SchemaTable) => isNamed(table, words))
}

/** All tables where the filter is about the connection; else those that it names. */
function tablesMeant(connection: Connection, tables: readonly SchemaTable[], input: TreeInput): readonly SchemaTable[] {
  const words = wordsBeyond(connection, input)
  return words.length === 0 ? tables : tables.filter((table) => isNamed(table, words))
}

function isNamed({ schema, name }: SchemaTable, words: readonly string[]): boolean {
  const text = `${schema}.${name}`.toLowerCase()
  return words.every((word) => text.includes(word))
}

/** The words of the filter that the connection itself does not have. */
function wordsBeyond(connection: Connection, { filter }: TreeInput): string[] {
  const own = `${connection.name} ${aboutConnection(connection)}`.toLowerCase()
  return filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => !own.includes(word))
}

function lackOf(connection: string, problem: Problem): { lack?: { connection: string; problem: Problem } } {
  return problem.action === 'step-up' ? { lack: { connection, problem } } : {}
}
