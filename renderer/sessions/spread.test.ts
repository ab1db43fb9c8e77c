import { expect, test } from 'vitest'
import { spread } from './spread.ts'

test('what is far apart stays where it is; what is close is moved on; nothing leaves the lane', () => {
  expect(spread([0, 100, 300], 26, 400)).toEqual([0, 100, 300])
  expect(spread([100, 102, 103], 26, 400)).toEqual([100, 126, 152])
  expect(spread([390, 395, 400], 26, 400)).toEqual([348, 374, 400])
  expect(spread([0, 0, 0, 0, 0], 26, 40)).toEqual([0, 10, 20, 30, 40])
  expect(spread([], 26, 400)).toEqual([])
})
