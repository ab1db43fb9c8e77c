import { firstOwnOid } from '../../../../shared/postgres/oids.ts'
import type { CatalogFunction } from '../analysis.ts'

/** What came with the server, or what people made. */
export type Part = '<' | '>='

/** Functions that an aggregate consists of. Support functions in C, which no statement can call, were put there by a superuser. */
const partsSql = `case when p.prokind = 'a' then (select array_agg(distinct q.oid::bigint) from pg_aggregate g
    left join pg_operator o on o.oid = g.aggsortop
    cross join lateral unnest(array[g.aggtransfn, g.aggfinalfn, g.aggcombinefn, g.aggserialfn, g.aggdeserialfn, g.aggmtransfn, g.aggminvtransfn,
      g.aggmfinalfn, o.oprcode]::oid[]) part (oid)
    join pg_proc q on q.oid = part.oid
    where g.aggfnoid = p.oid and not (q.prolang = (select oid from pg_language where lanname = 'c')
      and q.pronargs > 0 and q.proargtypes[0] = 'internal'::regtype)) end`

/** People's own types among those of its results. */
const typesSql = `(select array_agg(distinct g.oid::bigint) from (select p.prorettype as oid
    union all select p.proallargtypes[i] from generate_subscripts(p.proargmodes, 1) i where p.proargmodes[i] in ('o', 'b', 't')) g
    where g.oid >= ${firstOwnOid})`

/** Its first parameter is of a type of rows, of any type, of one of people's own, or of one that rows become by themselves. */
const takesRowSql = `exists (select from pg_type t where t.oid = p.proargtypes[0] and (t.typtype in ('c', 'd', 'p') or t.oid >= ${firstOwnOid}
    or exists (select from pg_cast k join pg_type s on s.oid = k.castsource
      where s.typtype = 'c' and k.castcontext = 'i' and k.casttarget = t.oid)))`

export const functionsSql = (part: Part) => `
  select p.oid::bigint, n.nspname, p.proname, l.lanname, p.provolatile::text, p.prosecdef, p.proretset,
    (select array_agg(coalesce(p.proargnames[i], '') order by i) from generate_subscripts(p.proargmodes, 1) i
      where p.proargmodes[i] in ('o', 'b', 't')), p.pronargs::int,
    r.typtype in ('b', 'e', 'r', 'm'),
    (select array_agg(a.attname::text order by a.attnum) from pg_attribute a
      where a.attrelid = r.typrelid and r.typrelid <> 0 and a.attnum > 0 and not a.attisdropped),
    ${part === '>=' ? `case when l.lanname in ('sql', 'plpgsql') and p.prokind in ('f', 'p') then pg_get_functiondef(p.oid) end` : 'null'},
    ${part === '>=' ? `${partsSql}, ${typesSql}, ${takesRowSql}` : 'null, null, null'}
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_language l on l.oid = p.prolang
    join pg_type r on r.oid = p.prorettype
  where p.oid ${part} ${firstOwnOid}`

const longestDefinition = 64 * 1024

/** From the rows of `functionsSql`. */
export function functionsOf(rows: readonly unknown[][], part: Part): CatalogFunction[] {
  const functions: CatalogFunction[] = []
  for (const row of rows) {
    const [
      oid,
      schema,
      name,
      language,
      volatility,
      definer,
      set,
      parameters,
      inputs,
      scalar,
      attributes,
      definition,
      parts,
      gives,
      takesRow,
    ] = row
    const outputs = Array.isArray(parameters) ? parameters : attributes
    const several = Array.isArray(outputs) && (outputs.length > 1 || part === '>=')
    functions.push({
      oid: Number(oid),
      schema: String(schema),
      name: String(name),
      language: String(language),
      volatility: volatility === 'i' ? 'immutable' : volatility === 's' ? 'stable' : 'volatile',
      securityDefiner: definer === true,
      returnsSet: set === true,
      inputs: Number(inputs),
      ...(several && outputs.every((one) => one !== '') ? { outputs: outputs.map(String) } : {}),
      ...(scalar === true ? { scalar } : {}),
      ...(takesRow === true ? { takesRow } : {}),
      ...(Array.isArray(gives) ? { gives: gives.map(Number) } : {}),
      ...(Array.isArray(parts) ? { parts: parts.map(Number) } : {}),
      ...(typeof definition === 'string' && definition.length <= longestDefinition ? { definition } : {}),
    })
  }
  return functions
}
