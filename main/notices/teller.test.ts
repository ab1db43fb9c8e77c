import { expect, test } from 'vitest'
import type { AccessRequest } from '../../shared/api/models.ts'
import type { NoticeEvent } from '../../shared/rpc/notice.ts'
import { Teller } from './teller.ts'
import { noticeOf } from './words.ts'

const request: AccessRequest = {
  id: 'r1',
  kind: 'once',
  state: 'pending',
  requester: { kind: 'user', id: 'linus', name: 'Linus Benedict', groups: ['engineers'] },
  connection: { name: 'orders-db', kind: 'postgres', environment: 'production', tags: [] },
  reason: 'customer 4711 asked',
  createdAt: '2030-01-01T12:00:00.000Z',
  expiresAt: '2030-01-01T12:30:00.000Z',
  policy: { id: 'prod-writes', reason: 'x' },
  approval: { group: 'dba', count: 2, windowSeconds: 1800, notify: [] },
  reviews: [],
  text: "DELETE FROM payments WHERE card = '4111'",
  tables: ['public.payments'],
  actions: [],
  dataClasses: [],
  sourceIp: '10.0.0.1',
  canReview: true,
}
const approve = (by: string) => ({ by, verdict: 'approve' as const, reason: 'fine', at: request.createdAt })

test('a reviewer hears who asks and where, without text or reason, and may not approve what is not shown', () => {
  const notice = noticeOf(request, 'grace')
  expect(notice).toEqual({
    id: 'r1',
    requestId: 'r1',
    title: 'Approval needed on orders-db',
    body: 'Production · Linus Benedict',
    actions: ['review', 'later'],
  })
  expect(JSON.stringify(notice)).not.toMatch(/DELETE|4111|4711|payments/)
})

test('access for a time is said in full, so that it may be approved from the notice', () => {
  const asked: AccessRequest = {
    ...request,
    kind: 'grant',
    actions: ['sql:write', 'unmask'],
    dataClasses: ['email'],
    durationSeconds: 5400,
  }
  expect(noticeOf(asked, 'grace')).toMatchObject({
    body: 'Production · Linus Benedict · write, unmask email for 1 h 30 min',
    actions: ['approve', 'deny', 'review'],
  })
})

test('break-glass is told to who may review it, waits for them, and its review is told to who did it', () => {
  const broken: AccessRequest = {
    ...request,
    state: 'approved',
    canReview: false,
    afterReview: { state: 'open', canReview: true },
  }
  const notice = noticeOf(broken, 'grace')
  expect(notice).toMatchObject({ title: 'Break-glass on orders-db', actions: ['review', 'later'] })
  expect(JSON.stringify(notice)).not.toMatch(/DELETE|4111|4711|payments/)
  expect(noticeOf({ ...broken, afterReview: { state: 'open', canReview: false } }, 'dana')).toBeUndefined()
  expect(noticeOf({ ...broken, afterReview: { state: 'open', canReview: false } }, 'linus')?.title).toMatch(
    /you went on/,
  )
  const disputed = { state: 'disputed', by: 'grace', reason: 'no outage', canReview: false } as const
  expect(noticeOf({ ...broken, afterReview: disputed }, 'linus')?.title).toBe('Break-glass disputed by grace')
  expect(noticeOf({ ...broken, afterReview: disputed }, 'grace')).toBeUndefined()
})

test('who asked hears of every change, with the name of who decided', () => {
  const title = (change: Partial<AccessRequest>) => noticeOf({ ...request, ...change }, 'linus')?.title
  expect(title({ reviews: [approve('grace')] })).toBe('grace approved, 1 of 2')
  expect(title({ state: 'approved', reviews: [approve('grace'), approve('dana')] })).toBe('Approved by grace and dana')
  expect(title({ state: 'denied', reviews: [{ ...approve('dana'), verdict: 'deny' }] })).toBe('Denied by dana')
  expect(title({ state: 'expired' })).toBe('Expired unanswered')
  expect(title({ state: 'revoked' })).toBe('Access ended early')
  expect(title({})).toBeUndefined()
  expect(title({ state: 'cancelled' })).toBeUndefined()
})

test('who may not review hears nothing', () => {
  expect(noticeOf({ ...request, canReview: false }, 'grace')).toBeUndefined()
  expect(noticeOf({ ...request, state: 'denied' }, 'grace')).toBeUndefined()
})

function start(me: string, list: () => Promise<readonly AccessRequest[]> = async () => []) {
  const warnings: string[] = []
  const teller = new Teller((message) => void warnings.push(message))
  teller.enter(me, list)
  const told: NoticeEvent[] = []
  const reading = (async () => {
    for await (const event of teller.read(undefined)) told.push(event)
  })()
  let id = 0
  const hear = (change: Partial<AccessRequest>) => {
    id += 1
    teller.hear({ type: 'request', id: String(id), request: { ...request, ...change } })
  }
  const shown = () => told.flatMap((event) => (event.type === 'show' ? [event.notice.title] : []))
  const waiting = () => told.flatMap((event) => (event.type === 'waiting' ? [event.requests.map((r) => r.id)] : []))
  const ended = () => {
    teller.end()
    return reading
  }
  return { teller, hear, told, shown, waiting, warnings, ended }
}

test('an event that comes twice is told once, also while others approve', async () => {
  const { hear, shown, ended } = start('grace')
  hear({})
  hear({})
  hear({ reviews: [approve('dana')] })
  await ended()
  expect(shown()).toEqual(['Approval needed on orders-db'])
})

test('who is reminded hears of it once more, and that it is a reminder', async () => {
  const { hear, shown, ended } = start('grace')
  hear({})
  hear({ remindedAt: '2030-01-01T12:05:00.000Z' })
  hear({ remindedAt: '2030-01-01T12:05:00.000Z', reviews: [approve('dana')] })
  await ended()
  expect(shown()).toEqual(['Approval needed on orders-db', 'Reminder: approval needed on orders-db'])
})

test('what is decided elsewhere is withdrawn, and the count follows', async () => {
  const { hear, told, waiting, ended } = start('grace')
  hear({})
  hear({ id: 'r2' })
  hear({ state: 'approved', canReview: false })
  await ended()
  expect(told).toContainEqual({ type: 'withdraw', id: 'r1' })
  expect(waiting()).toEqual([[], ['r1'], ['r1', 'r2'], ['r2'], []])
})

test('after a reconnect the list is read again; what events said meanwhile is newer', async () => {
  const answer = Promise.withResolvers<readonly AccessRequest[]>()
  const { teller, hear, waiting, shown, ended } = start('grace', () => answer.promise)
  teller.hear({ type: 'hello', id: '0' })
  hear({ id: 'r2', state: 'denied', canReview: false })
  answer.resolve([request, { ...request, id: 'r2' }])
  await answer.promise
  await Promise.resolve()
  await ended()
  expect(waiting()).toEqual([[], ['r1'], []])
  // What waited before one came is counted, not announced.
  expect(shown()).toEqual([])
})

test('a list that can’t be read is said, and the next event still counts', async () => {
  const { teller, hear, waiting, warnings, ended } = start('grace', () => Promise.reject(new Error('no gateway')))
  teller.hear({ type: 'hello', id: '0' })
  await new Promise((done) => setImmediate(done))
  hear({})
  await ended()
  expect(warnings).toEqual(['what waits for review could not be read: no gateway'])
  expect(waiting()).toContainEqual(['r1'])
})
