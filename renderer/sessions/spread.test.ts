import { expect, test } from 'vitest'
import { barsOf, placed, spread } from './spread.ts'

test('what is far apart stays where it is; what is close is moved on; nothing leaves the lane', () => {
  expect(spread([0, 100, 300], 26, 400)).toEqual([0, 100, 300])
  expect(spread([100, 102, 103], 26, 400)).toEqual([100, 126, 152])
  expect(spread([390, 395, 400], 26, 400)).toEqual([348, 374, 400])
  expect(spread([0, 0, 0, 0, 0], 26, 40)).toEqual([0, 10, 20, 30, 40])
  expect(spread([], 26, 400)).toEqual([])
})

test('each has a place as long as there is room; then those that are close share one, and none is lost', () => {
  expect(placed([0, 3, 90], 20, 100)).toEqual([
    { at: 0, of: [0] },
    { at: 20, of: [1] },
    { at: 90, of: [2] },
  ])
  expect(placed([0, 5, 41, 45, 99, 100], 20, 100)).toEqual([
    { at: 10, of: [0, 1] },
    { at: 50, of: [2, 3] },
    { at: 90, of: [4, 5] },
  ])
  const many = placed(
    Array.from({ length: 9_000 }, (_, i) => i / 10),
    24,
    900,
  )
  expect(many.length).toBe(37)
  expect(many.flatMap(({ of }) => of)).toHaveLength(9_000)
  for (const [i, { at }] of many.slice(1).entries()) expect(at - (many[i]?.at ?? 0)).toBeGreaterThanOrEqual(24)
  // Not measured yet.
  expect(placed([0, 0], 24, 0).flatMap(({ of }) => of)).toEqual([0, 1])
})

test('of bars that would lie on each other the highest is drawn', () => {
  const bars = [
    { at: 0, height: 4 },
    { at: 1, height: 9 },
    { at: 3.9, height: 5 },
    { at: 4, height: 6 },
  ]
  expect(barsOf(bars, 4)).toEqual([
    { at: 0, height: 9 },
    { at: 4, height: 6 },
  ])
  expect(barsOf([], 4)).toEqual([])
})
