import type { Sensitivity } from '../../port.ts'
import type { Catalog, CatalogColumn, CatalogRelation } from '../analysis.ts'
import type { SensitivityOf } from '../mask/plan.ts'
import { holdsText } from '../mask/scan/types.ts'
import { family } from '../sql/relations.ts'

/**
 * Reading a table reads its partitions and the tables that inherit from it: a column of theirs that is masked is masked
 * there too, whatever is said of the table's own. A column marked for scanning counts where its type can hold text.
 * What the server computes from a masked column is masked with it, where nothing is said of it.
 */
export function inherited(catalog: Catalog, policy: SensitivityOf): SensitivityOf {
  const own = (schema: string, table: string, column: string, relation: CatalogRelation | undefined) => {
    const known = relation?.columns.find(({ name }) => name === column)
    const found = policy(schema, table, column) ?? generated(relation, known, policy)
    return found?.scanned === undefined || holdsText(known?.typeName) ? found : undefined
  }
  return (schema, table, column) => {
    const relation = catalog.relation(schema, table, [])
    let all = own(schema, table, column, relation)
    if (relation === undefined || isSecret(all)) return all
    for (const child of family(catalog, relation)) {
      if (child === relation) continue
      const found = own(child.schema, child.name, column, child)
      if (isSecret(found)) return found
      if (isMasked(found) && !isMasked(all)) all = found
    }
    return all
  }
}

function generated(
  relation: CatalogRelation | undefined,
  column: CatalogColumn | undefined,
  policy: SensitivityOf,
): Sensitivity | undefined {
  if (relation === undefined || column?.generatedFrom === undefined) return undefined
  const all = column.generatedFrom.map((name) => policy(relation.schema, relation.name, name))
  const secret = all.find(isSecret)
  if (secret === undefined) return all.find(isMasked)
  // Its mask is for a value as it is; and to look up what was computed tells more than to look up a value.
  const { maskBytes: _, ...rest } = secret
  return { ...rest, mask: () => null, use: secret.use === 'any' ? 'any' : 'none' }
}

function isMasked(found: Sensitivity | undefined): boolean {
  return found?.unmask.verdict === 'masked'
}

/** Masked as a whole. */
function isSecret(found: Sensitivity | undefined): boolean {
  return isMasked(found) && found?.scanned === undefined
}
