import type { AlterTableCmd, AlterTableStmt, Constraint, Node } from 'libpg-query'
import { strings } from '../parser.ts'
import { bounds, column, every, existing, maintains, scopeOf, stored, typed } from './ddl.ts'
import { relationEntry } from './from.ts'
import { identified } from './relations.ts'
import type { Entry, Scope } from './scope.ts'
import { predicate, type Walk } from './walk.ts'

/** ALTER TABLE, and what else is said in its words. */
export function alterTable(node: AlterTableStmt, walk: Walk): void {
  if (node.objtype === 'OBJECT_INDEX' || node.objtype === 'OBJECT_SEQUENCE') return
  const targets =
    node.objtype === 'OBJECT_TYPE' ? typed(node.relation?.relname ?? '', walk) : [existing(node.relation, walk)]
  if (node.objtype !== 'OBJECT_TYPE') maintains(node.relation, walk)
  for (const item of node.cmds ?? []) {
    if (!('AlterTableCmd' in item)) continue
    for (const target of targets) alterTableCommand(item.AlterTableCmd, target, walk)
  }
}

function alterTableCommand(node: AlterTableCmd, target: Entry, walk: Walk): void {
  const { def, name = '' } = node
  const scope = scopeOf(target)
  switch (node.subtype) {
    case 'AT_AddColumn':
      if (!def || !('ColumnDef' in def)) return
      if (def.ColumnDef.raw_default) stored(def.ColumnDef.raw_default, scope, walk)
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
    case 'AT_ColumnDefault':
      if (def) stored(def, scope, walk)
      return
    case 'AT_SetNotNull':
      column(target, name, 'predicate', walk)
      return
    case 'AT_DropExpression':
      // What is computed from a masked column is masked with it, for as long as it is.
      column(target, name, 'write', walk)
      return
    case 'AT_DropColumn':
      // Children may keep theirs, which is as sensitive as the parent's for as long as that has it.
      if (hasChildren(target, walk)) column(target, name, 'write', walk)
      return
    case 'AT_AddConstraint':
      if (def) constraintNode(def, target, scope, walk)
      return
    case 'AT_AlterConstraint':
      if (def && 'ATAlterConstraint' in def && def.ATAlterConstraint.alterEnforceability) {
        walk.report.doubts('what the constraint checks is not known here')
      }
      return
    case 'AT_ValidateConstraint':
      walk.report.doubts('what the constraint checks is not known here')
      return
    case 'AT_AddOf':
      // The type's attributes can be renamed, and the columns with them.
      every(target, walk)
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
      if (!def || !('PartitionCmd' in def)) return
      bounds(def.PartitionCmd.bound, walk)
      if (def.PartitionCmd.name) every(relationEntry(def.PartitionCmd.name, walk), walk)
      return
    case 'AT_GenericOptions':
    case 'AT_AlterColumnGenericOptions':
      walk.report.doubts('which table and column of the foreign server it reads from then on is not known here')
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

function hasChildren({ shape }: Entry, { catalog }: Walk): boolean {
  return shape.columns.some(({ value: { origin } }) => {
    const relation = origin === undefined ? undefined : identified(catalog, origin).relation
    return relation !== undefined && catalog.children(relation.oid).length > 0
  })
}

function constraintNode(node: Node, target: Entry, scope: Scope, walk: Walk): void {
  if ('Constraint' in node) constraint(node.Constraint, target, scope, walk)
}

/** Existing rows are checked, and the error names what does not fit. */
function constraint(node: Constraint, target: Entry, scope: Scope, walk: Walk): void {
  switch (node.contype) {
    case 'CONSTR_GENERATED':
    case 'CONSTR_DEFAULT':
      if (node.raw_expr) stored(node.raw_expr, scope, walk)
      return
    case 'CONSTR_CHECK':
      predicate(walk.deferred, [node.raw_expr], scope)
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
