import { expect, test } from 'vitest'
import { Recent } from './recent.ts'

test('holds what was set last, and no more than it may', () => {
  const recent = new Recent<string, number>(3)
  for (const [i, key] of ['a', 'b', 'c', 'a', 'd'].entries()) recent.set(key, i)
  expect(recent.size).toBe(3)
  expect(['a', 'b', 'c', 'd'].map((key) => recent.get(key))).toEqual([3, undefined, 2, 4])
})
