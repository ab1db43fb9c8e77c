import { expect, test } from 'vitest'
import { seldom } from './seldom.ts'

test('the first is logged, then one in ten seconds, with how many were not', () => {
  let now = 0
  const lines: unknown[] = []
  const log = seldom({ info: (fields) => lines.push(fields) }, () => now)
  for (let i = 0; i < 1_000; i++) log.info({ i }, 'left')
  now = 10_000
  log.info({ i: 1_000 }, 'left')
  log.info({ i: 1_001 }, 'left')
  now = 25_000
  log.info({ i: 1_002 }, 'left')
  expect(lines).toEqual([{ i: 0 }, { i: 1_000, notLogged: 999 }, { i: 1_002, notLogged: 1 }])
})
