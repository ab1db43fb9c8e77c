import { expect, describe as group, test } from 'vitest'
import type { CatalogFunction, CatalogType, SqlCatalog } from '../../../shared/rpc/editor.ts'
import { indexCatalog } from './catalog.ts'
import { describe, typeDdl } from './describe.ts'
import { lookUp } from './lookup.ts'
import { scopeAt } from './scope.ts'
import { callAt, parametersOf } from './signatures.ts'
import { suggest, suggestValues } from './suggest.ts'
import { tokenize } from './tokens.ts'
import { valuePlace } from './values.ts'

const signature = (id: number, args: string, result = 'numeric') => ({ id, arguments: args, result })
const fn = (name: string, signatures: CatalogFunction['signatures'], schema = 'public'): CatalogFunction => ({
  schema,
  name,
  kind: 'function',
  signatures,
})
const type = (id: number, name: string, kind: CatalogType['kind'], rest: Partial<CatalogType> = {}): CatalogType => ({
  ...{ id, arrayId: id + 1, schema: 'public', name, kind, labels: [], fields: [], constraints: [] },
  ...rest,
})
const column = (name: string, written: string, typeId?: number) => ({
  ...{ name, type: written, notNull: false, masked: false },
  ...(typeId === undefined ? {} : { typeId }),
})
const labels = ['captured', 'on hold', "o'clock"]
const catalog: SqlCatalog = {
  tables: [
    {
      schema: 'public',
      name: 'orders',
      kind: 'table',
      columns: [
        column('id', 'integer'),
        column('status', 'order_status', 100),
        column('past', 'order_status[]', 101),
        column('last', 'last_status', 200),
      ],
    },
    { schema: 'public', name: 'notes', kind: 'table', columns: [column('status', 'text')] },
  ],
  keys: [],
  indexes: [],
  functions: [
    fn('cost', [
      signature(1, 'shipment integer'),
      { ...signature(2, 'weight numeric, express boolean DEFAULT false'), comment: 'What a parcel costs.' },
    ]),
    fn('concat', [signature(3, 'VARIADIC "any"', 'text')], 'pg_catalog'),
    { ...fn('touch', [signature(4, '', 'trigger')]), kind: 'trigger' },
  ],
  types: [
    type(100, 'order_status', 'enum', { labels }),
    type(200, 'last_status', 'domain', { base: { id: 100, type: 'order_status' }, constraints: ['NOT NULL'] }),
    type(300, 'address', 'composite', { fields: [{ name: 'zip', type: 'character varying(10)' }] }),
  ],
}
const index = indexCatalog(catalog)

/** The statement without its `|`, and where that stood. */
const at = (marked: string) => ({ sql: marked.replace('|', ''), offset: marked.indexOf('|') })

group('functions', () => {
  const call = (marked: string) => {
    const { sql, offset } = at(marked)
    const found = callAt(tokenize(sql), offset, index)
    return found && [found.function.name, found.argument, found.given]
  }

  test('parameters, whatever stands in their defaults', () => {
    const args = `a numeric(10,2), b text DEFAULT 'x, (y'::text, c integer[] DEFAULT ARRAY[1, 2], VARIADIC d "any"`
    expect(parametersOf(signature(1, args))).toEqual([
      'a numeric(10,2)',
      "b text DEFAULT 'x, (y'::text",
      'c integer[] DEFAULT ARRAY[1, 2]',
      'VARIADIC d "any"',
    ])
    expect(parametersOf(signature(1, ''))).toEqual([])
  })

  test('the argument that is being written, also behind a call within it and outside of a subquery', () => {
    expect(call('select cost(|)')).toEqual(['cost', 0, 0])
    expect(call('select cost(1, |)')).toEqual(['cost', 1, 2])
    expect(call('select cost(concat(1, 2), |true)')).toEqual(['cost', 1, 2])
    expect(call('select cost(concat(1, |2), true)')).toEqual(['concat', 1, 2])
    expect(call('select cost((1 + |2), true)')).toEqual(['cost', 0, 2])
    expect(call('select cost((select 1 + |2), true)')).toBeUndefined()
    expect(call('select cost(1)|')).toBeUndefined()
    expect(call('insert into orders values (1, |')).toBeUndefined()
  })

  test('the one that fits the call is meant, and the others are named', () => {
    const hover = (marked: string) => {
      const { sql, offset } = at(marked)
      const found = lookUp(sql, offset, index)
      return found && describe(found.meaning, index)
    }
    expect(hover('select co|st(1.5, true)')).toEqual({
      code: 'function cost(weight numeric, express boolean DEFAULT false) → numeric\ncost(shipment integer) → numeric',
      notes: ['What a parcel costs.'],
    })
    expect(hover('select co|st(1)')?.code).toMatch(/^function cost\(shipment integer\)/)
    expect(hover('select con|cat(1, 2, 3)')?.code).toBe('function concat(VARIADIC "any") → text')
  })

  test('a trigger function is nobody’s to call, and is looked up where a trigger names it', () => {
    const { sql, offset } = at('create trigger t before update on orders for each row execute function tou|ch()')
    expect(lookUp(sql, offset, index)?.meaning).toMatchObject({ kind: 'function', function: { name: 'touch' } })
    const scope = scopeAt('select t', 8)
    expect(suggest(scope, index, 't').filter((one) => one.label === 'touch')).toEqual([])
  })
})

group('types of the database', () => {
  const values = (marked: string) => {
    const { sql, offset } = at(marked)
    const place = valuePlace(sql, offset, scopeAt(sql, offset), index)
    return place === undefined ? [] : suggestValues(place, index).map((one) => one.insert)
  }
  const whole = ["'captured'", "'on hold'", "'o''clock'"]
  const inner = ['captured', 'on hold', "o''clock"]

  test('values of an enum where its column is compared, set or inserted', () => {
    for (const sql of [
      'select * from orders where status = |',
      'select * from orders o where o.status <> |',
      'select * from orders where status in (|',
      "select * from orders where status not in ('captured', |)",
      'select * from orders where status is not distinct from |',
      "select case status when 'captured' then 1 when | from orders",
      'update orders set status = |',
      'insert into orders (id, status) values (1, |',
      'insert into orders values (1, |)',
      'select * from orders where last = |',
    ]) {
      expect(values(sql), sql).toEqual(whole)
    }
    expect(values("select * from orders where status = '|'")).toEqual(inner)
    expect(values("select * from orders where status = 'on |'")).toEqual(inner)
    expect(values("select * from orders where status = '|")).toEqual(inner.map((label) => `${label}'`))
  })

  test('none elsewhere', () => {
    for (const sql of [
      'select * from orders where id = |',
      "select * from notes where status = '|'",
      "select * from orders where status = 'captured'|",
      "select '|' from orders",
      'select * from orders where status = status and |',
      'insert into orders (id, status) values (|',
      'insert into orders (|',
    ]) {
      expect(values(sql), sql).toEqual([])
    }
  })

  test('what a column’s type is: labels, also of a domain over it and of an array', () => {
    const notes = (name: string) => {
      const found = lookUp(`select ${name} from orders`, 8, index)
      return found && describe(found.meaning, index)
    }
    expect(notes('status')).toEqual({
      code: 'orders.status order_status',
      notes: ["One of captured, on hold, o'clock"],
    })
    expect(notes('past')?.notes).toEqual(["One of captured, on hold, o'clock"])
    expect(notes('last')?.notes).toEqual(['last_status: order_status NOT NULL', "One of captured, on hold, o'clock"])
  })

  test('offered before PostgreSQL’s own where a type comes, and looked up there', () => {
    const scope = scopeAt('select 1::', 10)
    expect(
      suggest(scope, index, '')
        .map((one) => one.insert)
        .slice(0, 4),
    ).toEqual(['order_status', 'last_status', 'address', 'text'])
    expect(lookUp("select '1'::addr", 14, index)).toBeUndefined()
    const found = lookUp("select '1'::address", 14, index)
    expect(found && describe(found.meaning, index)).toEqual({
      code: 'composite address',
      notes: ['address: zip character varying(10)'],
    })
    expect(catalog.types.map(typeDdl)).toEqual([
      "CREATE TYPE public.order_status AS ENUM (\n  'captured',\n  'on hold',\n  'o''clock'\n);",
      'CREATE DOMAIN public.last_status AS order_status\n  NOT NULL;',
      'CREATE TYPE public.address AS (\n  zip character varying(10)\n);',
    ])
  })
})
