import { plainTypes, words } from './function-lists.ts'
import { type Kind, type Legibility, least, legibility, type Value } from './value.ts'
import type { Walk } from './walk.ts'

/**
 * What is known of the values that PostgreSQL's own functions give: their type and their length. A value that grows beyond what the server
 * can hold is an error, and whether it comes shows how long the value was that it grew from.
 */

/** Many times more than any expression needs, and many times less than what makes a gigabyte of a value of some kilobytes. */
const mostGrowth = 50_000

/** A value that was made longer. */
export function grown(value: Value, walk: Walk): Value {
  if ((value.growth ?? 1) > mostGrowth) walk.report.use(value.sources, 'predicate')
  return value
}

const text: ReadonlySet<string> = new Set(
  words(`lower upper initcap btrim ltrim rtrim reverse left right md5 quote_literal quote_nullable quote_ident concat concat_ws translate
  array_to_string substring substr split_part lpad rpad overlay repeat replace regexp_replace regexp_substr to_char encode format string_agg
  text varchar bpchar name json_extract_path_text jsonb_extract_path_text json_object_field_text jsonb_object_field_text
  json_typeof jsonb_typeof current_setting version`),
)

const scalar: ReadonlySet<string> = new Set(
  words(`length char_length character_length octet_length bit_length ascii position strpos starts_with num_nulls num_nonnulls pg_column_size
  hashtext hashtextextended count bool_and bool_or every row_number rank dense_rank percent_rank cume_dist array_length array_upper array_lower
  array_ndims cardinality regexp_count regexp_instr regexp_like date_part extract date_trunc sha224 sha256 sha384 sha512 now clock_timestamp
  statement_timestamp transaction_timestamp age make_date to_date to_timestamp random gen_random_uuid`),
)

/** Give one of the values that they get. */
const passing: ReadonlySet<string> = new Set(
  words('min max any_value first_value last_value lag lead nth_value mode generate_series'),
)

function kindOfCall(name: string, args: readonly Value[]): Kind | undefined {
  if (text.has(name)) return 'text'
  if (scalar.has(name)) return 'scalar'
  return passing.has(name) ? args[0]?.kind : undefined
}

const textTypes: ReadonlySet<string> = new Set(['text', 'varchar', 'bpchar', 'name'])
const documents: ReadonlySet<string> = new Set(['json', 'jsonb'])

/** Of a type of PostgreSQL's own, by its name; undefined: a document, an array, or none that is known here. */
export function kindOfType(type: string): Kind | undefined {
  if (textTypes.has(type)) return 'text'
  return plainTypes.has(type) && !documents.has(type) ? 'scalar' : undefined
}

/** Of one of these, which become one type: what is known of any holds for all. */
export function oneOf(values: readonly Value[]): Pick<Value, 'growth' | 'kind' | 'legible'> {
  const kinds = values.map(({ kind }) => kind)
  return {
    kind: kinds.includes('text') ? 'text' : kinds.find((kind) => kind !== undefined),
    growth: Math.max(...values.map(({ growth }) => growth ?? 1)),
    legible: eitherLegible(values),
  }
}

/** Which of them is read tells, where it fails, what the others were. */
function eitherLegible(values: readonly Value[]): Legibility {
  const all = least(values.map(legibility))
  return all === 'own' && values.filter(({ sources }) => sources.size > 0).length > 1 ? undefined : all
}

/** They give no more than they get, of which nothing is said but that it is of some length. */
export function keepsLength(name: string): boolean {
  return timesFirst.get(name) === 1 || name === 'lag' || name === 'lead'
}

/** Times as long as all that they get; others that are no scalars may be of any length. */
const timesAll = new Map<string, number>([
  ...words('concat concat_ws array_cat array_append array_prepend').map((name) => [name, 1] as const),
  ...words('format').map((name) => [name, 2] as const),
  // A character may become \u0000, and a pair of quotes goes around.
  ...words(
    'to_json to_jsonb row_to_json array_to_json json_build_array jsonb_build_array json_build_object jsonb_build_object',
  ).map((name) => [name, 8] as const),
])

/** Times as long as the first argument. */
const timesFirst = new Map<string, number>([
  ...words(`lower upper initcap btrim ltrim rtrim reverse left right translate substring substr split_part overlay regexp_substr text varchar
  bpchar name min max any_value first_value last_value nth_value mode json_extract_path json_extract_path_text jsonb_extract_path
  jsonb_extract_path_text json_object_field json_object_field_text jsonb_object_field jsonb_object_field_text json_strip_nulls
  jsonb_strip_nulls md5 to_char date_trunc json_typeof jsonb_typeof`).map((name) => [name, 1] as const),
  ...words('quote_literal quote_nullable quote_ident encode jsonb_pretty').map((name) => [name, 4] as const),
  ...words('string_to_array regexp_match').map((name) => [name, 8] as const),
  ...words('repeat replace regexp_replace').map((name) => [name, 100] as const),
  ...words('lpad rpad').map((name) => [name, 200] as const),
])

const aggregates: ReadonlySet<string> = new Set(
  words(
    'string_agg array_agg json_agg jsonb_agg json_agg_strict jsonb_agg_strict json_object_agg jsonb_object_agg xmlagg',
  ),
)

/** As long as the rows are many: a few columns of many rows are what they are for. */
const timesRows = 64

/** Their results are as legible as what they get. */
const documenting: ReadonlySet<string> = new Set([
  ...passing,
  ...words(`to_json to_jsonb row_to_json array_to_json json_build_array jsonb_build_array json_build_object jsonb_build_object json_agg jsonb_agg
  json_object_agg jsonb_object_agg json_extract_path jsonb_extract_path json_object_field jsonb_object_field json_strip_nulls jsonb_strip_nulls
  string_to_array array_agg`),
])

type Extent = Pick<Value, 'kind' | 'growth' | 'collated' | 'legible'>

/** Of what people made: it may be of a type of theirs, too. */
export const unknownExtent: Extent = { growth: Number.POSITIVE_INFINITY, collated: true }

/**
 * `safe`: its arguments are within bounds. `computed`: they are not just columns' values and what those are made of. `legible`: see
 * `legibility`.
 */
export function extentOfCall(
  name: string,
  args: readonly Value[],
  how: { safe: boolean; computed: boolean; legible: Legibility },
): Extent {
  const kind = kindOfCall(name, args)
  const legible = documenting.has(name) ? how.legible : undefined
  return { kind, growth: kind === 'scalar' ? 1 : growthOfCall(name, args, how), legible }
}

function growthOfCall(
  name: string,
  args: readonly Value[],
  { safe, computed }: { safe: boolean; computed: boolean },
): number {
  if (!safe) return Number.POSITIVE_INFINITY
  const [first] = args
  const times = timesFirst.get(name)
  if (times !== undefined && first !== undefined) return times * (first.growth ?? 1)
  const all = timesAll.get(name)
  if (all !== undefined) return all * sum(args)
  // A default may be as long as the value.
  if (name === 'lag' || name === 'lead') return (first?.growth ?? 1) + (args[2]?.growth ?? 0)
  return aggregates.has(name) && !computed ? timesRows * sum(args) : Number.POSITIVE_INFINITY
}

function sum(values: readonly Value[]): number {
  let all = 0
  for (const value of values) all += value.growth ?? 1
  return all
}
