import type { A_Expr, Node } from 'libpg-query'
import { strings } from '../parser.ts'
import { comparing } from './function-lists.ts'
import { isBareLiteral, isConstant } from './literals.ts'
import type { Value } from './value.ts'

/** Whether two sides of an operator fit, whatever their values: what does not is an error, which comes as soon as it is looked at. */

/** Texts can always be joined. Arrays of different dimensions can't, nor some documents. */
export function joins(sides: readonly (Node | undefined)[], values: readonly Value[]): boolean {
  if (!values.some(({ kind }) => kind === 'text')) return false
  return sides.every((side, i) => isBareLiteral(side) || values[i]?.kind !== undefined)
}

/**
 * Of two that are compared PostgreSQL makes one type: what is known of one holds for both. A literal becomes whatever the other is.
 * Rows that were put together here may differ in their columns' types.
 */
export function fits(left: Node | undefined, right: Node | undefined, values: readonly Value[]): boolean {
  if (values.some(isNoRow) || isBareLiteral(left) || isBareLiteral(right)) return true
  const [first] = values
  return isConstants(right) && first?.plain === true
}

/** Nor does it hold any. */
function isNoRow({ kind, plain, type }: Value): boolean {
  return kind !== undefined || (plain && type !== undefined && !/^_?#/.test(type))
}

function isConstants(node: Node | undefined): boolean {
  if (node && 'List' in node) return (node.List.items ?? []).every(isConstant)
  if (node && 'A_ArrayExpr' in node) return (node.A_ArrayExpr.elements ?? []).every(isConstant)
  if (node && 'TypeCast' in node && node.TypeCast.arg && 'A_ArrayExpr' in node.TypeCast.arg)
    return isConstants(node.TypeCast.arg)
  return isConstant(node)
}

/**
 * Two rows that are both written out: PostgreSQL finds an operator for each of their columns. Any other row may have columns of
 * types that can't be compared, and it looks at them one after the other, up to the first that differs.
 */
export function comparesColumns(node: A_Expr): boolean {
  const { kind, name, lexpr, rexpr } = node
  const isRow = (one: Node): boolean => 'RowExpr' in one
  if (!lexpr || !rexpr || !isRow(lexpr)) return false
  if (isBetween(node) || kind === 'AEXPR_IN') return 'List' in rexpr && (rexpr.List.items ?? []).every(isRow)
  if (!comparing.has(strings(name).at(-1) ?? '')) return false
  if (kind === 'AEXPR_DISTINCT' || kind === 'AEXPR_NOT_DISTINCT') return isRow(rexpr)
  // The columns of a sub-query, too.
  return kind === 'AEXPR_OP' && (isRow(rexpr) || 'SubLink' in rexpr)
}

export function isBetween({ kind }: A_Expr): boolean {
  switch (kind) {
    case 'AEXPR_BETWEEN':
    case 'AEXPR_NOT_BETWEEN':
    case 'AEXPR_BETWEEN_SYM':
    case 'AEXPR_NOT_BETWEEN_SYM':
      return true
    default:
      return false
  }
}
