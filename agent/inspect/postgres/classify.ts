import type { Analysis, Catalog } from './analysis.ts'

/** Says what each statement of `sql` does and where its values come from. Never throws. */
export function analyse(sql: string, _catalog: Catalog, _state: { searchPath: readonly string[] }): Analysis {
  return { ok: false, message: `not analysed yet: ${sql.slice(0, 40)}` }
}
