import type { A_Expr, Node } from 'libpg-query'
import { objects, open, strings } from '../parser.ts'
import { isLeftOut } from '../text/shortened.ts'
import { plainTypes } from './function-lists.ts'

/** A literal, a parameter, or one of them with a sign or a cast to a built-in type. */
export function isConstant(node: Node | undefined): boolean {
  if (!node) return false
  if ('A_Const' in node || 'ParamRef' in node) return true
  if ('TypeCast' in node) return isPlainType(strings(node.TypeCast.typeName?.names)) && isConstant(node.TypeCast.arg)
  if ('A_Expr' in node) {
    const { kind, name, lexpr, rexpr } = node.A_Expr
    return kind === 'AEXPR_OP' && !lexpr && ['-', '+'].includes(strings(name).join('.')) && isConstant(rexpr)
  }
  return false
}

export function isBareLiteral(node: Node | undefined): boolean {
  return node !== undefined && 'A_Const' in node
}

/** `text`, `pg_catalog.int4`. */
export function isPlainType(names: readonly string[]): boolean {
  const [first = '', second] = names
  if (names.length === 2) return first === 'pg_catalog' && second !== undefined && plainTypes.has(second)
  return names.length === 1 && plainTypes.has(first)
}

/** The text of a constant: a string, a number, a boolean. Undefined: it is no literal, or not all of it is there; null: it is NULL. */
export function literalText(node: Node | undefined): string | null | undefined {
  const text = textOf(node)
  return typeof text === 'string' && isLeftOut(text) ? undefined : text
}

function textOf(node: Node | undefined): string | null | undefined {
  if (!node) return undefined
  if ('TypeCast' in node) return textOf(node.TypeCast.arg)
  if ('String' in node) return node.String.sval ?? ''
  if ('Integer' in node) return String(node.Integer.ival ?? 0)
  if ('Float' in node) return node.Float.fval ?? ''
  if ('Boolean' in node) return String(node.Boolean.boolval ?? false)
  if (!('A_Const' in node)) return undefined
  const { isnull, sval, ival, fval, boolval } = node.A_Const
  if (isnull) return null
  if (sval) return sval.sval ?? ''
  if (ival) return String(ival.ival ?? 0)
  if (fval) return fval.fval ?? ''
  if (boolval) return String(boolval.boolval ?? false)
  return undefined
}

/**
 * Whether a condition picks rows at all: it looks at a column, in a way that isn't true of every row by its form alone.
 * `true`, `1 = 1`, `id = id`, `x = 5 OR true`, `note LIKE '%'` don't.
 */
export function restricts(node: Node | undefined): boolean {
  if (!node) return false
  const opened = open(node)
  if (!opened) return false
  switch (opened.tag) {
    case 'CurrentOfExpr':
      return true
    case 'BoolExpr': {
      const args = opened.node.args ?? []
      return opened.node.boolop === 'OR_EXPR' ? args.every(restricts) && !complementary(args) : args.some(restricts)
    }
    case 'BooleanTest':
      return restricts(opened.node.arg)
    case 'A_Expr':
      return !reflexive(opened.node) && mentionsColumn(node)
    default:
      return mentionsColumn(node)
  }
}

/** Comparisons of columns with constants, joined by AND: whether they restrict does not depend on the constants. */
export function isSimple(node: Node | undefined): boolean {
  if (!node) return true
  if ('BoolExpr' in node) return node.BoolExpr.boolop === 'AND_EXPR' && (node.BoolExpr.args ?? []).every(isSimple)
  if (!('A_Expr' in node)) return false
  const { kind, lexpr, rexpr } = node.A_Expr
  if (kind !== 'AEXPR_OP' && kind !== 'AEXPR_IN' && kind !== 'AEXPR_BETWEEN' && kind !== 'AEXPR_OP_ANY') return false
  if (!lexpr || !rexpr || !('ColumnRef' in lexpr)) return false
  const right = 'List' in rexpr ? (rexpr.List.items ?? []) : [rexpr]
  return right.every((side) => isConstant(side) || 'ColumnRef' in side)
}

function reflexive({ kind, lexpr, rexpr }: A_Expr): boolean {
  if (!lexpr || !rexpr) return false
  if ((kind === 'AEXPR_LIKE' || kind === 'AEXPR_ILIKE') && /^%+$/.test(literalText(rexpr) ?? '')) return true
  const right = 'List' in rexpr ? (rexpr.List.items ?? []) : [rexpr]
  const left = form(lexpr)
  return right.some((side) => form(side) === left)
}

/** `x IS NULL OR x IS NOT NULL`, `x = 1 OR x <> 1`, `x OR NOT x`: tests of one thing that leave nothing out. */
function complementary(args: readonly Node[]): boolean {
  const seen = new Map<string, string>()
  for (const arg of args) {
    const { subject, test } = testOf(arg)
    const other = seen.get(subject)
    if (other !== undefined && other !== test) return true
    seen.set(subject, test)
  }
  return false
}

function testOf(node: Node): { subject: string; test: string } {
  if ('NullTest' in node) return { subject: `null ${form(node.NullTest.arg)}`, test: node.NullTest.nulltesttype ?? '' }
  if ('BooleanTest' in node) return { subject: form(node.BooleanTest.arg), test: node.BooleanTest.booltesttype ?? '' }
  if ('BoolExpr' in node && node.BoolExpr.boolop === 'NOT_EXPR')
    return { subject: form(node.BoolExpr.args?.[0]), test: 'NOT' }
  if ('A_Expr' in node && node.A_Expr.kind === 'AEXPR_OP') {
    const operator = strings(node.A_Expr.name).join('.')
    const pair = opposites.find((operators) => operators.includes(operator))
    if (pair) return { subject: `${pair} ${form(node.A_Expr.lexpr)} ${form(node.A_Expr.rexpr)}`, test: operator }
  }
  return { subject: form(node), test: '' }
}

const opposites = [
  ['=', '<>'],
  ['<', '>='],
  ['>', '<='],
]

/** A node's text without places, so that the same expression has the same form. */
function form(node: Node | undefined): string {
  return JSON.stringify(node, (key, value) => (key === 'location' ? undefined : value)) ?? ''
}

/** Any column reference beneath, whatever the node. */
function mentionsColumn(node: Node): boolean {
  for (const one of objects(node)) if ('ColumnRef' in one) return true
  return false
}
