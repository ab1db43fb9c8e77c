import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Grant } from '../shared/decision.ts'
import type { PolicyFile, SessionEnd } from '../shared/link.ts'
import { SessionPolicy } from './decide.ts'
import type { InspectorSession } from './inspect/session.ts'
import { Policies } from './policies.ts'
import { watch } from './session.ts'

const files = (cedar: string): PolicyFile[] => [
  { path: 'a.cedar', text: cedar },
  { path: 'classification.yaml', text: 'classes: {}' },
]
const ask =
  '@id("ask") @reason("By request.") @approve("dba") permit(principal, action == Action::"connect", resource);'
const open = '@id("open") permit(principal, action == Action::"connect", resource);'

let policies: Policies
beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-01-14T10:00:00Z') })
  policies = new Policies()
})
afterEach(() => {
  vi.useRealTimers()
})

function grant(seconds: number): Grant {
  return {
    id: 'g',
    principalId: 'ada',
    connection: 'web-1',
    actions: ['connect'],
    dataClasses: [],
    startsAt: new Date(Date.now() - 1).toISOString(),
    endsAt: new Date(Date.now() + seconds * 1000).toISOString(),
    requestId: 'r',
    approvedBy: ['grace'],
  }
}

function begin(grants: readonly Grant[]) {
  const policy = new SessionPolicy(
    {
      principal: { kind: 'user', id: 'ada', name: 'Ada', groups: [] },
      connection: { name: 'web-1', kind: 'ssh', environment: 'production', tags: [] },
      context: { sourceIp: '127.0.0.1', mfa: false },
      grants,
    },
    policies,
    () => '',
  )
  const finished = Promise.withResolvers<SessionEnd>()
  const ended: string[] = []
  const inspector: InspectorSession = { end: (reason) => ended.push(reason), done: finished.promise }
  const session = watch(inspector, policy, () => policies.set?.dependsOnTime('connect') === true)
  return { session, ended, finish: () => finished.resolve({ reason: 'x', bytesIn: 0, bytesOut: 0 }) }
}

describe('a session lives only while its principal may connect', () => {
  test('and ends at once when they may not from the start', async () => {
    await policies.push(files(ask))
    expect(begin([]).ended).toEqual([expect.stringMatching(/not granted, or has ended.*By request/)])
  })

  test('without a policy there is none', () => {
    expect(begin([]).ended).toEqual([expect.stringMatching(/policy-not-loaded/)])
  })

  test('its grant ends: so does it, within a second', async () => {
    await policies.push(files(ask))
    const { ended } = begin([grant(300)])
    await vi.advanceTimersByTimeAsync(299_900)
    expect(ended).toEqual([])
    await vi.advanceTimersByTimeAsync(200)
    expect(ended).toHaveLength(1)
  })

  test('its grant is revoked', async () => {
    await policies.push(files(ask))
    const { session, ended } = begin([grant(300)])
    session.setGrants([])
    expect(ended).toHaveLength(1)
  })

  test('its grant is extended', async () => {
    await policies.push(files(ask))
    const { session, ended } = begin([grant(300)])
    session.setGrants([grant(600)])
    await vi.advanceTimersByTimeAsync(599_000)
    expect(ended).toEqual([])
    await vi.advanceTimersByTimeAsync(1_100)
    expect(ended).toHaveLength(1)
  })

  test('the policy changes', async () => {
    await policies.push(files(open))
    const { session, ended } = begin([])
    expect(ended).toEqual([])
    await policies.push(files(`${open} @id("closed") @reason("No more.") forbid(principal, action, resource);`))
    session.review()
    expect(ended).toEqual(['Blocked by closed: No more.'])
  })

  test('the hour comes', async () => {
    const late = `@id("late") forbid(principal, action, resource) when { context.now.toTime() >= duration("10h1m") };`
    await policies.push(files(`${open} ${late}`))
    const { ended } = begin([])
    await vi.advanceTimersByTimeAsync(59_000)
    expect(ended).toEqual([])
    await vi.advanceTimersByTimeAsync(2_000)
    expect(ended).toEqual([expect.stringMatching(/^Blocked by late/)])
  })

  test('and one that is over is left alone', async () => {
    await policies.push(files(ask))
    const { session, ended, finish } = begin([grant(10)])
    finish()
    await session.done
    await vi.advanceTimersByTimeAsync(20_000)
    session.setGrants([])
    expect(ended).toEqual([])
    expect(vi.getTimerCount()).toBe(0)
  })
})
