import type { Connection, SchemaTable } from '../../shared/api/models.ts'
import type { ConnectionKind, Environment } from '../../shared/connection.ts'
import { environments } from '../decisions/environment.tsx'

/** One line of the tree. `level` counts from 1, as `aria-level` does. */
export type Row =
  | { type: 'pinned'; key: string; level: 1; open: boolean }
  | { type: 'group'; key: string; level: 1; environment: Environment; count: number; open: boolean }
  | { type: 'connection'; key: string; level: 2; connection: Connection; pinned: boolean; open: boolean | undefined }
  | { type: 'schema'; key: string; level: 3; connection: Connection; schema: string; open: boolean }
  | { type: 'table'; key: string; level: 4; connection: Connection; table: SchemaTable; masked: number }
  | { type: 'note'; key: string; level: 3; text: string }

export type SchemaState = readonly SchemaTable[] | 'loading' | { problem: string }

export interface TreeInput {
  connections: readonly Connection[]
  pinned: readonly string[]
  filter: string
  kind: ConnectionKind | undefined
  /** Keys of groups and schemas that are folded. */
  folded: ReadonlySet<string>
  /** Names of databases that are unfolded, with what is known of them. */
  schemas: ReadonlyMap<string, SchemaState>
}

const order: readonly Environment[] = ['production', 'staging', 'development']

/** The visible lines, from top to bottom. */
export function buildRows(input: TreeInput): Row[] {
  const shown = input.connections.filter(
    (c) => (input.kind === undefined || c.kind === input.kind) && matchesFilter(c, input),
  )
  const rows: Row[] = []
  const pinned = input.pinned.flatMap((name) => shown.find((c) => c.name === name) ?? [])
  if (pinned.length > 0) {
    const open = !input.folded.has('pinned')
    rows.push({ type: 'pinned', key: 'pinned', level: 1, open })
    if (open) {
      for (const connection of pinned) {
        const key = `pinned/${connection.name}`
        rows.push({ type: 'connection', key, level: 2, connection, pinned: true, open: undefined })
      }
    }
  }
  for (const environment of order) {
    const members = shown.filter((c) => c.environment === environment).sort((a, b) => a.name.localeCompare(b.name))
    if (members.length === 0) continue
    const open = !input.folded.has(environment)
    rows.push({ type: 'group', key: environment, level: 1, environment, count: members.length, open })
    if (open) for (const connection of members) rows.push(...connectionRows(connection, input))
  }
  return rows
}

function connectionRows(connection: Connection, input: TreeInput): Row[] {
  const expands = connection.kind === 'postgres' && connection.access === 'open'
  const schema = input.schemas.get(connection.name)
  const open = expands ? schema !== undefined : undefined
  const { name } = connection
  const row: Row = { type: 'connection', key: name, level: 2, connection, pinned: false, open }
  if (!expands || schema === undefined) return [row]
  if (schema === 'loading') return [row, { type: 'note', key: `${name}/…`, level: 3, text: 'Loading' }]
  if ('problem' in schema) return [row, { type: 'note', key: `${name}/!`, level: 3, text: schema.problem }]
  return [row, ...schemaRows(connection, schema, input)]
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

/** Every word of the filter is in the name, a tag, the description, the environment or a known table. */
function matchesFilter(connection: Connection, input: TreeInput): boolean {
  const words = input.filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
  if (words.length === 0) return true
  const schema = input.schemas.get(connection.name)
  const tables = Array.isArray(schema) ? schema.map((table: SchemaTable) => table.name) : []
  const text = [
    connection.name,
    connection.description,
    environments[connection.environment].name,
    ...connection.tags,
    ...tables,
  ]
  const haystack = text.join(' ').toLowerCase()
  return words.every((word) => haystack.includes(word))
}
