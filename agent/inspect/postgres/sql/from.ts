import type {
  FuncCall,
  JoinExpr,
  JsonTable,
  Node,
  RangeFunction,
  RangeSubselect,
  RangeTableFunc,
  RangeVar,
} from 'libpg-query'
import type { CatalogRelation } from '../analysis.ts'
import { open, strings } from '../parser.ts'
import { invoke } from './call.ts'
import { builtInTypesFirst } from './expression.ts'
import { folds } from './folded.ts'
import { tableId } from './ids.ts'
import { isPlainType } from './literals.ts'
import { operates } from './operators.ts'
import { heldBy, placedBy } from './partitions.ts'
import { policies } from './policies.ts'
import { family } from './relations.ts'
import { type Entry, entry, findCte, hidden, type Scope, star } from './scope.ts'
import { derived, dressed, opaque, type ScopeColumn, Shape, type Value } from './value.ts'
import { pathFor, predicate, type Walk } from './walk.ts'

const unknownShape = new Shape([], opaque)

/** The scope of a FROM clause. `outer` holds what the query may use from outside, and the WITH queries in reach. */
export function fromClause(items: readonly Node[] | undefined, walk: Walk, outer: Scope): Scope {
  const entries: Entry[] = []
  for (const item of items ?? []) entries.push(...fromItem(item, walk, outer, entries))
  return { entries, parent: outer, ctes: outer.ctes }
}

/** `before`: items to the left, which LATERAL ones and functions may use. */
function fromItem(item: Node, walk: Walk, outer: Scope, before: readonly Entry[]): Entry[] {
  walk.report.enter()
  const entries = dispatch(item, walk, outer, before)
  walk.report.leave()
  return entries
}

function dispatch(item: Node, walk: Walk, outer: Scope, before: readonly Entry[]): Entry[] {
  const opened = open(item)
  if (!opened) return []
  const lateral: Scope = { entries: before, parent: outer, ctes: outer.ctes }
  switch (opened.tag) {
    case 'RangeVar':
      return [rangeVar(opened.node, walk, outer)]
    case 'JoinExpr':
      return join(opened.node, walk, outer, before)
    case 'RangeSubselect':
      return [subselect(opened.node, walk, opened.node.lateral ? lateral : outer)]
    case 'RangeFunction':
      return [functions(opened.node, walk, lateral)]
    case 'RangeTableSample': {
      predicate(walk, [...(opened.node.args ?? []), opened.node.repeatable], lateral)
      const method = strings(opened.node.method).at(-1) ?? ''
      if (!['bernoulli', 'system'].includes(method))
        walk.report.doubts(`the sampling method ${method} is not known here`)
      return opened.node.relation ? fromItem(opened.node.relation, walk, outer, before) : []
    }
    case 'RangeTableFunc':
      return [xmlTable(opened.node, walk, lateral)]
    case 'JsonTable':
      return [jsonTable(opened.node, walk, lateral)]
    default:
      walk.report.doubts(`its FROM clause holds something that is not known here (${opened.tag})`)
      return []
  }
}

/** Finds a relation by name and puts it on the report. Undefined: unknown, with a doubt. */
export function resolve(name: RangeVar, walk: Walk): CatalogRelation | undefined {
  const { report, catalog } = walk
  const table = name.relname ?? ''
  const full = name.schemaname === undefined ? table : `${name.schemaname}.${table}`
  if (name.catalogname !== undefined && name.catalogname !== catalog.database) {
    report.doubts(`the table ${name.catalogname}.${full} is in another database`)
    return undefined
  }
  const relation = catalog.relation(name.schemaname, table, pathFor(walk, name.schemaname, table))
  if (!relation) {
    report.tables.add(full)
    report.misses(full)
    return undefined
  }
  report.tables.add(tableId(relation.schema, relation.name))
  if (relation.schema.startsWith('pg_toast'))
    report.doubts(`${tableId(relation.schema, relation.name)} holds parts of other tables' values`)
  return relation
}

/** The entry of a relation that is read or changed, under its alias. */
export function relationEntry(name: RangeVar, walk: Walk): Entry {
  const relation = resolve(name, walk)
  if (!relation) return entry(name.alias?.aliasname ?? name.relname, unknownShape)
  const shape = withNamesakes(relation, name, walk)
  const isView = relation.kind === 'view'
  const placed = placedBy(relation, walk.catalog)
  for (const column of placed) walk.report.placed.add(column)
  return {
    name: name.alias?.aliasname ?? relation.name,
    schema: name.alias ? undefined : relation.schema,
    shape: renamed(shape, strings(name.alias?.colnames), walk),
    system: !isView,
    ...(placed.size === 0 ? {} : { placed: derived([{ ...opaque, sources: placed }]) }),
    relationVisible: true,
    columnsVisible: true,
  }
}

/**
 * The relation's columns. Where the search_path leads to others of that name, too, each column is as sensitive as theirs:
 * a relation may be dropped, or made, between this analysis and the moment when the target looks the name up.
 */
function withNamesakes(relation: CatalogRelation, { schemaname, relname = '' }: RangeVar, walk: Walk): Shape {
  const read = (one: CatalogRelation): Shape => {
    const { shape, report } = walk.relation(one)
    if (report) walk.report.include(report)
    policies(one, 'reads', walk)
    for (const part of family(walk.catalog, one)) folds(part, walk)
    walk.report.use(heldBy(one, walk.catalog), 'predicate')
    return shape
  }
  const own = read(relation)
  if (schemaname !== undefined || relation.schema === 'pg_catalog') return own
  const namesakes = (walk.searchPath ?? []).flatMap((schema) => {
    const found = walk.catalog.relation(schema, relname, [])
    return found && found.oid !== relation.oid ? [read(found)] : []
  })
  return namesakes.length === 0 ? own : own.or(namesakes)
}

function rangeVar(name: RangeVar, walk: Walk, outer: Scope): Entry {
  const cte = name.schemaname === undefined ? findCte(outer.ctes, name.relname ?? '') : undefined
  if (!cte) return relationEntry(name, walk)
  return entry(name.alias?.aliasname ?? name.relname, renamed(cte, strings(name.alias?.colnames), walk))
}

export function renamed(shape: Shape, names: readonly string[], walk: Walk): Shape {
  const result = shape.renamed(names)
  if (result) return result
  walk.report.doubts('an alias names more columns than there are')
  return shape
}

function subselect(node: RangeSubselect, walk: Walk, scope: Scope): Entry {
  const shape = node.subquery ? walk.query(node.subquery, scope) : unknownShape
  return entry(node.alias?.aliasname, renamed(shape, strings(node.alias?.colnames), walk))
}

function join(node: JoinExpr, walk: Walk, outer: Scope, before: readonly Entry[]): Entry[] {
  const left = node.larg ? fromItem(node.larg, walk, outer, before) : []
  const right = node.rarg ? fromItem(node.rarg, walk, outer, [...before, ...left]) : []
  const both = [...left, ...right]
  const level = (entries: readonly Entry[]): Scope => ({ entries, parent: undefined, ctes: undefined })
  const leftColumns = star(level(left))
  const rightColumns = star(level(right))

  const using = node.isNatural ? common(leftColumns?.columns, rightColumns?.columns) : strings(node.usingClause)
  if (node.isNatural && ![leftColumns, rightColumns].every((side) => side && !side.open))
    walk.report.doubts('a NATURAL JOIN has a side whose columns are not known')
  if (node.isNatural) naturally(leftColumns, rightColumns, walk)
  predicate(walk, [node.quals], { entries: both, parent: outer, ctes: outer.ctes })

  const merged: ScopeColumn[] = []
  for (const name of using) {
    const l = columnOf(left, name)
    const r = columnOf(right, name)
    if (!l || !r) {
      walk.report.doubts(`the join column ${name} is not known on both sides`)
      continue
    }
    for (const value of [l, r]) {
      walk.report.touch(value.sources)
      walk.report.use(value.sources, 'predicate')
    }
    operates(['='], [l, r], walk)
    merged.push({ name, value: mergedValue(node, l, r), ...(node.isNatural ? {} : { written: true }) })
  }
  if (using.length === 0 && !node.alias) return both

  const rest = (side: Shape | undefined) => (side?.columns ?? []).filter((column) => !using.includes(column.name))
  const opens = both.flatMap((e) => (e.shape.open ? [e.shape.open] : []))
  const isOpen = !(leftColumns && rightColumns) || opens.length > 0
  const shape = new Shape([...merged, ...rest(leftColumns), ...rest(rightColumns)], isOpen ? derived(opens) : undefined)
  const result = [...hidden(both, node.alias !== undefined)]
  if (node.join_using_alias) {
    result.push({ ...entry(node.join_using_alias.aliasname, new Shape(merged)), columnsVisible: false })
  }
  result.push(entry(node.alias?.aliasname, renamed(shape, strings(node.alias?.colnames), walk)))
  return result
}

/** A side that gains a column before the statement runs is compared by it, too, with what the other has of that name. */
function naturally(left: Shape | undefined, right: Shape | undefined, walk: Walk): void {
  for (const [side, other] of [
    [left, right],
    [right, left],
  ]) {
    if (!side || other?.columns.every(({ written }) => written)) continue
    const { sources } = side.row
    walk.report.use(sources, 'predicate')
    for (const column of sources) walk.report.reads(column, 'a NATURAL JOIN')
  }
}

/** An inner or left join's merged column is the left one, a right join's the right one, a full join's COALESCE of both. */
function mergedValue(node: JoinExpr, left: Value, right: Value): Value {
  if (left.type !== right.type) return derived([left, right])
  switch (node.jointype) {
    case 'JOIN_INNER':
    case 'JOIN_LEFT':
      return left
    case 'JOIN_RIGHT':
      return right
    default:
      return derived([left, right])
  }
}

function columnOf(entries: readonly Entry[], name: string): Value | undefined {
  for (const item of entries) {
    if (!item.columnsVisible) continue
    const found = item.shape.column(name)
    if (found) return found.value
  }
  return undefined
}

function common(left: readonly ScopeColumn[] | undefined, right: readonly ScopeColumn[] | undefined): string[] {
  const names = new Set((right ?? []).map((column) => column.name))
  return [...new Set((left ?? []).map((column) => column.name))].filter((name) => names.has(name))
}

function functions(node: RangeFunction, walk: Walk, scope: Scope): Entry {
  const alias = node.alias?.aliasname
  const columns: ScopeColumn[] = []
  const opens: Value[] = []
  const single = (node.functions?.length ?? 0) === 1
  let listed = true
  for (const item of node.functions ?? []) {
    const [target, own] = 'List' in item ? (item.List.items ?? []) : []
    // An empty node stands where it brings no list of its own.
    const defined = [...definitionNames(own), ...definitionNames(node.coldeflist)]
    const one = target ? oneFunction(target, defined, single ? alias : undefined, walk, scope) : undefined
    if (!one) continue
    columns.push(...one.columns)
    if (one.open) opens.push(one.open)
    if (one.open && one.columns.length === 0) listed = false
  }
  if (node.ordinality) columns.push({ name: 'ordinality', value: opaque })
  const open = opens.length > 0 ? derived(opens) : undefined
  const names = strings(node.alias?.colnames)
  const shape = listed
    ? new Shape(columns, open)
    : new Shape(
        names.map((name) => ({ name, value: derived(opens) })),
        open,
      )
  const name = alias ?? (single ? columns[0]?.name : undefined)
  const functionName = single ? functionNameOf(node) : undefined
  return entry(alias ?? functionName ?? name, listed ? renamed(shape, names, walk) : shape)
}

function functionNameOf(node: RangeFunction): string | undefined {
  const [item] = node.functions ?? []
  const [target] = item && 'List' in item ? (item.List.items ?? []) : []
  return target && 'FuncCall' in target ? strings(target.FuncCall.funcname).at(-1) : undefined
}

function oneFunction(
  target: Node,
  defined: readonly string[],
  alias: string | undefined,
  walk: Walk,
  scope: Scope,
): Shape {
  if (!('FuncCall' in target)) {
    // CURRENT_DATE and the like, COALESCE …: one value.
    const [value] = predicate(walk, [target], scope)
    const named = alias ?? 'coalesce'
    const one = derived([value ?? opaque])
    // A row comes apart into its columns.
    return new Shape([{ name: named, value: one }], isFlat(target, walk, scope, 'value') ? undefined : one)
  }
  const f: FuncCall = target.FuncCall
  const { args, inner, outcome, name } = invoke(f, walk, scope)
  const value = taking.has(name) && outcome.builtIn ? dressed(derived(args), args) : derived([...args, inner])
  // How many rows there are, and whether it fails, depends on what it got.
  walk.report.use(value.sources, 'predicate')
  if (defined.length > 0) return new Shape(defined.map((column) => ({ name: column, value })))
  const { outputs } = outcome
  if (outputs === 'unknown') return new Shape([], value)
  if (outputs === 'one') return new Shape([{ name: alias ?? name, value }])
  if (outputs === 'one-or-row') {
    const parts = name === 'unnest' ? args : [value]
    const columns = parts.map((part, i) => ({ name: i === 0 && alias ? alias : name, value: derived([part]) }))
    const flat = (f.args ?? []).every((arg) => isFlat(arg, walk, scope, name === 'unnest' ? 'array' : 'value'))
    return new Shape(columns, flat ? undefined : value)
  }
  return new Shape(outputs.map((column) => ({ name: column, value })))
}

/**
 * A value, or an array of values, of one of PostgreSQL's own types that are no arrays: there is no row in it whose columns would come out.
 * What is `array` and may be a tsvector has three columns.
 */
function isFlat(node: Node, walk: Walk, scope: Scope, what: 'array' | 'value'): boolean {
  const isValue = what === 'value'
  if ('A_Const' in node || 'SQLValueFunction' in node) return true
  if ('A_ArrayExpr' in node) {
    return (node.A_ArrayExpr.elements ?? []).every((element) => isFlat(element, walk, scope, 'value'))
  }
  if ('TypeCast' in node) {
    const { typeName } = node.TypeCast
    const plain = isPlainType(strings(typeName?.names)) && builtInTypesFirst(walk.searchPath)
    return plain && (isValue || typeName?.arrayBounds !== undefined)
  }
  if (!('ColumnRef' in node)) return false
  const { plain, type, kind } = walk.expression(node, scope)
  if (isValue && kind !== undefined) return true
  if (!plain || type === undefined) return false
  return isPlainType([type.replace(/^_/, '')]) && (isValue || type.startsWith('_'))
}

/** Take a document or array apart into what it is made of: see `Value.whole`. */
const taking: ReadonlySet<string> = new Set(
  ['array_elements', 'array_elements_text', 'each', 'each_text'].flatMap((name) => [`json_${name}`, `jsonb_${name}`]),
)

function definitionNames(definitions: Node | readonly Node[] | undefined): string[] {
  if (!definitions) return []
  const list: readonly Node[] = isList(definitions)
    ? definitions
    : 'List' in definitions
      ? (definitions.List.items ?? [])
      : []
  return list.flatMap((node) =>
    'ColumnDef' in node && node.ColumnDef.colname !== undefined ? [node.ColumnDef.colname] : [],
  )
}

function isList(definitions: Node | readonly Node[]): definitions is readonly Node[] {
  return Array.isArray(definitions)
}

function xmlTable(node: RangeTableFunc, walk: Walk, scope: Scope): Entry {
  const inputs: (Node | undefined)[] = [node.docexpr, node.rowexpr]
  for (const space of node.namespaces ?? []) inputs.push('ResTarget' in space ? space.ResTarget.val : space)
  const names: string[] = []
  for (const column of node.columns ?? []) {
    if (!('RangeTableFuncCol' in column)) continue
    names.push(column.RangeTableFuncCol.colname ?? '')
    inputs.push(column.RangeTableFuncCol.colexpr, column.RangeTableFuncCol.coldefexpr)
  }
  return table(node.alias?.aliasname ?? 'xmltable', names, strings(node.alias?.colnames), inputs, walk, scope)
}

function jsonTable(node: JsonTable, walk: Walk, scope: Scope): Entry {
  const inputs: (Node | undefined)[] = [node.context_item?.raw_expr, node.pathspec?.string, node.on_error?.expr]
  inputs.push(...(node.passing ?? []))
  const names: string[] = []
  const collect = (columns: readonly Node[] | undefined): void => {
    for (const column of columns ?? []) {
      if (!('JsonTableColumn' in column)) continue
      const { coltype, name, columns: nested, on_empty, on_error } = column.JsonTableColumn
      inputs.push(on_empty?.expr, on_error?.expr)
      if (coltype === 'JTC_NESTED') collect(nested)
      else names.push(name ?? '')
    }
  }
  collect(node.columns)
  return table(node.alias?.aliasname ?? 'json_table', names, strings(node.alias?.colnames), inputs, walk, scope)
}

function table(
  name: string,
  columns: readonly string[],
  renames: readonly string[],
  inputs: readonly (Node | undefined)[],
  walk: Walk,
  scope: Scope,
): Entry {
  const value = derived(predicate(walk, inputs, scope))
  return entry(name, renamed(new Shape(columns.map((column) => ({ name: column, value }))), renames, walk))
}
