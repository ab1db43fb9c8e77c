import { beforeAll, expect, test } from 'vitest'
import { loadParser, parse } from './inspect/postgres/parser.ts'
import { countingText } from './rows-text.ts'

beforeAll(() => loadParser())

function counting(text: string): string | undefined {
  const parsed = parse(text)
  const [one] = parsed.ok ? parsed.statements : []
  if (one === undefined) throw new Error(`not SQL: ${text}`)
  const answer = countingText(one.node, text)
  return answer.ok ? answer.text : undefined
}

test.each([
  ['delete from orders where id = 7', 'SELECT count(*) AS count FROM orders WHERE id = 7'],
  [
    'DELETE FROM ONLY s.orders o WHERE (o.a, o.b) = (1, 2) RETURNING *',
    'SELECT count(*) AS count FROM ONLY s.orders o WHERE (o.a, o.b) = (1, 2)',
  ],
  ["update orders set note = 'where x' where id > 3 returning id", 'SELECT count(*) AS count FROM orders WHERE id > 3'],
  [
    'delete from orders o using customers c where c.id = o.customer_id',
    'SELECT count(DISTINCT ("o".tableoid, "o".ctid)) AS count FROM orders o, customers c WHERE c.id = o.customer_id',
  ],
  ['update orders set a = (select b from t where c) where d', 'SELECT count(*) AS count FROM orders WHERE d'],
  ['delete from orders', 'SELECT count(*) AS count FROM orders'],
  ['select id from orders where x', 'SELECT count(*) AS count FROM (select id from orders where x\n) AS counted'],
])('%s', (text, expected) => {
  expect(counting(text)).toBe(expected)
})

test.each([
  'insert into orders select * from old',
  'with gone as (delete from a returning *) delete from b where true',
  'update orders set a = b is distinct from c where d',
  'select * into other from orders',
  'select * from orders for update',
  'truncate orders',
])('%s is not counted', (text) => {
  expect(counting(text)).toBeUndefined()
})
