import { loadModule, type Node, parseSync } from 'libpg-query'

/** Nodes by which a statement changes something, or keeps something locked, wherever in it they stand. */
const changes: ReadonlySet<string> = new Set([
  'InsertStmt',
  'UpdateStmt',
  'DeleteStmt',
  'MergeStmt',
  'IntoClause',
  'intoClause',
  'lockingClause',
])

/**
 * Whether a statement only reads, as far as its text can tell: a function that it calls may do more. By PostgreSQL's own parser, because a
 * tag does not say: CREATE TABLE AS answers `SELECT 5`, and EXPLAIN ANALYZE of a DELETE `EXPLAIN`. False for what can't be read.
 */
export async function onlyReads(text: string): Promise<boolean> {
  await loadModule()
  try {
    const statements = parseSync(text).stmts ?? []
    return statements.every(({ stmt }) => stmt !== undefined && reads(stmt))
  } catch {
    return false
  }
}

function reads(statement: Node): boolean {
  if ('SelectStmt' in statement) return !holdsChange(statement.SelectStmt)
  if ('VariableShowStmt' in statement || 'FetchStmt' in statement) return true
  if ('ExplainStmt' in statement) {
    const { query } = statement.ExplainStmt
    return query !== undefined && reads(query)
  }
  return false
}

function holdsChange(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(holdsChange)
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(([key, inner]) => changes.has(key) || holdsChange(inner))
}
