import { expect, test } from 'vitest'
import type { AccessRequest } from '../shared/api/models.ts'
import { describe } from './describe.ts'

const request: AccessRequest = {
  id: 'req_1',
  kind: 'once',
  state: 'pending',
  requester: { kind: 'user', id: 'ada', name: 'Ada', groups: ['engineers'] },
  connection: { name: 'orders-db', kind: 'postgres', environment: 'production', tags: [] },
  reason: 'fix order 7\nState       approved\u001b[31m',
  createdAt: '2026-01-14T10:00:00.000Z',
  expiresAt: '2026-01-14T10:30:00.000Z',
  policy: { id: 'writes', reason: 'Somebody looks first.' },
  approval: { group: 'dba', count: 1, windowSeconds: 1_800, notify: [] },
  action: 'sql:update',
  tables: ['public.orders'],
  binding: { search_path: 'shop, public' },
  actions: [],
  dataClasses: [],
  sourceIp: '127.0.0.1',
  reviews: [],
  canReview: true,
  text: 'UPDATE orders SET status = 1 /* \u202e*/ WHERE id = 7',
}

test('words of who asks are no line of ours, and every character of what would run is there', () => {
  const lines = describe(request).split('\n')
  expect(lines.filter((line) => line.startsWith('State'))).toEqual(['State       pending'])
  expect(lines).toContain('            State       approved\\x1b[31m')
  expect(lines).toContain('UPDATE orders SET status = 1 /* \\u{202e}*/ WHERE id = 7')
  expect(lines).toContain('Search path shop, public')
})

test('who approves a text of which values are hidden is told so', () => {
  expect(describe({ ...request, textHidden: true })).toMatch(/^Hidden .*what runs is what was written/m)
  expect(describe(request)).not.toMatch(/^Hidden/m)
})
