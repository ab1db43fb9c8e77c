import { beforeAll, expect, test } from 'vitest'
import { loadParser } from '../parser.ts'
import { hide, hideLiterals, keptOf, longestLooked } from './hidden.ts'

beforeAll(() => loadParser())

const names = { free: new Set(['id', 'name']), sensitive: new Set(['ssn']) }

test.each([
  ["delete from customers where id = 7 and ssn = '123-45-6789'", "delete from customers where id = 7 and ssn = '•••'"],
  [
    "update customers set name = 'Ann', ssn = '1' where id in (1, 2)",
    "update customers set name = 'Ann', ssn = '•••' where id in (1, 2)",
  ],
  [
    "select 1 from customers where '9' = ssn or substr(ssn, 1) = '9'",
    "select ••• from customers where '•••' = ssn or substr(ssn, •••) = '•••'",
  ],
  [
    "select * from customers where ssn = E'1\\'2' and name = 'é' and id = 5",
    "select * from customers where ssn = '•••' and name = 'é' and id = 5",
  ],
  ["insert into customers values (1, $$123$$, 'x')", "insert into customers values (•••, '•••', '•••')"],
  [
    "insert into customers (id, ssn, name) values (1, '9', 'x'), (2, '8', 'y') on conflict (id) do update set name = 'z', ssn = '7'",
    "insert into customers (id, ssn, name) values (1, '•••', 'x'), (2, '•••', 'y') on conflict (id) do update set name = 'z', ssn = '•••'",
  ],
  [
    'select ssn from customers order by id limit 5 offset 10',
    'select ssn from customers order by id limit 5 offset 10',
  ],
  ['-- for 123-45-6789\nselect /* 123 */ id from customers', ' select  id from customers'],
  ["delete from customers where ssn = $1\n-- $1 = '123-45-6789'", 'delete from customers where ssn = $1'],
  ["this is '123' no sql", "this is '•••' no sql"],
  ['select "123" from customers where ssn = 1.5e-3', 'select "123" from customers where ssn = •••'],
  // What is called by the name of a free column is not always that column.
  [
    "select 1 from (select ssn as id from customers) s, customers c where s.id = '9' and c.name = 'x'",
    "select ••• from (select ssn as id from customers) s, customers c where s.id = '•••' and c.name = 'x'",
  ],
  [
    "select 1 from customers c (id, name) where name = '9'",
    "select ••• from customers c (id, name) where name = '•••'",
  ],
  [
    "with w (name) as (select ssn from customers) delete from customers using w where w.name = '9'",
    "with w (name) as (select ssn from customers) delete from customers using w where w.name = '•••'",
  ],
  [
    "select 1 from (select id, '' from customers union select ssn as id, '' from customers) s where s.id = '9'",
    "select ••• from (select id, '•••' from customers union select ssn as id, '•••' from customers) s where s.id = '•••'",
  ],
  [
    "do $x$ begin update customers set ssn = '9' where id = 1; end $x$",
    "do $x$ begin update customers set ssn = '•••' where id = •••; end $x$",
  ],
  ["do 'begin update customers set ssn = ''9''; end'", "do '•••'"],
])('%s', (text, expected) => {
  expect(hideLiterals(text, names)).toBe(expected)
})

test('a name that is sensitive anywhere in the statement is sensitive everywhere', () => {
  const both = { free: new Set(['ssn']), sensitive: new Set(['ssn']) }
  expect(hideLiterals("delete from other where ssn = '1'", both)).toBe("delete from other where ssn = '•••'")
})

test('what stays in one text stays in every one that differs in literals alone, and comments may', () => {
  const kept = keptOf("update customers set ssn = '1', name = 'a' where id = 1", names)
  expect(hide("update customers set ssn = '22', name = 'bb' where id = 22", kept, true)).toBe(
    "update customers set ssn = '•••', name = 'bb' where id = 22",
  )
  expect(hide('select 1 /* why */', keptOf('select 1', names), true)).toBe('select ••• /* why */')
})

test('a parameter stays where all of its places are beside a free column', () => {
  const { parameters } = keptOf('update customers set name = $1, ssn = $2 where id = $3 and name <> $2', names)
  expect([...parameters].sort()).toEqual([1, 3])
})

test('of a text that is longer than is looked at, no literal and no parameter stays', () => {
  const short = "update customers set name = 'a' where id = $1"
  const long = short.replace("'a'", `'${'a'.repeat(longestLooked)}'`)
  expect(hideLiterals(short, names)).toBe(short)
  expect(hideLiterals(long, names)).toBe("update customers set name = '•••' where id = $1")
  expect([...keptOf(short, names).parameters]).toEqual([1])
  expect([...keptOf(long, names).parameters]).toEqual([])
})
