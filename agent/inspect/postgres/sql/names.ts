import type { Node } from 'libpg-query'
import { open, strings } from '../parser.ts'

/** The name that PostgreSQL gives to a result column without an alias (FigureColname in parse_target.c). */
export function columnName(node: Node | undefined): string {
  return figure(node)?.name ?? '?column?'
}

/** `strong`: a name of the expression's own, which a cast or CASE around it keeps. */
interface Figured {
  name: string
  strong: boolean
}

const strong = (name: string): Figured => ({ name, strong: true })

function figure(node: Node | undefined): Figured | undefined {
  const opened = node && open(node)
  if (!opened) return undefined
  switch (opened.tag) {
    case 'ColumnRef':
      return lastName(opened.node.fields)
    case 'A_Indirection':
      return lastName(opened.node.indirection) ?? figure(opened.node.arg)
    case 'FuncCall':
      return lastName(opened.node.funcname)
    case 'A_Expr':
      return opened.node.kind === 'AEXPR_NULLIF' ? strong('nullif') : undefined
    case 'TypeCast': {
      const inner = figure(opened.node.arg)
      if (inner?.strong) return inner
      const type = lastName(opened.node.typeName?.names)
      return type ? { name: type.name, strong: false } : inner
    }
    case 'CollateClause':
      return figure(opened.node.arg)
    case 'GroupingFunc':
      return strong('grouping')
    case 'MergeSupportFunc':
      return strong('merge_action')
    case 'SubLink':
      return figureSubLink(opened.node.subLinkType, opened.node.subselect)
    case 'CaseExpr': {
      const inner = figure(opened.node.defresult)
      return inner?.strong ? inner : { name: 'case', strong: false }
    }
    case 'A_ArrayExpr':
      return strong('array')
    case 'RowExpr':
      return strong('row')
    case 'CoalesceExpr':
      return strong('coalesce')
    case 'MinMaxExpr':
      return strong(opened.node.op === 'IS_GREATEST' ? 'greatest' : 'least')
    case 'SQLValueFunction':
      return strong((opened.node.op ?? '').replace('SVFOP_', '').replace(/_N$/, '').toLowerCase())
    case 'XmlExpr':
      return opened.node.op === 'IS_DOCUMENT'
        ? undefined
        : strong((opened.node.op ?? '').replace('IS_', '').toLowerCase())
    case 'XmlSerialize':
      return strong('xmlserialize')
    case 'JsonParseExpr':
      return strong('json')
    case 'JsonScalarExpr':
      return strong('json_scalar')
    case 'JsonSerializeExpr':
      return strong('json_serialize')
    case 'JsonObjectConstructor':
      return strong('json_object')
    case 'JsonArrayConstructor':
    case 'JsonArrayQueryConstructor':
      return strong('json_array')
    case 'JsonObjectAgg':
      return strong('json_objectagg')
    case 'JsonArrayAgg':
      return strong('json_arrayagg')
    case 'JsonFuncExpr':
      return strong((opened.node.op ?? '').replace('_OP', '').toLowerCase())
    default:
      return undefined
  }
}

function lastName(nodes: readonly Node[] | undefined): Figured | undefined {
  const name = strings(nodes).at(-1)
  return name === undefined ? undefined : strong(name)
}

function figureSubLink(type: string | undefined, select: Node | undefined): Figured | undefined {
  if (type === 'EXISTS_SUBLINK') return strong('exists')
  if (type === 'ARRAY_SUBLINK') return strong('array')
  if (type !== 'EXPR_SUBLINK' || !select || !('SelectStmt' in select)) return undefined
  let first = select.SelectStmt
  while (first.larg) first = first.larg
  const target = first.targetList?.[0]
  if (!target || !('ResTarget' in target)) return undefined
  return target.ResTarget.name !== undefined ? strong(target.ResTarget.name) : figure(target.ResTarget.val)
}
