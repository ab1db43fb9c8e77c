import { expect, test } from 'vitest'
import type { Grant } from '../../shared/decision.ts'
import type { SessionSpec } from '../../shared/link.ts'
import { database, databaseTarget } from '../testing/parts.ts'
import { DistantSession } from './distant.ts'

const spec: SessionSpec = {
  sessionId: 'ses_distant001',
  principal: { id: 'ada', kind: 'user', name: 'Ada', groups: [] },
  connection: database,
  target: databaseTarget,
  annotations: 'text',
  context: { sourceIp: '127.0.0.1', mfa: false },
  grants: [],
}

function distant() {
  const given: unknown[] = []
  const session = new DistantSession({
    spec,
    door: 'native',
    accessTokenId: 'token',
    begun: () => Promise.resolve(),
    hold: () => Promise.reject(new Error('not part of this test')),
    ended: (_, { reason }) => {
      given.push(['stored', reason])
      return Promise.resolve()
    },
    orders: {
      end: (id, reason) => given.push(['end', id, reason]),
      setGrants: (id, grants) => given.push(['grants', id, grants]),
    },
  })
  return { session, given }
}

test('orders that come while it is on its way to whoever serves it are not lost', () => {
  const { session, given } = distant()
  const grants: readonly Grant[] = []
  session.setGrants(grants)
  session.end('grace ended this session.')
  session.end('again')
  expect(given).toEqual([])
  session.taken()
  expect(given).toEqual([
    ['grants', spec.sessionId, grants],
    ['end', spec.sessionId, 'grace ended this session.'],
  ])
})

test('orders go out at once when it is served, and its end is stored with the reason that was given', async () => {
  const { session, given } = distant()
  session.taken()
  session.end('Access ended.')
  await session.ended({ reason: 'The client left.', bytesIn: 0, bytesOut: 0 }, undefined)
  expect(given).toEqual([
    ['end', spec.sessionId, 'Access ended.'],
    ['stored', 'Access ended.'],
  ])
})
