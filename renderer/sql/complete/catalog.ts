import type {
  CatalogColumn,
  CatalogFunction,
  CatalogKey,
  CatalogTable,
  CatalogType,
  SqlCatalog,
} from '../../../shared/rpc/editor.ts'
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
  /** Without a schema, those of this database come before PostgreSQL's own. */
  routine(schema: string | undefined, name: string): CatalogFunction | undefined
  type(schema: string | undefined, name: string): CatalogType | undefined
  /** The type of a column, or of what its array holds, where the database defines it. */
  typeOf(column: CatalogColumn): CatalogType | undefined
  /** The values that an enum lets a column have, also through a domain or an array; empty for all others. */
  labelsOf(column: CatalogColumn): readonly string[]
}

export function indexCatalog(catalog: SqlCatalog): CatalogIndex {
  const id = (schema: string, name: string) => JSON.stringify([schema, name])
  const system = catalog.system ?? []
  const byId = new Map([...system, ...catalog.tables].map((table) => [id(table.schema, table.name), table]))
  const keys = Map.groupBy(catalog.keys, (key) => id(key.schema, key.table))
  const schemas = [...new Set(catalog.tables.map((table) => table.schema))]
  const routines = Map.groupBy(catalog.functions, (routine) => routine.name)
  const types = new Map(
    catalog.types.flatMap((type): [number, CatalogType][] => [
      [type.id, type],
      [type.arrayId, type],
    ]),
  )
  const typeOf = (column: CatalogColumn) => (column.typeId === undefined ? undefined : types.get(column.typeId))
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
    routine: (schema, name) => routines.get(name)?.find((f) => schema === undefined || f.schema === schema),
    type: (schema, name) => catalog.types.find((t) => t.name === name && (schema === undefined || t.schema === schema)),
    typeOf,
    labelsOf: (column) => {
      let type = typeOf(column)
      while (type?.kind === 'domain' && type.base !== undefined) type = types.get(type.base.id)
      return type?.labels ?? []
    },
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
