import { beforeAll, expect, test } from 'vitest'
import { hideLiterals } from './hidden.ts'
import { loadParser } from './parser.ts'

beforeAll(() => loadParser())

const columns = new Map([
  ['public.customers.id', false],
  ['public.customers.name', false],
  ['public.customers.ssn', true],
])

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
  ['-- for 123-45-6789\nselect /* 123 */ id from customers', ' select  id from customers'],
  ["delete from customers where ssn = $1\n-- $1 = '123-45-6789'", 'delete from customers where ssn = $1'],
  ["this is '123' no sql", "this is '•••' no sql"],
  ['select "123" from customers where ssn = 1.5e-3', 'select "123" from customers where ssn = •••'],
])('%s', (text, expected) => {
  expect(hideLiterals(text, columns)).toBe(expected)
})

test('a name that is sensitive anywhere in the statement is sensitive everywhere', () => {
  const both = new Map([...columns, ['public.other.ssn', false]])
  expect(hideLiterals("delete from other where ssn = '1'", both)).toBe("delete from other where ssn = '•••'")
})
