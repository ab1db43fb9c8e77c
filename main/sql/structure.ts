import { z } from 'zod'
import { firstOwnOid } from '../../shared/postgres/oids.ts'
import type { CatalogFunction, CatalogKey, CatalogTable, CatalogType, SqlCatalog } from '../../shared/rpc/editor.ts'
import { messageOf } from '../problem.ts'
import type { SqlLink } from './link.ts'
import { queryRows } from './query.ts'
import type { Row } from './result.ts'

export interface StructureColumn {
  type: string
  notNull: boolean
  typeId?: number
}

/** What is read from the database itself; tables, classes and masks come from the gateway each time. */
export interface Structure {
  /** By `columnKey`. */
  columns: ReadonlyMap<string, StructureColumn>
  keys: CatalogKey[]
  indexes: SqlCatalog['indexes']
  functions: CatalogFunction[]
  types: CatalogType[]
  system: CatalogTable[]
  partial?: string
}

/** Reads it all, one query after the other. What a policy closes is missing, and `partial` says so. */
export async function readStructure(link: SqlLink): Promise<Structure> {
  try {
    const columns = new Map((await queryRows(link, columnsSql)).map(columnOf))
    const keys = await queryRows(link, keysSql)
    const indexes = await queryRows(link, indexesSql)
    const functions = await queryRows(link, functionsSql)
    const types = await queryRows(link, typesSql)
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
      types: types.map(typeOf),
      system: systemTables(system),
    }
  } catch (error) {
    // A policy may keep the system catalog closed. Tables and columns come from the gateway all the same.
    const partial = `Keys, indexes, functions and types could not be read: ${messageOf(error)}`
    return { columns: new Map(), keys: [], indexes: [], functions: [], types: [], system: [], partial }
  }
}

const own = String.raw`n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'`

const columnsSql = `SELECT n.nspname, c.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull, a.atttypid
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

/** Whether a function takes an argument of such a type. No aggregate: sessions for the catalog have few functions. */
function takes(condition: string): string {
  return `EXISTS (SELECT 1 FROM pg_catalog.pg_type a WHERE a.oid = ANY (p.proargtypes::pg_catalog.oid[]) AND a.${condition})`
}

/**
 * Without those that nobody writes: functions behind an operator, a type's text form or an index, and the steps of aggregates. Trigger
 * functions are there where somebody of this database made them (2279: trigger, 3838: event_trigger). Of those with
 * as many arguments, types that PostgreSQL prefers come first, and those that stand for any type last.
 */
const functionsSql = `SELECT n.nspname, p.proname, p.oid, pg_catalog.pg_get_function_arguments(p.oid),
pg_catalog.pg_get_function_result(p.oid), p.prokind, p.prorettype IN (2279, 3838), d.description
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
LEFT JOIN pg_catalog.pg_description d ON d.objoid = p.oid AND d.classoid = 1255 AND d.objsubid = 0
WHERE n.nspname <> 'information_schema' AND p.prorettype NOT IN (2281, 2275)
AND (n.nspname <> 'pg_catalog' OR p.prorettype NOT IN (2279, 3838))
AND NOT 2275 = ANY (p.proargtypes::pg_catalog.oid[])
AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_operator o WHERE o.oprcode = p.oid)
AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_amproc s WHERE s.amproc = p.oid)
AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_aggregate g
WHERE p.oid IN (g.aggtransfn, g.aggfinalfn, g.aggcombinefn, g.aggmtransfn, g.aggminvtransfn, g.aggmfinalfn))
ORDER BY n.nspname = 'pg_catalog', n.nspname, p.proname, p.pronargs,
${takes("typtype = 'p'")}, NOT ${takes('typispreferred')}, 4`

/** Neither rows of tables nor arrays, which go by the name of what they are made of; `base`: of extensions. */
const typesSql = `SELECT t.oid, t.typarray, n.nspname, t.typname, t.typtype,
(SELECT pg_catalog.json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid),
(SELECT pg_catalog.json_agg(pg_catalog.json_build_array(a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod)) ORDER BY a.attnum)
FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped),
COALESCE(NULLIF(t.typbasetype, 0), r.rngsubtype),
pg_catalog.format_type(COALESCE(NULLIF(t.typbasetype, 0), r.rngsubtype), t.typtypmod), t.typnotnull,
(SELECT pg_catalog.json_agg(pg_catalog.pg_get_constraintdef(k.oid) ORDER BY k.conname)
FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c')
FROM pg_catalog.pg_type t
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
LEFT JOIN pg_catalog.pg_range r ON r.rngtypid = t.oid
WHERE (t.typtype IN ('e', 'd', 'r') OR t.typtype = 'c' AND c.relkind = 'c' OR t.typtype = 'b' AND t.typelem = 0) AND ${own}
ORDER BY 3, 4`

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

/** A column by its place. */
export function columnKey(schema: string, table: string, column: string): string {
  return JSON.stringify([schema, table, column])
}

function columnOf([schema, table, column, type, notNull, oid]: Row): [string, StructureColumn] {
  const typeId = Number(oid)
  const known = { type: type ?? '', notNull: notNull === 't', ...(typeId < firstOwnOid ? {} : { typeId }) }
  return [columnKey(schema ?? '', table ?? '', column ?? ''), known]
}

const typeKinds: Readonly<Record<string, CatalogType['kind']>> = {
  e: 'enum',
  d: 'domain',
  c: 'composite',
  r: 'range',
}

function typeOf([id, arrayId, schema, name, kind, labels, fields, base, baseType, notNull, checks]: Row): CatalogType {
  return {
    id: Number(id),
    arrayId: Number(arrayId),
    schema: schema ?? '',
    name: name ?? '',
    kind: typeKinds[kind ?? ''] ?? 'base',
    labels: names(labels),
    fields: fieldsOf(fields),
    constraints: [...(kind === 'd' && notNull === 't' ? ['NOT NULL'] : []), ...names(checks)],
    ...(base == null ? {} : { base: { id: Number(base), type: baseType ?? '' } }),
  }
}

const Fields = z.array(z.tuple([z.string(), z.string()]))

function fieldsOf(json: string | null | undefined): CatalogType['fields'] {
  return json == null ? [] : Fields.parse(JSON.parse(json)).map(([name, type]) => ({ name, type }))
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

/** One entry for each name. */
function grouped(rows: readonly Row[]): CatalogFunction[] {
  const byName = new Map<string, CatalogFunction>()
  for (const [schema, name, id, args, result, kind, trigger, comment] of rows) {
    if (schema == null || name == null || args == null || /\binternal\b/.test(args)) continue
    const key = JSON.stringify([schema, name])
    const said = comment == null ? {} : { comment }
    const signature = { id: Number(id), arguments: args, result: result ?? '', ...said }
    const there = byName.get(key)
    if (there !== undefined) there.signatures.push(signature)
    else {
      const usual = trigger === 't' ? 'trigger' : 'function'
      byName.set(key, { schema, name, kind: functionKinds[kind ?? ''] ?? usual, signatures: [signature] })
    }
  }
  return [...byName.values()]
}
