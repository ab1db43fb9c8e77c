import type { A_Expr, A_Indirection, CaseExpr, ColumnRef, Node, SubLink, TypeCast } from 'libpg-query'
import { open, strings } from '../parser.ts'
import { call } from './call.ts'
import { grown, kindOfType, oneOf } from './extent.ts'
import { isSafeLike, isSafePattern, isSafeSimilar } from './failure.ts'
import { comparesColumns, fits, isBetween, joins } from './fitting.ts'
import { comparing, refused, rowFunctions, safeOperators } from './function-lists.ts'
import { jsonOrXml } from './json.ts'
import { isBareLiteral, isConstant, isPlainType, literalText } from './literals.ts'
import { calledThere } from './older.ts'
import { operates } from './operators.ts'
import { entryColumn, findColumn, findEntry, orElse, type Scope } from './scope.ts'
import {
  constant,
  derived,
  dressed,
  isShallow,
  type Legibility,
  least,
  legibility,
  literal,
  opaque,
  type ScopeColumn,
  type Shape,
  type Value,
} from './value.ts'
import { predicate, type Walk } from './walk.ts'

/** The lineage of an expression in a scope. What it can't follow becomes a doubt. */
export function expression(node: Node, walk: Walk, scope: Scope, neutral = false): Value {
  walk.report.enter()
  const value = dispatch(node, walk, scope, neutral)
  // A row that is only gone through for its fields is no more computed than they are.
  if (!value.plain && value.row === undefined) walk.report.use(value.sources, 'compute')
  walk.report.leave()
  return value
}

function dispatch(node: Node, walk: Walk, scope: Scope, neutral: boolean): Value {
  const opened = open(node)
  if (!opened) return opaque
  const called = calledThere(opened, walk.catalog)
  if (called !== undefined) {
    walk.report.doubts(
      `at this version of the server ${called} is a function that people made, and what it does is not followed`,
    )
  }
  const all = (nodes: readonly Node[] | undefined): Value[] => (nodes ?? []).map((item) => walk.expression(item, scope))
  switch (opened.tag) {
    case 'A_Const':
      if (!neutral) walk.report.literalFree = false
      return literal(opened.node.sval?.sval ?? '')
    case 'ParamRef':
      return constant
    case 'ColumnRef':
      return column(opened.node, walk, scope)
    case 'A_Expr':
      return operator(opened.node, walk, scope)
    case 'BoolExpr':
      return guarded(all(opened.node.args), walk)
    case 'FuncCall':
      return call(opened.node, walk, scope)
    case 'TypeCast':
      return cast(opened.node, walk, scope)
    case 'SubLink':
      return subLink(opened.node, walk, scope)
    case 'CaseExpr':
      return cases(opened.node, walk, scope)
    case 'CoalesceExpr': {
      const values = all(opened.node.args)
      return { ...dressed(guarded(values, walk), values), ...oneOf(values) }
    }
    case 'MinMaxExpr':
      return extreme(all(opened.node.args), walk)
    case 'RowExpr': {
      const parts = all(opened.node.args)
      return { ...derived(parts), parts }
    }
    case 'A_ArrayExpr':
      return array(all(opened.node.elements), walk)
    case 'List':
      return derived(all(opened.node.items))
    case 'CollateClause':
      // Two collations in one comparison are an error, found when it runs.
      if (!opened.node.arg) return opaque
      return { ...derived([walk.expression(opened.node.arg, scope)], true), kind: 'text', collated: true }
    case 'NullTest':
    case 'BooleanTest':
      return opened.node.arg ? truth(derived([walk.expression(opened.node.arg, scope)])) : opaque
    case 'NamedArgExpr':
      return opened.node.arg ? derived([walk.expression(opened.node.arg, scope)]) : opaque
    case 'A_Indirection':
      return indirection(opened.node, walk, scope)
    case 'GroupingFunc':
      all(opened.node.args)
      return opaque
    case 'MultiAssignRef':
      return opened.node.source ? derived([walk.expression(opened.node.source, scope)]) : opaque
    case 'SQLValueFunction':
    case 'SetToDefault':
    case 'CurrentOfExpr':
    case 'MergeSupportFunc':
      return opaque
    default: {
      const value = jsonOrXml(opened, walk, scope)
      if (value) return value
      walk.report.doubts(`it holds an expression that is not known here (${opened.tag})`)
      return opaque
    }
  }
}

function column(ref: ColumnRef, walk: Walk, scope: Scope): Value {
  const fields = ref.fields ?? []
  const names = strings(fields)
  const last = fields.at(-1)
  const value = last && 'A_Star' in last ? wholeRow(names, walk, scope) : named(ref, names, walk, scope)
  if (!value) {
    walk.report.doubts(`no column ${names.join('.')} is known in the tables that it reads`)
    return opaque
  }
  walk.report.touch(value.sources)
  return value
}

function named(ref: ColumnRef, names: readonly string[], walk: Walk, scope: Scope): Value | undefined {
  const [a = '', b, c, d] = names
  if (b === undefined) return findColumn(scope, a, findEntry(scope, undefined, a)?.shape.row)
  const [entry, name] =
    c === undefined
      ? [findEntry(scope, undefined, a), b]
      : d === undefined
        ? [findEntry(scope, a, b), c]
        : [a === walk.catalog.database ? findEntry(scope, b, c) : undefined, d]
  if (!entry) return undefined
  const whole: Node = { ColumnRef: { fields: (ref.fields ?? []).slice(0, -1) } }
  const known = entryColumn(entry, name)
  if (known) return field(known, whole, walk, scope)
  // Where no column of that name is listed, a function of the row may be meant.
  const { open } = entry.shape
  return open || isCallable(name, walk) ? attribute(name, whole, open ?? opaque, walk, scope) : undefined
}

/** A column of a row, or a function of that row where the column is gone by then. */
function field({ name, value, written }: ScopeColumn, of: Node, walk: Walk, scope: Scope): Value {
  return written || !takesRow(name, walk) ? value : orElse(value, attribute(name, of, value, walk, scope))
}

/** A function of that name may be in reach which takes a row. */
function takesRow(name: string, { searchPath, catalog }: Walk): boolean {
  return rowFunctions.has(name) || catalog.functions(undefined, name, searchPath).some((fn) => fn.takesRow)
}

/** True, false or NULL. */
function truth(value: Value): Value {
  return { ...value, kind: 'scalar', growth: 1, collated: undefined }
}

/** GREATEST and LEAST compare their arguments. */
function extreme(values: readonly Value[], walk: Walk): Value {
  const value = { ...derived(values), ...oneOf(values) }
  return value.kind === undefined || value.collated ? failing([value], walk) : value
}

/** A function of that name may be in reach. */
function isCallable(name: string, { searchPath, catalog }: Walk): boolean {
  return searchPath === undefined || refused.has(name) || catalog.functions(undefined, name, searchPath).length > 0
}

/**
 * `x.f` where no column `f` of `x` is known: `f(x)` is the same to PostgreSQL, for every value, and so is a cast of it to a type by
 * that name, which may fail.
 */
function attribute(name: string, of: Node, value: Value, walk: Walk, scope: Scope): Value {
  // The field may be of any type.
  if (!isCallable(name, walk)) return { ...failing([value], walk), collated: true }
  const called: Node = { FuncCall: { funcname: [{ String: { sval: name } }], args: [of] } }
  return derived([value, walk.expression(called, scope)], true)
}

/** `t.*`, `schema.t.*` as one value. */
function wholeRow(names: readonly string[], walk: Walk, scope: Scope): Value | undefined {
  return findRelation(names, walk, scope)?.row
}

/** `t`, `schema.t`, `database.schema.t`: its columns. */
export function findRelation(names: readonly string[], walk: Walk, scope: Scope): Shape | undefined {
  const [a = '', b, c] = names
  if (names.length === 0) return undefined
  if (b === undefined) return findEntry(scope, undefined, a)?.shape
  if (c === undefined) return findEntry(scope, a, b)?.shape
  return a === walk.catalog.database ? findEntry(scope, b, c)?.shape : undefined
}

function operator(node: A_Expr, walk: Walk, scope: Scope): Value {
  const { lexpr, rexpr } = node
  const names = strings(node.name)
  const name = names.at(-1) ?? ''
  const pattern = name.includes('~') && name !== '~='
  // LIKE '%' is no condition at all, and a pattern may be malformed.
  const neutralRight = !isConstant(lexpr) && !pattern
  const neutralLeft = !isConstant(rexpr)
  const values: Value[] = []
  if (lexpr) values.push(walk.expression(lexpr, scope, neutralLeft))
  if (rexpr && 'List' in rexpr) {
    for (const item of rexpr.List.items ?? []) values.push(walk.expression(item, scope, neutralRight))
  } else if (rexpr) values.push(walk.expression(rexpr, scope, neutralRight && lexpr !== undefined))

  const right = lexpr ? values.slice(1) : values
  const sides = [lexpr && values[0], right.length === 1 ? right[0] : rexpr && derived(right)] as const
  const called = isBetween(node) ? [['>='], ['<=']] : [names]
  const shown = called.flatMap((one) => operates(one, sides, walk) ?? [])
  if (shown.length > 0) return failing([...values, ...shown], walk)
  const byColumns = comparesColumns(node)
  if (!byColumns && lexpr && 'RowExpr' in lexpr) return failing(values, walk)
  // BETWEEN and IN are ANDs and ORs of comparisons, and rows are compared column by column until that is decided.
  if (isBetween(node) || node.kind === 'AEXPR_IN' || byColumns) {
    const parts = lexpr && 'RowExpr' in lexpr ? values[0]?.parts : undefined
    const fitting = parts ? parts.every(({ kind }) => kind !== undefined) : fits(lexpr, rexpr, values)
    if (!fitting || values.some((value) => value.collated)) return failing(values, walk)
    return truth(guarded(values, walk))
  }
  if (!safeOperators.has(name) || (pattern && !isSafe(name, rexpr))) return failing(values, walk)
  // A field of a document.
  if (extracting.has(name)) {
    const [document = opaque] = values
    const legible = document.plain && document.type === 'jsonb' ? true : legibility(document)
    const fixed = isConstant(rexpr)
    // Where the name of the field is NULL nothing is read.
    if (legible === undefined || (legible === 'own' && !fixed && values[1]?.sources.size !== 0))
      return failing(values, walk)
    const all = derived(values)
    const read: Value = legible === 'own' ? { ...all, reads: true } : all
    if (!fixed) return truth(read)
    return name === '->>' ? { ...dressed(read, values), kind: 'text' } : { ...dressed(read, values), legible }
  }
  if (name === '||') {
    return joins([lexpr, rexpr], values) ? grown({ ...derived(values), kind: 'text' }, walk) : failing(values, walk)
  }
  const collated = values.some((value) => value.collated)
  if (node.kind === 'AEXPR_NULLIF') {
    const compared = { ...derived(values), ...oneOf(values.slice(0, 1)) }
    return collated || !fits(lexpr, rexpr, values) ? failing([compared], walk) : compared
  }
  if (collated || (comparing.has(name) && !fits(lexpr, rexpr, values))) return failing(values, walk)
  return truth(derived(values))
}

const extracting = new Set(['->', '->>'])

/** LIKE's patterns, those of SIMILAR TO, and regular expressions: never malformed. */
function isSafe(name: string, pattern: Node | undefined): boolean {
  if (name.includes('~~')) return isSafeLike(pattern)
  if (pattern && 'FuncCall' in pattern) {
    const { funcname, args = [] } = pattern.FuncCall
    return strings(funcname).at(-1) === 'similar_to_escape' && args.length === 1 && isSafeSimilar(args[0])
  }
  return isSafePattern(pattern)
}

/** What may fail over its data shows, by failing or not, what the data was. */
function failing(values: readonly Value[], walk: Walk): Value {
  const value = derived(values, true)
  walk.report.use(value.sources, 'predicate')
  return value
}

/** Arrays in an array have to be of one size. */
function array(elements: readonly Value[], walk: Walk): Value {
  const scalar = ({ constant, plain, type }: Value): boolean =>
    constant || (plain && type !== undefined && !type.startsWith('_'))
  const legible = least(elements.map(legibility))
  return elements.length < 2 || elements.every(scalar) ? { ...derived(elements), legible } : failing(elements, walk)
}

/** AND, OR and COALESCE stop early: whether a part that may fail is reached shows what stood before it. */
function guarded(values: readonly Value[], walk: Walk): Value {
  const value = derived(values)
  if (value.risky || readsBehind(values)) walk.report.use(value.sources, 'predicate')
  return value
}

/** A document of a column is read where others let it be. It tells of its own column what that tells. */
function readsBehind(values: readonly Value[]): boolean {
  const before: Value[] = []
  return values.some((value) => {
    const steered = value.reads && before.some(({ sources }) => [...sources].some((id) => !value.sources.has(id)))
    before.push(value)
    return steered
  })
}

function cases(node: CaseExpr, walk: Walk, scope: Scope): Value {
  const conditions: (Node | undefined)[] = [node.arg]
  const results: Node[] = node.defresult ? [node.defresult] : []
  for (const arm of node.args ?? []) {
    if (!('CaseWhen' in arm)) continue
    conditions.push(arm.CaseWhen.expr)
    if (arm.CaseWhen.result) results.push(arm.CaseWhen.result)
  }
  const steering = predicate(walk, conditions, scope)
  // CASE x WHEN y compares them.
  const [subject, ...whens] = steering
  if (node.arg) steering.push(...whens.flatMap((when) => operates(['='], [subject, when], walk) ?? []))
  const values = results.map((result) => walk.expression(result, scope))
  return { ...dressed(derived([...steering, ...values]), [...steering, ...values]), ...oneOf(values) }
}

function cast(node: TypeCast, walk: Walk, scope: Scope): Value {
  if (!node.arg) return opaque
  const value = walk.expression(node.arg, scope)
  const names = strings(node.typeName?.names)
  const type = names.at(-1) ?? ''
  const bare = !node.typeName?.typmods && !node.typeName?.arrayBounds
  const builtIn = isPlainType(names) && (names.length > 1 || builtInTypesFirst(walk.searchPath))
  const kind = builtIn && !node.typeName?.arrayBounds ? kindOfType(type) : undefined
  const legible = type === 'jsonb' ? documentOf(node.arg, value) : value.legible
  if (value.constant) return builtIn ? { ...value, kind, legible } : { ...derived([value], true), collated: true }
  // To its own type: PostgreSQL drops the cast.
  if (value.origin !== undefined && bare && builtIn && value.type === type) return value
  // Quotes in a row, an array or a document are doubled.
  const text = { ...derived([value]), kind, growth: (value.growth ?? 1) * (value.kind === undefined ? 8 : 1) }
  if (value.kind === undefined) grown(text, walk)
  // Casts to text never fail.
  const result =
    kind === 'text' ? text : { ...failing([value], walk), kind, ...(builtIn ? {} : { collated: true as const }) }
  // A length would cut it.
  return builtIn && bare && wholeTypes.has(type) ? dressed(result, [value]) : result
}

/** Of a jsonb that was made of it. */
function documentOf(node: Node, { constant: own }: Value): Legibility {
  if (!own) return 'own'
  const text = literalText(node)
  return text === null || (text !== undefined && isShallow(text)) || undefined
}

/** Casts between these keep every character, but for a row's. */
const wholeTypes = new Set(['text', 'varchar', 'json', 'jsonb'])

/** A schema that comes before pg_catalog may have a type of its own by the name of `text`. What pg_temp holds: `ddl.newType`. */
export function builtInTypesFirst(searchPath: readonly string[] | undefined): boolean {
  if (searchPath === undefined) return false
  const before = searchPath.slice(0, Math.max(searchPath.indexOf('pg_catalog'), 0))
  return before.every((schema) => schema.startsWith('pg_temp'))
}

function subLink(node: SubLink, walk: Walk, scope: Scope): Value {
  if (!node.subselect) return opaque
  const tested = predicate(walk, [node.testexpr], scope)
  const outputs = walk.query(node.subselect, scope).columns.map((output) => output.value)
  if (node.testexpr) {
    const [left] = tested
    const names = strings(node.operName)
    const named = names.length > 0 ? names : ['=']
    outputs.push(...outputs.flatMap((output) => operates(named, [left, output], walk) ?? []))
  }
  switch (node.subLinkType) {
    case 'EXISTS_SUBLINK':
      return derived([], true)
    case 'EXPR_SUBLINK':
      return {
        ...dressed(derived(outputs, true), outputs),
        kind: outputs.length === 1 ? outputs[0]?.kind : undefined,
        legible: least(outputs.map(legibility)),
      }
    case 'ARRAY_SUBLINK':
    case 'MULTIEXPR_SUBLINK':
      return { ...dressed(derived(outputs, true), outputs), legible: least(outputs.map(legibility)) }
    default: {
      for (const output of outputs) walk.report.use(output.sources, 'predicate')
      return derived([...tested, ...outputs], true)
    }
  }
}

function indirection(node: A_Indirection, walk: Walk, scope: Scope): Value {
  const { arg, indirection: steps = [] } = node
  if (!arg) return opaque
  let value = walk.expression(arg, scope)
  for (const [i, step] of steps.entries()) {
    if ('String' in step) {
      const name = step.String.sval ?? ''
      const known = value.row?.find((candidate) => candidate.name === name)
      const of: Node = i === 0 ? arg : { A_Indirection: { arg, indirection: steps.slice(0, i) } }
      value = known ? field(known, of, walk, scope) : attribute(name, of, value, walk, scope)
    } else if ('A_Indices' in step) {
      const bounds = [step.A_Indices.lidx, step.A_Indices.uidx].flatMap((bound) => (bound ? [bound] : []))
      value = derived([value, ...bounds.map((bound) => walk.expression(bound, scope, !isBareLiteral(arg)))])
    } else value = derived([value])
  }
  return value
}
