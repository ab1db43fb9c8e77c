import type { Node } from 'libpg-query'
import { strings } from '../parser.ts'
import { isConstant, isPlainType } from './literals.ts'
import type { Scope } from './scope.ts'
import type { Walk } from './walk.ts'

/** A WHERE clause: equality of a column with constants, joined by AND alone, is a lookup; all else a predicate. */
export function where(node: Node | undefined, walk: Walk, scope: Scope): void {
  if (!node) return
  if ('BoolExpr' in node && node.BoolExpr.boolop === 'AND_EXPR') {
    walk.report.enter()
    for (const arg of node.BoolExpr.args ?? []) where(arg, walk, scope)
    walk.report.leave()
    return
  }
  const column = lookedUp(node)
  const value = column ? walk.report.comparing(() => walk.expression(node, scope)) : walk.expression(node, scope)
  if (value.sources.size === 0) return
  if (column && walk.expression(column, scope).plain) walk.report.use(value.sources, 'lookup')
  else walk.report.use(value.sources, 'predicate')
}

/** The column side of `column = constant`, `column IN (constants)` or `column = ANY (constant)`. */
function lookedUp(node: Node): Node | undefined {
  if (!('A_Expr' in node)) return undefined
  const { kind, name, lexpr, rexpr } = node.A_Expr
  if (strings(name).at(-1) !== '=' || !lexpr || !rexpr) return undefined
  if (kind === 'AEXPR_OP') {
    if (isKnown(rexpr)) return columnSide(lexpr)
    return isKnown(lexpr) ? columnSide(rexpr) : undefined
  }
  if (kind === 'AEXPR_IN') {
    const items = 'List' in rexpr ? (rexpr.List.items ?? []) : [rexpr]
    return items.every(isConstant) ? columnSide(lexpr) : undefined
  }
  return kind === 'AEXPR_OP_ANY' && isConstantArray(rexpr) ? columnSide(lexpr) : undefined
}

/** A constant, or what a session says of itself: current_user, current_setting('…'). */
function isKnown(node: Node): boolean {
  if ('SQLValueFunction' in node || isConstant(node)) return true
  if ('TypeCast' in node) {
    const { arg, typeName } = node.TypeCast
    return arg !== undefined && isPlainType(strings(typeName?.names)) && isKnown(arg)
  }
  if (!('FuncCall' in node)) return false
  const { funcname, args = [] } = node.FuncCall
  const [first = '', second] = strings(funcname)
  const isSetting =
    second === undefined ? first === 'current_setting' : first === 'pg_catalog' && second === 'current_setting'
  return isSetting && args.every(isConstant)
}

function isConstantArray(node: Node): boolean {
  if ('A_ArrayExpr' in node) return (node.A_ArrayExpr.elements ?? []).every(isConstant)
  if ('TypeCast' in node && node.TypeCast.arg && 'A_ArrayExpr' in node.TypeCast.arg)
    return isConstantArray(node.TypeCast.arg)
  return isConstant(node)
}

function columnSide(node: Node): Node | undefined {
  if ('ColumnRef' in node) return node
  return 'TypeCast' in node && node.TypeCast.arg && 'ColumnRef' in node.TypeCast.arg ? node : undefined
}
