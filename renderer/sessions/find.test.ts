import { expect, test } from 'vitest'
import { matchesIn, nextMatch } from './find.tsx'

const texts = ['ss -ltnp', 'systemctl RESTART worker', 'env', 'sudo systemctl restart checkout']

test('a recording is searched whatever the case, and nothing fits an empty query', () => {
  expect(matchesIn(texts, 'restart')).toEqual([1, 3])
  expect(matchesIn(texts, '  ')).toEqual([])
})

test('from match to match, around the end, from where the replay is', () => {
  expect([-1, 1, 2, 3].map((at) => nextMatch([1, 3], at, 1))).toEqual([1, 3, 3, 1])
  expect([1, 2, 0].map((at) => nextMatch([1, 3], at, -1))).toEqual([3, 1, 3])
  expect(nextMatch([], 0, 1)).toBeUndefined()
})
