import type {
  AlterTableCmd,
  AlterTableStmt,
  Constraint,
  CreateStmt,
  IndexStmt,
  Node,
  RangeVar,
  RenameStmt,
} from 'libpg-query'
import { strings } from '../parser.ts'
import { entry, relationEntry, resolve } from './from.ts'
import { tableId } from './ids.ts'
import { type Entry, type Scope, topScope } from './scope.ts'
import { Shape, type Value } from './value.ts'
import { predicate, type Walk } from './walk.ts'

/**
 * Changes to the schema. They show no rows, but they can copy values to where nothing masks them, give a column a name that no
 * rule knows, or fail on a value and say which: what they touch in such a way is a `write` or a `predicate`.
 */

/** CREATE TABLE AS, SELECT INTO, CREATE VIEW: all that the query gives is kept under another name. */
export function keeps(shape: Shape, walk: Walk): void {
  for (const column of shape.columns) walk.report.use(column.value.sources, 'write')
  if (shape.open) walk.report.use(shape.open.sources, 'write')
}

/** The name of something that is about to exist. */
export function created(name: RangeVar | undefined, walk: Walk): void {
  if (!name) return
  const path = walk.searchPath?.find((schema) => schema !== '$user' && schema !== 'pg_catalog')
  const schema = name.relpersistence === 't' ? 'pg_temp' : (name.schemaname ?? path ?? 'public')
  mentionsWritten(tableId(schema, name.relname ?? ''), walk)
}

export function mentionsWritten(full: string, walk: Walk): void {
  walk.report.tables.add(full)
  walk.report.written.add(full)
}

/** An existing relation that is named, and neither read nor changed. */
export function mentions(name: RangeVar, walk: Walk): void {
  resolve(name, walk)
}

/** An existing relation that a statement changes or works on; unknown is a doubt. */
export function existing(name: RangeVar | undefined, walk: Walk): Entry {
  if (!name) return entry(undefined, new Shape([]))
  const before = new Set(walk.report.tables)
  const found = relationEntry(name, walk)
  for (const table of walk.report.tables) if (!before.has(table)) walk.report.written.add(table)
  return found
}

/** Table names in a DROP or TRUNCATE, as written: they need not exist. */
export function dropped(object: Node, walk: Walk): void {
  const names = 'List' in object ? strings(object.List.items) : strings([object])
  const table = names.at(-1) ?? ''
  const schema = names.at(-2)
  const relation = walk.searchPath && walk.catalog.relation(schema, table, walk.searchPath)
  mentionsWritten(relation ? tableId(relation.schema, relation.name) : names.join('.'), walk)
}

export function createTable(node: CreateStmt, walk: Walk): void {
  created(node.relation, walk)
  for (const parent of node.inhRelations ?? []) if ('RangeVar' in parent) relationEntry(parent.RangeVar, walk)
  for (const element of node.tableElts ?? []) {
    if ('TableLikeClause' in element && element.TableLikeClause.relation)
      relationEntry(element.TableLikeClause.relation, walk)
    if ('Constraint' in element && element.Constraint.pktable) relationEntry(element.Constraint.pktable, walk)
    if (!('ColumnDef' in element)) continue
    for (const constraint of element.ColumnDef.constraints ?? []) {
      if ('Constraint' in constraint && constraint.Constraint.pktable)
        relationEntry(constraint.Constraint.pktable, walk)
    }
  }
}

export function createIndex(node: IndexStmt, walk: Walk): void {
  const target = existing(node.relation, walk)
  const scope = scopeOf(target)
  for (const element of [...(node.indexParams ?? []), ...(node.indexIncludingParams ?? [])]) {
    if (!('IndexElem' in element)) continue
    const { name, expr } = element.IndexElem
    // A value that is there twice is named by the error.
    if (name !== undefined) column(target, name, node.unique ? 'predicate' : 'touch', walk)
    predicate(walk, [expr], scope)
  }
  predicate(walk, [node.whereClause], scope)
}

export function rename(node: RenameStmt, walk: Walk): void {
  if (node.renameType === 'OBJECT_SCHEMA') {
    walk.report.doubts('a renamed schema changes the name of every column in it')
    return
  }
  if (!node.relation || node.renameType === 'OBJECT_INDEX' || node.renameType === 'OBJECT_SEQUENCE') return
  const target = existing(node.relation, walk)
  if (node.renameType === 'OBJECT_COLUMN') column(target, node.subname ?? '', 'write', walk)
  else if (node.renameType === 'OBJECT_TABLE' || node.renameType === 'OBJECT_FOREIGN_TABLE') every(target, walk)
}

/** A table that moves takes its columns from under the rules that name them. */
export function moves(name: RangeVar | undefined, walk: Walk): void {
  every(existing(name, walk), walk)
}

export function alterTable(node: AlterTableStmt, walk: Walk): void {
  if (node.objtype === 'OBJECT_INDEX' || node.objtype === 'OBJECT_SEQUENCE' || node.objtype === 'OBJECT_TYPE') return
  const target = existing(node.relation, walk)
  for (const item of node.cmds ?? []) if ('AlterTableCmd' in item) alterTableCommand(item.AlterTableCmd, target, walk)
}

function alterTableCommand(node: AlterTableCmd, target: Entry, walk: Walk): void {
  const { def, name = '' } = node
  const scope = scopeOf(target)
  switch (node.subtype) {
    case 'AT_AddColumn':
      if (def && 'ColumnDef' in def)
        for (const item of def.ColumnDef.constraints ?? []) constraintNode(item, target, scope, walk)
      return
    case 'AT_AlterColumnType':
      // USING fills the column with whatever it says.
      if (def && 'ColumnDef' in def && def.ColumnDef.raw_default) {
        walk.report.use(walk.expression(def.ColumnDef.raw_default, scope).sources, 'write')
      }
      column(target, name, 'predicate', walk)
      return
    case 'AT_SetExpression':
      if (def) walk.report.use(walk.expression(def, scope).sources, 'write')
      return
    case 'AT_SetNotNull':
      column(target, name, 'predicate', walk)
      return
    case 'AT_AddConstraint':
      if (def) constraintNode(def, target, scope, walk)
      return
    case 'AT_ValidateConstraint':
      walk.report.doubts('what the constraint checks is not known here')
      return
    case 'AT_AddInherit':
    case 'AT_DropInherit':
      every(target, walk)
      if (def && 'RangeVar' in def) every(relationEntry(def.RangeVar, walk), walk)
      return
    case 'AT_AttachPartition':
    case 'AT_DetachPartition':
    case 'AT_DetachPartitionFinalize':
      every(target, walk)
      if (def && 'PartitionCmd' in def && def.PartitionCmd.name) every(relationEntry(def.PartitionCmd.name, walk), walk)
      return
    case 'AT_EnableRule':
    case 'AT_EnableAlwaysRule':
    case 'AT_EnableReplicaRule':
    case 'AT_EnableTrig':
    case 'AT_EnableAlwaysTrig':
    case 'AT_EnableReplicaTrig':
    case 'AT_EnableTrigAll':
    case 'AT_EnableTrigUser':
      walk.report.doubts('what the triggers or rules that it turns on do is not known')
      return
    default:
      return
  }
}

function constraintNode(node: Node, target: Entry, scope: Scope, walk: Walk): void {
  if ('Constraint' in node) constraint(node.Constraint, target, scope, walk)
}

/** Existing rows are checked, and the error names what does not fit. */
function constraint(node: Constraint, target: Entry, scope: Scope, walk: Walk): void {
  switch (node.contype) {
    case 'CONSTR_GENERATED':
      if (node.raw_expr) walk.report.use(walk.expression(node.raw_expr, scope).sources, 'write')
      return
    case 'CONSTR_CHECK':
      predicate(walk, [node.raw_expr], scope)
      return
    case 'CONSTR_EXCLUSION':
      walk.report.doubts('an exclusion constraint compares values in ways that are not followed')
      return
    default:
      for (const key of [...strings(node.keys), ...strings(node.fk_attrs), ...strings(node.including)]) {
        column(target, key, 'predicate', walk)
      }
      if (!node.pktable) return
      for (const key of strings(node.pk_attrs)) column(relationEntry(node.pktable, walk), key, 'predicate', walk)
  }
}

export function policyExpressions(
  table: RangeVar | undefined,
  expressions: readonly (Node | undefined)[],
  walk: Walk,
): void {
  predicate(walk, expressions, scopeOf(existing(table, walk)))
}

function scopeOf(target: Entry): Scope {
  return { ...topScope, entries: [target] }
}

function column(target: Entry, name: string, how: 'predicate' | 'write' | 'touch', walk: Walk): void {
  const value = target.shape.column(name)?.value
  if (!value) return
  walk.report.touch(value.sources)
  if (how !== 'touch') walk.report.use(value.sources, how)
}

function every(target: Entry, walk: Walk): void {
  const row: Value = target.shape.row
  walk.report.touch(row.sources)
  walk.report.use(row.sources, 'write')
}
