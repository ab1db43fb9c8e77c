import type { Node } from 'libpg-query'
import { safeFunctions, words } from './function-lists.ts'
import { isBareLiteral, isConstant, literalText } from './literals.ts'
import { type Legibility, least, legibility, type Value } from './value.ts'

/**
 * Which calls and patterns fail for no value that they may get. Whether a statement fails is seen by whoever sent it. A call
 * that always fails is no better than one that sometimes does: it is not made for NULL, nor where AND has stopped before it,
 * and so tells what was there. So arguments that a function may refuse have to be literals that it takes.
 */

type Check = (args: readonly Node[], values: readonly Value[]) => boolean

const longestText = 64
const mostPlaces = 1_000_000
const mostCharacters = 10_000

/** True when the call can't fail, whatever the values of its columns. `values` are those of `args`, and `legible` their `legibilityOf`. */
export function neverFails(
  name: string,
  args: readonly Node[],
  values: readonly Value[],
  legible: Legibility,
): boolean {
  if (readsDocuments(name)) {
    if (legible === undefined) return false
    // Nothing is read where one of the others is NULL.
    if (legible === 'own' && strict.has(name) && values.slice(1).some(({ sources }) => sources.size > 0)) return false
  }
  return safeFunctions.has(name) || (checks[name]?.(args, values) ?? false)
}

/** Read the JSON that they get. */
const reading: ReadonlySet<string> = new Set(
  words(`to_jsonb jsonb_build_array jsonb_build_object jsonb_agg jsonb_agg_strict jsonb_object_agg json_strip_nulls jsonb_strip_nulls
  json_extract_path json_extract_path_text json_object_field json_object_field_text`),
)

/** To these a literal is a text. */
const building: ReadonlySet<string> = new Set(
  words('json_build_array jsonb_build_array json_build_object jsonb_build_object json_object_agg jsonb_object_agg'),
)

/** Take a document, and say what of it. */
const extracting: ReadonlySet<string> = new Set(
  ['json', 'jsonb'].flatMap((type) =>
    words('extract_path extract_path_text object_field object_field_text').map((name) => `${type}_${name}`),
  ),
)

const strict: ReadonlySet<string> = new Set([...extracting, 'json_strip_nulls', 'jsonb_strip_nulls'])

export function readsDocuments(name: string): boolean {
  return reading.has(name)
}

/** Whether what a function gets can be read as JSON, where it is any. */
export function legibilityOf(name: string, args: readonly Node[], values: readonly Value[]): Legibility {
  const read = extracting.has(name) ? values.slice(0, 1) : values
  return least(read.map((value, i) => (building.has(name) && isBareLiteral(args[i]) ? true : legibility(value))))
}

const plainFirst: Check = (_, [first]) => first?.plain === true || first?.constant === true

/** A second argument is an encoding's name, or says that what is too long is an error. */
const alone: Check = (args) => args.length === 1

/** Rows and arrays may hold what can't be compared. */
const comparable: Check = (_, [value]) => value?.kind !== undefined || value?.constant === true

const dates: ReadonlySet<string> = new Set(['date', 'timestamp', 'timestamptz'])

/** What is no part of a time of day, of an interval or of a number is an error there. */
function isDate(value: Value | undefined): boolean {
  return value?.plain === true && value.type !== undefined && dates.has(value.type)
}

const checks: Readonly<Record<string, Check>> = {
  length: alone,
  varchar: alone,
  bpchar: alone,
  min: comparable,
  max: comparable,
  substring: (args) => from(args) && (args.length < 3 || atLeast(args[2], 0)),
  substr: (args) => from(args) && (args.length < 3 || atLeast(args[2], 0)),
  split_part: (args) => isConstant(args[1]) && atLeast(args[2], 1),
  lpad: ([, length]) => atMost(length, mostCharacters),
  rpad: ([, length]) => atMost(length, mostCharacters),
  overlay: (args) =>
    short(args[1]) && isWithin(args[2], 1, mostPlaces) && (args.length < 4 || isWithin(args[3], 0, mostPlaces)),
  // Those that make text longer start from a column: one within the other would make it as long as one likes.
  repeat: (args, values) => plainFirst(args, values) && atMost(args[1], 100),
  replace: (args, values) => plainFirst(args, values) && isConstant(args[1]) && short(args[2]),
  regexp_replace: (args, values) =>
    plainFirst(args, values) && isSafePattern(args[1]) && short(args[2]) && args.slice(3).every(isFlags),
  regexp_match: ([, pattern, flags]) => isSafePattern(pattern) && (flags === undefined || matches(flags, /^i*$/)),
  regexp_like: ([, pattern, flags]) => isSafePattern(pattern) && (flags === undefined || matches(flags, /^i*$/)),
  regexp_substr: (args) => args.length === 2 && isSafePattern(args[1]),
  regexp_count: (args) => args.length === 2 && isSafePattern(args[1]),
  regexp_instr: (args) => args.length === 2 && isSafePattern(args[1]),
  to_char: ([, format], [value]) =>
    isDate(value) && matches(format, /^(?:YYYY|YY|MM|DD|HH24|HH12|HH|MI|SS|MS|US|Mon|Month|Day|Dy|[\s,:/-])*$/),
  encode: ([, name, more]) => more === undefined && matches(name, /^(?:hex|base64|escape)$/),
  format: ([text]) => matches(text, /^(?:[^%]|%%|%[sL])*$/),
  date_part: ([field], [, value]) => isDate(value) && matches(field, dateFields),
  extract: ([field], [, value]) => isDate(value) && matches(field, dateFields),
  // A third argument is a time zone's name.
  date_trunc: (args, [, value]) =>
    args.length === 2 && isDate(value) && matches(args[0], /^(?:year|quarter|month|week|day)$/i),
  // Arrays of arrays have to be of one size, and none of them empty.
  array_agg: (_, [value]) => value?.plain === true && value.type !== undefined && !value.type.startsWith('_'),
  nth_value: ([, at]) => atLeast(at, 1),
  json_build_object: keys,
  jsonb_build_object: keys,
  json_object_agg: keys,
  jsonb_object_agg: keys,
}

const dateFields = /^(?:year|quarter|month|week|day|epoch)$/i

function keys(args: readonly Node[]): boolean {
  return args.every((arg, i) => i % 2 === 1 || isConstant(arg))
}

/** `substring(x, 2)`: a number, not a pattern. */
function from(args: readonly Node[]): boolean {
  return number(args[1]) !== undefined
}

function number(node: Node | undefined): number | undefined {
  if (node && 'A_Expr' in node && node.A_Expr.kind === 'AEXPR_OP' && !node.A_Expr.lexpr && isConstant(node)) {
    const inner = number(node.A_Expr.rexpr)
    return inner === undefined ? undefined : -inner
  }
  if (!node || !('A_Const' in node) || !node.A_Const.ival) return undefined
  return Number(literalText(node))
}

function atLeast(node: Node | undefined, least: number): boolean {
  const value = number(node)
  return value !== undefined && value >= least
}

function atMost(node: Node | undefined, most: number): boolean {
  const value = number(node)
  return value !== undefined && value <= most
}

function isWithin(node: Node | undefined, least: number, most: number): boolean {
  return atLeast(node, least) && atMost(node, most)
}

function matches(node: Node | undefined, pattern: RegExp): boolean {
  const text = literalText(node)
  return typeof text === 'string' && pattern.test(text)
}

function short(node: Node | undefined): boolean {
  const text = literalText(node)
  return typeof text === 'string' && text.length <= longestText
}

function isFlags(node: Node): boolean {
  return matches(node, /^[gi]*$/)
}

/** A LIKE pattern may not end in its escape character. */
export function isSafeLike(node: Node | undefined): boolean {
  return matches(node, /^[^\\]*$/)
}

/** Regular expressions of plain characters, dots, simple sets and what repeats them, which are never malformed. */
export function isSafePattern(node: Node | undefined): boolean {
  return matches(node, /^\^?(?:(?:[\w@ ,:;=#%&/<>'"!~-]|\.|\\[.dws]|\[\^?[\w@. ]+\])[*+?]?)*\$?$/)
}

export function isSafeSimilar(node: Node | undefined): boolean {
  return matches(node, /^[\w@ .%-]*$/)
}
