import pg from 'pg'
import type { CatalogFunction, CatalogRelation } from './analysis.ts'

/** Relations and functions, as they were read. */
export interface Definitions {
  relations: readonly CatalogRelation[]
  functions: readonly CatalogFunction[]
}

/** What one read found, by the fingerprints that say whether it still holds. */
export interface Known {
  prints: Prints
  builtIn: Definitions
  own: Definitions
  /** `pg_temp_N` by the number of the server process that it belongs to. */
  temp: ReadonlyMap<number, string>
}

interface Prints {
  builtIn: string
  relations: string
  functions: string
}

/** Below, what initdb made; from here on, what people made. */
const firstOwn = 16_384

/** Reads what has changed since `known`; `known` itself when nothing has. */
export async function readCatalog(client: pg.Client, known: Known | undefined): Promise<Known> {
  const prints = await readPrints(client)
  const same = (part: keyof Prints) => known !== undefined && known.prints[part] === prints[part]
  if (known !== undefined && same('builtIn') && same('relations') && same('functions')) return known
  const builtIn = known !== undefined && same('builtIn') ? known.builtIn : await readDefinitions(client, '<')
  const functions = known !== undefined && same('functions') ? known.own.functions : await readFunctions(client, '>=')
  if (known !== undefined && same('relations')) {
    return { ...known, prints, builtIn, own: { relations: known.own.relations, functions } }
  }
  const { relations, whole } = await readRelations(client, '>=')
  const temp = new Map<number, string>()
  for (const [schema, processId] of await many(client, tempSql)) temp.set(Number(processId), String(schema))
  // What could not be read now is asked for again at the next occasion.
  return { prints: whole ? prints : { ...prints, relations: '' }, builtIn, own: { relations, functions }, temp }
}

type Part = '<' | '>='

async function readDefinitions(client: pg.Client, part: Part): Promise<Definitions> {
  const { relations } = await readRelations(client, part)
  return { relations, functions: await readFunctions(client, part) }
}

/** Every change of a definition gives its row a new xmin; ANALYZE and VACUUM, which only update statistics, do not. */
const print = (table: string, id: string, part: Part) =>
  `(select count(*) || ':' || coalesce(sum(xmin::text::bigint % 2147483647 * (${id}::bigint % 1000003)), 0)
    from ${table} where ${id} ${part} ${firstOwn})`

const printSql = `select
  concat_ws(' ', ${print('pg_class', 'oid', '<')}, ${print('pg_attribute', 'attrelid', '<')}, ${print('pg_proc', 'oid', '<')},
    ${print('pg_rewrite', 'ev_class', '<')}),
  concat_ws(' ', ${print('pg_class', 'oid', '>=')}, ${print('pg_attribute', 'attrelid', '>=')},
    ${print('pg_rewrite', 'ev_class', '>=')}, ${print('pg_trigger', 'tgrelid', '>=')}, ${print('pg_inherits', 'inhrelid', '>=')},
    (select count(*) || ':' || sum(xmin::text::bigint % 2147483647) from pg_namespace)),
  concat_ws(' ', ${print('pg_proc', 'oid', '>=')},
    (select count(*) || ':' || sum(xmin::text::bigint % 2147483647) from pg_namespace))`

async function readPrints(client: pg.Client): Promise<Prints> {
  const [row] = await many(client, printSql)
  const [builtIn, relations, functions] = row ?? []
  return { builtIn: String(builtIn), relations: String(relations), functions: String(functions) }
}

const relationsSql = (part: Part, definition: string) => `
  select c.oid::bigint, n.nspname, c.relname, c.relkind::text, ${definition},
    (select array_agg(i.inhparent::bigint) from pg_inherits i where i.inhrelid = c.oid),
    exists (select from pg_rewrite r where r.ev_class = c.oid and r.rulename <> '_RETURN')
      or exists (select from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal)
      or exists (select from pg_attrdef d
        join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum and a.attgenerated <> ''
        join pg_depend p on p.classid = 'pg_attrdef'::regclass and p.objid = d.oid
        where d.adrelid = c.oid and p.refclassid = 'pg_proc'::regclass and p.refobjid >= ${firstOwn})
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'v', 'm', 'f', 'S', 'p') and c.oid ${part} ${firstOwn}`

const columnsSql = (part: Part) => `
  select a.attrelid::bigint, a.attname, a.attnum::int, a.atttypid::bigint, t.typname
  from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_type t on t.oid = a.atttypid
  where c.relkind in ('r', 'v', 'm', 'f', 'S', 'p') and a.attnum > 0 and not a.attisdropped and c.oid ${part} ${firstOwn}
  order by a.attrelid, a.attnum`

const functionsSql = (part: Part) => `
  select p.oid::bigint, n.nspname, p.proname, l.lanname, p.provolatile::text, p.prosecdef, p.proretset,
    (select array_agg(coalesce(p.proargnames[i], '') order by i) from generate_subscripts(p.proargmodes, 1) i
      where p.proargmodes[i] in ('o', 'b', 't')), p.pronargs::int
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_language l on l.oid = p.prolang
  where p.oid ${part} ${firstOwn}`

/** A backend's number names its temporary schema. */
const tempSql = `
  select 'pg_temp_' || i, pg_stat_get_backend_pid(i) from pg_stat_get_backend_idset() i
  where 'pg_temp_' || i in (select nspname::text from pg_namespace)`

const viewDefinition = "case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid) end"

/** `whole` false: the definition of some view could not be read, because what it stands on is locked or was just dropped. */
async function readRelations(
  client: pg.Client,
  part: Part,
): Promise<{ relations: readonly CatalogRelation[]; whole: boolean }> {
  try {
    return { relations: await readSnapshot(client, part, viewDefinition), whole: true }
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || error.severity === 'FATAL') throw error
  }
  const relations = await readSnapshot(client, part, 'null')
  let whole = true
  const defined: CatalogRelation[] = []
  for (const relation of relations) {
    const isView = relation.kind === 'view' || relation.kind === 'materialized'
    const definition = isView ? await definitionOf(client, relation.oid) : undefined
    if (isView && definition === undefined) whole = false
    defined.push(definition === undefined ? relation : { ...relation, definition })
  }
  return { relations: defined, whole }
}

async function definitionOf(client: pg.Client, oid: number): Promise<string | undefined> {
  try {
    const [row] = await many(client, `select pg_get_viewdef(${oid}::oid)`)
    return typeof row?.[0] === 'string' ? row[0] : undefined
  } catch (error) {
    // A view whose definition is not known is one that nothing can be proved about.
    if (error instanceof pg.DatabaseError && error.severity !== 'FATAL') return undefined
    throw error
  }
}

async function readSnapshot(client: pg.Client, part: Part, definition: string): Promise<CatalogRelation[]> {
  // One snapshot for relations and their columns.
  await client.query('begin isolation level repeatable read read only')
  try {
    const columns = new Map<number, CatalogRelation['columns'][number][]>()
    for (const [oid, name, attnum, typeOid, typeName] of await many(client, columnsSql(part))) {
      const relation = Number(oid)
      const list = columns.get(relation) ?? []
      list.push({ name: String(name), attnum: Number(attnum), typeOid: Number(typeOid), typeName: String(typeName) })
      columns.set(relation, list)
    }
    const relations: CatalogRelation[] = []
    for (const [oid, schema, name, kind, text, parents, hasRules] of await many(
      client,
      relationsSql(part, definition),
    )) {
      relations.push({
        oid: Number(oid),
        schema: String(schema),
        name: String(name),
        kind: kindOf(String(kind)),
        columns: columns.get(Number(oid)) ?? [],
        ...(typeof text === 'string' ? { definition: text } : {}),
        parents: Array.isArray(parents) ? parents.map(Number) : [],
        hasRules: hasRules === true,
      })
    }
    return relations
  } finally {
    await client.query('rollback')
  }
}

async function readFunctions(client: pg.Client, part: Part): Promise<CatalogFunction[]> {
  const functions: CatalogFunction[] = []
  for (const [oid, schema, name, language, volatility, definer, set, outputs, inputs] of await many(
    client,
    functionsSql(part),
  )) {
    functions.push({
      oid: Number(oid),
      schema: String(schema),
      name: String(name),
      language: String(language),
      volatility: volatility === 'i' ? 'immutable' : volatility === 's' ? 'stable' : 'volatile',
      securityDefiner: definer === true,
      returnsSet: set === true,
      inputs: Number(inputs),
      ...(Array.isArray(outputs) && outputs.length > 1 ? { outputs: outputs.map(String) } : {}),
    })
  }
  return functions
}

async function many(client: pg.Client, text: string): Promise<unknown[][]> {
  const result = await client.query<unknown[]>({ text, rowMode: 'array' })
  return result.rows
}

function kindOf(relkind: string): CatalogRelation['kind'] {
  switch (relkind) {
    case 'v':
      return 'view'
    case 'm':
      return 'materialized'
    case 'f':
      return 'foreign'
    case 'S':
      return 'sequence'
    case 'p':
      return 'partitioned'
    default:
      return 'table'
  }
}
