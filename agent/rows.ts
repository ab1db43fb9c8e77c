import type { Node } from 'libpg-query'
import pg from 'pg'
import { z } from 'zod'
import type { RowsAnswer, RowsRequest } from '../shared/link.ts'
import type { Catalog } from './inspect/postgres/analysis.ts'
import { analyse } from './inspect/postgres/classify.ts'
import { parse } from './inspect/postgres/parser.ts'
import { parseSearchPath } from './inspect/postgres/sql/settings.ts'
import { clientConfig } from './inspect/postgres/start/client-config.ts'
import type { PostgresTarget } from './inspect/postgres/start/tls.ts'
import { countingText } from './rows-text.ts'

/** How many rows a held statement concerns, over a connection of the agent's own. Nothing of it is kept at the target. */

const timeouts = { plan: 2_000, count: 5_000 } as const
const planned = ['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt']

export async function rowsOf(target: PostgresTarget, request: RowsRequest, catalog: Catalog): Promise<RowsAnswer> {
  const statement = textFor(request, catalog)
  if (!statement.ok) return statement
  try {
    return await ask(target, request, statement.text)
  } catch (error) {
    return { ok: false, ...wordsFor(error) }
  }
}

type Text = { ok: true; text: string } | { ok: false; reason: string }

function textFor({ how, text, searchPath }: RowsRequest, catalog: Catalog): Text {
  const parsed = parse(text)
  const [statement, second] = parsed.ok ? parsed.statements : []
  if (statement === undefined || second !== undefined) {
    return { ok: false, reason: 'Only a single statement can be estimated.' }
  }
  if (hasParameters(statement.node))
    return { ok: false, reason: 'It has parameters, so its plan depends on their values.' }
  const own = text.slice(statement.start, statement.end)
  const analysis = analyse(text, catalog, { searchPath: parseSearchPath(searchPath) ?? [] })
  const [one] = analysis.ok ? analysis.statements : []
  if (how === 'plan') {
    if (!planned.some((tag) => tag in statement.node)) {
      return { ok: false, reason: 'There is no plan for this kind of statement.' }
    }
    // The planner calls functions that are not volatile to see what comes of them, and nobody has approved that yet.
    if (one === undefined || one.code === true || !one.functions.every(isBuiltIn)) {
      return { ok: false, reason: 'It calls functions that planning may run, so its rows are not estimated.' }
    }
    return { ok: true, text: `EXPLAIN (FORMAT JSON) ${own}` }
  }
  if (
    one === undefined ||
    !one.complete ||
    one.code === true ||
    !one.functions.every((name) => isHarmless(name, catalog))
  ) {
    return { ok: false, reason: 'It calls functions that may do more than read, so its rows are not counted.' }
  }
  return countingText(statement.node, own)
}

/** Of those, the planner runs none that does anything. */
function isBuiltIn(id: string): boolean {
  return !id.includes('.') || id.startsWith('pg_catalog.')
}

/** Built into the server, and without effects. */
function isHarmless(id: string, catalog: Catalog): boolean {
  const name = id.split('.').at(-1) ?? ''
  if (!isBuiltIn(id)) return false
  const found = catalog.functions('pg_catalog', name, [])
  return found.length > 0 && found.every((fn) => fn.volatility !== 'volatile')
}

async function ask(target: PostgresTarget, { how, searchPath }: RowsRequest, text: string): Promise<RowsAnswer> {
  const client = new pg.Client({
    ...clientConfig(target),
    application_name: 'sallyport rows',
    options: '-c standard_conforming_strings=on',
    connectionTimeoutMillis: 5_000,
    query_timeout: timeouts[how] + 1_000,
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query('BEGIN READ ONLY')
    await client.query(`SET LOCAL statement_timeout = ${timeouts[how]}`)
    await client.query('SET LOCAL lock_timeout = 200')
    await client.query('SELECT set_config($1, $2, true)', ['search_path', searchPath])
    const began = performance.now()
    // A name makes pg prepare it, and what is prepared is one statement and no more.
    const { rows } = await client.query<Record<string, unknown>>({ text, name: 'rows' })
    const ms = performance.now() - began
    return { ok: true, rows: how === 'plan' ? plannedRows(rows) : countedRows(rows), ms }
  } finally {
    // Ends the transaction with it: nothing is ever committed here.
    await client.end().catch(() => undefined)
  }
}

interface Plan {
  'Node Type': string
  'Plan Rows': number
  Plans?: Plan[] | undefined
}
const Plan: z.ZodType<Plan> = z.object({
  'Node Type': z.string(),
  'Plan Rows': z.number(),
  get Plans() {
    return z.array(Plan).optional()
  },
})
const Explained = z.array(z.object({ 'QUERY PLAN': z.array(z.object({ Plan })).min(1) })).min(1)
const Counted = z.array(z.object({ count: z.coerce.number() })).min(1)

/** What a change returns is no row, so the rows that come into it count. */
function plannedRows(rows: unknown): number {
  const plan = Explained.parse(rows)[0]?.['QUERY PLAN'][0]?.Plan
  if (plan === undefined) return 0
  const inner = plan['Node Type'] === 'ModifyTable' ? (plan.Plans ?? []) : [plan]
  return inner.reduce((sum, each) => sum + each['Plan Rows'], 0)
}

function countedRows(rows: unknown): number {
  return Counted.parse(rows)[0]?.count ?? 0
}

function hasParameters(node: Node): boolean {
  return JSON.stringify(node).includes('"ParamRef"')
}

/** A code of the target, but not its words, which may quote values. */
function wordsFor(error: unknown): { reason: string; passing: boolean } {
  if (!(error instanceof pg.DatabaseError)) return { reason: 'The target did not answer.', passing: true }
  switch (error.code) {
    case '57014':
      return { reason: 'It took too long to tell.', passing: true }
    case '55P03':
      return { reason: 'Somebody else has locked the table.', passing: true }
    default: {
      // Starting up, shutting down, too many connections.
      const passing = /^(57P|53|08)/.test(error.code ?? '')
      return { reason: `The target refused (SQLSTATE ${error.code ?? 'unknown'}).`, passing }
    }
  }
}
