import { expect, test } from 'vitest'
import { BoundedCache, type Tally } from './cache.ts'

const tally: Tally = { bytes: 0 }
const cacheOf = (bounds: { entries: number; bytes: number }) =>
  new BoundedCache<string>({ ...bounds, sizeOf: (value) => value.length, tally })

test('what was used longest ago is forgotten first', () => {
  const cache = cacheOf({ entries: 2, bytes: 1 << 20 })
  cache.set('a', '1')
  cache.set('b', '2')
  cache.get('a')
  cache.set('c', '3')
  expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual(['1', undefined, '3'])
  cache.clear()
  expect(tally.bytes).toBe(0)
})

test('however few entries there are, their bytes are bounded', () => {
  const cache = cacheOf({ entries: 1_000, bytes: 100_000 })
  for (let i = 0; i < 100; i++) cache.set(`${i} ${'k'.repeat(10_000)}`, 'v'.repeat(1_000))
  expect(cache.bytes).toBeLessThanOrEqual(100_000)
  expect(tally.bytes).toBe(cache.bytes)
  expect(cache.size).toBe(4)
  cache.set('small', 'v')
  cache.set('huge', 'v'.repeat(100_000))
  expect([cache.get('small'), cache.get('huge')]).toEqual(['v', undefined])
})
