import { expect, test } from 'vitest'
import { SyntaxChecker } from './syntax.ts'

const checker = new SyntaxChecker()

test.each([
  ['select 1', undefined],
  ['select $1', undefined],
  ['selec 1', { message: 'syntax error at or near "selec"', position: 0 }],
  ['select 1 +', { message: 'syntax error at end of input', position: 10 }],
])('%s', async (sql, expected) => {
  expect(await checker.check(sql)).toEqual(expected)
})

test('positions count as the editor does, not in bytes', async () => {
  // é is two bytes and one unit, 😀 four bytes, one character and two units.
  const sql = "select 'é😀' form x y"
  const problem = await checker.check(sql)
  expect(sql.slice(problem?.position)).toBe('x y')
})

test('goes on after a statement that overflows it', async () => {
  const deep = `select ${'1+'.repeat(20_000)}1`
  expect(await checker.check(deep)).toMatchObject({ message: expect.stringContaining('nested too deeply') })
  expect(await checker.check('select 1')).toBeUndefined()
  expect(await checker.check('select 1 1')).toMatchObject({ position: 9 })
})
