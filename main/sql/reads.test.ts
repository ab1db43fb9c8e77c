import { expect, test } from 'vitest'
import { onlyReads } from './reads.ts'

test.each([
  'select 1',
  'values (1)',
  'table orders',
  'with a as (select 1) select * from a',
  'explain select 1',
  'explain (analyze) select 1',
  'show search_path',
  'fetch 5 from c',
])('only reads: %s', async (text) => {
  expect(await onlyReads(text)).toBe(true)
})

test.each([
  'create table t as select 1',
  'select 1 into t',
  'with gone as (delete from t returning *) select * from gone',
  'select * from (with x as (update t set a = 1 returning a) select * from x) y',
  'select * from t for update',
  'explain analyze delete from t',
  'explain (analyze) create table t as select 1',
  'do $$ begin end $$',
  'insert into t values (1)',
  'create materialized view v as select 1',
  'savepoint a',
  'selec 1',
])('may do more: %s', async (text) => {
  expect(await onlyReads(text)).toBe(false)
})
