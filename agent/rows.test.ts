import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Catalog } from './inspect/postgres/analysis.ts'
import { type CatalogSource, createCatalogSource } from './inspect/postgres/catalog/catalog.ts'
import { loadParser } from './inspect/postgres/parser.ts'
import { startPostgres, type TestPostgres } from './inspect/postgres/testing/postgres.ts'
import { rowsOf } from './rows.ts'

let server: TestPostgres
let catalogs: CatalogSource
let catalog: Catalog

beforeAll(async () => {
  await loadParser()
  server = await startPostgres()
  await server.direct(`
    create function noisy(i int) returns boolean language plpgsql stable as $$ begin perform pg_notify('x', 'y'); return true; end $$;
    create function loud(i int, j int default 0) returns boolean language plpgsql immutable as
      $$ begin raise exception 'it ran' using errcode = 'P0777'; end $$;
    create operator <!> (leftarg = int, rightarg = int, function = loud);
    create view loud_orders as select * from orders where loud(1);
    analyze;`)
  catalogs = createCatalogSource()
  catalog = await catalogs.get(server.target).ready()
})
afterAll(async () => {
  await catalogs.close()
  await server.close()
})

function rows(how: 'plan' | 'count', text: string, searchPath = 'public') {
  return rowsOf(server.target, { how, text, searchPath }, catalog)
}

test('the planner says about how many, and nothing runs', async () => {
  expect(await rows('plan', 'delete from orders where total > 100')).toMatchObject({ ok: true })
  const answer = await rows('plan', 'delete from orders')
  expect(answer.ok && answer.rows).toBe(100)
  expect((await server.direct('select count(*)::int as n from orders')).rows).toEqual([{ n: 100 }])
})

test('counted, the number is exact, under the search_path of the statement, and every row is still there', async () => {
  expect(await rows('count', 'delete from orders where id <= 7')).toMatchObject({ ok: true, rows: 7 })
  expect(await rows('count', "update orders set note = 'x' where total > lower('5')::int")).toMatchObject({ rows: 98 })
  expect(
    await rows('count', 'delete from orders o using customers c where c.id = o.customer_id and c.id < 5'),
  ).toMatchObject({
    rows: 4,
  })
  expect(await rows('count', 'delete from orders', 'other')).toMatchObject({ ok: true, rows: 1 })
  expect((await server.direct('select count(*)::int as n from orders')).rows).toEqual([{ n: 100 }])
})

test.each([
  ['count', 'delete from orders where noisy(id)', /functions/],
  ['count', 'delete from orders where pg_notify(note, note) is null', /functions/],
  ['count', 'insert into orders select * from orders', /form/],
  ['count', 'delete from orders where id = $1', /parameters/],
  ['plan', 'delete from orders where id = 1; drop table orders', /single statement/],
  ['count', 'delete from orders where 1 <!> 2', /functions/],
  ['count', 'delete from loud_orders where id = 1', /functions/],
  ['plan', 'delete from loud_orders where id = 1', /planning may run/],
  ['plan', 'vacuum', /no plan/],
  ['plan', 'delete from orders where loud(1)', /planning may run/],
  ['plan', 'delete from orders where 1 <!> 2', /planning may run/],
  ['plan', 'insert into orders select 1 where loud(1)', /planning may run/],
  ['plan', "delete from nowhere where ssn = '900-00-0001'", /SQLSTATE 42P01/],
] as const)('%s of %s is not told', async (how, text, reason) => {
  const answer = await rows(how, text)
  expect(answer).toMatchObject({ ok: false, reason: expect.stringMatching(reason) })
  expect(JSON.stringify(answer)).not.toContain('900-00')
})

test('a table that somebody has locked is not waited for', async () => {
  await server.direct('begin; lock table orders in access exclusive mode')
  expect(await rows('plan', 'delete from orders')).toMatchObject({
    ok: false,
    reason: expect.stringMatching(/locked/),
    passing: true,
  })
  await server.direct('rollback')
})
