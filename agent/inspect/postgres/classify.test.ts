import { beforeAll, describe, expect, it } from 'vitest'
import type { Action } from '../../../shared/actions.ts'
import { demoCatalog } from '../../../test/bypass/demo-catalog.ts'
import type { StatementAnalysis } from './analysis.ts'
import { analyse } from './classify.ts'
import { loadParser, parse, parserRefilling } from './parser.ts'

const catalog = demoCatalog()

function one(sql: string): StatementAnalysis {
  const analysis = analyse(sql, catalog, { searchPath: ['public'] })
  const statement = analysis.ok ? analysis.statements.at(-1) : undefined
  if (!statement) throw new Error(analysis.ok ? 'no statement' : analysis.message)
  return statement
}

const actions: [string, Action][] = [
  ['select 1', 'sql:select'],
  ['values (1)', 'sql:select'],
  ['select * from orders for update', 'sql:lock'],
  ['select * from (select * from orders for share) s', 'sql:lock'],
  ['with d as (delete from orders where id = 1 returning *) select * from d', 'sql:delete'],
  ['with u as (update orders set status = $1 where id = 1) insert into notes values (1)', 'sql:update'],
  ['insert into notes values (1)', 'sql:insert'],
  ['insert into notes (id) values (1) on conflict (id) do update set note = $1', 'sql:update'],
  ['merge into notes n using orders o on n.id = o.id when matched then do nothing', 'sql:merge'],
  ['merge into notes n using orders o on n.id = o.id when matched then delete', 'sql:delete'],
  ['select * into x from orders', 'sql:create'],
  ['select 1 into x union select 2 union all select 3', 'sql:create'],
  ['create table x as select 1', 'sql:create'],
  ['explain delete from orders', 'sql:explain'],
  ['explain (analyze false) delete from orders', 'sql:explain'],
  ['explain (analyze) delete from orders', 'sql:delete'],
  ['explain analyze select 1', 'sql:select'],
  ['prepare p as delete from orders', 'sql:session'],
  ['declare c cursor for select 1', 'sql:select'],
  ['fetch 1 from c', 'sql:fetch'],
  ['begin', 'sql:session'],
  ['set statement_timeout = 1', 'sql:session'],
  ['set role dba', 'sql:role'],
  ['reset role', 'sql:session'],
  ['show all', 'sql:show'],
  ['listen x', 'sql:listen'],
  ['notify x', 'sql:notify'],
  ['lock orders in access share mode', 'sql:session'],
  ['lock orders', 'sql:lock'],
  ['truncate orders', 'sql:truncate'],
  ['copy orders to stdout', 'sql:copy'],
  ['copy (delete from orders where id = 1 returning *) to stdout', 'sql:delete'],
  ['copy notes from stdin', 'sql:copy-in'],
  ["copy notes from '/tmp/x'", 'sql:copy-file'],
  ["copy notes to program 'cat'", 'sql:copy-file'],
  ["select nextval('s')", 'sql:call'],
  ['select pg_terminate_backend(1)', 'sql:system'],
  ["select pg_read_file('x')", 'sql:copy-file'],
  ["select ('x'::text).pg_read_file", 'sql:copy-file'],
  ['select t.pg_terminate_backend from unnest(array[1]) t', 'sql:system'],
  ['select (t.t).pg_terminate_backend from unnest(array[1]) t', 'sql:system'],
  ['select (id).reveal from orders', 'sql:call'],
  ["select pg_notify('a', 'b')", 'sql:notify'],
  ['select reveal(1)', 'sql:call'],
  ['call reveal()', 'sql:call'],
  ["do 'begin end'", 'sql:do'],
  ['create table x (id int)', 'sql:create'],
  ['alter table notes add column x int', 'sql:alter'],
  ['drop table notes', 'sql:drop'],
  ["comment on table notes is 'x'", 'sql:comment'],
  ['vacuum analyze notes', 'sql:vacuum'],
  ['reindex table notes', 'sql:reindex'],
  ['refresh materialized view contacts', 'sql:refresh'],
  ['grant select on notes to x', 'sql:grant'],
  ['grant a to b', 'sql:role'],
  ['create role x', 'sql:role'],
  ["alter system set work_mem = '1MB'", 'sql:system'],
  ['checkpoint', 'sql:system'],
  ['create publication p for table notes', 'sql:replication'],
]

const unbounded = [
  'delete from orders',
  'delete from orders where true',
  'delete from orders where 1 = 1',
  'delete from orders where id = id',
  'delete from orders where id in (1, id)',
  'delete from orders where id = 5 or true',
  'delete from orders where status is null or status is not null',
  'delete from orders where id = 1 or id <> 1',
  "delete from orders where status like '%'",
  'delete from orders where not false',
  'delete from orders where $1',
  'delete from orders where now() > $1',
  'update orders set status = $1',
  'update orders set status = $1 where (select true)',
  'with d as (delete from orders) select 1',
  'merge into orders o using notes n on true when matched then delete',
  'explain analyze delete from orders',
  'explain delete from orders',
]

const bounded = [
  'delete from orders where id = 1',
  'delete from orders where id = 1 and true',
  'delete from orders where current of c',
  'delete from orders where exists (select 1 from notes where notes.id = orders.id)',
  "update orders set status = $1 where status like 'a%'",
  'select * from orders',
]

const sameWhateverTheLiteral = [
  'select id from orders where id = 1 limit 10',
  "select id from orders where status in ('a', 'b') and total > 5",
  'insert into notes values (1, $1)',
  "update notes set note = 'x' where id = 1",
  'update orders set total = total + -5 where id = 1',
]
const dependentOnTheLiteral = [
  'select id, total from orders order by 2',
  'select count(*), status from orders group by 2',
  "select 'x'::regclass",
  "select set_config('a', 'b', false)",
  "delete from notes where note like 'a%'",
  'delete from notes where id = 1 or id <> 2',
  'delete from notes where id + 1 = id + 2',
  'delete from notes where 1 = 2',
  'copy (select 1) to stdout',
]

describe('classification', () => {
  beforeAll(loadParser)

  it.each(actions)('%s → %s', (sql, action) => {
    expect(one(sql).action).toBe(action)
  })

  it.each(unbounded.map((sql) => [sql]))('%s has no WHERE worth the name', (sql) => {
    expect(one(sql).hasWhere).toBe(false)
  })

  it.each(bounded.map((sql) => [sql]))('%s picks its rows', (sql) => {
    expect(one(sql).hasWhere).toBe(true)
  })

  it.each(sameWhateverTheLiteral.map((sql) => [sql]))('%s means the same with other literals', (sql) => {
    expect(one(sql).literalFree).toBe(true)
  })

  it.each(dependentOnTheLiteral.map((sql) => [sql]))('%s may mean something else with other literals', (sql) => {
    expect(one(sql).literalFree).toBe(false)
  })

  it('finds each statement in its place, in UTF-16', () => {
    const sql = "select 'ü😀' ; /* x */ select 2"
    const analysis = analyse(sql, catalog, { searchPath: ['public'] })
    const places = analysis.ok ? analysis.statements.map(({ start, end }) => sql.slice(start, end).trim()) : []
    expect(places).toEqual(["select 'ü😀'", 'select 2'])
  })

  it('names what is changed through a view', () => {
    expect(one("update contacts set address = 'x' where id = 1").written).toEqual([
      'public.contacts',
      'public.customers',
    ])
  })

  it('follows search_path between the statements of one string', () => {
    expect(one('set search_path = other; select email from customers').columns).toEqual(['other.customers.email'])
    expect(one('set search_path = other; rollback; select email from customers').complete).toBe(false)
  })

  it('keeps the effects that a session must follow', () => {
    expect(one('set local search_path to "$user", public').effects).toEqual([
      { kind: 'set', name: 'search_path', value: '"$user", public', local: true },
    ])
    expect(one("select pg_catalog.set_config('search_path', '', false)").effects).toEqual([
      { kind: 'set', name: 'search_path', value: '', local: false },
    ])
    expect(one('discard all').effects.map(({ kind }) => kind)).toEqual(['reset', 'deallocate', 'close-cursor', 'ddl'])
    expect(one('rollback to s').effects).toEqual([{ kind: 'rollback-to', name: 's' }])
  })
})

describe('statements that are too much', () => {
  beforeAll(loadParser)

  it.each([
    ['parentheses', `select ${'('.repeat(20_000)}1${')'.repeat(20_000)}`],
    ['sub-queries', `select ${'(select '.repeat(3000)}1${')'.repeat(3000)}`],
    ['a chain of operators', `select 1${'+1'.repeat(3000)}`],
    ['a chain of unions', `select 1${' union select 1'.repeat(2000)}`],
    ['a NUL', 'select 1\0'],
    ['half a character', 'select \ud800'],
    ['length', `select '${'x'.repeat(3_000_000)}'`],
  ])('%s is refused', (_, sql) => {
    expect(analyse(sql, catalog, { searchPath: ['public'] }).ok).toBe(false)
  })

  it('is not what compares rows within rows: each of their values is looked at once', () => {
    let compared = 'email'
    for (let depth = 0; depth < 40; depth++) compared = `((${compared}, 1) = (name, 2))`
    expect(analyse(`select ${compared} from customers`, catalog, { searchPath: ['public'] }).ok).toBe(true)
  })

  it('goes on after statements that overflow the parser itself', async () => {
    const deep = `select 1${'+1'.repeat(15_000)}`
    for (let i = 0; i < 5; i++) {
      expect(parse(deep).ok).toBe(false)
      expect(parse('select 1').ok).toBe(true)
      await parserRefilling()
    }
  })
})
