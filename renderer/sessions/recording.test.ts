import { expect, test } from 'vitest'
import type { RecordingEvent } from '../../shared/recording.ts'
import { activity, duration, entries, idleGaps, timeline } from './recording.ts'

const policy = { id: 'p', reason: 'Because.' }
const events: RecordingEvent[] = [
  { type: 'request', at: 0, n: 1, action: 'sql:select', text: 'SELECT 1', outcome: 'allowed' },
  { type: 'complete', at: 10, n: 1, ok: true, rows: 1, dbMs: 2, gatewayMs: 0.3 },
  { type: 'request', at: 5_000, n: 2, action: 'sql:delete', text: 'DELETE', outcome: 'held', policy, requestId: 'r' },
  { type: 'decided', at: 9_000, n: 2, outcome: 'approved', by: ['grace'], requestId: 'r' },
  { type: 'output', at: 9_100, data: 'x'.repeat(500) },
  { type: 'masked', at: 9_200, classes: { email: 2, card: 1 } },
]

test('what was recorded of a request comes together in its entry', () => {
  expect(entries(events)).toMatchObject([
    { n: 1, outcome: 'allowed', rows: 1, dbMs: 2, gatewayMs: 0.3 },
    { n: 2, outcome: 'approved', policy, decided: { at: 9_000, by: ['grace'] } },
  ])
})

test('a held request is held until it is decided', () => {
  expect(entries(events.slice(0, 3))[1]).toMatchObject({ outcome: 'held' })
})

test('the timeline has requests, decisions and masks, in order', () => {
  expect(timeline(events).map(({ at, outcome, text }) => [at, outcome, text])).toEqual([
    [0, 'allowed', 'SELECT 1'],
    [5_000, 'held', 'DELETE'],
    [9_000, 'approved', 'by grace'],
    [9_200, 'masked', '3 values: email, card'],
  ])
})

test('idle time is what nothing happened in for two seconds', () => {
  expect(duration(events)).toBe(9_200)
  expect(idleGaps(events)).toEqual([
    { from: 10, to: 5_000 },
    { from: 5_000, to: 9_000 },
  ])
  expect(activity(events, 4)).toHaveLength(4)
})
