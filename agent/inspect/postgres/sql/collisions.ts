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
    for (const { unique, refersTo } of family(walk.catalog, relation)) {
      if (unique?.includes(name)) walk.report.use(new Set([id]), how)
      for (const { oid, columns, theirs } of refersTo ?? []) {
        const found = other(oid, theirs[columns.indexOf(name)], walk)
        if (found !== undefined) walk.report.use(new Set([found]), how)
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
    for (const together of one.constrained ?? []) {
      if (!together.includes(name)) continue
      for (const other of together) {
        if (other === name) continue
        const column = columnId(one.schema, one.name, other)
        walk.report.use(new Set([column]), 'predicate')
        walk.report.reads(column, `a constraint of ${tableId(one.schema, one.name)}`)
      }
    }
  }
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
