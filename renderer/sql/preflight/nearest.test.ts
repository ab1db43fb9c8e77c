import { expect, test } from 'vitest'
import { mostStatements, nearestStatements } from './nearest.ts'

const sql = Array.from({ length: 500 }, (_, i) => `select ${i};`).join('\n')
const texts = (middle: number) => nearestStatements(sql, middle).map(({ start, end }) => sql.slice(start, end))

test('the statement that is looked at first, then those around it', () => {
  const found = texts(sql.indexOf('select 250') + 3)
  expect(found).toHaveLength(mostStatements)
  expect(found[0]).toBe('select 250')
  expect(found.slice(1, 3).sort()).toEqual(['select 249', 'select 251'])
  expect(found).not.toContain('select 0')
})

test('a place at the end, and a text without statements', () => {
  expect(texts(sql.length)[0]).toBe('select 499')
  expect(nearestStatements('-- nothing', 3)).toEqual([])
})
