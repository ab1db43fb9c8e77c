import type { CatalogRelation, ColumnId, ColumnUse } from '../analysis.ts'
import { columnId, tableId } from './ids.ts'
import { family, identified } from './relations.ts'
import type { Walk } from './walk.ts'

/**
 * What is written is compared with what is there: in unique indexes with the column's other values, by foreign keys with those of another
 * table. Whether the write succeeds, or which rows ON CONFLICT leaves out, shows how that went. `how`: of constants it is a lookup.
 */
export function collides(
  sources: ReadonlySet<ColumnId>,
  how: Extract<ColumnUse['how'], 'lookup' | 'predicate'>,
  walk: Walk,
): void {
  for (const id of sources) {
    const { relation, column: name } = identified(walk.catalog, id)
    if (!relation) continue
    for (const one of family(walk.catalog, relation)) {
      for (const written of [name, ...computedFrom(one, name)]) {
        if (one.unique?.includes(written)) walk.report.use(new Set([id]), how)
        for (const { oid, columns, theirs } of one.refersTo ?? []) {
          const found = other(oid, theirs[columns.indexOf(written)], walk)
          if (found !== undefined) walk.report.use(new Set([found]), how)
        }
      }
    }
  }
}

/**
 * A constraint over several columns compares what is written to one of them with what the row has in the others, or finds the two
 * together in another row: whether the write succeeds shows what stands there.
 */
export function comparedWith(id: ColumnId, walk: Walk): void {
  const { relation, column: name } = identified(walk.catalog, id)
  if (!relation) return
  for (const one of family(walk.catalog, relation)) {
    for (const written of [name, ...computedFrom(one, name)]) {
      for (const other of besides(one, written)) {
        if (other === name) continue
        const column = columnId(one.schema, one.name, other)
        walk.report.use(new Set([column]), 'predicate')
        walk.report.reads(column, `a constraint of ${tableId(one.schema, one.name)}`)
      }
    }
  }
}

/** Columns that the server computes from this one, and so writes with it. */
function computedFrom({ columns }: CatalogRelation, name: string): string[] {
  return columns.flatMap((one) => (one.generatedFrom?.includes(name) ? [one.name] : []))
}

/** Columns that a column is compared with, or together with, where it is written; of one that is computed, those that it is computed from too. */
function besides({ columns, unique = [], constrained = [], refersTo = [] }: CatalogRelation, name: string): string[] {
  const together = constrained.filter((names) => names.includes(name))
  const compared = together.length > 0 || unique.includes(name) || refersTo.some((one) => one.columns.includes(name))
  const from = compared ? (columns.find((one) => one.name === name)?.generatedFrom ?? []) : []
  return [...together.flat().filter((other) => other !== name), ...from]
}

/** A key that goes, or becomes another, while rows refer to it is an error: so it shows whether they do. `name`: of all keys where unset. */
export function leavesBehind({ referencedBy }: CatalogRelation, name: string | undefined, walk: Walk): void {
  for (const { oid, columns, theirs } of referencedBy ?? []) {
    for (const [i, column] of columns.entries()) {
      const found = name === undefined || theirs[i] === name ? other(oid, column, walk) : undefined
      if (found !== undefined) walk.report.use(new Set([found]), 'predicate')
    }
  }
}

function other(oid: number, name: string | undefined, { catalog }: Walk): ColumnId | undefined {
  const relation = name === undefined ? undefined : catalog.relationByOid(oid)
  return relation && name !== undefined ? columnId(relation.schema, relation.name, name) : undefined
}
