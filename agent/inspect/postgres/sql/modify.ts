import type {
  DeleteStmt,
  InsertStmt,
  MergeStmt,
  Node,
  OnConflictClause,
  RangeVar,
  ReturningClause,
  UpdateStmt,
} from 'libpg-query'
import type { ColumnId } from '../analysis.ts'
import { type Change, changesThrough } from './cascades.ts'
import { collides, comparedWith, leavesBehind } from './collisions.ts'
import { where } from './conditions.ts'
import { fromClause, relationEntry } from './from.ts'
import { tableId } from './ids.ts'
import { isBareLiteral, isSimple, restricts } from './literals.ts'
import { family, identified } from './relations.ts'
import { type Entry, entry, type Scope } from './scope.ts'
import { opaque, Shape } from './value.ts'
import { pathFor, predicate, type Walk } from './walk.ts'

/** How `lineage.ts` walks a target list. */
type Targets = (list: readonly Node[] | undefined, walk: Walk, scope: Scope) => Shape

export function insert(node: InsertStmt, walk: Walk, outer: Scope, targets: Targets): Shape {
  const { report } = walk
  report.does('sql:insert')
  report.changesRows = true
  const replaces = node.onConflictClause?.action === 'ONCONFLICT_UPDATE'
  const target = targetEntry(node.relation, walk, replaces ? ['insert', 'update'] : ['insert'])
  subscripts(node.cols, walk, outer)
  const named = (node.cols ?? []).flatMap((column) => ('ResTarget' in column ? [column.ResTarget.name ?? ''] : []))
  const given = node.selectStmt ? source(node.selectStmt, walk, outer) : []
  assignEach(named, given, target, walk)
  if (node.onConflictClause) onConflict(node.onConflictClause, target, walk, outer)
  return returning(node.returningClause, [target], target, walk, outer, targets)
}

/** Where a written value comes from: it is the statement's own, or what it reads says which values there are. */
type From = 'constant' | 'column'

/** What is inserted. Every column that it reads is written elsewhere. Returns where each column's values come from. */
function source(node: Node, walk: Walk, outer: Scope): From[] {
  const lists = 'SelectStmt' in node && !node.SelectStmt.withClause ? node.SelectStmt.valuesLists : undefined
  if (!lists) {
    const shape = walk.query(node, outer)
    walk.report.use(shape.row.sources, 'write')
    return shape.columns.map(() => 'column')
  }
  const from: From[] = []
  for (const list of lists) {
    for (const [i, item] of ('List' in list ? (list.List.items ?? []) : []).entries()) {
      const one = isBareLiteral(item) ? 'constant' : written(item, walk, outer)
      if (from[i] !== 'column') from[i] = one
    }
  }
  return from
}

/** A value that is written: what it reads is, too. */
function written(node: Node, walk: Walk, scope: Scope): From {
  const { sources } = walk.expression(node, scope, isBareLiteral(node))
  walk.report.use(sources, 'write')
  return sources.size === 0 ? 'constant' : 'column'
}

function onConflict(node: OnConflictClause, target: Entry, walk: Walk, outer: Scope): void {
  const { report } = walk
  const scope: Scope = { entries: [target], parent: outer, ctes: outer.ctes }
  for (const element of node.infer?.indexElems ?? []) {
    if (!('IndexElem' in element)) continue
    const { name, expr } = element.IndexElem
    // Whether there is a conflict tells whether the value is there already.
    const value = name !== undefined ? target.shape.column(name)?.value : undefined
    if (value) report.use(value.sources, 'lookup')
    predicate(walk, [expr], scope)
  }
  predicate(walk, [node.infer?.whereClause], scope)
  if (node.action !== 'ONCONFLICT_UPDATE') return
  report.does('sql:update')
  // What the statement brought: `source` has judged it.
  const excluded = new Shape(target.shape.columns.map((column) => ({ name: column.name, value: opaque })))
  const both: Scope = { ...scope, entries: [target, { ...entry('excluded', excluded), columnsVisible: false }] }
  assign(node.targetList, target, walk, both)
  where(node.whereClause, walk, both)
}

export function update(node: UpdateStmt, walk: Walk, outer: Scope, targets: Targets): Shape {
  const { report } = walk
  report.does('sql:update')
  report.changesRows = true
  const target = targetEntry(node.relation, walk, ['update'])
  const from = fromClause(node.fromClause, walk, outer)
  const scope: Scope = { ...from, entries: [target, ...from.entries] }
  assign(node.targetList, target, walk, scope)
  where(node.whereClause, walk, scope)
  bounded(node.whereClause, walk)
  return returning(node.returningClause, scope.entries, target, walk, outer, targets)
}

export function deleteFrom(node: DeleteStmt, walk: Walk, outer: Scope, targets: Targets): Shape {
  const { report } = walk
  report.does('sql:delete')
  report.changesRows = true
  const target = targetEntry(node.relation, walk, ['delete'])
  const using = fromClause(node.usingClause, walk, outer)
  const scope: Scope = { ...using, entries: [target, ...using.entries] }
  where(node.whereClause, walk, scope)
  bounded(node.whereClause, walk)
  return returning(node.returningClause, scope.entries, target, walk, outer, targets)
}

export function merge(node: MergeStmt, walk: Walk, outer: Scope, targets: Targets): Shape {
  const { report } = walk
  report.does('sql:merge')
  report.changesRows = true
  const target = targetEntry(node.relation, walk, ['insert', 'update', 'delete'])
  const from = fromClause(node.sourceRelation ? [node.sourceRelation] : [], walk, outer)
  const scope: Scope = { ...from, entries: [...from.entries, target] }
  predicate(walk, [node.joinCondition], scope)
  for (const clause of node.mergeWhenClauses ?? []) {
    if (!('MergeWhenClause' in clause)) continue
    const { commandType, condition, matchKind, targetList, values } = clause.MergeWhenClause
    predicate(walk, [condition], scope)
    if (commandType === 'CMD_UPDATE' || commandType === 'CMD_DELETE') {
      if (commandType === 'CMD_DELETE') report.does('sql:delete')
      // Of rows that match nothing, the join's condition leaves none out.
      const joined = matchKind !== 'MERGE_WHEN_NOT_MATCHED_BY_SOURCE' && restricts(node.joinCondition)
      bounded(joined ? node.joinCondition : condition, walk)
    }
    if (commandType === 'CMD_UPDATE') assign(targetList, target, walk, scope)
    if (commandType !== 'CMD_INSERT') continue
    subscripts(targetList, walk, scope)
    const given = (values ?? []).map((value) => written(value, walk, scope))
    const names = (targetList ?? []).flatMap((item) => ('ResTarget' in item ? [item.ResTarget.name ?? ''] : []))
    assignEach(names, given, target, walk)
  }
  return returning(node.returningClause, scope.entries, target, walk, outer, targets)
}

/** What keeps a change from reaching every row. */
function bounded(node: Node | undefined, { report }: Walk): void {
  if (!restricts(node)) report.hasWhere = false
  if (!isSimple(node)) report.literalFree = false
}

/** The relation that a statement changes. */
function targetEntry(name: RangeVar | undefined, walk: Walk, how: readonly Change[]): Entry {
  if (!name) return entry(undefined, new Shape([]))
  const { report } = walk
  const target = relationEntry(name, walk)
  const table = name.relname ?? ''
  const relation = walk.catalog.relation(name.schemaname, table, pathFor(walk, name.schemaname, table))
  if (!relation) return target
  report.written.add(tableId(relation.schema, relation.name))
  changesThrough(relation, walk, how)
  return target
}

/** A SET list. What it reads is written elsewhere. */
function assign(list: readonly Node[] | undefined, target: Entry, walk: Walk, scope: Scope): void {
  subscripts(list, walk, scope)
  for (const item of list ?? []) {
    if (!('ResTarget' in item)) continue
    const { name, val } = item.ResTarget
    // `(a, b) = (SELECT …)` repeats its source for each column.
    const repeats = val && 'MultiAssignRef' in val && (val.MultiAssignRef.colno ?? 1) > 1
    const from = !val || repeats ? 'column' : written(val, walk, scope)
    if (name === undefined) continue
    assigned(name, from, target, walk)
    for (const id of target.shape.column(name)?.value.sources ?? []) {
      walk.report.replaced.add(id)
      replaced(id, walk)
      comparedWith(id, walk)
    }
  }
}

/** The places in arrays and documents that values go to: what says which they are shows in where they are. */
function subscripts(list: readonly Node[] | undefined, walk: Walk, scope: Scope): void {
  for (const item of list ?? []) {
    for (const step of ('ResTarget' in item && item.ResTarget.indirection) || []) {
      if ('A_Indices' in step) predicate(walk, [step.A_Indices.lidx, step.A_Indices.uidx], scope)
    }
  }
}

/** The columns that are named, or the first ones, each with what it is given. */
function assignEach(names: readonly string[], given: readonly From[], target: Entry, walk: Walk): void {
  const all = names.length > 0 ? names : target.shape.columns.slice(0, given.length).map(({ name }) => name)
  for (const [i, name] of all.entries()) assigned(name, given[i] ?? 'column', target, walk)
}

function assigned(name: string, from: From, target: Entry, walk: Walk): void {
  const column = target.shape.column(name)
  if (column) {
    walk.report.touch(column.value.sources)
    collides(column.value.sources, from === 'constant' ? 'lookup' : 'predicate', walk)
  } else if (!target.shape.open) walk.report.doubts(`no column ${name} is known in ${target.name ?? 'the table'}`)
}

/** A column that gets other values: rows elsewhere may refer to those that it had. */
function replaced(id: ColumnId, walk: Walk): void {
  const { relation, column } = identified(walk.catalog, id)
  for (const one of relation ? family(walk.catalog, relation) : []) leavesBehind(one, column, walk)
}

/** RETURNING, where OLD and NEW are the target's row before and after. */
function returning(
  clause: ReturningClause | undefined,
  entries: readonly Entry[],
  target: Entry,
  walk: Walk,
  outer: Scope,
  targets: Targets,
): Shape {
  if (!clause) return new Shape([])
  const names = { old: 'old', new: 'new' }
  for (const option of clause.options ?? []) {
    if (!('ReturningOption' in option)) continue
    const { option: which, value } = option.ReturningOption
    if (which === 'RETURNING_OPTION_OLD') names.old = value ?? names.old
    else names.new = value ?? names.new
  }
  const versions = [names.old, names.new].map((name) => ({ ...entry(name, target.shape), columnsVisible: false }))
  return targets(clause.exprs, walk, { entries: [...entries, ...versions], parent: outer, ctes: outer.ctes })
}
