import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Catalog } from './analysis.ts'
import { createCatalogSource } from './catalog/catalog.ts'
import { analyse } from './classify.ts'
import { planMasks } from './mask/plan.ts'
import { loadParser } from './parser.ts'
import { startPostgres, type TestPostgres } from './testing/postgres.ts'

/** What psql's backslash commands and pg_dump sent to a server (log_statement = all), once each. */
const queries: readonly string[] = JSON.parse(
  readFileSync(new URL('./testing/tool-queries.json', import.meta.url), 'utf8'),
)

describe('the queries of tools', () => {
  let server: TestPostgres
  let catalog: Catalog
  const source = createCatalogSource()

  beforeAll(async () => {
    server = await startPostgres()
    await loadParser()
    await server.direct(
      `create schema tools; create extension "uuid-ossp"; create table tools.audit_log (id int); create table tools.schema_migrations (id int);
      create table tools.orders (id serial primary key, total numeric, placed_at timestamptz, note text, data jsonb)`,
    )
    catalog = await source.get({ ...server.target, user: 'postgres' }).ready()
  })

  afterAll(async () => {
    await source.close()
    await server.close()
  })

  it('run, where some column of another table is masked', () => {
    const unmask = { verdict: 'masked' as const, policy: { id: 'mask', reason: 'Masked.' } }
    const refused: string[] = []
    for (const sql of [...queries, ...clientQueries]) {
      const analysis = analyse(sql, catalog, { searchPath: ['tools', 'public'] })
      if (!analysis.ok) refused.push(`${analysis.message}: ${sql}`)
      else
        for (const statement of analysis.statements) {
          const plan = planMasks(statement, (_, table, column) =>
            table === 'customers' && column === 'email'
              ? { dataClass: 'email', unmask, use: 'none', derived: 'block', mask: () => null }
              : undefined,
          )
          if (!plan.ok) refused.push(`${plan.message}: ${sql}`)
        }
    }
    // psql's \\deu+ shows passwords of foreign servers.
    expect(refused).toEqual([expect.stringContaining('pg_user_mappings.umoptions')])
  })

  it('of psql and pg_dump are understood, and read', () => {
    const refused: string[] = []
    for (const sql of queries) {
      const analysis = analyse(sql, catalog, { searchPath: ['public'] })
      if (!analysis.ok) refused.push(`${analysis.message}: ${sql}`)
      else
        for (const { doubt, action } of analysis.statements) {
          if (doubt !== undefined || !readOnly.has(action)) refused.push(`${action}, ${doubt}: ${sql}`)
        }
    }
    expect(refused).toEqual([])
  })
})

/** In the manner of pgJDBC and DBeaver, pgAdmin, Npgsql, Rails, Django, SQLAlchemy and Prisma, and of people who look after a server. */
const clientQueries: readonly string[] = JSON.parse(
  readFileSync(new URL('./testing/client-queries.json', import.meta.url), 'utf8'),
)

const readOnly: ReadonlySet<string> = new Set(['sql:select', 'sql:session', 'sql:show', 'sql:copy'])
