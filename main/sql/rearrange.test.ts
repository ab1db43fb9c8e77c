import { expect, test } from 'vitest'
import type { Rearrangement } from '../../shared/rpc/contract.ts'
import { rearranged } from './rearrange.ts'

const columns: Rearrangement['columns'] = [
  { name: 'id', type: 'int4' },
  { name: 'id', type: 'text' },
  {
    name: 'email',
    type: 'text',
    masked: { dataClass: 'email', policyId: 'pii', reason: 'Personal data.', requestable: true },
  },
]
const wanted = (text: string, change: Partial<Rearrangement> = {}): Rearrangement => ({
  text,
  columns,
  sort: [{ column: 0, direction: 'desc' }],
  filters: [],
  ...change,
})

test('a query becomes a sub-query, its columns told apart by place', async () => {
  const filters: Rearrangement['filters'] = [
    { column: 1, operator: 'contains', value: "50%_o'\\" },
    { column: 0, operator: 'greater', value: '5' },
    { column: 1, operator: 'not-null', value: '' },
  ]
  expect(await rearranged(wanted('SELECT a.id, b.id, email -- all\nFROM a, b; -- both;', { filters }))).toBe(
    [
      'SELECT c1 AS "id", c2 AS "id", c3 AS "email"',
      'FROM (',
      'SELECT a.id, b.id, email -- all',
      'FROM a, b',
      ') AS result(c1, c2, c3)',
      "WHERE c2::text ILIKE E'%50\\\\%\\\\_o''\\\\\\\\%' AND c1 > E'5' AND c2 IS NOT NULL",
      'ORDER BY c1 DESC NULLS LAST',
    ].join('\n'),
  )
})

test.each([
  'VALUES (1, 2, 3)',
  'WITH q AS (SELECT 1) SELECT * FROM q;',
  '(SELECT 1) UNION SELECT 2 LIMIT 3',
  'TABLE t',
])('%s can be sorted', async (text) => {
  expect(await rearranged(wanted(text))).toContain('ORDER BY c1 DESC')
})

test.each([
  ['DELETE FROM a RETURNING *', 'not a query'],
  ['EXPLAIN SELECT 1', 'not a query'],
  ['SELECT 1; SELECT 2', 'not one statement'],
  ['SELECT 1) AS x; DROP TABLE t; --', 'parser does not take it'],
  ['SELECT * INTO b FROM a', 'makes a table'],
  ['SELECT * FROM a FOR UPDATE', 'locks rows'],
  ['WITH d AS (DELETE FROM a RETURNING *) SELECT * FROM d', 'changes data'],
])('%s can not, and it says why', async (text, why) => {
  await expect(rearranged(wanted(text))).rejects.toThrow(why)
})

test('a masked column can be neither sorted nor filtered by', async () => {
  const text = 'SELECT id, id, email FROM a'
  const sort: Rearrangement['sort'] = [{ column: 2, direction: 'asc' }]
  await expect(rearranged(wanted(text, { sort }))).rejects.toThrow('email is masked by pii')
  const filters: Rearrangement['filters'] = [{ column: 2, operator: 'equals', value: 'x' }]
  await expect(rearranged(wanted(text, { sort: [], filters }))).rejects.toThrow('would tell what the mask hides')
})
