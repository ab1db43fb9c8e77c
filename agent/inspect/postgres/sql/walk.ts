import type { Node } from 'libpg-query'
import type { Catalog, CatalogFunction, CatalogRelation } from '../analysis.ts'
import type { Report } from './report.ts'
import type { Scope } from './scope.ts'
import type { Shape, Value } from './value.ts'

/** What every part of the walk over one statement shares. */
export interface Walk {
  readonly catalog: Catalog
  /** Undefined: it can't be told, so that no unqualified name can be resolved. */
  readonly searchPath: readonly string[] | undefined
  readonly report: Report
  /** The same for what is kept or put off: names in code that it calls are looked up when it runs, under whatever search_path. */
  readonly deferred: Walk
  /** The same for what others left: what is found goes to a report of its own. */
  apart(report: Report): Walk
  /** A SELECT, VALUES, INSERT, UPDATE, DELETE or MERGE; `parent` holds the names that it may use from outside. */
  query(node: Node, parent: Scope): Shape
  /** `neutral`: a bare literal here can't change the analysis. */
  expression(node: Node, scope: Scope, neutral?: boolean): Value
  /** A relation's columns, with a view's expanded. `report` is what reading it does besides. */
  relation(relation: CatalogRelation): { shape: Shape; report?: Report }
  /** As `Relations.policing`. */
  policing(relation: CatalogRelation, how: 'reads' | 'writes', read: () => void): boolean
  /** What a function in SQL or PL/pgSQL does; `row`: for each changed row of that relation, as a trigger. */
  code(fn: CatalogFunction, row?: CatalogRelation): Report
  /** Whether it is what is being looked into, so that whoever does comes upon its code anyway. */
  within(fn: CatalogFunction): boolean
  /** What a DO block does. */
  block(text: string): Report
}

/** The end of a doubt that a function with a search_path of its own would not raise. */
export const lateNames = 'depends on a search_path that is only known when it runs'

/** `walk.searchPath`, with a doubt where it can't be told. */
export function pathFor(walk: Walk, schema: string | undefined, name: string): readonly string[] {
  if (walk.searchPath) return walk.searchPath
  if (schema === undefined) {
    walk.report.doubts(`what the name ${name} means ${lateNames}`)
  }
  return []
}

/** Values that steer the result without being in it. */
export function predicate(walk: Walk, nodes: readonly (Node | undefined)[], scope: Scope): Value[] {
  const values: Value[] = []
  for (const node of nodes) {
    if (!node) continue
    const value = walk.expression(node, scope)
    walk.report.use(value.sources, 'predicate')
    values.push(value)
  }
  return values
}
