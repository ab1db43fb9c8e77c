import type { DefinitionInput } from '../../shared/rpc/editor.ts'
import { literal } from '../../shared/sql/literal.ts'
import { fail } from '../problem.ts'
import type { SqlLink } from './link.ts'
import { queryRows } from './query.ts'

/** The definition of a function or view as the database writes it. Rejects with a ProblemError, also where it is gone by now. */
export async function definition(link: SqlLink, of: DefinitionInput['of']): Promise<string> {
  const [row] = await queryRows(link, of.kind === 'view' ? viewSql(of) : functionSql(of.id))
  const text = row?.[0]
  if (text == null)
    throw fail('not-found', 'The database has no such definition any more.', { hint: 'It was dropped or replaced.' })
  return text
}

/** PostgreSQL itself has no words for an aggregate. */
function functionSql(id: number): string {
  return `SELECT CASE WHEN p.prokind <> 'a' THEN pg_catalog.pg_get_functiondef(p.oid)
ELSE pg_catalog.concat('CREATE AGGREGATE ', pg_catalog.quote_ident(n.nspname), '.', pg_catalog.quote_ident(p.proname), '(',
pg_catalog.pg_get_function_arguments(p.oid), E') (\\n  SFUNC = ', g.aggtransfn, E',\\n  STYPE = ',
pg_catalog.format_type(g.aggtranstype, NULL),
CASE WHEN g.aggfinalfn <> 0 THEN pg_catalog.concat(E',\\n  FINALFUNC = ', g.aggfinalfn) END,
CASE WHEN g.aggcombinefn <> 0 THEN pg_catalog.concat(E',\\n  COMBINEFUNC = ', g.aggcombinefn) END,
CASE WHEN g.agginitval IS NOT NULL THEN pg_catalog.concat(E',\\n  INITCOND = ', pg_catalog.quote_literal(g.agginitval)) END,
E'\\n)') END
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
LEFT JOIN pg_catalog.pg_aggregate g ON g.aggfnoid = p.oid
WHERE p.oid = ${id}`
}

function viewSql({ schema, name }: { schema: string; name: string }): string {
  return `SELECT pg_catalog.pg_get_viewdef(c.oid, true)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ${literal(schema)} AND c.relname = ${literal(name)} AND c.relkind IN ('v', 'm')`
}
