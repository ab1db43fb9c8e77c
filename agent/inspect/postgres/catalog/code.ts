import { firstOwnOid } from '../../../../shared/postgres/oids.ts'
import type { CatalogOperator, CodedType } from '../analysis.ts'
import { refused } from '../sql/function-lists.ts'

/** What the catalog says of code that runs without being named: by defaults, checks, triggers, row policies, domains, casts and operators. */

/**
 * PostgreSQL keeps no record of what uses its own functions. Those that are not vouched for are found in an expression as it is stored.
 * A query's plan has this once.
 */
const closed = `(select ':funcid (' || string_agg(oid::text, '|') || ') ' from pg_proc
  where oid < ${firstOwnOid} and proname in (${[...refused.keys(), 'set_config'].map((name) => `'${name}'`).join(', ')}))`

const closedIn = (tree: string) => `(regexp_matches(${tree}, ${closed}, 'g'))[1]::bigint`

/** Of what is in `kept`, with its class, and its oid in that. */
const calledBy = (oid: 'oid' | 'check') => `join pg_depend p on p.classid = kept.class and p.objid = kept.${oid}
    left join pg_operator o on p.refclassid = 'pg_operator'::regclass and o.oid = p.refobjid
    left join pg_operator n on n.oid = o.oprnegate
    join pg_proc f on f.oid = any (array[o.oprcode, n.oprcode, case when p.refclassid = 'pg_proc'::regclass then p.refobjid end]::oid[])`

/**
 * Functions that defaults, checks, indexes and the partition key of a relation `c`, conditions of its triggers, and its columns'
 * domains, call: or their operators do. People's own, and those that are not vouched for.
 */
export const callsSql = `(with recursive domains as (
      select t.oid, t.typbasetype, t.typrelid from pg_attribute a join pg_type t on t.oid = a.atttypid
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and t.oid >= ${firstOwnOid}
      union select t.oid, t.typbasetype, t.typrelid from domains d
        cross join lateral (select p.refobjid as oid from pg_depend p
            where p.classid = 'pg_type'::regclass and p.objid = d.oid and p.refclassid = 'pg_type'::regclass
          union all select a.atttypid from pg_attribute a
            where d.typrelid <> 0 and a.attrelid = d.typrelid and a.attnum > 0 and not a.attisdropped) part
        join pg_type t on t.oid = part.oid where t.oid >= ${firstOwnOid})
    select array_agg(distinct called) from (
      select f.oid::bigint as called
        from (select 'pg_attrdef'::regclass as class, d.oid from pg_attrdef d where d.adrelid = c.oid
          union all select 'pg_constraint', k.oid from pg_constraint k where k.conrelid = c.oid and k.contype = 'c'
          union all select 'pg_constraint', k.oid from domains d join pg_constraint k on k.contypid = d.oid
          union all select 'pg_type', d.oid from domains d where d.typbasetype <> 0
          union all select 'pg_class', i.indexrelid from pg_index i
            where i.indrelid = c.oid and (i.indexprs is not null or i.indpred is not null)
          union all select 'pg_statistic_ext', s.oid from pg_statistic_ext s where s.stxrelid = c.oid
          union all select 'pg_class', c.oid where c.relkind = 'p'
          union all select 'pg_trigger', t.oid from pg_trigger t
            where t.tgrelid = c.oid and t.tgqual is not null and t.tgenabled <> 'D') kept
        ${calledBy('oid')}
        where f.oid >= ${firstOwnOid} and not (kept.class = 'pg_trigger'::regclass
          and exists (select from pg_trigger t where t.oid = kept.oid and t.tgfoid = f.oid))
      union all select ${closedIn('tree')} from (
          select d.adbin::text as tree from pg_attrdef d where d.adrelid = c.oid
          union all select k.conbin::text from pg_constraint k where k.conrelid = c.oid and k.contype = 'c'
          union all select t.tgqual::text from pg_trigger t where t.tgrelid = c.oid and t.tgenabled <> 'D'
          union all select k.conbin::text from domains d join pg_constraint k on k.contypid = d.oid
          union all select t.typdefaultbin::text from domains d join pg_type t on t.oid = d.oid) stored) every)`

/** Whoever makes an operator class is a superuser, and so is who puts code in C into it. */
const compares = (fn: string) =>
  `${fn}.oid >= ${firstOwnOid} and ${fn}.prolang not in (select oid from pg_language where lanname in ('c', 'internal'))`

/** Expressions that the planner looks at, and computes what of them is constant, whenever a relation `c` is read: those that call code of people's own. */
export const foldedSql = `(select array_agg(case when e.tree is null then substring(pg_get_statisticsobjdef(e.oid) from ' ON (.*) FROM ')
      else pg_get_expr(e.tree, c.oid) end) from (
    select 'pg_class'::regclass as class, i.indexrelid as oid, i.indexprs as tree from pg_index i where i.indrelid = c.oid and i.indexprs is not null
    union all select 'pg_class', i.indexrelid, i.indpred from pg_index i where i.indrelid = c.oid and i.indpred is not null
    union all select 'pg_constraint', k.oid, k.conbin from pg_constraint k where k.conrelid = c.oid and k.contype = 'c'
    union all select 'pg_statistic_ext', s.oid, null from pg_statistic_ext s where s.stxrelid = c.oid) e
    where exists (select from pg_depend p left join pg_operator o on p.refclassid = 'pg_operator'::regclass and o.oid = p.refobjid
      where p.classid = e.class and p.objid = e.oid and coalesce(o.oprcode, case when p.refclassid = 'pg_proc'::regclass then p.refobjid end) >= ${firstOwnOid}))`

/** Functions of event triggers, which no statement names. Those in C a superuser put there. */
export const eventTriggersSql = `select distinct e.evtfoid::bigint from pg_event_trigger e join pg_proc f on f.oid = e.evtfoid
  where e.evtenabled <> 'D' and ${compares('f')}`

/** Where the account's reads and writes pass a policy, or those of a role that it may take. */
const passes = `c.relrowsecurity and k.polrelid = c.oid
      and (row_security_active(c.oid) or exists (select from pg_roles r where r.rolname = current_user and r.rolsuper)
        or exists (select from pg_auth_members m join pg_roles r on r.oid = m.member where r.rolname = current_user))`

/**
 * What the row policies of a relation `c` say: those for reading it, and all of them for changing it. `locked`: one that reads other
 * tables, which somebody may have locked, comes empty.
 */
export function policiesSql(locked: boolean): string {
  const text = (tree: string) =>
    `case when ${locked} and ${tree}::text like '%{QUERY %' then '' else pg_get_expr(${tree}, k.polrelid) end`
  return `(select array_agg(${text('k.polqual')}) from pg_policy k
      where k.polcmd in ('r', '*') and k.polqual is not null and ${passes}),
    (select array_agg(v.said) from pg_policy k
      cross join lateral (values (${text('k.polqual')}), (${text('k.polwithcheck')})) v (said) where v.said is not null and ${passes})`
}

/** C code marked immutable is an extension's: see `judge`. */
const followed = (fn: string) => `${fn}.oid >= ${firstOwnOid} and not (${fn}.provolatile = 'i' and not ${fn}.prosecdef
  and ${fn}.prolang in (select oid from pg_language where lanname in ('c', 'internal')))`

/**
 * Domains whose check calls something, types that casts lead from or to, or whose values such code compares (sorted, grouped, in indexes),
 * and what holds them; then casts between PostgreSQL's own types.
 */
export const typesSql = `
  with recursive casts as (
    select s.castsource, s.casttarget, s.castcontext, f.oid as called from pg_cast s join pg_proc f on f.oid = s.castfunc where ${followed('f')}),
  cast_types as (select castsource as oid, called from casts union select casttarget, called from casts),
  families as (select o.opcintype as oid, o.opcfamily, o.oid as class from pg_opclass o),
  support as (
    select a.amprocfamily as family, f.oid as called from pg_amproc a join pg_proc f on f.oid = a.amproc where ${compares('f')}
    union select m.amopfamily, f.oid from pg_amop m join pg_operator o on o.oid = m.amopopr join pg_proc f on f.oid = o.oprcode where ${compares('f')}),
  sorting as (
    select i.oid, s.called from support s join families i on i.opcfamily = s.family
    union select r.rngtypid, s.called from support s join families i on i.opcfamily = s.family join pg_range r on r.rngsubopc = i.class
    union select r.rngtypid, f.oid from pg_range r join pg_proc f on f.oid = r.rngsubdiff where ${compares('f')}),
  coded as (
    (select kept.oid, f.oid as called, false as sorts from (select k.contypid as oid, 'pg_constraint'::regclass as class, k.oid as check
        from pg_constraint k where k.contypid >= ${firstOwnOid}) kept
      ${calledBy('check')} where f.oid >= ${firstOwnOid}
    union all select k.contypid, ${closedIn('k.conbin::text')}, false from pg_constraint k where k.contypid >= ${firstOwnOid}
    union all select oid, called, false from cast_types where oid >= ${firstOwnOid}
    union all select oid, called, true from sorting)
    union select holder.oid, c.called, c.sorts from coded c cross join lateral (
      select p.objid as oid from pg_depend p
        where p.classid = 'pg_type'::regclass and p.refclassid = 'pg_type'::regclass and p.refobjid = c.oid
      union all select r.reltype from pg_attribute a join pg_class r on r.oid = a.attrelid
        where a.atttypid = c.oid and not a.attisdropped and r.reltype <> 0) holder where c.oid >= ${firstOwnOid})
  select t.oid::bigint, t.typname, array_agg(distinct c.called::bigint), t.typtype = 'd', t.typbasetype::bigint,
    t.oid in (select oid from cast_types) or bool_or(c.sorts), case when t.typtype = 'p' then 'i' end
    from coded c join pg_type t on t.oid = c.oid group by t.oid
  union all select t.oid::bigint, t.typname, array_agg(distinct c.called::bigint), false, 0, false, case when bool_or(c.castcontext = 'i') then 'i' when bool_or(c.castcontext = 'a') then 'a' else 'e' end
    from casts c join pg_type t on t.oid = c.casttarget
    where c.castsource < ${firstOwnOid} and c.casttarget < ${firstOwnOid} group by 1, 2`

export function typesOf(rows: readonly unknown[][]): CodedType[] {
  const bases = new Map<number, number>()
  for (const [oid, , , isDomain, base] of rows)
    if (Number(oid) >= firstOwnOid) bases.set(Number(oid), isDomain === true ? Number(base) : 0)
  return rows.map(([oid, name, calls, , , isCast, context]) => ({
    oid: Number(oid),
    name: String(name),
    calls: Array.isArray(calls) ? calls.map(Number) : [],
    reach: reachOf(Number(oid), isCast === true, context, bases),
  }))
}

function reachOf(
  oid: number,
  isCast: boolean,
  context: unknown,
  bases: ReadonlyMap<number, number>,
): CodedType['reach'] {
  if (context === 'i') return 'any'
  if (context === 'a') return 'written'
  if (isCast) return 'row'
  // Where a domain is expected, PostgreSQL takes a literal for its base type.
  let base = oid
  for (let next = bases.get(base); next !== undefined && next !== 0; next = bases.get(base)) base = next
  return bases.has(base) ? 'touched' : 'named'
}

/** Domains and arrays of them, under a collation by which texts are equal that differ. */
export const lenientTypesSql = `select t.oid::bigint, t.typname from pg_type t join pg_collation l on l.oid = t.typcollation
  where not l.collisdeterministic and t.oid >= ${firstOwnOid}`

export const operatorsSql = `
  select n.nspname, o.oprname, o.oprcode::oid::bigint, l.oid::bigint, l.typname, r.oid::bigint, r.typname,
    (select array_agg(distinct f.oid::bigint) from pg_operator s join pg_proc f on f.oid = s.oprcode
      where s.oid in (o.oprcom, o.oprnegate, (select c.oprnegate from pg_operator c where c.oid = o.oprcom),
        (select n.oprcom from pg_operator n where n.oid = o.oprnegate)) and ${compares('f')})
  from pg_operator o join pg_namespace n on n.oid = o.oprnamespace
    left join pg_type l on l.oid = o.oprleft left join pg_type r on r.oid = o.oprright where o.oid >= ${firstOwnOid}`

export function operatorsOf(rows: readonly unknown[][]): CatalogOperator[] {
  const side = (oid: unknown, name: unknown) => ({ oid: Number(oid), name: String(name) })
  return rows.map(([schema, name, code, leftOid, left, rightOid, right, swaps]) => ({
    schema: String(schema),
    name: String(name),
    code: Number(code),
    ...(Array.isArray(swaps) ? { swaps: swaps.map(Number) } : {}),
    ...(typeof left === 'string' ? { left: side(leftOid, left) } : {}),
    ...(typeof right === 'string' ? { right: side(rightOid, right) } : {}),
  }))
}
