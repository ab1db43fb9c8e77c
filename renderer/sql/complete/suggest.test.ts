import { describe, expect, test } from 'vitest'
import type { SqlCatalog } from '../../../shared/rpc/editor.ts'
import { indexCatalog } from './catalog.ts'
import { scopeAt } from './scope.ts'
import { startsWord, suggest } from './suggest.ts'
import { isInLiteral, tokenize } from './tokens.ts'

const column = (name: string, type = 'integer') => ({ name, type, notNull: false, masked: false })
const catalog: SqlCatalog = {
  tables: [
    {
      schema: 'public',
      name: 'customers',
      kind: 'table',
      columns: [column('id'), { ...column('email', 'text'), dataClass: 'email', masked: true }],
    },
    {
      schema: 'public',
      name: 'orders',
      kind: 'table',
      columns: [column('id'), column('customer_id'), column('Total')],
    },
    { schema: 'audit', name: 'log', kind: 'view', columns: [column('at')] },
  ],
  keys: [
    {
      schema: 'public',
      table: 'orders',
      name: 'fk',
      kind: 'foreign',
      columns: ['customer_id'],
      refers: { schema: 'public', table: 'customers', columns: ['id'] },
      definition: '',
    },
  ],
  indexes: [],
  functions: [
    {
      schema: 'pg_catalog',
      name: 'lower',
      kind: 'function',
      signatures: [{ id: 1, arguments: 'text', result: 'text' }],
    },
  ],
  types: [],
}
const index = indexCatalog(catalog)

function at(sql: string) {
  const scope = scopeAt(sql.replace('|', ''), sql.indexOf('|'))
  return suggest(scope, index, sql.slice(scope.from, sql.indexOf('|')))
}
const inserts = (sql: string, kind?: string) =>
  at(sql)
    .filter((s) => kind === undefined || s.kind === kind)
    .map((s) => s.insert)

describe('suggestions', () => {
  test('columns of an alias, with type, key and class; masked ones are marked', () => {
    expect(at('select c.| from customers c').map(({ kind, insert, note }) => ({ kind, insert, note }))).toEqual([
      { kind: 'column', insert: 'id', note: 'integer' },
      { kind: 'masked', insert: 'email', note: 'text · masked email' },
    ])
    expect(at('select o.customer_id| from orders o')[1]?.note).toBe('integer · → customers.id')
  })

  test('a column that two tables have is written with its alias, one with capitals in quotes', () => {
    const columns = inserts('select | from orders o join customers c on true', 'column')
    expect(columns).toEqual(['o.id', 'customer_id', '"Total"', 'c.id'])
  })

  test('tables, schemas and common table expressions after FROM', () => {
    const found = inserts('with recent as (select 1 as one) select * from |')
    expect(found.slice(0, 4)).toEqual(['recent', 'customers', 'orders', 'audit.log'])
    expect(inserts('select * from audit.|')).toEqual(['log'])
  })

  test('joins along foreign keys, both ways', () => {
    expect(inserts('select * from orders o join |', 'join')).toEqual(['customers c ON c.id = o.customer_id'])
    expect(inserts('select * from customers c join |', 'join')).toEqual(['orders o ON o.customer_id = c.id'])
    expect(inserts('select * from customers c join orders o on |', 'join')).toEqual(['o.customer_id = c.id'])
  })

  test('columns of the table that is inserted into or set', () => {
    expect(inserts('insert into orders (id, |')).toEqual(['customer_id', '"Total"'])
    expect(inserts('insert into orders (|, id) values (1, 2)')).toEqual(['customer_id', '"Total"'])
    expect(inserts('update customers set |')).toEqual(['id', 'email'])
  })

  test('columns of the table that is altered, indexed or copied, and those that both sides of a join have', () => {
    const all = ['id', 'customer_id', '"Total"']
    for (const sql of [
      'alter table orders drop column |',
      'alter table if exists public.orders alter column |',
      'create index on orders (|',
      'create unique index if not exists x on orders using btree (id, |',
      'copy orders (|',
    ]) {
      expect(inserts(sql), sql).toEqual(all)
    }
    expect(inserts('select 1 from customers c join orders o using (|')).toEqual(['id'])
  })

  test('tables where a statement names one, and what was to be inserted', () => {
    for (const sql of ['grant select on |', 'lock |', 'copy |', 'drop view if exists |', 'create index on |'])
      expect(inserts(sql, 'table'), sql).toEqual(['customers', 'orders'])
    expect(inserts('insert into orders (id) values (1) on conflict (id) do update set id = excluded.|')).toEqual([
      'id',
      'customer_id',
      '"Total"',
    ])
    expect(
      inserts('insert into orders (id) values (1) on conflict (id) do update set id = 1 returning |'),
    ).not.toContain('excluded')
  })

  test('types behind :: and in CAST', () => {
    expect(inserts('select 1::|', 'type').slice(0, 2)).toEqual(['text', 'integer'])
    expect(inserts('select cast(id as |', 'type')).toContain('jsonb')
    expect(inserts('select :|', 'type')).toEqual([])
  })

  test('what every database has, once it is begun', () => {
    const view = { schema: 'pg_catalog', name: 'pg_stat_activity', kind: 'view' as const, columns: [column('pid')] }
    const more = indexCatalog({ ...catalog, system: [view] })
    const found = (sql: string) => {
      const scope = scopeAt(sql, sql.length)
      return suggest(scope, more, sql.slice(scope.from)).map((s) => s.insert)
    }
    expect(found('select * from pg_st')).toContain('pg_stat_activity')
    expect(found('select * from ')).not.toContain('pg_stat_activity')
    expect(found('select * from pg_stat_activity a where a.')).toEqual(['pid'])
  })

  test('nothing within a comment, wherever it ends', () => {
    const inside = (sql: string) => {
      const text = sql.replace('|', '')
      return isInLiteral(text, tokenize(text), sql.indexOf('|'))
    }
    expect(['select /* | */ 1', 'select 1 -- |', '/* a /* b */ | */ select', "select '|'"].map(inside)).toEqual([
      true,
      true,
      true,
      true,
    ])
    expect(['select /* a */ |', 'select 1 -- a\n|', "select '--' |"].map(inside)).toEqual([false, false, false])
  })

  test('keywords in the case that is written; functions with a place for the argument', () => {
    expect(inserts('sel|', 'keyword')).toContain('select')
    expect(inserts('SEL|', 'keyword')).toContain('SELECT')
    expect(inserts('SELECT * f|', 'keyword')).toContain('FROM')
    expect(inserts('select * |', 'keyword')).toContain('from')
    expect(inserts('select lo| from orders', 'function')).toEqual(['lower($0)'])
  })

  test('keywords fit the place, behind an operand before the names; snippets only where a statement begins', () => {
    const shown = (sql: string) =>
      at(sql)
        .sort((a, b) => a.rank - b.rank)
        .map(({ label }) => label)
    expect(inserts('select * from orders where |', 'keyword')).not.toContain('ALTER')
    expect(shown('select * from orders where |').slice(0, 3)).toEqual(['id', 'customer_id', 'Total'])
    expect(shown('select * from orders where id a|')[0]).toBe('and')
    expect(inserts('select * from orders where s|', 'snippet')).toEqual([])
    expect(inserts('s|', 'snippet')).not.toEqual([])
  })

  test('a letter behind a table, a subquery or a column may be its name', () => {
    const names = ['select * from orders o|', 'select * from (select 1) s|', 'select count(*) n|', 'update orders o|']
    for (const sql of names) expect(at(sql)).toContainEqual(expect.objectContaining({ note: 'as a name' }))
    const others = ['select * from orders x o|', 'select * from orders where id a|', 'select * from orders or|', 's|']
    for (const sql of others) expect(at(sql)).not.toContainEqual(expect.objectContaining({ note: 'as a name' }))
  })

  test('what can’t be meant by the first letter is left out, and so is every built-in function before it', () => {
    expect(inserts('select x| from orders', 'function')).toEqual([])
    expect(inserts('select | from orders', 'function')).toEqual([])
    expect(inserts('select * from l|', 'view')).toEqual(['audit.log'])
    const names = ['string_agg', 'array_agg', 'max', 'orderArchive', 'Total']
    expect(names.filter((name) => startsWord(name, 'ag'))).toEqual(['string_agg', 'array_agg', 'orderArchive'])
    expect(names.filter((name) => startsWord(name, 'T'))).toEqual(['Total'])
  })
})
