import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Catalog } from './analysis.ts'
import { createCatalogSource } from './catalog.ts'
import { analyse } from './classify.ts'
import { loadParser } from './parser.ts'
import { startPostgres, type TestPostgres } from './testing/postgres.ts'

/** What psql's backslash commands and pg_dump sent to a server (log_statement = all), once each. */
const queries: readonly string[] = JSON.parse(
  readFileSync(new URL('./testing/tool-queries.json', import.meta.url), 'utf8'),
)

describe('the queries of psql and pg_dump', () => {
  let server: TestPostgres
  let catalog: Catalog
  const source = createCatalogSource()

  beforeAll(async () => {
    server = await startPostgres()
    await loadParser()
    await server.direct(
      'create schema tools; create table tools.orders (id int); create table tools.audit_log (id int)',
    )
    catalog = await source.get({ ...server.target, user: 'postgres' }).ready()
  })

  afterAll(async () => {
    await source.close()
    await server.close()
  })

  it('are understood, and read', () => {
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

const readOnly: ReadonlySet<string> = new Set(['sql:select', 'sql:session', 'sql:show', 'sql:copy'])
