import { randomInt } from 'node:crypto'
import { describe, expect, inject, test } from 'vitest'
import { z } from 'zod'
import { AccessRequest, RequestMetrics, RequestPage } from '../../shared/api/models.ts'
import { call, type Role } from '../support/access.ts'
import { sallyport } from '../support/cli.ts'

const demo = inject('demo')

async function find(role: Role, path: string, is: (request: AccessRequest) => boolean): Promise<AccessRequest> {
  let found: AccessRequest | undefined
  await expect
    .poll(async () => {
      const { body } = await call(demo, role, 'GET', path)
      found = z.array(AccessRequest).parse(body).find(is)
      return found
    })
    .toBeDefined()
  if (found === undefined) throw new Error('the request went away')
  return found
}

const pendingReview = '/requests?scope=review&state=pending'

describe('what a reviewer sees', () => {
  test('rows, columns and origin; no literal of a masked column; counted on wish; the requester’s statement goes on', async () => {
    const phone = `+4930${randomInt(1e6, 9e6)}`
    const waiting = sallyport(demo, 'oncall', ['exec', 'orders-db'], {
      input: `DELETE /* INC-77 */ FROM customers WHERE id = -5 AND phone = '${phone}'`,
    })
    const { id } = await find('dba', pendingReview, (request) => request.reason === 'INC-77')
    const path = `/requests/${id}`
    const request = async (role: Role) => AccessRequest.parse((await call(demo, role, 'GET', path)).body)
    await expect.poll(async () => (await request('dba')).estimate?.state).toBe('planned')
    const seen = await request('dba')
    expect(seen).toMatchObject({ textHidden: true, canReview: true, origin: { client: 'cli', onCall: true } })
    expect(seen.text).toContain('phone = ')
    expect(JSON.stringify(seen)).not.toContain(phone)
    expect(seen.columns).toContain('public.customers.phone')
    expect((await request('oncall')).text).toContain(phone)
    const counted = await call(demo, 'dba', 'POST', `${path}/count`, {})
    expect(counted).toMatchObject({ status: 200, body: { rowCount: { rows: 0 } } })
    const shown = await sallyport(demo, 'dba', ['requests', '--id', id])
    expect(shown.stdout).toContain('0, counted')
    expect(shown.stdout).not.toContain(phone)
    expect((await sallyport(demo, 'dba', ['approve', id])).code).toBe(0)
    expect((await waiting).code).toBe(0)
  })
})

describe('ways around people that policy has', () => {
  test('a rule approves by itself, and that is on record', async () => {
    const input = 'systemctl restart reporting'
    const ran = await sallyport(demo, 'engineer', ['exec', 'web-1'], { input })
    expect(ran.stderr).toMatch(/policy:restart-reporting/)
    const page = RequestPage.parse((await call(demo, 'dba', 'GET', '/requests/history?rule=prod-service-restart')).body)
    const restart = page.requests.find(({ text }) => text === input)
    expect(restart).toMatchObject({ state: 'approved', reviews: [{ by: 'policy:restart-reporting' }] })
  })

  test('break-glass: who is on call goes on, nobody else does, and somebody else reviews it', async () => {
    const command = `systemctl restart orders-${randomInt(1e9)}`
    const waiting = sallyport(demo, 'oncall', ['exec', 'web-1'], { input: command })
    const { id } = await find('oncall', '/requests?scope=mine&state=pending', (request) => request.text === command)
    const broken = await sallyport(demo, 'oncall', ['break-glass', id, '--reason', 'checkout is down'])
    expect(broken.code).toBe(0)
    expect((await waiting).stderr).toMatch(/break-glass/)
    expect(
      (await call(demo, 'oncall', 'POST', `/requests/${id}/after-review`, { verdict: 'accepted', reason: 'fine' }))
        .status,
    ).toBe(403)
    const review = ['after-review', id, '--verdict', 'accepted', '--reason', 'it was']
    expect((await sallyport(demo, 'dba', review)).code).toBe(0)

    const engineer = sallyport(demo, 'engineer', ['exec', 'web-1'], { input: `${command}-x` })
    const theirs = await find('engineer', '/requests?scope=mine&state=pending', ({ text }) => text === `${command}-x`)
    const refused = await sallyport(demo, 'engineer', ['break-glass', theirs.id, '--reason', 'now please'])
    expect(refused.code).toBe(4)
    expect((await sallyport(demo, 'engineer', ['cancel', theirs.id])).code).toBe(0)
    expect((await engineer).code).not.toBe(0)
  })
})

describe('several, and for later', () => {
  test('asked from the command line with a start, waited for, shortened, extended, given back', async () => {
    const ask = ['request', 'orders-db', '--for', '30m', '--reason', 'INC-9 fix', '--unmask', 'email', '--json']
    // Whoever is on call, as whom no other test reads these: to all others they stay masked.
    const waiting = sallyport(demo, 'oncall', [...ask, '--wait'])
    const pending = await find('dba', pendingReview, (request) => request.reason === 'INC-9 fix')
    expect((await sallyport(demo, 'dba', ['approve', pending.id, '--for', '5m'])).code).toBe(0)
    const granted = await waiting
    expect(granted.code).toBe(0)
    const { grant } = AccessRequest.parse(JSON.parse(granted.stdout))
    expect(Date.parse(grant?.endsAt ?? '') - Date.parse(grant?.startsAt ?? '')).toBe(300_000)
    const more = AccessRequest.parse(
      JSON.parse((await sallyport(demo, 'oncall', [...ask, '--extend', grant?.id ?? ''])).stdout),
    )
    const later = AccessRequest.parse(JSON.parse((await sallyport(demo, 'oncall', [...ask, '--start', '+2h'])).stdout))
    expect((await sallyport(demo, 'dba', ['approve', more.id, later.id, 'req_nowhere'])).code).toBe(1)
    const decided = async (id: string) => AccessRequest.parse((await call(demo, 'dba', 'GET', `/requests/${id}`)).body)
    expect((await decided(more.id)).grant).toMatchObject({ startsAt: grant?.endsAt })
    expect((await decided(later.id)).grant?.startsAt).toBe(later.startsAt)
    for (const id of [pending.id, later.id]) expect((await sallyport(demo, 'oncall', ['revoke', id])).code).toBe(0)
    expect((await decided(more.id)).state).toBe('revoked')
    const metrics = RequestMetrics.parse((await call(demo, 'dba', 'GET', '/requests/metrics')).body)
    expect(metrics.byRule.find(({ policy }) => policy === 'pii-default')?.approved).toBeGreaterThanOrEqual(3)
  })
})
