import type { Node, SelectStmt } from 'libpg-query'
import type { Catalog, ColumnId, OutputColumn } from './analysis.ts'
import { open, strings } from './parser.ts'
import { blockReport, codeReport, type NestedWalk } from './sql/bodies.ts'
import { window } from './sql/call.ts'
import { Codes } from './sql/codes.ts'
import { where } from './sql/conditions.ts'
import { expression, findRelation } from './sql/expression.ts'
import { oneOf } from './sql/extent.ts'
import { fromClause } from './sql/from.ts'
import { isBareLiteral, literalText } from './sql/literals.ts'
import { deleteFrom, insert, merge, update } from './sql/modify.ts'
import { columnName } from './sql/names.ts'
import { Relations } from './sql/relations.ts'
import type { Report } from './sql/report.ts'
import { findColumn, listedColumn, type Scope, star, topScope } from './sql/scope.ts'
import { typesIn } from './sql/types.ts'
import { derived, dressed, isWhole, opaque, type ScopeColumn, Shape, type Value, withUnlisted } from './sql/value.ts'
import { predicate, type Walk } from './sql/walk.ts'
import { withQueries } from './sql/with.ts'

/** A catalog is an immutable snapshot: what its relations expand to, and its functions do, is worked out once. */
const relationsOf = new WeakMap<Catalog, Relations>()
const codesOf = new WeakMap<Catalog, Codes>()

/**
 * The walk over one statement, whose findings go to `report`. `searchPath` undefined: it can't be told. `deferred`: as `Walk.deferred`.
 */
export function createWalk(
  catalog: Catalog,
  searchPath: readonly string[] | undefined,
  report: Report,
  { deferred = false }: { deferred?: boolean } = {},
): Walk {
  const codePath = deferred ? undefined : searchPath
  let relations = relationsOf.get(catalog)
  if (!relations) {
    relations = new Relations(catalog)
    relationsOf.set(catalog, relations)
  }
  const known = relations
  const codes = codesOf.get(catalog) ?? new Codes()
  codesOf.set(catalog, codes)
  const nested: NestedWalk = (path, inner) => createWalk(catalog, path, inner)
  const walk: Walk = {
    catalog,
    searchPath,
    report,
    apart: (inner) => createWalk(catalog, searchPath, inner, { deferred }),
    query: (node, parent) => query(node, walk, parent),
    expression: (node, scope, neutral) => expression(node, walk, scope, neutral),
    code: (fn, row) =>
      codes.report(fn, row, codePath, (definition) => codeReport(definition, { searchPath: codePath }, nested, row)),
    within: (fn) => codes.within(fn),
    get deferred() {
      return codePath === undefined ? walk : createWalk(catalog, searchPath, report, { deferred: true })
    },
    block: (text) => blockReport(text, walk, nested),
    policing: (relation, how, read) => known.policing(relation, how, read),
    // A view's definition is read with an empty search_path: every name in it is qualified.
    relation: (relation) =>
      known.shape(relation, (definition, inner) => {
        const expanding = createWalk(catalog, [], inner)
        typesIn(definition, expanding)
        return query(definition, expanding, topScope)
      }),
  }
  return walk
}

export function outputsOf(shape: Shape): OutputColumn[] {
  return shape.columns.map(({ name, value }) => ({
    name,
    sources: [...value.sources],
    plain: value.plain,
    ...(!value.plain && isWhole(value) ? { whole: true } : {}),
    ...(value.origin === undefined ? {} : { origin: value.origin }),
  }))
}

/** A SELECT, VALUES or data-modifying statement: the columns that it gives. */
function query(node: Node, walk: Walk, parent: Scope): Shape {
  walk.report.enter()
  const shape = dispatch(node, walk, parent)
  walk.report.leave()
  return shape
}

function dispatch(node: Node, walk: Walk, parent: Scope): Shape {
  const opened = open(node)
  switch (opened?.tag) {
    case 'SelectStmt':
      return select(opened.node, walk, parent)
    case 'InsertStmt':
      return insert(opened.node, walk, withQueries(opened.node.withClause, walk, parent), targets)
    case 'UpdateStmt':
      return update(opened.node, walk, withQueries(opened.node.withClause, walk, parent), targets)
    case 'DeleteStmt':
      return deleteFrom(opened.node, walk, withQueries(opened.node.withClause, walk, parent), targets)
    case 'MergeStmt':
      return merge(opened.node, walk, withQueries(opened.node.withClause, walk, parent), targets)
    default:
      walk.report.doubts(`it holds a statement that is not known here (${opened?.tag ?? 'none'})`)
      return new Shape([])
  }
}

function select(node: SelectStmt, walk: Walk, parent: Scope): Shape {
  const outer = withQueries(node.withClause, walk, parent)
  if (node.op !== undefined && node.op !== 'SETOP_NONE') return setOperation(node, walk, outer)
  if (node.valuesLists) return tail(node, values(node.valuesLists, walk, outer), outer, walk)

  const scope = fromClause(node.fromClause, walk, outer)
  where(node.whereClause, walk, scope)
  if (parent === topScope) markCertain(node, walk)
  const shape = targets(node.targetList, walk, scope)
  for (const item of node.groupClause ?? []) group(item, shape, walk, scope)
  predicate(walk, [node.havingClause], scope)
  for (const def of node.windowClause ?? []) if ('WindowDef' in def) window(def.WindowDef, walk, scope)
  return tail(node, shape, scope, walk)
}

/** Calls that are targets themselves: of a SELECT that gives exactly one row, or over a column that WHERE holds to one literal. */
function markCertain(node: SelectStmt, walk: Walk): void {
  const { fromClause: from, whereClause, havingClause, limitCount, limitOffset, withClause } = node
  const once = !(from || whereClause || havingClause || limitCount || limitOffset || withClause)
  const pin = pinnedColumn(whereClause)
  if (!once && !pin) return
  for (const target of node.targetList ?? []) {
    const value = 'ResTarget' in target ? target.ResTarget.val : undefined
    if (!value || !('FuncCall' in value)) continue
    if (once) walk.report.certain.add(value.FuncCall)
    const [first] = value.FuncCall.args ?? []
    if (pin && first && bareName(first) === pin.column) walk.report.pinned.set(value.FuncCall, pin.value)
  }
}

/** `WHERE name = 'literal'`, and nothing else. */
function pinnedColumn(node: Node | undefined): { column: string; value: string } | undefined {
  if (!node || !('A_Expr' in node) || node.A_Expr.kind !== 'AEXPR_OP') return undefined
  const { name, lexpr, rexpr } = node.A_Expr
  const column = lexpr && strings(name).join('.') === '=' ? bareName(lexpr) : undefined
  const value = literalText(rexpr)
  return column !== undefined && typeof value === 'string' ? { column, value } : undefined
}

/** A target or RETURNING list, with stars expanded. */
function targets(list: readonly Node[] | undefined, walk: Walk, scope: Scope): Shape {
  const columns: ScopeColumn[] = []
  const opens: Shape[] = []
  for (const target of list ?? []) {
    if (!('ResTarget' in target)) continue
    const { name, val } = target.ResTarget
    if (!val) continue
    const expanded = expandStar(val, walk, scope)
    if (expanded === 'unknown') {
      walk.report.doubts('a * stands for columns that are not known')
      return new Shape([], opaque)
    }
    if (expanded) {
      for (const column of expanded.columns) walk.report.touch(column.value.sources)
      columns.push(...expanded.columns)
      opens.push(expanded)
    } else columns.push({ name: name ?? columnName(val), value: walk.expression(val, scope), written: true })
  }
  return withUnlisted(columns, opens)
}

/** `*`, `t.*`, `(row).*`. Undefined: the node is no star. */
function expandStar(node: Node, walk: Walk, scope: Scope): Shape | 'unknown' | undefined {
  if ('ColumnRef' in node) {
    const { fields = [] } = node.ColumnRef
    const last = fields.at(-1)
    if (!last || !('A_Star' in last)) return undefined
    if (fields.length === 1) return star({ ...scope, parent: undefined }) ?? 'unknown'
    const found = findRelation(strings(fields), walk, scope)
    return found && found.columns.length > 0 ? found : 'unknown'
  }
  if ('A_Indirection' in node) {
    const { arg, indirection = [] } = node.A_Indirection
    const last = indirection.at(-1)
    if (!arg || !last || !('A_Star' in last)) return undefined
    const inner: Node =
      indirection.length === 1 ? arg : { A_Indirection: { arg, indirection: indirection.slice(0, -1) } }
    return listed(walk.expression(inner, scope))
  }
  return undefined
}

function listed({ row, rowOpen }: Value): Shape | 'unknown' {
  return row && row.length > 0 ? new Shape(row, rowOpen) : 'unknown'
}

/** DISTINCT, ORDER BY, LIMIT and row locks: all of them look at values. */
function tail(node: SelectStmt, shape: Shape, scope: Scope, walk: Walk): Shape {
  const { report } = walk
  for (const item of node.distinctClause ?? []) {
    if (open(item)) byOutput(item, shape, walk, scope)
    else report.use(shape.row.sources, 'predicate')
  }
  for (const item of node.sortClause ?? []) {
    const key = 'SortBy' in item ? item.SortBy.node : item
    if (key) byOutput(key, shape, walk, scope)
  }
  for (const limit of [node.limitCount, node.limitOffset]) {
    if (limit) report.use(walk.expression(limit, scope, isBareLiteral(limit)).sources, 'predicate')
  }
  if (node.lockingClause) report.does('sql:lock')
  return shape
}

/** ORDER BY and DISTINCT ON: a bare name is a result column first, a bare integer its place. */
function byOutput(key: Node, shape: Shape, walk: Walk, scope: Scope): void {
  const place = outputAt(key, shape, walk)
  const named = place ? undefined : outputNamed(key, shape)
  const output = place ?? named?.value
  if (output) walk.report.use(output.sources, 'predicate')
  // A column that * stands for may be gone by the time that it runs.
  if (named && !named.written) walk.report.use(findColumn(scope, named.name)?.sources ?? none, 'predicate')
  if (!output) predicate(walk, [key], scope)
}

const none: ReadonlySet<ColumnId> = new Set()

/** GROUP BY: a bare name is an input column first. */
function group(item: Node, shape: Shape, walk: Walk, scope: Scope): void {
  if ('GroupingSet' in item) {
    for (const part of item.GroupingSet.content ?? []) group(part, shape, walk, scope)
    return
  }
  const name = bareName(item)
  const level: Scope = { ...scope, parent: undefined }
  const input = name === undefined ? undefined : listedColumn(level, name)
  const output = outputAt(item, shape, walk) ?? (input?.written ? undefined : outputNamed(item, shape)?.value)
  if (output) walk.report.use(output.sources, 'predicate')
  // Among columns that can't be listed there may be one of that name.
  if (!output || (name !== undefined && (input || findColumn(level, name)))) predicate(walk, [item], scope)
}

function outputAt(key: Node, shape: Shape, walk: Walk): Value | undefined {
  if (!('A_Const' in key) || !key.A_Const.ival) return undefined
  walk.report.literalFree = false
  return shape.byPlace[Number(literalText(key)) - 1]?.value
}

function outputNamed(key: Node, shape: Shape): ScopeColumn | undefined {
  const name = bareName(key)
  return name === undefined ? undefined : shape.column(name)
}

function bareName(node: Node): string | undefined {
  if (!('ColumnRef' in node)) return undefined
  const names = strings(node.ColumnRef.fields)
  return names.length === 1 && node.ColumnRef.fields?.length === 1 ? names[0] : undefined
}

/** UNION ALL passes values on; every other set operation compares them, and the number of rows tells how that went. */
function setOperation(node: SelectStmt, walk: Walk, outer: Scope): Shape {
  const arm = (side: SelectStmt | undefined): Shape =>
    side ? query({ SelectStmt: side }, walk, { entries: [], parent: outer, ctes: outer.ctes }) : new Shape([])
  const left = arm(node.larg)
  const right = arm(node.rarg)
  if (left.columns.length !== right.columns.length && !left.open && !right.open) {
    walk.report.doubts('the sides of a set operation do not have the same number of columns')
  }
  const comparing = !(node.op === 'SETOP_UNION' && node.all)
  if (comparing) for (const side of [left, right]) walk.report.use(side.row.sources, 'predicate')
  const opens = [left.open, right.open].flatMap((one) => one ?? [])
  const columns = left.byPlace.map((column, i): ScopeColumn => {
    const other = right.open ? (right.byPlace[i]?.value ?? right.row) : (right.columns[i]?.value ?? opaque)
    return { ...column, value: either(column.value, other) }
  })
  // What has no place on the left stands beyond its columns.
  const shape = new Shape(columns, opens.length === 0 ? undefined : derived([left.row, right.row]))
  // ORDER BY of a set operation knows the names of its columns alone.
  const entry = {
    name: undefined,
    schema: undefined,
    shape,
    system: false,
    relationVisible: false,
    columnsVisible: true,
  }
  return tail(node, shape, { entries: [entry], parent: outer, ctes: outer.ctes }, walk)
}

/** One of two values: still a column's own where both are the same column's. */
function either(a: Value, b: Value): Value {
  const same =
    a.plain && b.plain && a.sources.size === b.sources.size && [...a.sources].every((id) => b.sources.has(id))
  if (same)
    return { sources: a.sources, plain: true, constant: false, risky: false, kind: a.kind, collated: a.collated }
  return { ...dressed(derived([a, b]), [a, b]), ...oneOf([a, b]) }
}

function values(lists: readonly Node[], walk: Walk, scope: Scope): Shape {
  const columns: Value[][] = []
  const opens: Value[] = []
  for (const list of lists) {
    const items = 'List' in list ? (list.List.items ?? []) : []
    const row = items.flatMap((item) => {
      const expanded = expandStar(item, walk, scope)
      if (expanded === undefined) return [walk.expression(item, scope)]
      if (expanded === 'unknown') {
        walk.report.doubts('a * stands for columns that are not known')
        return []
      }
      if (expanded.open) opens.push(expanded.row)
      for (const { value } of expanded.columns) walk.report.touch(value.sources)
      return expanded.columns.map(({ value }) => value)
    })
    for (const [i, value] of row.entries()) {
      const column = columns[i] ?? []
      columns[i] = column
      column.push(value)
    }
  }
  const open = opens.length === 0 ? undefined : derived(opens)
  return new Shape(
    columns.map((column, i) => ({
      name: `column${i + 1}`,
      value: { ...derived(column), ...oneOf(column) },
      written: true,
    })),
    open,
  )
}
