import fc from 'fast-check'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Catalog, StatementAnalysis } from './analysis.ts'
import { createCatalogSource } from './catalog/catalog.ts'
import { analyse } from './classify.ts'
import { loadParser } from './parser.ts'
import { startPostgres, type TestPostgres } from './testing/postgres.ts'
import { randomQuery } from './testing/queries.ts'

/**
 * Random queries against a real server, which is the oracle three times over: for the columns that a query touches
 * (pg_depend of a view made of it), for the names and origins of its columns (RowDescription), and for where values come from
 * (a column that an output does not derive from may change without changing that output).
 */
describe('lineage of random queries', () => {
  let server: TestPostgres
  let client: pg.Client
  let catalog: Catalog
  const source = createCatalogSource()
  const columnNames = new Map<string, string>()

  beforeAll(async () => {
    server = await startPostgres()
    await loadParser()
    client = new pg.Client({ ...server.target, user: 'postgres', ssl: false })
    await client.connect()
    await client.query(schema)
    catalog = await source.get({ ...server.target, user: 'postgres' }).ready()
    for (const relation of catalog.relations()) {
      for (const column of relation.columns) {
        columnNames.set(`${relation.oid} ${column.attnum}`, `${relation.schema}.${relation.name}.${column.name}`)
      }
    }
  })

  afterAll(async () => {
    await source.close()
    await client.end()
    await server.close()
  })

  // LINEAGE_RUNS=20000 for a long run.
  it('agrees with the server', async () => {
    let checked = 0
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(9999), { minLength: 120, maxLength: 120, size: 'max' }), async (tape) => {
        const sql = randomQuery(tape)
        if (!(await accepted(sql))) return
        checked++
        const analysis = analyse(sql, catalog, { searchPath: ['demo'] })
        const statement = analysis.ok ? analysis.statements[0] : undefined
        expect(statement?.doubt, sql).toBeUndefined()
        if (!statement) throw new Error(`not analysed: ${sql}`)
        await sameColumns(sql, statement)
        await sameOrigins(sql, statement)
        await noInterference(sql, statement)
      }),
      { numRuns: Number(process.env.LINEAGE_RUNS ?? 250) },
    )
    expect(checked).toBeGreaterThan(50)
  }, 600_000)

  /** Not every random query is one that PostgreSQL takes. */
  async function accepted(sql: string): Promise<boolean> {
    try {
      await client.query(sql)
      return true
    } catch {
      return false
    }
  }

  async function sameColumns(sql: string, { columns, outputs }: StatementAnalysis): Promise<void> {
    await client.query('begin')
    try {
      const names = (outputs ?? []).map((_, i) => `c${i}`).join(', ')
      await client.query(`create temp view probe (${names}) as ${sql}`)
      const { rows } = await client.query(dependencies)
      const expected = rows.map((row: { id: string }) => row.id)
      const own = columns.filter((column) => column.startsWith('demo.'))
      for (const column of expected) expect(own, `${sql}\ntouches ${column}`).toContain(column)
    } finally {
      await client.query('rollback')
    }
  }

  async function sameOrigins(sql: string, { outputs }: StatementAnalysis): Promise<void> {
    const { fields } = await client.query(sql)
    expect(
      outputs?.map(({ name }) => name),
      sql,
    ).toEqual(fields.map(({ name }) => name))
    const origins = fields.map(({ tableID, columnID }) => columnNames.get(`${tableID} ${columnID}`))
    // Beside columns that can't be listed it is known which ones it may be, as for the comparison with the target's own description.
    const agreed = outputs?.map(({ origin, sources }, i) => {
      const theirs = origins[i]
      return origin === undefined && theirs !== undefined && sources.includes(theirs) ? theirs : origin
    })
    expect(agreed, sql).toEqual(origins)
  }

  async function noInterference(sql: string, { outputs, uses, columns }: StatementAnalysis): Promise<void> {
    const used = new Set(uses.map(({ column }) => column))
    const before = await client.query({ text: sql, rowMode: 'array' })
    for (const id of columns) {
      const [, table, column] = id.split('.')
      if (used.has(id) || !changeable.has(`${table}.${column}`)) continue
      await client.query('begin')
      try {
        await client.query(`update demo.${table} set ${column} = ${column} || '~' || id`)
        const after = await client.query({ text: sql, rowMode: 'array' })
        expect(after.rows.length, `${sql}\n${id} changes the number of rows`).toBe(before.rows.length)
        for (const [i, output] of (outputs ?? []).entries()) {
          if (output.sources.includes(id)) continue
          expect(cells(after.rows, i), `${sql}\n${id} shows in ${output.name}`).toEqual(cells(before.rows, i))
        }
      } finally {
        await client.query('rollback')
      }
    }
  }
})

function cells(rows: readonly unknown[], i: number): string[] {
  return rows.map((row) => JSON.stringify(Array.isArray(row) ? row[i] : null)).sort()
}

const changeable = new Set(['customers.name', 'customers.email', 'customers.country', 'orders.status', 'notes.note'])

const dependencies = `
  select distinct n.nspname || '.' || c.relname || '.' || a.attname as id
  from pg_rewrite r join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
    join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
    join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
  where r.ev_class = 'pg_temp.probe'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjsubid > 0 and n.nspname = 'demo'`

const schema = `
  create schema demo;
  set search_path = demo;
  create table customers (id int, name text, email text, country text);
  create table orders (id int, customer_id int, status text, total int);
  create table notes (id int, note text);
  create view order_totals as select c.country, count(*) as orders, sum(o.total) as total
    from customers c join orders o on o.customer_id = c.id group by c.country;
  create view contacts as select id, email as address, lower(name) as who from customers where country <> 'XX';
  create view people as select c.id, c.address || n.note as label, length(c.who) as size from contacts c join notes n using (id);
  insert into customers select i, 'n' || i, 'e' || i % 3, case when i % 2 = 0 then 'DE' else 'US' end from generate_series(1, 5) i;
  insert into orders select i, i % 5 + 1, case when i % 2 = 0 then 'open' else 'paid' end, i * 10 from generate_series(1, 7) i;
  insert into notes select i, 'note ' || i from generate_series(1, 4) i;
`
