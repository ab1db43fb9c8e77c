import type { CatalogColumn, CatalogKey, CatalogTable, SqlCatalog } from '../../../shared/rpc/editor.ts'
import type { Source } from './source.ts'

/** A catalog made ready for look-ups by name. */
export interface CatalogIndex {
  catalog: SqlCatalog
  schemas: readonly string[]
  /** Without a schema, `public` comes before the others. */
  table(schema: string | undefined, name: string): CatalogTable | undefined
  keysOf(table: CatalogTable): readonly CatalogKey[]
  foreignKeys: readonly CatalogKey[]
  /** What every database has: `pg_stat_activity` and the like. */
  system: readonly CatalogTable[]
}

export function indexCatalog(catalog: SqlCatalog): CatalogIndex {
  const id = (schema: string, name: string) => JSON.stringify([schema, name])
  const system = catalog.system ?? []
  const byId = new Map([...system, ...catalog.tables].map((table) => [id(table.schema, table.name), table]))
  const keys = Map.groupBy(catalog.keys, (key) => id(key.schema, key.table))
  const schemas = [...new Set(catalog.tables.map((table) => table.schema))]
  return {
    catalog,
    schemas,
    table: (schema, name) => {
      for (const s of schema === undefined ? ['public', ...schemas, 'pg_catalog'] : [schema]) {
        const found = byId.get(id(s, name))
        if (found !== undefined) return found
      }
      return undefined
    },
    keysOf: (table) => keys.get(id(table.schema, table.name)) ?? [],
    system,
    foreignKeys: catalog.keys.filter((key) => key.refers !== undefined),
  }
}

/** A column in reach: the catalog's own where it is one, only a name where the statement made it. */
export interface ReachedColumn {
  name: string
  source: Source
  table?: CatalogTable
  column?: CatalogColumn
}

export function columnsOf(source: Source, index: CatalogIndex): ReachedColumn[] {
  if (source.columns !== undefined) return source.columns.map((name) => ({ name, source }))
  const table = source.table && index.table(source.table.schema, source.table.name)
  if (table === undefined) return []
  return table.columns.map((column) => ({ name: column.name, source, table, column }))
}

/** The table as a person writes it: with its schema only where that says more. */
export function tableLabel(table: { schema: string; name: string }): string {
  return table.schema === 'public' ? table.name : `${table.schema}.${table.name}`
}

/** `primary key`, `→ customers.id`; empty where a column is in no key. */
export function keyNotes(table: CatalogTable, column: string, index: CatalogIndex): string[] {
  return index.keysOf(table).flatMap((key) => {
    const at = key.columns.indexOf(column)
    if (at === -1) return []
    if (key.refers === undefined) return [key.kind === 'primary' ? 'primary key' : 'unique']
    const to = tableLabel({ schema: key.refers.schema, name: key.refers.table })
    return [`→ ${to}.${key.refers.columns[at] ?? ''}`]
  })
}

export function classNote(column: CatalogColumn): string | undefined {
  if (column.dataClass === undefined) return undefined
  return column.masked ? `masked ${column.dataClass}` : `${column.dataClass}, in the clear for you`
}
