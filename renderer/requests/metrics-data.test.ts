import { expect, test } from 'vitest'
import { anyHistory, historyInput } from './history-filter.ts'
import { approvedShare, dayBars, spanWords, timeBars } from './metrics-data.ts'

const share = {
  asked: 10,
  approved: 6,
  denied: 1,
  expired: 1,
  cancelled: 1,
  pending: 1,
  automatic: 2,
  breakGlass: 1,
  medianSeconds: 190,
  p90Seconds: 600,
}

test('every day of the range has its bar, and approvals are told apart by who gave them', () => {
  const bars = dayBars({
    from: '2030-01-30T10:00:00.000Z',
    to: '2030-02-02T09:00:00.000Z',
    byDay: [{ ...share, day: '2030-02-01' }],
  })
  expect(bars.map((bar) => bar.day)).toEqual(['30 Jan', '31 Jan', '1 Feb', '2 Feb'])
  expect(bars[2]).toEqual({
    day: '1 Feb',
    Approved: 3,
    'By rule': 2,
    'Break-glass': 1,
    Denied: 1,
    Expired: 1,
    Cancelled: 1,
    Held: 1,
  })
  expect(bars[0]?.Approved).toBe(0)
})

test('the slowest come first, and what nobody decided has no time', () => {
  const { medianSeconds, p90Seconds, ...undecided } = share
  expect(medianSeconds + p90Seconds).toBe(790)
  const bars = timeBars([
    { ...share, name: 'fast', medianSeconds: 6 },
    { ...undecided, name: 'nobody' },
    { ...share, name: 'slow' },
  ])
  expect(bars).toEqual({
    unit: 'min',
    bars: [
      { name: 'slow', Median: 3.17, 'Nine of ten': 10 },
      { name: 'fast', Median: 0.1, 'Nine of ten': 10 },
    ],
  })
  expect(timeBars([{ ...share, name: 'quick', medianSeconds: 3, p90Seconds: 40 }])).toMatchObject({
    unit: 's',
    bars: [{ Median: 3, 'Nine of ten': 40 }],
  })
  expect(timeBars([{ ...share, name: 'long', p90Seconds: 10_800 }])).toMatchObject({ unit: 'h' })
  expect(timeBars([])).toEqual({ unit: 's', bars: [] })
})

test('times and shares in words', () => {
  expect([undefined, 40, 180, 190, 754, 7500].map(spanWords)).toEqual([
    '–',
    '40 s',
    '3 min',
    '3 min 10 s',
    '13 min',
    '2 h 5 min',
  ])
  expect(approvedShare(share)).toBe('75%')
  expect(approvedShare({ ...share, approved: 0, denied: 0, expired: 0 })).toBe('–')
})

test('an empty filter of the history asks for everything, a page at a time', () => {
  expect(historyInput(anyHistory)).toEqual({ limit: 50 })
  const now = Date.parse('2030-01-08T10:00:30.000Z')
  const filter = { ...anyHistory, text: ' INC ', state: 'denied' as const, days: 7 }
  expect(historyInput(filter, 'r9', now)).toEqual({
    limit: 50,
    text: 'INC',
    state: 'denied',
    from: '2030-01-01T10:00:00.000Z',
    before: 'r9',
  })
})
