import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { NewRequest } from '../../shared/api/models.ts'
import type { HoldRequest } from '../../shared/link.ts'
import type { Caller } from '../api/context.ts'
import { json } from '../store/database.ts'
import { allow, block, hold, policy } from '../testing/agent.ts'
import { database, startParts, type TestParts } from '../testing/parts.ts'
import { startTestStore, type TestStore } from '../testing/store.ts'

let server: TestStore
let parts: TestParts
let ada: Caller
let grace: Caller
let joan: Caller

beforeAll(async () => {
  server = await startTestStore()
})
afterAll(() => server.close())
beforeEach(async () => {
  await server.clear()
  parts = await startParts(server)
  ada = await parts.person('ada', ['engineers'])
  grace = await parts.person('grace', ['dba'])
  joan = await parts.person('joan', ['dba'])
  parts.agent.accessRule = () => ({
    connect: allow,
    actions: [
      { action: 'sql:read', decision: allow },
      { action: 'sql:write', decision: hold('writes', 'dba') },
      { action: 'sql:ddl', decision: block('no-ddl') },
      { action: 'sql:admin', decision: hold('admin', 'owners', 2) },
    ],
    dataClasses: [
      { name: 'email', unmask: { verdict: 'masked', policy: policy('clear-email'), approval: approval('dba') } },
      { name: 'card', unmask: { verdict: 'masked', policy: policy('never-cards') } },
    ],
  })
})
afterEach(() => parts.close())

function approval(group: string, count = 1, windowSeconds = 1_800) {
  return { group, count, windowSeconds, notify: [] }
}

function ask(change: Partial<NewRequest> = {}): NewRequest {
  return {
    connection: 'orders-db',
    actions: ['sql:write'],
    dataClasses: [],
    durationSeconds: 600,
    reason: 'fix order 7',
    ...change,
  }
}

function statement(change: Partial<HoldRequest> = {}): HoldRequest {
  return {
    action: 'sql:delete',
    text: 'delete from orders where id = 7',
    policy: policy('writes'),
    approval: approval('dba'),
    tables: ['public.orders'],
    binding: { search_path: 'public' },
    ...change,
  }
}

function holdAsAda(change: Partial<HoldRequest> = {}) {
  return parts.requests.hold(
    {
      sessionId: 'ses_1',
      principal: ada.principal,
      connection: database,
      sourceIp: '127.0.0.1',
      mfa: true,
      client: 'cli',
    },
    statement(change),
  )
}

describe('asking', () => {
  test('what policy holds can be asked for; the reviewer sees it, the requester can’t decide it', async () => {
    const request = await parts.requests.create(ada, ask({ actions: ['sql:write', 'sql:read'] }))
    expect(request).toMatchObject({
      state: 'pending',
      actions: ['sql:write'],
      canReview: false,
      policy: { id: 'writes' },
    })
    expect(request.whyNot).toMatch(/You asked for this yourself/)
    const [seen] = await parts.requests.list(grace, { scope: 'review', state: 'pending' })
    expect(seen).toMatchObject({ id: request.id, canReview: true, reason: 'fix order 7' })
    expect(await parts.requests.list(await parts.person('mallory', ['contractors']), { scope: 'all' })).toEqual([])
  })

  test.each([
    [{ actions: ['sql:ddl'] }, 'FORBIDDEN', /Blocked by no-ddl.*Nobody can approve/],
    [{ actions: ['sql:read'] }, 'CONFLICT', /already allows/],
    [{ actions: ['ssh:shell'] }, 'FORBIDDEN', /no ssh:shell/],
    [{ actions: ['unmask'], dataClasses: ['card'] }, 'FORBIDDEN', /never-cards/],
    [{ actions: ['sql:write', 'sql:admin'] }, 'CONFLICT', /dba and owners decide different parts/],
    [{ connection: 'nowhere' }, 'NOT_FOUND', /no connection nowhere/],
  ] satisfies [Partial<NewRequest>, string, RegExp][])(
    '%o is refused',
    async (change: Partial<NewRequest>, code, message) => {
      const asked = parts.requests.create(ada, ask(change))
      await expect(asked).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
    },
  )

  test('unmask without a data class means those that can be asked for', async () => {
    expect(await parts.requests.create(ada, ask({ actions: ['unmask'] }))).toMatchObject({ dataClasses: ['email'] })
  })

  test('who asks and takes back without end is stopped: each is told to those who review', async () => {
    const { id } = await parts.requests.create(ada, ask())
    await parts.requests.cancel(ada, id)
    const { db } = server.store
    const row = await db.selectFrom('requests').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
    const { requester, connection, policy, approval } = row
    const values = {
      ...row,
      requester: json(requester),
      connection: json(connection),
      policy: json(policy),
      approval: json(approval),
    }
    const lists = {
      tables: '[]',
      binding: '{}',
      actions: '[]',
      data_classes: '[]',
      columns: '[]',
      hidden_classes: '[]',
      escalated: '[]',
    }
    const more = Array.from({ length: 198 }, (_, i) => ({
      ...values,
      ...lists,
      id: `req_${i}`,
      estimate: null,
      row_count: null,
    }))
    await db.insertInto('requests').values(more).execute()
    await parts.requests.create(ada, ask())
    await expect(parts.requests.create(ada, ask())).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringMatching(/200 times within ten minutes/),
    })
    await parts.requests.create(grace, ask())
    await db
      .updateTable('requests')
      .set({ created_at: new Date(Date.now() - 601_000) })
      .execute()
    await parts.requests.create(ada, ask())
  })

  test('nobody gets more time than policy gives, and text that PostgreSQL can’t store is stored', async () => {
    const request = await parts.requests.create(ada, ask({ durationSeconds: 86_400, reason: 'nul \0 inside' }))
    expect(request).toMatchObject({ durationSeconds: 1_800, reason: 'nul ␀ inside' })
  })
})

describe('deciding', () => {
  test('an approved request becomes a grant that begins then and ends by itself', async () => {
    const { id } = await parts.requests.create(ada, ask())
    const before = Date.now()
    const approved = await parts.requests.review(grace, id, 'approve', 'go on')
    expect(approved).toMatchObject({ state: 'approved', reviews: [{ by: 'grace', verdict: 'approve' }] })
    const [grant] = parts.grants.now('ada', 'orders-db')
    expect(grant).toMatchObject({ actions: ['sql:write'], approvedBy: ['grace'], requestId: id })
    expect(Date.parse(grant?.endsAt ?? '') - Date.parse(grant?.startsAt ?? '')).toBe(600_000)
    expect(Date.parse(grant?.startsAt ?? '')).toBeGreaterThanOrEqual(before)
    expect(parts.grants.covering('ada', 'orders-db', 'sql:delete')?.id).toBe(grant?.id)
    expect(parts.grants.covering('ada', 'orders-db', 'sql:select')).toBeUndefined()
    expect(parts.grants.covering('grace', 'orders-db', 'sql:delete')).toBeUndefined()
    expect(await parts.audited()).toEqual(['request.create', 'request.approve', 'grant.start'])
  })

  test('of twenty who decide at once, one does', async () => {
    const people = await Promise.all(Array.from({ length: 20 }, (_, n) => parts.person(`dba-${n}`, ['dba'])))
    const held = await holdAsAda()
    const results = await Promise.allSettled(
      people.map((person, n) =>
        parts.requests.review(person, held.requestId, n % 2 === 0 ? 'approve' : 'deny', `by ${n}`),
      ),
    )
    const won = results.filter((result) => result.status === 'fulfilled')
    const lost = results.filter((result) => result.status === 'rejected')
    expect(won).toHaveLength(1)
    expect(lost).toHaveLength(19)
    for (const { reason } of lost) expect(reason).toMatchObject({ code: 'CONFLICT' })
    const request = await parts.requests.get(ada, held.requestId)
    expect(request.reviews).toHaveLength(1)
    const outcome = await held.outcome
    expect(outcome.kind).toBe(request.state)
    expect((await parts.audited()).filter((action) => action !== 'request.create')).toHaveLength(1)
  })

  test('nobody approves their own, not even in the group', async () => {
    const held = await parts.requests.hold(
      {
        sessionId: 'ses_1',
        principal: grace.principal,
        connection: database,
        sourceIp: '127.0.0.1',
        mfa: true,
        client: 'cli',
      },
      statement(),
    )
    await expect(parts.requests.review(grace, held.requestId, 'approve', '')).rejects.toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringMatching(/Somebody else in dba/),
    })
    expect(await parts.requests.get(grace, held.requestId)).toMatchObject({ state: 'pending', reviews: [] })
  })

  test('who was taken out of the group, or turned off, can’t decide with what they knew before', async () => {
    const held = await holdAsAda()
    await parts.person('grace', ['interns'])
    await expect(parts.requests.review(grace, held.requestId, 'approve', '')).rejects.toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringMatching(/Only members of dba/),
    })
    await parts.remove('joan')
    await expect(parts.requests.review(joan, held.requestId, 'approve', '')).rejects.toMatchObject({
      code: 'FORBIDDEN',
    })
    expect(await parts.requests.get(ada, held.requestId)).toMatchObject({ state: 'pending' })
  })

  test('a member of the group whom policy keeps from reviewing is shown nothing, and decides nothing', async () => {
    const held = await holdAsAda()
    parts.agent.rule = (principal, action, connection) =>
      action === 'review' && principal.id === 'grace' && connection === 'orders-db' ? block('not-on-leave') : allow
    for (const scope of ['review', 'all'] as const) {
      expect(await parts.requests.list(grace, { scope })).toEqual([])
      expect(await parts.requests.list(joan, { scope })).toMatchObject([{ id: held.requestId }])
    }
    expect((await parts.requests.history(grace, { limit: 10 })).requests).toEqual([])
    expect((await parts.requests.metrics(grace, {})).total.asked).toBe(0)
    expect((await parts.requests.metrics(joan, {})).total.asked).toBe(1)
    for (const attempt of [
      () => parts.requests.get(grace, held.requestId),
      () => parts.requests.count(grace, held.requestId),
      () => parts.requests.review(grace, held.requestId, 'approve', ''),
      () => parts.requests.review(grace, held.requestId, 'deny', 'no'),
    ]) {
      await expect(attempt()).rejects.toMatchObject({ code: 'NOT_FOUND' })
    }
    // What she asked for herself stays hers to see.
    const { id } = await parts.requests.create(grace, ask())
    expect(await parts.requests.list(grace, { scope: 'all' })).toMatchObject([{ id }])
  })

  test('whoever lacks a second factor alone sees what waits for them, and is told when they decide', async () => {
    const held = await holdAsAda()
    const single = { ...grace, mfa: false }
    parts.agent.rule = (_principal, action, _connection, mfa) =>
      action === 'review' && !mfa ? block('review-with-mfa') : allow
    expect(await parts.requests.list(single, { scope: 'review' })).toMatchObject([{ canReview: false }])
    await expect(parts.requests.review(single, held.requestId, 'approve', '')).rejects.toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringMatching(/review-with-mfa/),
    })
  })

  test('an approval of somebody whom policy keeps from reviewing since does not count any more', async () => {
    const held = await holdAsAda({ approval: approval('dba', 2) })
    await parts.requests.review(grace, held.requestId, 'approve', '')
    parts.agent.rule = (principal, action) =>
      action === 'review' && principal.id === 'grace' ? block('not-on-leave') : allow
    expect(await parts.requests.review(joan, held.requestId, 'approve', '')).toMatchObject({ state: 'pending' })
  })

  test('two approvals are two people, both in the group at the end', async () => {
    const held = await holdAsAda({ approval: approval('dba', 2) })
    expect(await parts.requests.review(grace, held.requestId, 'approve', '')).toMatchObject({ state: 'pending' })
    await expect(parts.requests.review(grace, held.requestId, 'approve', '')).rejects.toMatchObject({
      message: expect.stringMatching(/decided already/),
    })
    await parts.person('grace', ['interns'])
    expect(await parts.requests.review(joan, held.requestId, 'approve', '')).toMatchObject({ state: 'pending' })
    const third = await parts.person('ken', ['dba'])
    expect(await parts.requests.review(third, held.requestId, 'approve', '')).toMatchObject({ state: 'approved' })
  })

  test('who has left is given nothing, asks for nothing any more, and has lost what was given', async () => {
    const given = (await parts.requests.create(ada, ask())).id
    await parts.requests.review(grace, given, 'approve', '')
    const { id } = await parts.requests.create(ada, ask())
    const held = await holdAsAda()
    await parts.remove('ada')
    for (const each of [id, held.requestId]) {
      await expect(parts.requests.review(grace, each, 'approve', '')).rejects.toMatchObject({
        code: 'CONFLICT',
        message: expect.stringMatching(/turned off/),
      })
    }
    expect(parts.grants.now('ada')).toHaveLength(1)
    await parts.grants.revokeAll('ada', 'joan')
    await parts.requests.cancelAll('ada', 'joan')
    expect(parts.grants.now('ada')).toEqual([])
    expect(await held.outcome).toEqual({ kind: 'cancelled' })
    expect(await parts.requests.list(grace, { scope: 'review', state: 'pending' })).toEqual([])
  })

  test('an outsider learns nothing about a request, not even that it exists', async () => {
    const held = await holdAsAda()
    const mallory = await parts.person('mallory', ['contractors'])
    await expect(parts.requests.review(mallory, held.requestId, 'approve', '')).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    await expect(parts.requests.get(mallory, held.requestId)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})

describe('holding', () => {
  test('a held statement is stored whole, sealed, with the hash of what will run', async () => {
    const held = await holdAsAda()
    expect(await parts.requests.get(grace, held.requestId)).toMatchObject({
      kind: 'once',
      text: 'delete from orders where id = 7',
      textSha256: 'bc4176b1c4574344201003288d385b8f96f37c26fb29ef28ad640e347dbd9d9a',
      sessionId: 'ses_1',
      action: 'sql:delete',
      tables: ['public.orders'],
    })
    const [row] = await server.store.db.selectFrom('requests').select('text_sealed').execute()
    expect(row?.text_sealed?.includes('orders')).toBe(false)
  })

  test('a denial reaches who waits, with its reason', async () => {
    const held = await holdAsAda()
    await parts.requests.review(grace, held.requestId, 'deny', 'use a ticket')
    expect(await held.outcome).toEqual({ kind: 'denied', by: 'grace', reason: 'use a ticket' })
  })

  test('words of others command no terminal: controls are pictures, and nothing turns or hides text', async () => {
    const held = await holdAsAda({ reason: 'fix\u001b]0;x\u0007 \u202eit' })
    expect(await parts.requests.get(grace, held.requestId)).toMatchObject({ reason: 'fix\u241b]0;x\u2407 it' })
    await parts.requests.review(grace, held.requestId, 'deny', 'no\u001b[2J \u2066really\u202e\r\nask me')
    expect(await held.outcome).toEqual({ kind: 'denied', by: 'grace', reason: 'no\u241b[2J really\nask me' })
    expect(JSON.stringify(await parts.audit.list(0, 10))).not.toMatch(/\\u001b|[\u2066\u202e]/)
  })

  test('time runs out by itself, and late approval changes nothing', async () => {
    const held = await holdAsAda({ approval: approval('dba', 1, 1) })
    expect(await held.outcome).toEqual({ kind: 'expired' })
    await expect(parts.requests.review(grace, held.requestId, 'approve', '')).rejects.toMatchObject({
      code: 'CONFLICT',
    })
    expect(await parts.audited()).toEqual(['request.create', 'request.expire'])
  })

  test('a statement waits as long as policy says, hours also; cancelled, it is over at once', async () => {
    const held = await holdAsAda({ approval: approval('dba', 1, 8 * 3600) })
    expect(Date.parse(held.expiresAt) - Date.now()).toBeGreaterThan(7 * 3_600_000)
    expect(Date.parse(held.expiresAt) - Date.now()).toBeLessThanOrEqual(8 * 3_600_000)
    const sooner = await holdAsAda({ approval: { ...approval('dba', 1, 8 * 3600), expirySeconds: 5400 } })
    expect(Date.parse(sooner.expiresAt) - Date.now()).toBeLessThanOrEqual(5_400_000)
    expect(Date.parse(sooner.expiresAt) - Date.now()).toBeGreaterThan(5_300_000)
    held.cancel()
    expect(await held.outcome).toEqual({ kind: 'cancelled' })
    await expect.poll(async () => (await parts.requests.get(ada, held.requestId)).state).toBe('cancelled')
  })

  test('when the session ends, what it waited for is cancelled', async () => {
    const held = await holdAsAda()
    await parts.requests.sessionEnded('ses_1')
    expect(await held.outcome).toEqual({ kind: 'cancelled' })
    await expect(parts.requests.review(grace, held.requestId, 'approve', '')).rejects.toMatchObject({
      code: 'CONFLICT',
    })
  })

  test('a decision at another gateway of the same store reaches who waits here', async () => {
    const other = await startParts(server, { replica: 'other' })
    const held = await holdAsAda()
    await other.requests.review(grace, held.requestId, 'approve', '')
    expect(await held.outcome).toEqual({ kind: 'approved', by: ['grace'] })
    await other.close()
  })
})

describe('grants', () => {
  async function grant(durationSeconds = 600) {
    const { id } = await parts.requests.create(ada, ask({ durationSeconds }))
    const { grant } = await parts.requests.review(grace, id, 'approve', '')
    if (grant === undefined) throw new Error('no grant')
    return grant
  }

  test('revoked, it is gone at once, here and at another gateway', async () => {
    const other = await startParts(server, { replica: 'other' })
    const { id, requestId } = await grant()
    await expect.poll(() => other.grants.now('ada').length).toBe(1)
    expect(await parts.grants.revoke(id, 'grace')).toMatchObject({ id })
    expect(parts.grants.now('ada')).toEqual([])
    await expect.poll(() => other.grants.now('ada')).toEqual([])
    expect(await parts.grants.revoke(id, 'grace')).toBeUndefined()
    expect(await parts.requests.get(ada, requestId)).toMatchObject({ state: 'revoked' })
    await other.close()
  })

  test('it ends at its end, and that is told once', async () => {
    const { id } = await grant(60)
    await server.store.db
      .updateTable('grants')
      .set({ ends_at: new Date(Date.now() + 2_000) })
      .where('id', '=', id)
      .execute()
    const other = await startParts(server, { replica: 'other' })
    expect(other.grants.now('ada')).toHaveLength(1)
    await expect.poll(() => other.grants.now('ada').length).toBe(0)
    await expect
      .poll(async () => (await parts.audited()).filter((action) => action === 'grant.end'))
      .toEqual(['grant.end'])
    await other.close()
  })
})
