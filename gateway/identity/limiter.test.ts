import { expect, test } from 'vitest'
import { createLimiter } from './limiter.ts'

test('so many in a window, then none until it is over; each key for itself', () => {
  let now = 0
  const limiter = createLimiter(3, 60, () => now)
  for (let attempt = 0; attempt < 3; attempt += 1) {
    expect(limiter.wait('a')).toBe(0)
    limiter.count('a')
  }
  expect(limiter.wait('a')).toBe(60)
  expect(limiter.wait('b')).toBe(0)
  now = 59_500
  expect(limiter.wait('a')).toBe(1)
  now = 60_000
  expect(limiter.wait('a')).toBe(0)
})
