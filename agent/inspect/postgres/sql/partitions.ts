import type { Catalog, CatalogRelation, ColumnId } from '../analysis.ts'
import { columnId } from './ids.ts'
import { family } from './relations.ts'

/** Which partition a row is in says within which bounds its key is. */

const none: ReadonlySet<ColumnId> = new Set()

/** Columns that say in which of its parts a row of the relation is. */
export function placedBy(relation: CatalogRelation, catalog: Catalog): ReadonlySet<ColumnId> {
  if (relation.partitionKey === undefined) return none
  return new Set([...family(catalog, relation)].flatMap(keyOf))
}

/** Columns that say which rows are in this relation, where it is a part of another. */
export function heldBy({ parents }: CatalogRelation, catalog: Catalog): ReadonlySet<ColumnId> {
  if (parents.length === 0) return none
  const found = new Set<ColumnId>()
  const rest = [...parents]
  for (let oid = rest.pop(); oid !== undefined; oid = rest.pop()) {
    const parent = catalog.relationByOid(oid)
    if (parent === undefined) continue
    for (const column of keyOf(parent)) found.add(column)
    rest.push(...parent.parents)
  }
  return found
}

function keyOf({ schema, name, partitionKey = [] }: CatalogRelation): ColumnId[] {
  return partitionKey.map((column) => columnId(schema, name, column))
}
