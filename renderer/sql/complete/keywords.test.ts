import { describe, expect, test } from 'vitest'
import { keywordsAt } from './keywords.ts'
import { tokenize } from './tokens.ts'

const at = (sql: string) => keywordsAt(tokenize(sql.replace('|', '')), sql.indexOf('|'))
const words = (sql: string) => at(sql).words

describe('keywords fit their place', () => {
  test.each([
    ['|', ['SELECT', 'INSERT INTO', 'BEGIN'], ['WHERE', 'AND']],
    ['select |', ['DISTINCT', 'CASE', 'COALESCE'], ['WHERE', 'ADD', 'FROM', 'SELECT']],
    ['select * |', ['FROM'], ['DISTINCT', 'ALTER']],
    ['select id |', ['FROM', 'AS', 'OVER'], ['WHERE', 'ALTER']],
    ['select id, |', ['CASE'], ['FROM', 'DISTINCT']],
    ['select 2 * |', ['CASE'], ['FROM']],
    ['select distinct |', ['ON', 'CASE'], ['WHERE']],
    ['select * from |', ['LATERAL', 'ONLY'], ['WHERE', 'SELECT']],
    ['select * from orders |', ['WHERE', 'JOIN', 'LEFT JOIN', 'GROUP BY', 'LIMIT'], ['ADD', 'AND', 'SET']],
    ['select * from orders o left |', ['JOIN', 'OUTER JOIN'], ['WHERE']],
    ['select * from a join b |', ['ON', 'USING'], ['SET']],
    ['select * from a join b on a.x = b.y |', ['AND', 'WHERE', 'JOIN'], ['FROM']],
    ['select * from orders where |', ['NOT', 'EXISTS', 'CASE'], ['ADD', 'ALTER', 'WHERE', 'AND', 'TABLE']],
    ['select * from orders where id |', ['AND', 'IS NULL', 'BETWEEN', 'ORDER BY'], ['WHERE', 'ADD', 'CASE']],
    ['select * from orders where id = |', ['NULL', 'CASE'], ['AND', 'ORDER BY']],
    ['select * from orders where id = 1 and |', ['NOT'], ['ORDER BY']],
    ['select * from orders where note is |', ['NULL', 'NOT NULL'], ['AND']],
    ['select * from orders where id not |', ['IN', 'LIKE', 'BETWEEN'], ['WHERE']],
    ['select * from orders where id in (|', ['SELECT'], ['WHERE', 'UPDATE']],
    ['select * from orders where exists (|', ['SELECT', 'WITH'], ['CASE']],
    ['select * from orders where (id = 1 |', ['OR', 'AND'], ['ORDER BY 1', 'LIMIT']],
    ['select * from orders group |', ['BY'], ['WHERE']],
    ['select * from orders order by id |', ['ASC', 'DESC', 'NULLS LAST', 'LIMIT'], ['WHERE', 'AND']],
    ['select * from orders order by id desc |', ['NULLS LAST', 'LIMIT'], ['WHERE']],
    ['select * from orders limit 10 |', ['OFFSET', 'FOR UPDATE'], ['WHERE']],
    ['select * from orders for update |', ['SKIP LOCKED', 'NOWAIT'], ['SET']],
    ['select case |', ['WHEN'], ['THEN', 'FROM']],
    ['select case when a |', ['THEN', 'AND'], ['END', 'FROM']],
    ['select case when a then 1 |', ['ELSE', 'END', 'WHEN'], ['FROM']],
    ['select case when a then 1 end |', ['FROM', 'AS'], ['ELSE']],
    ['select 1 union |', ['ALL', 'SELECT'], ['FROM']],
    ['select 1 union all |', ['SELECT'], ['ALL', 'FROM']],
    ['select a from b where c = 1 union select a |', ['FROM'], ['GROUP BY']],
    ['select sum(x) over (|', ['PARTITION BY', 'ORDER BY'], ['SELECT']],
    ['select sum(x) over (partition by y |', ['ORDER BY'], ['FROM']],
    ['select count(*) filter (|', ['WHERE'], ['SELECT']],
    ['select count(|', ['DISTINCT'], ['FROM']],
    ['select (select id from orders |', ['WHERE'], ['ADD']],
    ['insert into orders |', ['VALUES', 'SELECT', 'DEFAULT VALUES'], ['WHERE']],
    ['insert into orders (id) |', ['VALUES', 'SELECT'], ['FROM']],
    ['insert into orders values (1) |', ['ON CONFLICT', 'RETURNING'], ['WHERE']],
    ['insert into orders values (1) on conflict (id) |', ['DO NOTHING', 'DO UPDATE SET'], ['FROM']],
    ['insert into orders values (1) on conflict (id) do update set a = 1 |', ['WHERE', 'RETURNING'], ['VALUES']],
    ['update orders |', ['SET'], ['WHERE', 'FROM']],
    ["update orders set status = 'x' |", ['WHERE', 'FROM', 'RETURNING'], ['GROUP BY', 'JOIN']],
    ['delete |', ['FROM'], ['WHERE']],
    ['delete from orders |', ['WHERE', 'USING', 'RETURNING'], ['SET']],
    ['merge into a using b on a.id = b.id |', ['WHEN', 'AND'], ['SET']],
    ['merge into a using b on a.id = b.id when matched |', ['THEN', 'AND'], ['FROM']],
    ['with a as (|', ['SELECT', 'INSERT INTO'], ['WHERE', 'CASE']],
    ['with a as (select 1) |', ['SELECT', 'UPDATE'], ['WHERE']],
    ['explain |', ['ANALYZE', 'SELECT'], ['WHERE']],
    ['explain (analyze) select * from orders |', ['WHERE'], ['SET']],
    ['select constructor |', ['FROM'], []],
    // What is not followed keeps every word.
    ['alter table orders |', ['ADD', 'ALTER', 'DROP'], []],
  ])('%s', (sql, fitting, others) => {
    const found = words(sql)
    for (const word of fitting) expect(found).toContain(word)
    for (const word of others) expect(found).not.toContain(word)
  })

  test('behind an operand what joins comes before names; a statement begins only where one may', () => {
    expect(at('select * from orders where id |').joins).toBe(true)
    expect(at('select * from orders where |').joins).toBe(false)
    expect(at('|').begins).toBe(true)
    expect(at('select * from (|').begins).toBe(true)
    expect(at('select * from orders where |').begins).toBe(false)
    expect(at('select lower(|').begins).toBe(false)
  })
})
