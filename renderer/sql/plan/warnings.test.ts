import { expect, test } from 'vitest'
import { type PlanNode, parsePlan } from './plan.ts'
import { bufferWords, offWords, warningsOf } from './warnings.ts'

/** A step as PostgreSQL 15 answers, measured. */
const step = (more: Record<string, unknown>): PlanNode =>
  parsePlan(
    JSON.stringify([
      {
        Plan: {
          'Node Type': 'Seq Scan',
          'Plan Rows': 100,
          'Actual Total Time': 1,
          'Actual Rows': 100,
          'Actual Loops': 1,
          ...more,
        },
      },
    ]),
  ).root

test('a step that did as expected has none', () => {
  expect(warningsOf(step({}))).toEqual([])
  expect(warningsOf(step({ 'Rows Removed by Filter': 900 }))).toEqual([])
})

test.each([
  [{ 'Plan Rows': 2 }, '50× more rows than expected'],
  [{ 'Plan Rows': 2000 }, '20× fewer rows than expected'],
  [{ 'Rows Removed by Filter': 49_900 }, 'read 50,000 rows to keep 100'],
  [
    { 'Rows Removed by Filter': 4_990, 'Actual Rows': 10, 'Plan Rows': 10, 'Actual Loops': 10 },
    'read 50,000 rows to keep 100',
  ],
  [{ 'Sort Space Type': 'Disk', 'Sort Space Used': 3296 }, 'sorted on disk, 3296 kB'],
  [{ 'Hash Batches': 8 }, 'hashed in 8 batches, more than work_mem holds'],
  [{ 'Temp Written Blocks': 412 }, 'wrote 3.2 MB of temporary files'],
  [{ 'Lossy Heap Blocks': 3 }, 'its bitmap was more than work_mem holds'],
  [{ 'Workers Planned': 2, 'Workers Launched': 1 }, '1 of 2 workers started'],
  [{ 'Workers Planned': 2, 'Workers Launched': 0 }, '0 of 2 workers started'],
  [{ 'Heap Fetches': 100 }, 'looked up 100 rows in the table: it needs a VACUUM'],
])('%o', (more, warning) => {
  expect(warningsOf(step(more))).toEqual([warning])
})

test('a plan that was not run promises nothing of workers', () => {
  const planned = step({ 'Actual Loops': undefined, 'Workers Planned': 2 })
  expect(warningsOf(planned)).toEqual([])
})

test('blocks are those of the step itself', () => {
  const child = { 'Node Type': 'Seq Scan', 'Shared Hit Blocks': 100, 'Temp Written Blocks': 8 }
  const node = step({ 'Shared Hit Blocks': 356, 'Shared Read Blocks': 4, 'Temp Written Blocks': 8, Plans: [child] })
  expect(bufferWords(node)).toBe('256 from memory (2.0 MB), 4 read (32 kB)')
  expect(warningsOf(node)).toEqual([])
  expect(bufferWords(step({}))).toBeUndefined()
})

test('how far off, in words', () => {
  expect([12.4, 1.5, 0.05].map(offWords)).toEqual(['12× more rows', '1.5× more rows', '20× fewer rows'])
})

const fed = (by: Record<string, unknown>, more: Record<string, unknown> = {}): PlanNode => {
  const [child] = step({
    ...by,
    Plans: [{ 'Node Type': 'Seq Scan', 'Plan Rows': 200_000, 'Actual Rows': 3, 'Actual Loops': 1, ...more }],
  }).children
  if (child === undefined) throw new Error('no child')
  return child
}

test.each([
  { 'Node Type': 'Limit' },
  { 'Node Type': 'Merge Join' },
  { 'Node Type': 'Nested Loop', 'Join Type': 'Semi', inner: true },
])('fewer rows are no misjudgement where nobody asked for more: %o', ({ inner, ...by }) => {
  expect(warningsOf(fed(by, inner ? { 'Parent Relationship': 'Inner' } : {}))).toEqual([])
})

test('a step that takes all of its rows before a limit is still judged, and so is one with more rows than expected', () => {
  const sorted = {
    'Node Type': 'Sort',
    Plans: [{ 'Node Type': 'Seq Scan', 'Plan Rows': 200_000, 'Actual Rows': 3, 'Actual Loops': 1 }],
  }
  const [sort] = step({ 'Node Type': 'Limit', Plans: [sorted] }).children
  expect(sort?.children.map(warningsOf)).toEqual([['66,667× fewer rows than expected']])
  expect(warningsOf(fed({ 'Node Type': 'Limit' }, { 'Plan Rows': 1, 'Actual Rows': 50 }))).toEqual([
    '50× more rows than expected',
  ])
})
