import pg from 'pg'
import { firstOwnOid } from '../../../../shared/postgres/oids.ts'
import type {
  CatalogFunction,
  CatalogOperator,
  CatalogRelation,
  CodedType,
  ForeignKey,
  OperandType,
  Reference,
} from '../analysis.ts'
import { keyAction } from '../sql/key-action.ts'
import {
  callsSql,
  eventTriggersSql,
  foldedSql,
  lenientTypesSql,
  operatorsOf,
  operatorsSql,
  policiesSql,
  typesOf,
  typesSql,
} from './code.ts'
import { functionsOf, functionsSql, type Part } from './functions.ts'

/** Relations and functions, as they were read. */
export interface Definitions {
  relations: readonly CatalogRelation[]
  functions: readonly CatalogFunction[]
  types?: readonly CodedType[]
  operators?: readonly CatalogOperator[]
  lenientTypes?: readonly OperandType[]
  /** Functions of event triggers that fire, by oid. */
  eventTriggers?: readonly number[]
}

/** What one read found, by the fingerprints that say whether it still holds. */
export interface Known {
  prints: Prints
  builtIn: Definitions
  own: Definitions
  schemas: ReadonlySet<string>
  /** By relation, so that a change of one does not cost reading all. Those that have to be read again have none. */
  relationPrints: ReadonlyMap<number, string>
}

interface Prints {
  builtIn: string
  relations: string
  functions: string
  schemas: string
}

/** Reads what has changed since `known`; `known` itself when nothing has. */
export async function readCatalog(client: pg.Client, known: Known | undefined): Promise<Known> {
  const prints = await readPrints(client)
  const same = (part: keyof Prints) => known !== undefined && known.prints[part] === prints[part]
  if (known !== undefined && same('builtIn') && same('relations') && same('functions')) return known
  const builtIn = known !== undefined && same('builtIn') ? known.builtIn : await readDefinitions(client, '<')
  const schemas = known !== undefined && same('schemas') ? known.schemas : await readSchemas(client)
  const functions =
    known !== undefined && same('functions')
      ? known.own.functions
      : functionsOf(await many(client, functionsSql('>=')), '>=')
  const code = {
    functions,
    types: typesOf(await many(client, typesSql)),
    operators: operatorsOf(await many(client, operatorsSql)),
    lenientTypes: (await many(client, lenientTypesSql)).map(([oid, name]) => ({
      oid: Number(oid),
      name: String(name),
    })),
    eventTriggers: (await many(client, eventTriggersSql)).map(([oid]) => Number(oid)),
  }
  if (known !== undefined && same('relations')) {
    return { ...known, prints, builtIn, schemas, own: { ...known.own, ...code } }
  }
  const before = known !== undefined && same('schemas') ? known : undefined
  const relationPrints = await readRelationPrints(client)
  const changed = before === undefined ? undefined : await changedSince(client, before, relationPrints)
  const read = await readRelations(client, '>=', changed)
  const kept = (before?.own.relations ?? []).filter(({ oid }) => relationPrints.has(oid) && changed?.has(oid) === false)
  for (const oid of read.unknown) relationPrints.delete(oid)
  return {
    // What could not be read now is asked for again at the next occasion.
    prints: read.unknown.length === 0 ? prints : { ...prints, relations: '' },
    builtIn,
    own: { relations: [...kept, ...read.relations], ...code },
    schemas,
    relationPrints,
  }
}

/** Relations that changed, and those whose views or policies name them: their definitions read differently then. */
async function changedSince(
  client: pg.Client,
  { relationPrints: before }: Known,
  now: ReadonlyMap<number, string>,
): Promise<ReadonlySet<number>> {
  const changed = new Set<number>()
  for (const [oid, one] of now) if (before.get(oid) !== one) changed.add(oid)
  if (changed.size === 0) return changed
  const dependent = await client.query<[string]>({ text: dependentSql, values: [[...changed]], rowMode: 'array' })
  for (const [oid] of dependent.rows) changed.add(Number(oid))
  return changed
}

async function readDefinitions(client: pg.Client, part: Part): Promise<Definitions> {
  const { relations } = await readRelations(client, part, undefined)
  return { relations, functions: functionsOf(await many(client, functionsSql(part)), part) }
}

/**
 * Every change of a definition gives its row a new xmin; ANALYZE and VACUUM, which only update statistics, do not.
 * So the number of rows and the newest xmin say whether any changed: by its age, which is quick to find.
 */
const newest = "count(*) || ':' || coalesce(age('3'::xid)::bigint - min(age(xmin)), 0)"

const print = (table: string, id: string, part: Part) =>
  `(select ${newest} from ${table} where ${id} ${part} ${firstOwnOid})`

const schemas = `(select ${newest} from pg_namespace)`

/** Domains bring defaults and checks to tables that do not change with them. */
const domains = `(select ${newest} from pg_type where typtype in ('d', 'r') and oid >= ${firstOwnOid}),
    (select ${newest} from pg_constraint where contypid >= ${firstOwnOid})`

/** The text of a policy names functions. */
const policyCode = `case when exists (select from pg_policy) then ${print('pg_proc', 'oid', '>=')} end`

const printSql = `select
  concat_ws(' ', ${print('pg_class', 'oid', '<')}, ${print('pg_attribute', 'attrelid', '<')}, ${print('pg_proc', 'oid', '<')},
    ${print('pg_rewrite', 'ev_class', '<')}),
  concat_ws(' ', ${print('pg_class', 'oid', '>=')}, ${print('pg_attribute', 'attrelid', '>=')},
    ${print('pg_rewrite', 'ev_class', '>=')}, ${print('pg_trigger', 'tgrelid', '>=')}, ${print('pg_policy', 'polrelid', '>=')}, ${print('pg_inherits', 'inhrelid', '>=')},
    ${print('pg_statistic_ext', 'stxrelid', '>=')},
    ${schemas}, ${domains}, ${policyCode}),
  concat_ws(' ', ${print('pg_proc', 'oid', '>=')}, ${print('pg_operator', 'oid', '>=')}, ${print('pg_cast', 'oid', '>=')}, ${print('pg_opclass', 'oid', '>=')},
    ${print('pg_amproc', 'oid', '>=')}, ${print('pg_amop', 'oid', '>=')}, ${print('pg_event_trigger', 'oid', '>=')}, ${schemas}),
  ${schemas}`

async function readPrints(client: pg.Client): Promise<Prints> {
  const [row] = await many(client, printSql)
  const [builtIn, relations, functions, schemas] = (row ?? []).map(String)
  return { builtIn: builtIn ?? '', relations: relations ?? '', functions: functions ?? '', schemas: schemas ?? '' }
}

async function readSchemas(client: pg.Client): Promise<ReadonlySet<string>> {
  return new Set((await many(client, 'select nspname from pg_namespace')).map(([name]) => String(name)))
}

const eachPrint = (table: string, id: string) =>
  `left join (select ${id} as id, ${newest} as print from ${table} where ${id} >= ${firstOwnOid}
    group by ${id}) ${table} on ${table}.id = c.oid`

const relationPrintsSql = `
  select c.oid::bigint, concat_ws(' ', c.xmin, pg_attribute.print, 'r', pg_rewrite.print, 't', pg_trigger.print, 'i', pg_inherits.print, 'x', pg_index.print, 's', pg_statistic_ext.print,
    'p', pg_policy.print, case when pg_policy.print is not null then ${policyCode} end, 'd', ${domains})
  from pg_class c ${eachPrint('pg_attribute', 'attrelid')} ${eachPrint('pg_rewrite', 'ev_class')}
    ${eachPrint('pg_trigger', 'tgrelid')} ${eachPrint('pg_inherits', 'inhrelid')} ${eachPrint('pg_index', 'indrelid')}
    ${eachPrint('pg_policy', 'polrelid')} ${eachPrint('pg_statistic_ext', 'stxrelid')}
  where c.relkind in ('r', 'v', 'm', 'f', 'S', 'p') and c.oid >= ${firstOwnOid}`

const dependentSql = `
  select distinct r.ev_class::bigint from pg_depend d join pg_rewrite r on r.oid = d.objid
  where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = any($1::oid[])
  union select k.polrelid::bigint from pg_depend d join pg_policy k on k.oid = d.objid
  where d.classid = 'pg_policy'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = any($1::oid[])`

async function readRelationPrints(client: pg.Client): Promise<Map<number, string>> {
  return new Map((await many(client, relationPrintsSql)).map(([oid, one]) => [Number(oid), String(one)]))
}

const relationsSql = (part: Part, definition: string, locked: boolean) => `
  select c.oid::bigint, n.nspname, c.relname, c.relkind::text, ${definition},
    (select array_agg(i.inhparent::bigint) from pg_inherits i where i.inhrelid = c.oid),
    exists (select from pg_rewrite r where r.ev_class = c.oid and r.rulename <> '_RETURN')
      or exists (select from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal),
    (select array_agg(distinct t.tgfoid::bigint) from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal and t.tgenabled <> 'D'),
    not exists (select from pg_rewrite r where r.ev_class = c.oid and r.rulename <> '_RETURN')
      and not exists (select from pg_attribute a where a.attrelid = c.oid and a.attgenerated <> ''),
    ${callsSql},
    (select array_agg(distinct t.tgfoid::bigint) from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal and t.tgdeferrable),
    ${policiesSql(locked)}, ${uniqueSql}, (select y.typname from pg_type y where y.oid = c.reloftype), ${constrainedSql}, ${foldedSql}, ${partitionKeySql}
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'v', 'm', 'f', 'S', 'p') and c.oid ${part} ${firstOwnOid} and ($1::oid[] is null or c.oid = any($1))`

/** The database's, and "C", which names have. */
const usualCollations = '100, 950'

const columnsSql = (part: Part) => `
  select a.attrelid::bigint, a.attname, a.attnum::int, a.atttypid::bigint, t.typname, a.attcollation not in (0, ${usualCollations}),
    case when a.attgenerated <> '' then (select coalesce(array_agg(distinct b.attname::text), '{}') from pg_depend d
      join pg_attribute b on b.attrelid = d.refobjid and b.attnum = d.refobjsubid
      where d.refclassid = 'pg_class'::regclass and d.refobjid = a.attrelid and d.refobjsubid not in (0, a.attnum)
        and (d.classid = 'pg_class'::regclass and d.objid = a.attrelid and d.objsubid = a.attnum or d.classid = 'pg_attrdef'::regclass
          and d.objid = (select f.oid from pg_attrdef f where f.adrelid = a.attrelid and f.adnum = a.attnum))) end
  from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_type t on t.oid = a.atttypid
  where c.relkind in ('r', 'v', 'm', 'f', 'S', 'p') and a.attnum > 0 and not a.attisdropped and c.oid ${part} ${firstOwnOid}
    and ($1::oid[] is null or c.oid = any($1))
  order by a.attrelid, a.attnum`

const keyOf = (relation: string, key: string) => `(select array_agg(a.attname::text order by u.n)
    from unnest(k.${key}) with ordinality u (attnum, n) join pg_attribute a on a.attrelid = k.${relation} and a.attnum = u.attnum)`

const foreignKeysSql = `
  select k.confrelid::bigint, k.conrelid::bigint, k.confdeltype::text, k.confupdtype::text,
    ${keyOf('conrelid', 'conkey')}, ${keyOf('confrelid', 'confkey')} from pg_constraint k
  where k.contype = 'f' and ($1::oid[] is null or k.confrelid = any($1) or k.conrelid = any($1)) order by 1, k.oid`

/** Index `i` stands on column `a`, be it in an expression or its condition. */
const isIndexed = `exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = i.indexrelid
  and d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid and d.refobjsubid = a.attnum)`

/** Columns whose values an index keeps apart, those in its expressions and condition included. */
const uniqueSql = `(select array_agg(distinct a.attname::text) from pg_index i
    join pg_attribute a on a.attrelid = i.indrelid and a.attnum > 0
    where i.indrelid = c.oid and (i.indisunique or i.indisexclusion) and (a.attnum = any ((i.indkey::int2[])[0:i.indnkeyatts - 1]) or ${isIndexed}))`

/** Those in its expressions included, which are kept as depending on the table. */
const partitionKeySql = `(select array_agg(distinct a.attname::text) from pg_partitioned_table t
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
    where t.partrelid = c.oid and (a.attnum = any (t.partattrs::int2[]) or exists (select from pg_depend d
      where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.objsubid = a.attnum and d.refclassid = 'pg_class'::regclass
        and d.refobjid = c.oid and d.refobjsubid = 0 and d.deptype = 'i')))`

const constrainedSql = `(select jsonb_agg(distinct together.names) from (
    select (select array_agg(a.attname::text order by a.attnum) from pg_attribute a
      where a.attrelid = k.conrelid and a.attnum = any (k.conkey)) as names
    from pg_constraint k where k.conrelid = c.oid and k.contype in ('c', 'f', 'p', 'u', 'x') and cardinality(k.conkey) > 1
    union all select array_agg(a.attname::text order by a.attnum) from pg_index i
      join pg_attribute a on a.attrelid = i.indrelid and a.attnum > 0
    where i.indrelid = c.oid and (i.indisunique or i.indisexclusion) and ${isIndexed}
    group by i.indexrelid having count(*) > 1) together)`

const viewDefinition = "case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid) end"

/** `only`: these alone. `unknown`: views whose definition can't be read now, because what they stand on is locked or was just dropped. */
async function readRelations(
  client: pg.Client,
  part: Part,
  only: ReadonlySet<number> | undefined,
): Promise<{ relations: readonly CatalogRelation[]; unknown: readonly number[] }> {
  if (only?.size === 0) return { relations: [], unknown: [] }
  try {
    return {
      relations: await readSnapshot(client, part, { definition: viewDefinition, locked: false }, only),
      unknown: [],
    }
  } catch (error) {
    if (!isAnswer(error)) throw error
  }
  const relations = await readSnapshot(client, part, { definition: 'null', locked: true }, only)
  const unknown: number[] = []
  const defined: CatalogRelation[] = []
  for (const relation of relations) {
    const isView = relation.kind === 'view' || relation.kind === 'materialized'
    const definition = isView ? await definitionOf(client, relation.oid) : undefined
    if ((isView && definition === undefined) || relation.policies?.writes.includes('')) unknown.push(relation.oid)
    defined.push(definition === undefined ? relation : { ...relation, definition })
  }
  return { relations: defined, unknown }
}

async function definitionOf(client: pg.Client, oid: number): Promise<string | undefined> {
  try {
    const [row] = await many(client, `select pg_get_viewdef(${oid}::oid)`)
    return typeof row?.[0] === 'string' ? row[0] : undefined
  } catch (error) {
    // A view whose definition is not known is one that nothing can be proved about.
    if (isAnswer(error)) return undefined
    throw error
  }
}

/** What the server answered with: the connection is as good as before. Of any other failure nobody knows what is still on its way. */
export function isAnswer(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.severity !== 'FATAL'
}

async function readSnapshot(
  client: pg.Client,
  part: Part,
  { definition, locked }: { definition: string; locked: boolean },
  only: ReadonlySet<number> | undefined,
): Promise<CatalogRelation[]> {
  const values = [only === undefined ? null : [...only]]
  // One snapshot for relations and their columns.
  await client.query('begin isolation level repeatable read read only')
  try {
    const columns = new Map<number, CatalogRelation['columns'][number][]>()
    for (const [oid, name, attnum, typeOid, typeName, collated, from] of await many(client, columnsSql(part), values)) {
      const relation = Number(oid)
      const list = columns.get(relation) ?? []
      list.push({
        name: String(name),
        attnum: Number(attnum),
        typeOid: Number(typeOid),
        typeName: String(typeName),
        ...(collated === true ? { collated } : {}),
        ...(Array.isArray(from) ? { generatedFrom: namesOf(from) } : {}),
      })
      columns.set(relation, list)
    }
    const references = new Map<number, ForeignKey[]>()
    const owned = new Map<number, Reference[]>()
    for (const [to, from, onDelete, onUpdate, own, other] of await many(client, foreignKeysSql, values)) {
      const columns = namesOf(own)
      const theirs = namesOf(other)
      const list = references.get(Number(to)) ?? []
      const actions = { onDelete: keyAction(onDelete, 'delete'), onUpdate: keyAction(onUpdate, 'update') }
      list.push({ oid: Number(from), columns, theirs, ...actions })
      references.set(Number(to), list)
      const mine = owned.get(Number(from)) ?? []
      mine.push({ oid: Number(to), columns, theirs })
      owned.set(Number(from), mine)
    }
    const relations: CatalogRelation[] = []
    for (const [
      oid,
      schema,
      name,
      kind,
      text,
      parents,
      hasRules,
      triggers,
      alone,
      calls,
      deferrable,
      reads,
      writes,
      unique,
      ofType,
      constrained,
      folded,
      partitionKey,
    ] of await many(client, relationsSql(part, definition, locked), values)) {
      const referencedBy = references.get(Number(oid))
      const refersTo = owned.get(Number(oid))
      relations.push({
        oid: Number(oid),
        schema: String(schema),
        name: String(name),
        kind: kindOf(String(kind)),
        columns: columns.get(Number(oid)) ?? [],
        ...(typeof text === 'string' ? { definition: text } : {}),
        parents: Array.isArray(parents) ? parents.map(Number) : [],
        hasRules: hasRules === true || Array.isArray(calls),
        ...(referencedBy === undefined ? {} : { referencedBy }),
        ...(Array.isArray(calls) ? { calls: calls.map(Number) } : {}),
        ...(alone === true ? { triggers: Array.isArray(triggers) ? triggers.map(Number) : [] } : {}),
        ...(Array.isArray(deferrable) ? { deferrable: deferrable.map(Number) } : {}),
        ...(refersTo === undefined ? {} : { refersTo }),
        ...(Array.isArray(unique) ? { unique: namesOf(unique) } : {}),
        ...(typeof ofType === 'string' ? { ofType } : {}),
        ...(Array.isArray(constrained) ? { constrained: constrained.map(namesOf) } : {}),
        ...(Array.isArray(partitionKey) ? { partitionKey: namesOf(partitionKey) } : {}),
        ...(Array.isArray(folded) ? { folded: namesOf(folded) } : {}),
        ...(Array.isArray(writes) ? { policies: { reads: namesOf(reads), writes: namesOf(writes) } } : {}),
      })
    }
    await client.query('rollback')
    return relations
  } catch (error) {
    if (isAnswer(error)) await client.query('rollback')
    throw error
  }
}

async function many(client: pg.Client, text: string, values: unknown[] = []): Promise<unknown[][]> {
  const result = await client.query<unknown[]>({ text, values, rowMode: 'array' })
  return result.rows
}

function namesOf(names: unknown): string[] {
  return Array.isArray(names) ? names.map(String) : []
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
