import type { Node } from 'libpg-query'
import type { CatalogRelation } from '../analysis.ts'
import { objects, parse } from '../parser.ts'
import { tableId } from './ids.ts'
import { Report } from './report.ts'
import { topScope } from './scope.ts'
import type { Walk } from './walk.ts'

/**
 * The planner computes what is constant in the checks, indexes and statistics of a table that is read: code of people's own runs there, in
 * any statement that reads it. Of what reads a column there, none runs.
 */
export function folds(relation: CatalogRelation, walk: Walk): void {
  if (relation.folded === undefined) return
  const who = `an index, check or statistics of ${tableId(relation.schema, relation.name)}`
  for (const text of relation.folded) {
    const report = new Report('sql:select')
    const inner = walk.apart(report)
    const parsed = parse(`SELECT ${text}`)
    if (parsed.ok)
      for (const { node } of parsed.statements) for (const one of constants(node)) inner.expression(one, topScope)
    else report.doubts('it can’t be read')
    if (report.doubt !== undefined) report.doubt = `${who}: ${report.doubt}`
    for (const column of report.touched) walk.report.reads(column, who)
    walk.report.include(report)
    walk.report.use(report.touched, 'write')
  }
}

/** Calls and operators over constants alone: the outermost of them. */
function* constants(root: object): Generator<Node> {
  for (const [tag, value] of Object.entries(root)) {
    if (typeof value !== 'object' || value === null) continue
    if ((tag === 'FuncCall' || tag === 'A_Expr') && !readsColumns(value)) yield { [tag]: value } as Node
    else yield* constants(value)
  }
}

function readsColumns(node: object): boolean {
  for (const one of objects(node)) if ('ColumnRef' in one) return true
  return false
}
