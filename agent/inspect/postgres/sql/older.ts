import type { Catalog } from '../analysis.ts'
import type { Opened } from '../parser.ts'

/**
 * What the newest grammar, which is the one here, has words of its own for was to older servers a function of that name, which anybody may
 * have made. Not here: what they take for no call, as `json_object('a': 1)`.
 */
const words: Partial<Record<Opened['tag'], { name: string; since: 16 | 17 }>> = {
  JsonArrayConstructor: { name: 'json_array', since: 16 },
  JsonArrayAgg: { name: 'json_arrayagg', since: 16 },
  JsonScalarExpr: { name: 'json_scalar', since: 17 },
  JsonParseExpr: { name: 'json', since: 17 },
  JsonSerializeExpr: { name: 'json_serialize', since: 17 },
  JsonFuncExpr: { name: 'json_exists, json_query or json_value', since: 17 },
  MergeSupportFunc: { name: 'merge_action', since: 17 },
}

/** Functions of PostgreSQL's own that came with a version. */
const cameWith = { 16: 'any_value', 17: 'to_bin' } as const

/** The name of a function that a node may be at this target. */
export function calledThere({ tag, node }: Opened, catalog: Catalog): string | undefined {
  const empty = tag === 'JsonObjectConstructor' && node.exprs === undefined
  const word = empty ? ({ name: 'json_object', since: 16 } as const) : words[tag]
  if (word === undefined || catalog.functions('pg_catalog', cameWith[word.since], []).length > 0) return undefined
  return word.name
}
