import { expect, test } from 'vitest'
import { sessionNames } from './session-names.ts'

/** What is said of the last of these statements. */
function ofLast(...texts: readonly string[]): string | undefined {
  const statements = texts.map((text) => ({ text }))
  return statements.map((statement) => sessionNames(statements).get(statement)).at(-1)
}

test.each([
  ['EXECUTE q(1)', [], 'what q was prepared as'],
  ['FETCH 5 FROM c', [], 'what its cursor was declared for'],
  ['SELECT * FROM recent', ['CREATE TEMP TABLE recent AS SELECT 1'], 'recent is made before it'],
  ['SELECT * FROM recent r', ['SELECT 1 AS a INTO TEMP recent FROM orders'], 'recent is made before it'],
  ['INSERT INTO s.x VALUES (1)', ['create table if not exists s.x (a int)'], 'x is made before it'],
] as const)('%s', (statement, earlier, words) => {
  expect(ofLast(...earlier, statement)).toBe(words)
})

test.each([
  ['SELECT * FROM orders', ['CREATE TEMP TABLE recent AS SELECT 1']],
  ['SELECT * FROM recent', []],
  ["SELECT 'recent'", ['CREATE TEMP TABLE recent (a int)']],
] as const)('nothing of the session: %s', (statement, earlier) => {
  expect(ofLast(...earlier, statement)).toBeUndefined()
})
