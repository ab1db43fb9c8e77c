import type { JsonKeyValue, JsonOutput, JsonValueExpr, Node } from 'libpg-query'
import type { Opened } from '../parser.ts'
import { sortKeys, window } from './call.ts'
import { isConstant } from './literals.ts'
import type { Scope } from './scope.ts'
import { derived, type Value } from './value.ts'
import { predicate, type Walk } from './walk.ts'

/** SQL/JSON and XML expressions. Undefined: the node is none of them. */
export function jsonOrXml(opened: Opened, walk: Walk, scope: Scope): Value | undefined {
  const value = (node: Node | undefined): Value[] => (node ? [walk.expression(node, scope)] : [])
  /** What may fail over its data shows what the data was. */
  const failing = (values: readonly Value[]): Value => {
    const result = derived(values, true)
    walk.report.use(result.sources, 'predicate')
    return result
  }
  const document = (json: JsonValueExpr | undefined): Value[] => {
    const values = [...value(json?.raw_expr), ...value(json?.formatted_expr)]
    // FORMAT JSON takes text for JSON, and fails where it is none.
    const { format_type } = json?.format ?? {}
    return format_type === undefined || format_type === 'JS_FORMAT_DEFAULT' ? values : [failing(values)]
  }
  const pair = (entry: JsonKeyValue | undefined): Value[] => [...value(entry?.key), ...document(entry?.value)]
  const built = (values: readonly Value[], output: JsonOutput | undefined, keysConstant: boolean): Value =>
    keysConstant && !output?.typeName ? derived(values) : failing(values)

  switch (opened.tag) {
    case 'JsonValueExpr':
      return derived(document(opened.node))
    case 'JsonKeyValue':
      return derived(pair(opened.node))
    case 'JsonArgument':
      return derived(document(opened.node.val))
    case 'JsonObjectConstructor': {
      const entries = (opened.node.exprs ?? []).flatMap((node) => ('JsonKeyValue' in node ? [node.JsonKeyValue] : []))
      const keys = entries.every((entry) => isConstant(entry.key))
      return built(entries.flatMap(pair), opened.node.output, keys)
    }
    case 'JsonArrayConstructor':
      return built((opened.node.exprs ?? []).flatMap(value), opened.node.output, true)
    case 'JsonArrayQueryConstructor': {
      const { query, output } = opened.node
      return built(query ? walk.query(query, scope).columns.map((column) => column.value) : [], output, true)
    }
    case 'JsonObjectAgg':
    case 'JsonArrayAgg': {
      const { constructor: aggregate } = opened.node
      const values = opened.tag === 'JsonObjectAgg' ? pair(opened.node.arg) : document(opened.node.arg)
      values.push(...sortKeys(aggregate?.agg_order, walk, scope))
      predicate(walk, [aggregate?.agg_filter], scope)
      window(aggregate?.over, walk, scope)
      return built(values, aggregate?.output, opened.tag === 'JsonArrayAgg' || isConstant(opened.node.arg?.key))
    }
    case 'JsonIsPredicate': {
      // What is too deep to be looked at is an error.
      const looked = value(opened.node.expr)
      return looked.every(({ plain }) => plain) ? { ...derived(looked), reads: true } : failing(looked)
    }
    case 'JsonScalarExpr':
      return derived(value(opened.node.expr))
    case 'JsonParseExpr':
    case 'JsonSerializeExpr':
      return failing(document(opened.node.expr))
    case 'JsonFuncExpr': {
      const { context_item, pathspec, passing, on_empty, on_error } = opened.node
      return failing([
        ...document(context_item),
        ...value(pathspec),
        ...(passing ?? []).flatMap(value),
        ...value(on_empty?.expr),
        ...value(on_error?.expr),
      ])
    }
    case 'XmlExpr':
      return failing([
        ...(opened.node.args ?? []).flatMap(value),
        ...(opened.node.named_args ?? []).flatMap((node) =>
          'ResTarget' in node ? value(node.ResTarget.val) : value(node),
        ),
      ])
    case 'XmlSerialize':
      return failing(value(opened.node.expr))
    default:
      return undefined
  }
}
