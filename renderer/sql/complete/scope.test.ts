import { describe, expect, test } from 'vitest'
import { scopeAt } from './scope.ts'

/** The scope at the bar. */
const at = (sql: string) => scopeAt(sql.replace('|', ''), sql.indexOf('|'))
const names = (sql: string) => at(sql).sources.map((s) => s.name)

describe('what is in reach', () => {
  test.each([
    ['select | from orders', ['orders']],
    ['select | from public.orders o, customers as c', ['o', 'c']],
    ['select * from orders o left join customers c on o.customer_id = c.id where |', ['o', 'c']],
    ['update orders set | = 1', ['orders']],
    ['delete from orders o using customers c where |', ['o', 'c']],
    ['insert into orders (|) values (1)', ['orders']],
    ['select (select | from payments p) from orders o', ['p', 'o']],
    ['select 1 from a union select | from b', ['b']],
    ['select lower(|) from t', ['t']],
    ['select | from generate_series(1, 2) g', ['g']],
    ['select | from "Weird Name" w', ['w']],
    ["select 'from x' -- from y\n, | from z", ['z']],
  ])('%s', (sql, expected) => expect(names(sql)).toEqual(expected))

  test('a table keeps its schema, an alias its place', () => {
    const sql = 'select c. from public.customers c'
    expect(scopeAt(sql, 9).sources[0]).toEqual({
      name: 'c',
      table: { schema: 'public', name: 'customers' },
      at: { start: 32, end: 33 },
    })
  })

  test('common table expressions say their columns, through stars and subqueries', () => {
    const sql = `with a as (select id, lower(name) as low, count(*) from t), b(x, y) as (select 1, 2), c as (select * from a)
      select | from c join b on true join (select x as z from b) d on true`
    const { sources, ctes } = at(sql)
    expect(ctes.map((c) => [c.name, c.columns])).toEqual([
      ['a', ['id', 'low', 'count']],
      ['b', ['x', 'y']],
      ['c', ['id', 'low', 'count']],
    ])
    expect(sources.map((s) => [s.name, s.columns])).toEqual([
      ['c', ['id', 'low', 'count']],
      ['b', ['x', 'y']],
      ['d', ['z']],
    ])
  })
})

describe('what is being written', () => {
  test.each([
    ['|', 'keyword'],
    ['select | ', 'expression'],
    ['select a from |', 'table'],
    ['select a from cust|', 'table'],
    ['select a from x, |', 'table'],
    ['select a from x join |', 'join'],
    ['select a from x join y on |', 'condition'],
    ['select a from x |', 'keyword'],
    ['select a from x where |', 'expression'],
    ['insert into x (|', 'insert-columns'],
    ['insert into x (a, |', 'insert-columns'],
    ['insert into x (a) values (|', 'expression'],
    ['update x set |', 'column'],
    ['update x set a = |', 'expression'],
    ['delete from |', 'table'],
  ])('%s is a %s', (sql, expected) => expect(at(sql).expecting).toBe(expected))

  test('names before the dot', () => {
    expect(at('select c.em| from customers c')).toMatchObject({ qualifier: ['c'], from: 9 })
    expect(at('select public.customers.| from customers')).toMatchObject({ qualifier: ['public', 'customers'] })
  })
})

test('takes any beginning of a statement', () => {
  const sql = `with a(b) as materialized (select "c""d", e'\\'' from f g where h in (select 1)) select * from a, lateral (values (1)) v(i)`
  for (let end = 0; end <= sql.length; end += 1) {
    for (const offset of [0, Math.floor(end / 2), end]) expect(() => scopeAt(sql.slice(0, end), offset)).not.toThrow()
  }
})
