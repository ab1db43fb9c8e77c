import type { Catalog, CatalogRelation, ColumnId } from '../analysis.ts'
import { analyse } from '../classify.ts'
import { quoted } from '../sql/ids.ts'

/** Base columns behind each column of a view, in its order; undefined when that can't be told. */
export function viewSources(view: CatalogRelation, catalog: Catalog): readonly (readonly ColumnId[])[] | undefined {
  const analysis = analyse(`SELECT * FROM ${quoted(view.schema)}.${quoted(view.name)}`, catalog, { searchPath: [] })
  const outputs = analysis.ok ? analysis.statements[0]?.outputs : undefined
  return outputs?.map((output) => output.sources)
}
