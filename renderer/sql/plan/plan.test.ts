import { expect, test } from 'vitest'
import { hideLiterals } from './hide.ts'
import { layout } from './layout.ts'
import { misjudged, nodesOf, parsePlan, shareOf } from './plan.ts'
import { planText } from './plan-text.ts'

/** As PostgreSQL 15 answers, shortened. */
const scan = {
  'Node Type': 'Seq Scan',
  'Parent Relationship': 'Outer',
  'Relation Name': 'customers',
  Alias: 'c',
  'Startup Cost': 0,
  'Total Cost': 112,
  'Plan Rows': 4,
  'Plan Width': 9,
  'Actual Startup Time': 0.011,
  'Actual Total Time': 0.25,
  'Actual Rows': 101,
  'Actual Loops': 1,
  Filter: "((c.email = 'it''s 7@x.example'::text) OR (c.age > 41.5))",
  'Rows Removed by Filter': 4899,
}
const index = {
  'Node Type': 'Index Scan',
  'Parent Relationship': 'Inner',
  'Index Name': 'orders_customer',
  'Relation Name': 'orders',
  Alias: 'o',
  'Startup Cost': 0.29,
  'Total Cost': 8.3,
  'Plan Rows': 1,
  'Plan Width': 8,
  'Actual Startup Time': 0.001,
  'Actual Total Time': 0.005,
  'Actual Rows': 1,
  'Actual Loops': 101,
  'Index Cond': "((o.customer_id = c.id) AND (o.status = 'void'::text) AND (o.total > 90))",
}
const never = { ...index, Alias: 'x', 'Subplan Name': 'SubPlan 1', 'Actual Loops': 0 }
const json = JSON.stringify([
  {
    Plan: {
      'Node Type': 'Nested Loop',
      'Join Type': 'Left',
      'Startup Cost': 0.29,
      'Total Cost': 150.3,
      'Plan Rows': 4,
      'Plan Width': 17,
      'Actual Startup Time': 0.02,
      'Actual Total Time': 1,
      'Actual Rows': 101,
      'Actual Loops': 1,
      Plans: [scan, index, never],
    },
    'Planning Time': 0.14,
    'Execution Time': 1.2,
  },
])

test('a plan is read with what each step took itself, and how far off it was expected', () => {
  const plan = parsePlan(json)
  const [join, customers, orders, sub] = nodesOf(plan.root)
  expect([join, customers, orders, sub].map((n) => [n?.type, n?.target, n?.role])).toEqual([
    ['Nested Loop Left Join', undefined, undefined],
    ['Seq Scan', 'customers c', undefined],
    ['Index Scan', 'orders_customer on orders o', undefined],
    ['Index Scan', 'orders_customer on orders x', 'SubPlan 1'],
  ])
  // Times are of one loop: the index was scanned 101 times.
  expect(orders?.ownMs).toBeCloseTo(0.505)
  expect(join?.ownMs).toBeCloseTo(1 - 0.25 - 0.505)
  const shares = nodesOf(plan.root).map((node) => shareOf(node, plan))
  expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1)
  expect(customers && misjudged(customers)).toBeCloseTo(25.25)
  expect(sub && misjudged(sub)).toBeUndefined()
})

test('the text has every figure of psql’s own', () => {
  const lines = planText(parsePlan(json)).split('\n')
  expect(lines.slice(0, 5)).toEqual([
    'Nested Loop Left Join  (cost=0.29..150.30 rows=4 width=17) (actual time=0.020..1.000 rows=101 loops=1)',
    '  ->  Seq Scan on customers c  (cost=0.00..112.00 rows=4 width=9) (actual time=0.011..0.250 rows=101 loops=1)',
    "        Filter: ((c.email = 'it''s 7@x.example'::text) OR (c.age > 41.5))",
    '        Rows Removed by Filter: 4899',
    '  ->  Index Scan using orders_customer on orders o  (cost=0.29..8.30 rows=1 width=8) (actual time=0.001..0.005 rows=1 loops=101)',
  ])
  expect(lines.some((line) => line.endsWith('(never executed)'))).toBe(true)
  expect(lines.slice(-2)).toEqual(['Planning Time: 0.140 ms', 'Execution Time: 1.200 ms'])
})

test('no literal stands beside a masked column; all go where it is not known which are masked', () => {
  const details = (hidden: Parameters<typeof hideLiterals>[1]) =>
    nodesOf(parsePlan(hideLiterals(json, hidden)).root).flatMap((node) =>
      node.details.filter((d) => d.name === 'Filter' || d.name === 'Index Cond').map((d) => d.value),
    )
  const [filter, cond] = details(new Set(['email']))
  expect(filter).toBe("((c.email = '•••'::text) OR (c.age > •••))")
  expect(cond).toContain("(o.status = 'void'::text) AND (o.total > 90)")
  expect(details('all').slice(0, 2)).toEqual([
    "((c.email = '•••'::text) OR (c.age > •••))",
    "((o.customer_id = c.id) AND (o.status = '•••'::text) AND (o.total > •••))",
  ])
  // A column by a name that needs quotes, and a word within a literal, which is none.
  const quoted = (text: string) => hideLiterals(JSON.stringify([text]), new Set(['E "Mail', 'email']))
  expect(quoted(`("E ""Mail" = 'x')`)).toBe(JSON.stringify([`("E ""Mail" = '•••')`]))
  expect(quoted("(note = 'email 12')")).toBe(JSON.stringify(["(note = 'email 12')"]))
})

test('what is no plan is refused', () => {
  expect(() => parsePlan('[]')).toThrow()
  expect(() => parsePlan('[{"Plan": {}}]')).toThrow()
})

test('no two steps stand in one place; what feeds a step is to its right', () => {
  const { placed, width, height } = layout(parsePlan(json).root)
  expect(new Set(placed.map((p) => `${p.x} ${p.y}`)).size).toBe(placed.length)
  for (const { node, x, y } of placed) {
    expect(x).toBeLessThan(width)
    expect(y).toBeLessThan(height)
    for (const child of node.children) expect(placed.find((p) => p.node === child)?.x).toBeGreaterThan(x)
  }
})
