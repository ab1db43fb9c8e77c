import type { Sensitivity } from '../port.ts'
import type { Catalog } from './analysis.ts'
import type { SensitivityOf } from './plan.ts'

/**
 * Reading a table reads its partitions and the tables that inherit from it: a column of theirs that is masked is masked
 * there too, whatever is said of the table's own.
 */
export function withChildren(catalog: Catalog, sensitivity: SensitivityOf): SensitivityOf {
  return (schema, table, column) => {
    const own = sensitivity(schema, table, column)
    if (isMasked(own)) return own
    const relation = catalog.relation(schema, table, [])
    if (relation === undefined) return own
    const seen = new Set([relation.oid])
    const rest = [...catalog.children(relation.oid)]
    for (let child = rest.pop(); child !== undefined; child = rest.pop()) {
      if (seen.has(child.oid)) continue
      seen.add(child.oid)
      const found = sensitivity(child.schema, child.name, column)
      if (isMasked(found)) return found
      rest.push(...catalog.children(child.oid))
    }
    return own
  }
}

function isMasked(found: Sensitivity | undefined): boolean {
  return found?.unmask.verdict === 'masked'
}
