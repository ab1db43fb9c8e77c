import type { CommonTableExpr, Node, WithClause } from 'libpg-query'
import { objects, strings } from '../parser.ts'
import { renamed } from './from.ts'
import type { Ctes, Scope } from './scope.ts'
import { derived, isWhole, Shape, type Value } from './value.ts'
import type { Walk } from './walk.ts'

/** The scope with a WITH clause's queries in reach. */
export function withQueries(clause: WithClause | undefined, walk: Walk, parent: Scope): Scope {
  if (!clause) return parent
  let ctes = parent.ctes
  const list = (clause.ctes ?? []).flatMap((node) => ('CommonTableExpr' in node ? [node.CommonTableExpr] : []))
  for (const cte of clause.recursive ? inOrder(list, walk) : list) {
    const name = cte.ctename ?? ''
    const shape = clause.recursive ? recursive(cte, walk, { ...parent, ctes }) : body(cte, walk, { ...parent, ctes })
    ctes = { name, shape, next: ctes }
  }
  return { entries: [], parent, ctes }
}

/** WITH RECURSIVE lets a query use those that are written after it. */
function inOrder(list: readonly CommonTableExpr[], walk: Walk): CommonTableExpr[] {
  const names = new Set(list.map((cte) => cte.ctename ?? ''))
  const needs = new Map(list.map((cte) => [cte, mentioned(cte.ctequery, names)]))
  const done = new Set<string>()
  const ordered: CommonTableExpr[] = []
  let rest = [...list]
  while (rest.length > 0) {
    const ready = rest.filter((cte) =>
      [...(needs.get(cte) ?? [])].every((name) => name === cte.ctename || done.has(name)),
    )
    if (ready.length === 0) {
      walk.report.doubts('its WITH RECURSIVE queries use each other in a circle')
      return [...ordered, ...rest]
    }
    for (const cte of ready) done.add(cte.ctename ?? '')
    ordered.push(...ready)
    rest = rest.filter((cte) => !ready.includes(cte))
  }
  return ordered
}

function mentioned(node: Node | undefined, names: ReadonlySet<string>): Set<string> {
  const found = new Set<string>()
  for (const one of objects(node)) {
    if ('relname' in one && typeof one.relname === 'string' && names.has(one.relname)) found.add(one.relname)
  }
  return found
}

function body(cte: CommonTableExpr, walk: Walk, scope: Scope): Shape {
  if (!cte.ctequery) return new Shape([])
  const inner: Scope = { entries: [], parent: scope, ctes: scope.ctes }
  const shape = renamed(walk.query(cte.ctequery, inner), strings(cte.aliascolnames), walk)
  const extra = [
    cte.search_clause?.search_seq_column,
    cte.cycle_clause?.cycle_mark_column,
    cte.cycle_clause?.cycle_path_column,
  ]
  const added = extra.flatMap((name) => (name === undefined ? [] : [name]))
  if (added.length === 0) return shape
  // They show the order of, or repetitions among, the columns that they are about.
  const value = derived([shape.row])
  walk.report.use(value.sources, 'predicate')
  return new Shape([...shape.columns, ...added.map((name) => ({ name, value }))], shape.open)
}

const mostRounds = 16

/** What the recursive part adds can only grow: it is walked until nothing changes. */
function recursive(cte: CommonTableExpr, walk: Walk, scope: Scope): Shape {
  const name = cte.ctename ?? ''
  const union = cte.ctequery && 'SelectStmt' in cte.ctequery ? cte.ctequery.SelectStmt : undefined
  if (!union?.larg || !mentioned(cte.ctequery, new Set([name])).has(name)) return body(cte, walk, scope)
  const start = withQueries(union.withClause, walk, { entries: [], parent: scope, ctes: scope.ctes })
  let shape = renamed(walk.query({ SelectStmt: union.larg }, start), strings(cte.aliascolnames), walk)
  for (let round = 0; round < mostRounds; round++) {
    const ctes: Ctes = { name, shape, next: scope.ctes }
    const next = body(cte, walk, { ...scope, ctes })
    if (sameLineage(shape, next)) {
      multiplies(
        shape,
        next,
        (one) => body(cte, walk, { ...scope, ctes: { name, shape: one, next: scope.ctes } }),
        walk,
      )
      return next
    }
    shape = next
  }
  walk.report.doubts('its WITH RECURSIVE query is too involved to be followed')
  return shape
}

/** What each round makes longer by more than the round before soon is too long for the server. */
function multiplies(before: Shape, after: Shape, round: (shape: Shape) => Shape, walk: Walk): void {
  const more = (a: Shape, b: Shape) => b.columns.map(({ value }, i) => lengthOf(value) - lengthOf(a.columns[i]?.value))
  if (more(before, after).every((length) => length <= 0)) return
  const second = round(after)
  const [first, then] = [more(after, second), more(second, round(second))]
  for (const [i, { value }] of after.columns.entries()) {
    if ((then[i] ?? 0) > (first[i] ?? 0)) walk.report.use(value.sources, 'predicate')
  }
}

function lengthOf(value: Value | undefined): number {
  return value?.growth ?? 1
}

function sameLineage(a: Shape, b: Shape): boolean {
  if (a.columns.length !== b.columns.length) return false
  return a.columns.every(({ value }, i) => {
    const other = b.columns[i]?.value
    if (other === undefined || isWhole(value) !== isWhole(other)) return false
    return value.plain === other.plain && value.sources.size === other.sources.size
  })
}
