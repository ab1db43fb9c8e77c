import type { Catalog, StatementAnalysis } from './analysis.ts'
import type { Refusal } from './annotations.ts'
import { columnId, splitId } from './sql/ids.ts'
import { identified } from './sql/relations.ts'
import type { Judged, Meaning } from './statements.ts'

/** All that statements do, with what their names stand for: two that are the same run the same, as far as it can be told. */
export function meansNow(statements: readonly Judged[], { catalog }: Meaning): string {
  return JSON.stringify(statements.map(({ analysis }) => [deeds(analysis), named(analysis, catalog)]))
}

function deeds({ action, tables, written, columns, functions, hasWhere, doubt, uses }: StatementAnalysis) {
  return [action, tables, written, columns, functions, hasWhere, doubt, uses]
}

function named({ tables, written, columns, functions, followed }: StatementAnalysis, catalog: Catalog) {
  const touched = new Set(columns)
  const relations = [...tables, ...written].map((id) => {
    const { relation } = identified(catalog, id)
    if (relation === undefined) return []
    const { oid, schema, name, definition, policies, triggers, hasRules } = relation
    const places = relation.columns.flatMap((one) =>
      touched.has(columnId(schema, name, one.name)) ? [[one.name, one.attnum, one.typeOid]] : [],
    )
    return [oid, definition, places, policies, triggers, hasRules]
  })
  const code = functions.map((id) => {
    const [schema, name = ''] = splitId(id)
    return catalog.functions(schema, name, []).map(({ oid, definition }) => [oid, definition])
  })
  const runs = [...(followed ?? [])].sort((a, b) => a - b).map((oid) => [oid, catalog.functionByOid(oid)?.definition])
  return [relations, code, runs]
}

/** People agreed to something else. */
export const changedWhileHeld: Refusal = {
  policy: { id: 'sallyport/changed-while-held', reason: 'Definitions changed while people were asked.' },
  message:
    'tables, views or functions that it uses changed while it waited, so that it is not what was approved. Nothing ran.',
  hint: 'Run it again, and people see what it does now.',
  requestable: false,
}
