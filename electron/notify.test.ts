import { expect, test } from 'vitest'
import type { AccessRequest } from '../shared/api/models.ts'
import { noticeOf } from './notify.ts'

const request: AccessRequest = {
  id: 'r1',
  kind: 'once',
  state: 'pending',
  requester: { kind: 'user', id: 'linus', name: 'Linus', groups: ['engineers'] },
  connection: { name: 'orders-db', kind: 'postgres', environment: 'production', tags: [] },
  reason: 'customer 4711 asked',
  createdAt: '2030-01-01T12:00:00.000Z',
  expiresAt: '2030-01-01T12:30:00.000Z',
  policy: { id: 'prod-writes', reason: 'x' },
  approval: { group: 'dba', count: 1, windowSeconds: 1800, notify: [] },
  reviews: [],
  text: "DELETE FROM payments WHERE card = '4111'",
  tables: ['public.payments'],
  actions: [],
  dataClasses: [],
  sourceIp: '10.0.0.1',
  canReview: true,
}
const event = (change: Partial<AccessRequest>) =>
  ({ type: 'request', id: 'e1', request: { ...request, ...change } }) as const

test('a reviewer hears of a request, without its text or reason', () => {
  const notice = noticeOf(event({}), 'grace')
  expect(notice).toEqual({
    title: 'Review requested',
    body: 'Linus asks for one approval on orders-db.',
    opens: { to: 'request', id: 'r1' },
  })
  expect(JSON.stringify(notice)).not.toMatch(/DELETE|4111|4711|payments/)
})

test('who asked hears how it ended; nobody else does', () => {
  for (const state of ['approved', 'denied', 'expired', 'revoked'] as const) {
    expect(noticeOf(event({ state }), 'linus')?.body).toContain('Your request on orders-db')
    expect(noticeOf(event({ state }), 'grace')).toBeUndefined()
  }
})

test('who may not review, and what one did oneself, is quiet', () => {
  expect(noticeOf(event({ canReview: false }), 'linus')).toBeUndefined()
  expect(noticeOf(event({ state: 'cancelled' }), 'linus')).toBeUndefined()
  expect(noticeOf({ type: 'hello', id: 'e0' }, 'linus')).toBeUndefined()
})
