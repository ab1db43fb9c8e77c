import { loadModule, parseSync } from 'libpg-query'
import { beforeAll, expect, test } from 'vitest'
import { bindParameters } from '../../shared/sql/parameters.ts'
import { formatSql, placeAfter } from './format.ts'

beforeAll(() => loadModule())

test('clauses get lines of their own; parameters, casts and dollar quotes stay', () => {
  expect(formatSql('select a::text, :name, $1 from t where b = $$x;y$$')).toBe(
    'select\n  a::text,\n  :name,\n  $1\nfrom\n  t\nwhere\n  b = $$x;y$$',
  )
})

test('a call stays a call, also of a function that is nobody else’s', () => {
  const written =
    'select my_func(a), "Own"(b), other (c), count(*) from t where x in(1) and y = \'f(\' and left(z, 1) = any(w)'
  const text = formatSql(written).replaceAll(/\s+/g, ' ')
  expect(text).toBe(
    'select my_func(a), "Own"(b), other (c), count(*) from t where x in (1) and y = \'f(\' and left(z, 1) = any(w)',
  )
})

test.each([
  'with a as (select 1) insert into t (b) select * from a on conflict (b) do update set b = excluded.b returning *',
  "select data->>'a', arr[1:2], x::jsonb @> '{}' from t, lateral unnest(arr) u where a ~* 'b' and c is distinct from :d",
  'create table t (id bigint generated always as identity primary key, b text not null default $$x$$)',
])('means the same to PostgreSQL: %s', (sql) => {
  const tree = (text: string) =>
    JSON.stringify(parseSync(bindParameters(text).text)).replaceAll(/"(?:\w*location|stmt_len)":\d+,?/g, '')
  expect(tree(formatSql(sql))).toBe(tree(sql))
})

test('the cursor stays where it was in the statement', () => {
  const before = 'select a,b from t where x=1'
  const after = formatSql(before)
  const at = before.indexOf('x=1') + 1
  expect(after.slice(0, placeAfter(before, at, after)).endsWith('where\n  x')).toBe(true)
  expect([placeAfter(before, 0, after), placeAfter(before, before.length, after)]).toEqual([0, after.length])
})
