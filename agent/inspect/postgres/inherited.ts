import type { Sensitivity } from '../port.ts'
import type { Catalog, CatalogRelation } from './analysis.ts'
import type { SensitivityOf } from './plan.ts'
import { holdsText } from './scan/types.ts'
import { family } from './sql/relations.ts'

/**
 * Reading a table reads its partitions and the tables that inherit from it: a column of theirs that is masked is masked
 * there too, whatever is said of the table's own. A column marked for scanning counts where its type can hold text.
 * What the server computes from a masked column is masked with it, where nothing is said of it.
 */
export function inherited(catalog: Catalog, policy: SensitivityOf): SensitivityOf {
  const sensitivity: SensitivityOf = (schema, table, column) => {
    const own = policy(schema, table, column)
    return own ?? generated(catalog.relation(schema, table, []), column, policy)
  }
  const of = (relation: CatalogRelation | undefined, found: Sensitivity | undefined, column: string) =>
    found?.scanned === undefined || holdsText(relation?.columns.find(({ name }) => name === column)?.typeName)
      ? found
      : undefined
  return (schema, table, column) => {
    const asked = sensitivity(schema, table, column)
    if (isSecret(asked)) return asked
    const relation = catalog.relation(schema, table, [])
    let own = of(relation, asked, column)
    if (relation === undefined) return own
    for (const child of family(catalog, relation)) {
      if (child === relation) continue
      const found = of(child, sensitivity(child.schema, child.name, column), column)
      if (isSecret(found)) return found
      if (isMasked(found) && !isMasked(own)) own = found
    }
    return own
  }
}

function generated(
  relation: CatalogRelation | undefined,
  column: string,
  policy: SensitivityOf,
): Sensitivity | undefined {
  const from = relation?.columns.find(({ name }) => name === column)?.generatedFrom
  if (relation === undefined || from === undefined) return undefined
  const all = from.map((name) => policy(relation.schema, relation.name, name))
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
