import type { SchemaTable } from '../../shared/api/models.ts'
import type { CatalogFunction, CatalogKey, CatalogTable, SqlCatalog } from '../../shared/rpc/editor.ts'
import { messageOf } from '../problem.ts'
import type { SqlLink } from './link.ts'
import { queryRows } from './query.ts'
import type { Row } from './result.ts'

export interface CatalogsOptions {
  /** A session of its own on a connection, through the gateway like any other. */
  open(connection: string): Promise<SqlLink>
  /** Tables and columns with their classes, as the gateway shows them to this person. */
  tables(connection: string): Promise<readonly SchemaTable[]>
}

/** What is read from the database itself; the rest comes from the gateway each time. */
interface Structure {
  /** Types and NOT NULL by `schema.table.column`, each part as JSON. */
  columns: ReadonlyMap<string, { type: string; notNull: boolean }>
  keys: CatalogKey[]
  indexes: SqlCatalog['indexes']
  functions: CatalogFunction[]
  system: CatalogTable[]
  partial?: string
}

/** Catalogs of connections for one person, read once and kept until something in the database changed. */
export class Catalogs {
  private readonly options: CatalogsOptions
  private readonly structures = new Map<string, Promise<Structure>>()

  constructor(options: CatalogsOptions) {
    this.options = options
  }

  async get(connection: string, refresh: boolean): Promise<SqlCatalog> {
    if (refresh) this.structures.delete(connection)
    const [structure, tables] = await Promise.all([this.structure(connection), this.options.tables(connection)])
    const { columns, ...rest } = structure
    return {
      ...rest,
      tables: tables.map((table) => ({
        ...table,
        columns: table.columns.map((column) => ({
          ...column,
          notNull: false,
          ...columns.get(columnKey(table.schema, table.name, column.name)),
        })),
      })),
    }
  }

  /** Somebody else may sign in. */
  forget(): void {
    this.structures.clear()
  }

  private structure(connection: string): Promise<Structure> {
    const there = this.structures.get(connection)
    if (there !== undefined) return there
    const reading = this.read(connection)
    this.structures.set(connection, reading)
    // What could not be read whole is read again next time.
    const drop = (): void => {
      if (this.structures.get(connection) === reading) this.structures.delete(connection)
    }
    reading.then(({ partial }) => (partial === undefined ? undefined : drop()), drop)
    return reading
  }

  private async read(connection: string): Promise<Structure> {
    const link = await this.options.open(connection)
    try {
      return await readStructure(link)
    } finally {
      link.wire.end()
    }
  }
}

async function readStructure(link: SqlLink): Promise<Structure> {
  try {
    const columns = new Map((await queryRows(link, columnsSql)).map(columnOf))
    const keys = await queryRows(link, keysSql)
    const indexes = await queryRows(link, indexesSql)
    const functions = await queryRows(link, functionsSql)
    const system = await queryRows(link, systemSql)
    return {
      columns,
      keys: keys.map(keyOf),
      indexes: indexes.map(([schema, table, name, definition]) => ({
        schema: schema ?? '',
        table: table ?? '',
        name: name ?? '',
        definition: definition ?? '',
      })),
      functions: grouped(functions),
      system: systemTables(system),
    }
  } catch (error) {
    // A policy may keep the system catalog closed. Tables and columns come from the gateway all the same.
    const partial = `Keys, indexes and functions could not be read: ${messageOf(error)}`
    return { columns: new Map(), keys: [], indexes: [], functions: [], system: [], partial }
  }
}

const own = String.raw`n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'`

const columnsSql = `SELECT n.nspname, c.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND ${own}`

/** Columns of a key in the key's own order. */
function keyColumns(relation: string, numbers: string): string {
  return `(SELECT pg_catalog.json_agg(a.attname ORDER BY k.ord) FROM pg_catalog.unnest(${numbers}) WITH ORDINALITY AS k(num, ord)
JOIN pg_catalog.pg_attribute a ON a.attrelid = ${relation} AND a.attnum = k.num)`
}

const keysSql = `SELECT n.nspname, c.relname, t.conname, t.contype, ${keyColumns('t.conrelid', 't.conkey')},
fn.nspname, f.relname, ${keyColumns('t.confrelid', 't.confkey')}, pg_catalog.pg_get_constraintdef(t.oid)
FROM pg_catalog.pg_constraint t
JOIN pg_catalog.pg_class c ON c.oid = t.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_class f ON f.oid = t.confrelid
LEFT JOIN pg_catalog.pg_namespace fn ON fn.oid = f.relnamespace
WHERE t.contype IN ('p', 'u', 'f') AND ${own}
ORDER BY 1, 2, 4 DESC, 3`

const indexesSql = `SELECT n.nspname, c.relname, i.relname, pg_catalog.pg_get_indexdef(x.indexrelid)
FROM pg_catalog.pg_index x
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
JOIN pg_catalog.pg_class c ON c.oid = x.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE ${own}
ORDER BY 1, 2, 3`

/**
 * Without those that nobody writes: trigger functions, those behind an operator, a type's text form or an index, and the steps of
 * aggregates.
 */
const functionsSql = `SELECT n.nspname, p.proname, pg_catalog.pg_get_function_arguments(p.oid),
pg_catalog.pg_get_function_result(p.oid), p.prokind
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname <> 'information_schema' AND p.prorettype NOT IN (2279, 3838, 2281, 2275)
AND NOT 2275 = ANY (p.proargtypes::pg_catalog.oid[])
AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_operator o WHERE o.oprcode = p.oid)
AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_amproc s WHERE s.amproc = p.oid)
AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_aggregate g
WHERE p.oid IN (g.aggtransfn, g.aggfinalfn, g.aggcombinefn, g.aggmtransfn, g.aggminvtransfn, g.aggmfinalfn))
ORDER BY n.nspname = 'pg_catalog', n.nspname, p.proname, p.pronargs`

const systemSql = `SELECT n.nspname, c.relname, c.relkind, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
WHERE n.nspname IN ('pg_catalog', 'information_schema') AND c.relkind IN ('r', 'v')
ORDER BY 1 DESC, 2, a.attnum`

function systemTables(rows: readonly Row[]): CatalogTable[] {
  const tables = new Map<string, CatalogTable>()
  for (const [schema, table, kind, name, type, notNull] of rows) {
    const key = JSON.stringify([schema, table])
    const one: CatalogTable = tables.get(key) ?? {
      schema: schema ?? '',
      name: table ?? '',
      kind: kind === 'v' ? 'view' : 'table',
      columns: [],
    }
    one.columns.push({ name: name ?? '', type: type ?? '', notNull: notNull === 't', masked: false })
    tables.set(key, one)
  }
  return [...tables.values()]
}

function columnKey(schema: string, table: string, column: string): string {
  return JSON.stringify([schema, table, column])
}

function columnOf([schema, table, column, type, notNull]: Row): [string, { type: string; notNull: boolean }] {
  return [columnKey(schema ?? '', table ?? '', column ?? ''), { type: type ?? '', notNull: notNull === 't' }]
}

const keyKinds: Readonly<Record<string, CatalogKey['kind']>> = { p: 'primary', u: 'unique', f: 'foreign' }

function keyOf(row: Row): CatalogKey {
  const [schema, table, name, kind, columns, toSchema, toTable, toColumns, definition] = row
  const refers =
    toSchema == null || toTable == null
      ? {}
      : { refers: { schema: toSchema, table: toTable, columns: names(toColumns) } }
  return {
    schema: schema ?? '',
    table: table ?? '',
    name: name ?? '',
    kind: keyKinds[kind ?? ''] ?? 'unique',
    columns: names(columns),
    definition: definition ?? '',
    ...refers,
  }
}

function names(json: string | null | undefined): string[] {
  const value: unknown = json == null ? [] : JSON.parse(json)
  return Array.isArray(value) ? value.map(String) : []
}

const functionKinds: Readonly<Record<string, CatalogFunction['kind']>> = {
  a: 'aggregate',
  w: 'window',
  p: 'procedure',
}

/** One entry for each name; the first of its functions speaks for the others. */
function grouped(rows: readonly Row[]): CatalogFunction[] {
  const byName = new Map<string, CatalogFunction>()
  for (const [schema, name, args, result, kind] of rows) {
    if (schema == null || name == null || args == null || /\binternal\b/.test(args)) continue
    const key = JSON.stringify([schema, name])
    const there = byName.get(key)
    if (there !== undefined) there.overloads += 1
    else {
      const one = { schema, name, arguments: args, result: result ?? '', overloads: 0 }
      byName.set(key, { ...one, kind: functionKinds[kind ?? ''] ?? 'function' })
    }
  }
  return [...byName.values()]
}
