import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { SchemaTable } from '../../shared/api/models.ts'
import { startPostgres } from '../testing/postgres.ts'
import { Catalogs } from './catalog.ts'
import { SqlLink } from './link.ts'
import { queryRows } from './query.ts'

let postgres: Awaited<ReturnType<typeof startPostgres>>
let opened = 0

const open = async (): Promise<SqlLink> => {
  opened += 1
  return SqlLink.open(connect(postgres.port, '127.0.0.1'), 'postgres', 'postgres')
}

const shop: SchemaTable[] = ['customer', 'Order'].map((name) => ({
  schema: 'shop',
  name,
  kind: 'table',
  columns: [{ name: 'id', type: 'int4', masked: false }],
}))

beforeAll(async () => {
  postgres = await startPostgres()
  const link = await open()
  await queryRows(
    link,
    `CREATE SCHEMA shop;
    CREATE TABLE shop.customer (id int PRIMARY KEY, email varchar(40) NOT NULL UNIQUE);
    CREATE TABLE shop."Order" (id int, part int, by int NOT NULL REFERENCES shop.customer, PRIMARY KEY (part, id));
    CREATE FUNCTION shop.total(a int) RETURNS numeric LANGUAGE sql AS 'SELECT 1.0';
    CREATE FUNCTION shop.total(a int, b int) RETURNS numeric LANGUAGE sql AS 'SELECT 1.0'`,
  )
  link.wire.end()
})
afterAll(() => postgres.close())

test('keys in their own order, types as PostgreSQL writes them, functions by name', async () => {
  const catalog = await new Catalogs({ open, tables: async () => shop }).get('db', false)
  expect(catalog.partial).toBeUndefined()
  expect(catalog.tables[0]?.columns).toEqual([{ name: 'id', type: 'integer', notNull: true, masked: false }])
  expect(catalog.keys.map(({ table, kind, columns, refers }) => ({ table, kind, columns, refers }))).toEqual([
    { table: 'Order', kind: 'primary', columns: ['part', 'id'], refers: undefined },
    {
      table: 'Order',
      kind: 'foreign',
      columns: ['by'],
      refers: { schema: 'shop', table: 'customer', columns: ['id'] },
    },
    { table: 'customer', kind: 'unique', columns: ['email'], refers: undefined },
    { table: 'customer', kind: 'primary', columns: ['id'], refers: undefined },
  ])
  const total = catalog.functions.find((f) => f.name === 'total')
  expect(total).toMatchObject({ schema: 'shop', arguments: 'a integer', result: 'numeric', overloads: 1 })
  expect(catalog.functions.some((f) => f.schema === 'pg_catalog' && f.name === 'count')).toBe(true)
  const activity = catalog.system?.find((table) => table.name === 'pg_stat_activity')
  expect(activity).toMatchObject({ schema: 'pg_catalog', kind: 'view' })
  expect(activity?.columns.map((column) => column.name)).toContain('query')
  const nobodyWrites = ['int4pl', 'int4in', 'int4_avg_accum', 'btint4cmp']
  expect(catalog.functions.filter((f) => nobodyWrites.includes(f.name))).toEqual([])
})

test('the database is read once, and again when asked to; classes are read each time', async () => {
  let masked = true
  const tables = async (): Promise<SchemaTable[]> => [
    { schema: 's', name: 't', kind: 'table', columns: [{ name: 'c', type: 'text', masked }] },
  ]
  const catalogs = new Catalogs({ open, tables })
  const before = opened
  expect((await catalogs.get('db', false)).tables[0]?.columns[0]?.masked).toBe(true)
  masked = false
  expect((await catalogs.get('db', false)).tables[0]?.columns[0]?.masked).toBe(false)
  expect(opened).toBe(before + 1)
  await catalogs.get('db', true)
  expect(opened).toBe(before + 2)
})

test('a closed system catalog leaves tables and columns, and says what is missing; next time it is tried again', async () => {
  let refused = true
  const catalogs = new Catalogs({
    open: async () => {
      const link = await open()
      // As a policy would: the statements fail, the session lives.
      if (refused) await queryRows(link, 'BEGIN; SELECT 1/0').catch(() => [])
      return link
    },
    tables: async () => shop,
  })
  const catalog = await catalogs.get('db', false)
  expect(catalog.tables).toHaveLength(2)
  expect(catalog.partial).toMatch(/could not be read/)
  refused = false
  expect((await catalogs.get('db', false)).partial).toBeUndefined()
})
