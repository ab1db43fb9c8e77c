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
    CREATE FUNCTION shop.total(a int, b int) RETURNS numeric LANGUAGE sql AS 'SELECT 1.0';
    COMMENT ON FUNCTION shop.total(int, int) IS 'Of both.';
    CREATE FUNCTION shop.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE AGGREGATE shop.sum_of(numeric) (SFUNC = numeric_add, STYPE = numeric, INITCOND = '0');
    CREATE TYPE shop.status AS ENUM ('open', 'on hold');
    CREATE DOMAIN shop.code AS varchar(3) NOT NULL CHECK (VALUE <> '');
    CREATE TYPE shop.address AS (street text, zip varchar(10));
    CREATE TABLE shop.parcel (state shop.status, past shop.status[], code shop.code, "to" shop.address);
    CREATE VIEW shop."It's" AS SELECT id FROM shop.customer`,
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
  expect(total).toMatchObject({ schema: 'shop', kind: 'function' })
  expect(total?.signatures.map(({ arguments: args, result }) => [args, result])).toEqual([
    ['a integer', 'numeric'],
    ['a integer, b integer', 'numeric'],
  ])
  expect(catalog.functions.some((f) => f.schema === 'pg_catalog' && f.name === 'count')).toBe(true)
  const activity = catalog.system?.find((table) => table.name === 'pg_stat_activity')
  expect(activity).toMatchObject({ schema: 'pg_catalog', kind: 'view' })
  expect(activity?.columns.map((column) => column.name)).toContain('query')
  const firstWith = (name: string, count: number) =>
    catalog.functions
      .find((f) => f.name === name && f.schema === 'pg_catalog')
      ?.signatures.find((signature) => signature.arguments.split(', ').length === count)?.arguments
  expect([firstWith('lower', 1), firstWith('substring', 2)]).toEqual(['text', 'text, integer'])
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

test('types of the database by their names: labels, fields, what a domain is made of', async () => {
  const parcel: SchemaTable = {
    schema: 'shop',
    name: 'parcel',
    kind: 'table',
    columns: ['state', 'past', 'code', 'to'].map((name) => ({ name, type: 'USER-DEFINED', masked: false })),
  }
  const catalogs = new Catalogs({ open, tables: async () => [parcel] })
  expect(catalogs.typeName('db', 25)).toBeUndefined()
  const { types, tables } = await catalogs.get('db', false)
  const [state, past, code, to] = tables[0]?.columns ?? []
  expect([state?.type, past?.type, code?.type, to?.type]).toEqual([
    'shop.status',
    'shop.status[]',
    'shop.code',
    'shop.address',
  ])
  const status = types.find(({ id }) => id === state?.typeId)
  expect(status).toMatchObject({ name: 'status', kind: 'enum', labels: ['open', 'on hold'], arrayId: past?.typeId })
  expect(types.find(({ id }) => id === code?.typeId)).toMatchObject({
    kind: 'domain',
    base: { type: 'character varying(3)' },
    constraints: ['NOT NULL', "CHECK (((VALUE)::text <> ''::text))"],
  })
  expect(types.find(({ id }) => id === to?.typeId)?.fields).toEqual([
    { name: 'street', type: 'text' },
    { name: 'zip', type: 'character varying(10)' },
  ])
  expect(types).toHaveLength(3)
  expect(catalogs.typeName('db', state?.typeId ?? 0)).toBe('shop.status')
  expect(catalogs.typeName('db', past?.typeId ?? 0)).toBe('shop.status[]')
  catalogs.forget()
  expect(catalogs.typeName('db', state?.typeId ?? 0)).toBeUndefined()
})

test('definitions in the database’s own words, each read when it is asked for', async () => {
  const catalogs = new Catalogs({ open, tables: async () => shop })
  const { functions } = await catalogs.get('db', false)
  const of = (name: string) => functions.find((f) => f.schema === 'shop' && f.name === name)
  const [one, both] = of('total')?.signatures ?? []
  expect(both?.comment).toBe('Of both.')
  expect(of('touch')?.kind).toBe('trigger')
  const define = (id = 0) => catalogs.definition('db', { kind: 'function', id })
  expect(await define(one?.id)).toMatch(/^CREATE OR REPLACE FUNCTION shop\.total\(a integer\)\n/)
  expect(await define(both?.id)).toContain('total(a integer, b integer)')
  expect(await define(of('sum_of')?.signatures[0]?.id)).toBe(
    "CREATE AGGREGATE shop.sum_of(numeric) (\n  SFUNC = numeric_add,\n  STYPE = numeric,\n  INITCOND = '0'\n)",
  )
  const view = (name: string) => catalogs.definition('db', { kind: 'view', schema: 'shop', name })
  expect(await view("It's")).toMatch(/SELECT.*\bid\s+FROM shop\.customer/s)
  await expect(define(1)).rejects.toMatchObject({ problem: { code: 'not-found' } })
  await expect(view('customer')).rejects.toThrow(/no such definition/)
})
