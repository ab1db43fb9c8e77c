import type { Catalog, StatementAnalysis } from './analysis.ts'
import type { Refusal } from './annotations.ts'
import { splitId } from './sql/ids.ts'
import { identified } from './sql/relations.ts'
import type { Judged, Meaning } from './statements.ts'

/** All that statements do, with what their names stand for: two that are the same run the same, as far as it can be told. */
export function meansNow(statements: readonly Judged[], { catalog }: Meaning): string {
  return JSON.stringify(statements.map(({ analysis }) => [deeds(analysis), named(analysis, catalog)]))
}

function deeds({ action, tables, written, columns, functions, hasWhere, doubt, uses }: StatementAnalysis) {
  return [action, tables, written, columns, functions, hasWhere, doubt, uses]
}

function named({ tables, written, functions }: StatementAnalysis, catalog: Catalog) {
  const relations = [...tables, ...written].map((id) => {
    const { relation } = identified(catalog, id)
    return [relation?.oid, relation?.definition]
  })
  const code = functions.map((id) => {
    const [schema, name = ''] = splitId(id)
    return catalog.functions(schema, name, []).map(({ oid, definition }) => [oid, definition])
  })
  return [relations, code]
}

/** People agreed to something else. */
export const changedWhileHeld: Refusal = {
  policy: { id: 'sallyport/changed-while-held', reason: 'Definitions changed while people were asked.' },
  message:
    'tables, views or functions that it uses changed while it waited, so that it is not what was approved. Nothing ran.',
  hint: 'Run it again, and people see what it does now.',
  requestable: false,
}
