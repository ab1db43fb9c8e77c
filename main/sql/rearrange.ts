import { loadModule, type Node, parseSync, type SelectStmt } from 'libpg-query'
import type { Rearrangement } from '../../shared/rpc/contract.ts'
import { literal } from '../../shared/sql/literal.ts'
import { splitStatements } from '../../shared/sql/split.ts'
import { fail, messageOf } from '../problem.ts'

/**
 * The statement that shows a query's result sorted or filtered: the query as a sub-query, run again. Says why where that can't be
 * done, or would not mean the same. Which statement is a query is told by PostgreSQL's own parser.
 */
export async function rearranged({ text, columns, sort, filters }: Rearrangement): Promise<string> {
  await loadModule()
  const query = selectOf(text)
  const why = obstacle(query)
  if (why !== undefined) throw refused(why)
  for (const i of [...sort, ...filters].map(({ column }) => column)) {
    const column = columns[i]
    if (column === undefined) throw fail('bad-input', `The result has no column ${i + 1}.`)
    if (column.masked !== undefined) {
      throw refused(
        `${column.name} is masked by ${column.masked.policyId}: the order of its values, or which of them match, would tell what the mask hides`,
      )
    }
  }
  // Names may be missing or double, so the columns get names of their own inside, and their old ones back outside.
  const inner = columns.map((_, i) => `c${i + 1}`)
  const shown = columns.map((column, i) => `${inner[i]} AS ${identifier(column.name)}`)
  const where = filters.map((filter) => condition(inner[filter.column] ?? '', filter)).join(' AND ')
  const order = sort
    .map(({ column, direction }) => `${inner[column]} ${direction === 'asc' ? 'ASC' : 'DESC'} NULLS LAST`)
    .join(', ')
  const wrapped = [
    `SELECT ${shown.join(', ')}`,
    // On lines of its own: the query may hold a comment to the end of its line.
    `FROM (\n${bare(text)}\n) AS result(${inner.join(', ')})`,
    ...(where === '' ? [] : [`WHERE ${where}`]),
    ...(order === '' ? [] : [`ORDER BY ${order}`]),
  ].join('\n')
  // What is sent must be one query again, whatever the text held.
  selectOf(wrapped)
  return wrapped
}

/** Without the semicolon and the comments around it. */
function bare(text: string): string {
  const [only] = splitStatements(text)
  return only === undefined ? text : text.slice(only.start, only.end)
}

function selectOf(text: string): SelectStmt {
  let statements: { stmt?: Node }[]
  try {
    statements = parseSync(text).stmts ?? []
  } catch (error) {
    throw refused(`PostgreSQL's parser does not take it (${messageOf(error)})`)
  }
  const [only] = statements
  if (statements.length !== 1 || only?.stmt === undefined) throw refused('it is not one statement')
  if (!('SelectStmt' in only.stmt)) throw refused('it is not a query, and running it again would do again what it does')
  return only.stmt.SelectStmt
}

/** Why a query can't be a sub-query; undefined when it can. */
function obstacle(query: SelectStmt): string | undefined {
  if (query.intoClause !== undefined) return 'SELECT INTO makes a table'
  if ((query.lockingClause ?? []).length > 0) return 'it locks rows (FOR UPDATE or FOR SHARE)'
  for (const node of query.withClause?.ctes ?? []) {
    const body = 'CommonTableExpr' in node ? node.CommonTableExpr.ctequery : undefined
    if (body === undefined || !('SelectStmt' in body)) return 'a WITH query in it changes data'
  }
  return undefined
}

function refused(why: string): Error {
  return fail('bad-input', `This result can't be sorted or filtered here: ${why}.`, {
    hint: 'Write ORDER BY or WHERE into the statement.',
  })
}

function condition(column: string, { operator, value }: Rearrangement['filters'][number]): string {
  switch (operator) {
    case 'contains':
      return `${column}::text ILIKE ${literal(`%${value.replace(/[\\%_]/g, '\\$&')}%`)}`
    case 'equals':
      return `${column}::text = ${literal(value)}`
    case 'differs':
      return `${column}::text IS DISTINCT FROM ${literal(value)}`
    case 'less':
      return `${column} < ${literal(value)}`
    case 'greater':
      return `${column} > ${literal(value)}`
    case 'null':
      return `${column} IS NULL`
    case 'not-null':
      return `${column} IS NOT NULL`
    default:
      return operator satisfies never
  }
}

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
