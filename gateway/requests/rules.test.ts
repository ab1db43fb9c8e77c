import { createHash } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { NewRequest } from '../../shared/api/models.ts'
import type { Approval } from '../../shared/decision.ts'
import type { HoldRequest } from '../../shared/link.ts'
import type { Caller } from '../api/context.ts'
import { allow, block, policy } from '../testing/agent.ts'
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
  parts = await startParts(server, { sweepMs: 200 })
  ada = await parts.person('ada', ['engineers', 'on-call'])
  grace = await parts.person('grace', ['dba'])
  joan = await parts.person('joan', ['dba'])
})
afterEach(async () => {
  vi.useRealTimers()
  await parts.close()
})

function approval(more: Partial<Approval> = {}): Approval {
  return { group: 'dba', count: 1, windowSeconds: 1_800, notify: [], ...more }
}

/** Policy holds writes with this approval. */
function writesNeed(more: Partial<Approval>): void {
  const decision = { verdict: 'hold', policy: policy('writes'), approval: approval(more) } as const
  parts.agent.accessRule = () => ({ connect: allow, actions: [{ action: 'sql:write', decision }], dataClasses: [] })
}

function ask(change: Partial<NewRequest> = {}): NewRequest {
  return {
    connection: 'orders-db',
    actions: ['sql:write'],
    dataClasses: [],
    durationSeconds: 600,
    reason: 'INC-1 fix order 7',
    ...change,
  }
}

function hold(more: Partial<Approval> = {}, change: Partial<HoldRequest> = {}, by: Caller = ada) {
  return parts.requests.hold(
    {
      sessionId: 'ses_1',
      principal: by.principal,
      connection: database,
      sourceIp: '10.0.0.7',
      mfa: true,
      client: 'desktop',
    },
    {
      action: 'sql:delete',
      text: 'delete from orders where id = 7',
      policy: policy('writes'),
      approval: approval(more),
      tables: ['public.orders'],
      binding: { search_path: 'public' },
      ...change,
    },
  )
}

describe('reasons', () => {
  test('one that does not match is refused at once', async () => {
    writesNeed({ reasonPattern: '^INC-\\d+' })
    await expect(parts.requests.create(ada, ask({ reason: 'just because' }))).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('^INC-\\d+'),
    })
    expect(await parts.requests.create(ada, ask())).toMatchObject({ state: 'pending' })
  })

  test('a held statement waits for one: from its comment, or from who asked', async () => {
    const silent = await hold({ reasonPattern: 'INC-\\d+' })
    expect(await parts.requests.get(grace, silent.requestId)).toMatchObject({ reasonMissing: true, canReview: true })
    await expect(parts.requests.review(grace, silent.requestId, 'approve', '')).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringMatching(/has to say why/),
    })
    await expect(parts.requests.explain(grace, silent.requestId, 'INC-2')).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await expect(parts.requests.explain(ada, silent.requestId, 'because')).rejects.toMatchObject({ code: 'CONFLICT' })
    await parts.requests.explain(ada, silent.requestId, 'INC-2')
    expect(await parts.requests.review(grace, silent.requestId, 'approve', '')).toMatchObject({ state: 'approved' })
    expect(await silent.outcome).toEqual({ kind: 'approved', by: ['grace'] })

    const told = await hold({ reasonPattern: 'INC-\\d+' }, { reason: 'INC-4821 refund' })
    const seen = await parts.requests.get(grace, told.requestId)
    expect(seen).toMatchObject({ reason: 'INC-4821 refund' })
    expect(seen.reasonMissing).toBeUndefined()
  })
})

describe('a rule that approves', () => {
  const auto = { id: 'drafts', reason: 'Drafts are nobody’s business.' }

  test('a held statement runs, recorded as any other; the requester hears which rule it was', async () => {
    const held = await hold({ auto, count: 2 })
    expect(await held.outcome).toEqual({ kind: 'approved', by: ['policy:drafts'] })
    expect(await parts.requests.get(grace, held.requestId)).toMatchObject({
      state: 'approved',
      reviews: [{ by: 'policy:drafts', verdict: 'approve' }],
    })
    expect(await parts.audited()).toEqual(['request.create', 'request.auto-approve'])
  })

  test('a grant begins; without the reason that is wanted, people decide', async () => {
    writesNeed({ auto })
    expect(await parts.requests.create(ada, ask())).toMatchObject({ state: 'approved' })
    expect(parts.grants.now('ada', 'orders-db')).toMatchObject([{ approvedBy: ['policy:drafts'] }])
    const held = await hold({ auto, reasonPattern: 'INC-\\d+' })
    expect(await parts.requests.get(ada, held.requestId)).toMatchObject({ state: 'pending', reasonMissing: true })
  })
})

describe('break-glass', () => {
  test('goes on at once, tells everybody, and waits for somebody else’s word', async () => {
    const lead = await parts.person('lena', ['leads'])
    const held = await hold({ breakGlass: 'on-call', escalate: [{ group: 'leads', afterSeconds: 600 }] })
    expect(await parts.requests.get(ada, held.requestId)).toMatchObject({ canBreakGlass: true })
    await expect(parts.requests.get(lead, held.requestId)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    const broken = await parts.requests.breakGlass(ada, held.requestId, 'checkout is down')
    expect(broken).toMatchObject({
      state: 'approved',
      reason: 'checkout is down',
      reviews: [],
      afterReview: { state: 'open', canReview: false },
    })
    expect(await held.outcome).toEqual({ kind: 'approved', by: ['ada (break-glass)'] })
    expect(await parts.requests.get(lead, held.requestId)).toMatchObject({ afterReview: { canReview: true } })
    expect((await parts.requests.history(grace, { breakGlass: 'open', limit: 10 })).requests).toHaveLength(1)
    await expect(parts.requests.afterReview(ada, held.requestId, 'accepted', 'fine')).rejects.toMatchObject({
      code: 'FORBIDDEN',
    })
    const after = await parts.requests.afterReview(grace, held.requestId, 'disputed', 'a rollback would have done')
    expect(after.afterReview).toMatchObject({ state: 'disputed', by: 'grace', reason: 'a rollback would have done' })
    await expect(parts.requests.afterReview(joan, held.requestId, 'accepted', 'fine')).rejects.toMatchObject({
      code: 'CONFLICT',
    })
    expect(await parts.audited()).toEqual(['request.create', 'request.break-glass', 'request.after-review'])
  })

  test('is for who asked and is in the group now, where policy has it', async () => {
    const without = await hold()
    await expect(parts.requests.breakGlass(ada, without.requestId, 'now!')).rejects.toMatchObject({ code: 'FORBIDDEN' })
    const held = await hold({ breakGlass: 'on-call' })
    await expect(parts.requests.breakGlass(grace, held.requestId, 'now!')).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await parts.person('ada', ['engineers'])
    await expect(parts.requests.breakGlass(ada, held.requestId, 'now!')).rejects.toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringMatching(/is for on-call/),
    })
    expect(await parts.requests.get(ada, held.requestId)).toMatchObject({ state: 'pending' })
  })

  test('a grant lasts no longer than policy says, and nobody is said to have approved it', async () => {
    writesNeed({ breakGlass: 'on-call', maxSeconds: 300 })
    const { id } = await parts.requests.create(ada, ask({ durationSeconds: 3_600 }))
    const { grant } = await parts.requests.breakGlass(ada, id, 'checkout is down')
    expect(grant).toMatchObject({ approvedBy: [] })
    expect(Date.parse(grant?.endsAt ?? '') - Date.parse(grant?.startsAt ?? '')).toBe(300_000)
  })
})

describe('a reminder', () => {
  const clockAt = (from: Date, seconds: number) =>
    vi.spyOn(parts.clock, 'now').mockImplementation(() => new Date(from.getTime() + seconds * 1000))

  test('is for who asked, on record, and each takes longer than the one before', async () => {
    const { requestId: id } = await hold()
    const start = new Date((await parts.requests.get(ada, id)).createdAt)
    clockAt(start, 29)
    await expect(parts.requests.remind(ada, id)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: 'Reviewers were asked just now. You can remind them in 1 s.',
    })
    clockAt(start, 30)
    await expect(parts.requests.remind(grace, id)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    // Two windows at once remind once.
    const both = await Promise.allSettled([parts.requests.remind(ada, id), parts.requests.remind(ada, id)])
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(await parts.requests.get(grace, id)).toMatchObject({ remindedAt: new Date(+start + 30_000).toISOString() })
    expect((await parts.requests.get(grace, id)).remindFrom).toBeUndefined()
    clockAt(start, 30 + 299)
    await expect(parts.requests.remind(ada, id)).rejects.toMatchObject({ code: 'CONFLICT' })
    clockAt(start, 30 + 300)
    const { remindFrom } = await parts.requests.remind(ada, id)
    expect(remindFrom).toBe(new Date(+start + (330 + 600) * 1000).toISOString())
    expect((await parts.audited()).filter((action) => action === 'request.remind')).toHaveLength(2)
  })

  test('is not offered where it is no use: without the reason that is wanted, too near the end, and once decided', async () => {
    const silent = await hold({ reasonPattern: 'INC-\\d+' })
    expect((await parts.requests.get(ada, silent.requestId)).remindFrom).toBeUndefined()
    await expect(parts.requests.remind(ada, silent.requestId)).rejects.toMatchObject({
      message: expect.stringMatching(/said why/),
    })
    const short = await hold({ expirySeconds: 20 })
    expect((await parts.requests.get(ada, short.requestId)).remindFrom).toBeUndefined()
    const decided = await hold()
    await parts.requests.review(grace, decided.requestId, 'approve', '')
    expect((await parts.requests.get(ada, decided.requestId)).remindFrom).toBeUndefined()
    await expect(parts.requests.remind(ada, decided.requestId)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: 'It is already approved.',
    })
  })
})

describe('escalation and people', () => {
  test('a further group is asked when nobody answers, and may then decide', async () => {
    const lead = await parts.person('lena', ['leads'])
    const held = await hold({ escalate: [{ group: 'leads', afterSeconds: 1 }] })
    expect((await parts.requests.get(ada, held.requestId)).escalatesAt).toBeDefined()
    await expect(parts.requests.review(lead, held.requestId, 'approve', '')).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    await expect
      .poll(async () => (await parts.requests.list(lead, { scope: 'review' })).length, { interval: 200 })
      .toBe(1)
    expect(await parts.requests.get(ada, held.requestId)).toMatchObject({ progress: { groups: ['dba', 'leads'] } })
    await parts.requests.review(lead, held.requestId, 'approve', '')
    expect(await held.outcome).toEqual({ kind: 'approved', by: ['lena'] })
    expect((await parts.audited()).filter((action) => action === 'request.escalate')).toHaveLength(1)
  })

  test('a machine and its owner are one person: neither decides for the other, nor do they count as two', async () => {
    const robot = await parts.machine('robot', ['dba'], 'grace')
    const byRobot = await hold({}, {}, robot)
    await expect(parts.requests.review(grace, byRobot.requestId, 'approve', '')).rejects.toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringMatching(/You asked for this yourself/),
    })
    const byGrace = await hold({}, {}, grace)
    await expect(parts.requests.review(robot, byGrace.requestId, 'approve', '')).rejects.toMatchObject({
      code: 'FORBIDDEN',
    })
    const two = await hold({ count: 2 })
    await parts.requests.review(grace, two.requestId, 'approve', '')
    await expect(parts.requests.review(robot, two.requestId, 'approve', '')).rejects.toMatchObject({
      message: expect.stringMatching(/decided already/),
    })
    expect(await parts.requests.review(joan, two.requestId, 'approve', '')).toMatchObject({ state: 'approved' })
  })

  test('approving may take a fresh sign-in with a second factor; denying does not', async () => {
    const held = await hold({ stepUpSeconds: 900 })
    const stale = { ...grace, signedInAt: new Date(Date.now() - 3_600_000).toISOString() }
    const single = { ...grace, mfa: false }
    expect(await parts.requests.get(stale, held.requestId)).toMatchObject({ canReview: true, stepUp: true })
    for (const caller of [stale, single]) {
      await expect(parts.requests.review(caller, held.requestId, 'approve', '')).rejects.toMatchObject({
        code: 'STEP_UP',
        data: { maxAgeSeconds: 900 },
        message: expect.stringMatching(/^writes: This takes a sign-in/),
      })
    }
    // Whose provider says nothing of when it was.
    const { signedInAt: _, ...unknown } = grace
    await expect(parts.requests.review(unknown, held.requestId, 'approve', '')).rejects.toMatchObject({
      code: 'STEP_UP',
    })
    const several = await parts.requests.decide(stale, [held.requestId], 'approve', '')
    expect(several).toMatchObject([{ ok: false, code: 'STEP_UP', stepUp: { maxAgeSeconds: 900 } }])
    const robot = await parts.machine('robot', ['dba'], 'joan')
    expect((await parts.requests.get(robot, held.requestId)).stepUp).toBeUndefined()
    await expect(parts.requests.review(robot, held.requestId, 'approve', '')).rejects.toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringMatching(/a machine has none/),
    })
    expect(await parts.requests.review(grace, held.requestId, 'approve', '')).toMatchObject({ state: 'approved' })
    const other = await hold({ stepUpSeconds: 900 })
    expect(await parts.requests.review(stale, other.requestId, 'deny', 'no')).toMatchObject({ state: 'denied' })
  })

  test('break-glass takes the sign-in that an approval would', async () => {
    const held = await hold({ stepUpSeconds: 900, breakGlass: 'on-call' })
    const single = { ...ada, mfa: false }
    await expect(parts.requests.breakGlass(single, held.requestId, 'checkout is down')).rejects.toMatchObject({
      code: 'STEP_UP',
    })
    expect(await parts.requests.breakGlass(ada, held.requestId, 'checkout is down')).toMatchObject({
      state: 'approved',
    })
  })

  test('what policy lets a second factor do is asked for with one', async () => {
    parts.agent.accessRule = () => ({ connect: block('only-mfa'), actions: [], dataClasses: [] })
    parts.agent.rule = (_principal, _action, _connection, mfa) => (mfa ? allow : block('only-mfa'))
    const single = { ...ada, mfa: false }
    await expect(parts.requests.create(single, ask())).rejects.toMatchObject({ code: 'STEP_UP', data: {} })
    const robot = await parts.machine('robot', ['engineers'], 'ada')
    await expect(parts.requests.create(robot, ask())).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  const onlyJoanSeesSsn = () => {
    parts.agent.accessRule = ({ id }) => ({
      connect: allow,
      actions: [],
      dataClasses: [
        { name: 'ssn', unmask: id === 'joan' ? { verdict: 'clear' } : { verdict: 'masked', policy: policy('pii') } },
      ],
    })
  }

  test('literals are for those who may see their classes; who asked sees what will run', async () => {
    onlyJoanSeesSsn()
    const text = "delete from customers where ssn = '123-45-6789'"
    const redacted = "delete from customers where ssn = '•••'"
    const held = await hold({}, { text, redacted, hiddenClasses: ['ssn'] })
    expect(await parts.requests.get(grace, held.requestId)).toMatchObject({ text: redacted, textHidden: true })
    expect(JSON.stringify(await parts.requests.list(grace, { scope: 'review' }))).not.toContain('6789')
    expect((await parts.requests.get(joan, held.requestId)).text).toBe(text)
    expect((await parts.requests.get(ada, held.requestId)).text).toBe(text)
  })

  test('and so is the hash of a text: nine digits are found by trying them all', async () => {
    onlyJoanSeesSsn()
    const text = "delete from customers where ssn = '123-45-6789'"
    const hash = createHash('sha256').update(text).digest('hex')
    const held = await hold({}, { text, redacted: "delete from customers where ssn = '•••'", hiddenClasses: ['ssn'] })
    expect((await parts.requests.get(joan, held.requestId)).textSha256).toBe(hash)
    await parts.requests.review(grace, held.requestId, 'deny', 'no')
    expect(await parts.requests.get(grace, held.requestId)).not.toHaveProperty('textSha256')
    const audited = await parts.audit.list(0, 1000)
    expect(JSON.stringify(audited)).not.toContain(hash)
    const [row] = await server.store.db
      .selectFrom('requests')
      .select('text_sealed')
      .where('id', '=', held.requestId)
      .execute()
    const sealed = createHash('sha256')
      .update(row?.text_sealed ?? '')
      .digest('hex')
    expect(audited.filter(({ subject }) => subject === held.requestId).map(({ detail }) => detail)).toEqual(
      ['request.create', 'request.deny'].map(() => expect.objectContaining({ sealedSha256: sealed })),
    )
  })

  test('several at once: each by itself, and those that fail say why', async () => {
    const first = await hold()
    const own = await hold({}, {}, grace)
    const second = await hold()
    const outcomes = await parts.requests.decide(
      grace,
      [first.requestId, own.requestId, second.requestId],
      'deny',
      'no',
    )
    expect(outcomes.map(({ ok }) => ok)).toEqual([true, false, true])
    expect(outcomes[1]).toMatchObject({ code: 'FORBIDDEN', message: expect.stringMatching(/yourself/) })
  })
})

describe('grants', () => {
  test('a reviewer may shorten, never lengthen', async () => {
    writesNeed({})
    const short = await parts.requests.create(ada, ask())
    const { grant } = await parts.requests.review(grace, short.id, 'approve', '', 120)
    expect(Date.parse(grant?.endsAt ?? '') - Date.parse(grant?.startsAt ?? '')).toBe(120_000)
    const long = await parts.requests.create(ada, ask())
    const { grant: longer } = await parts.requests.review(grace, long.id, 'approve', '', 7_200)
    expect(Date.parse(longer?.endsAt ?? '') - Date.parse(longer?.startsAt ?? '')).toBe(600_000)
  })

  test('a start that was chosen is kept, and told when it comes', async () => {
    writesNeed({})
    const startsAt = new Date(Date.now() + 1_500).toISOString()
    const { id } = await parts.requests.create(ada, ask({ startsAt }))
    const { grant } = await parts.requests.review(grace, id, 'approve', '')
    expect(grant?.startsAt).toBe(startsAt)
    expect(Date.parse(grant?.endsAt ?? '') - Date.parse(startsAt)).toBe(600_000)
    expect(parts.grants.now('ada', 'orders-db')).toEqual([])
    await expect.poll(() => parts.grants.now('ada', 'orders-db').length).toBe(1)
  })

  test('asked for again it goes on where the first ends, and ends with it', async () => {
    writesNeed({})
    const first = await parts.requests.create(ada, ask())
    const one = (await parts.requests.review(grace, first.id, 'approve', '')).grant
    const again = await parts.requests.create(ada, ask({ extends: one?.id }))
    const two = (await parts.requests.review(grace, again.id, 'approve', '')).grant
    expect(two).toMatchObject({ startsAt: one?.endsAt, extends: one?.id })
    await expect(parts.requests.create(joan, ask({ extends: one?.id }))).rejects.toMatchObject({ code: 'CONFLICT' })
    await parts.grants.revoke(one?.id ?? '', 'ada')
    const rows = await server.store.db.selectFrom('grants').select(['ended_at', 'revoked_by']).execute()
    expect(rows).toEqual([
      { ended_at: expect.any(Date), revoked_by: 'ada' },
      { ended_at: expect.any(Date), revoked_by: 'ada' },
    ])
    expect((await parts.audited()).filter((action) => action === 'grant.give-back')).toHaveLength(2)
  })

  test('a clock that is turned back lengthens nothing', async () => {
    writesNeed({})
    const { id } = await parts.requests.create(ada, ask({ durationSeconds: 60 }))
    const { grant } = await parts.requests.review(grace, id, 'approve', '')
    await server.store.db
      .updateTable('grants')
      .set({ ends_at: new Date(Date.now() + 1_200) })
      .where('id', '=', grant?.id ?? '')
      .execute()
    await parts.grants.refresh()
    // This machine's clock: two hours back. And the store's: read anew, it is an hour back.
    vi.useFakeTimers({ now: Date.now() - 7_200_000, toFake: ['Date'] })
    const now = parts.clock.now.bind(parts.clock)
    vi.spyOn(parts.clock, 'now').mockImplementation(() => new Date(now().getTime() - 3_600_000))
    await parts.grants.refresh()
    expect(parts.grants.now('ada')).toHaveLength(1)
    await expect.poll(() => parts.grants.now('ada').length).toBe(0)
    await expect.poll(async () => (await parts.audited()).includes('grant.end')).toBe(true)
  })
})

describe('what was', () => {
  test('is kept, found by filters, page by page, by those who may see it', async () => {
    writesNeed({})
    for (const n of [1, 2, 3]) await parts.requests.create(ada, ask({ reason: `INC-${n}00% sure` }))
    const { requests, next } = await parts.requests.history(grace, { limit: 2 })
    expect(requests.map(({ reason }) => reason)).toEqual(['INC-300% sure', 'INC-200% sure'])
    const rest = await parts.requests.history(grace, { limit: 2, before: next })
    expect(rest).toMatchObject({ requests: [{ reason: 'INC-100% sure' }] })
    expect(rest.next).toBeUndefined()
    const found = async (filter: object, by = grace) =>
      (await parts.requests.history(by, { limit: 50, ...filter })).requests.length
    expect(await found({ text: '00% s' })).toBe(3)
    expect(await found({ text: '0_% s' })).toBe(0)
    expect(await found({ text: 'INC-2' })).toBe(1)
    expect(await found({ person: 'ada', connection: 'orders-db', rule: 'writes', state: 'pending' })).toBe(3)
    expect(await found({ person: 'joan' })).toBe(0)
    expect(await found({ to: '2020-01-01T00:00:00Z' })).toBe(0)
    expect(await found({}, await parts.person('mallory', ['contractors']))).toBe(0)
    const [latest] = requests
    const earlier = async () => (await parts.requests.get(grace, latest?.id ?? '')).earlier ?? []
    expect((await earlier()).map(({ by, names }) => [by, names])).toEqual([
      [[], []],
      [[], []],
    ])
    await parts.requests.decide(grace, [(await earlier())[0]?.id ?? ''], 'deny', 'Not now.')
    expect((await earlier())[0]).toMatchObject({ by: ['grace'], names: [grace.principal.name] })
  })

  test('is counted by rule and group, with the time that people took', async () => {
    writesNeed({})
    const one = await parts.requests.create(ada, ask())
    await parts.requests.create(ada, ask())
    await parts.requests.review(grace, one.id, 'approve', '')
    await (await hold({ auto: { id: 'drafts', reason: '' } })).outcome
    const metrics = await parts.requests.metrics(grace, {})
    expect(metrics.total).toMatchObject({ asked: 3, approved: 2, pending: 1, automatic: 1, breakGlass: 0 })
    expect(metrics.total.medianSeconds).toBeGreaterThan(0)
    expect(metrics.byRule).toMatchObject([{ policy: 'writes', asked: 3 }])
    expect(metrics.byGroup).toMatchObject([{ group: 'dba', asked: 3 }])
    expect(metrics.byDay).toHaveLength(1)
    const mallory = await parts.person('mallory', ['contractors'])
    expect((await parts.requests.metrics(mallory, {})).total.asked).toBe(0)
  })
})

describe('a gateway that starts again', () => {
  test('still has what waits, and a decision there counts once', async () => {
    writesNeed({ count: 2 })
    const { id } = await parts.requests.create(ada, ask())
    await parts.requests.review(grace, id, 'approve', '')
    await parts.close()
    parts = await startParts(server, { sweepMs: 200 })
    parts.agent.rule = (principal) => (principal.id === 'ken' ? block('not-ken') : allow)
    expect(await parts.requests.get(grace, id)).toMatchObject({ state: 'pending', progress: { given: 1, needed: 2 } })
    expect(await parts.requests.review(joan, id, 'approve', '')).toMatchObject({ state: 'approved' })
    expect(parts.grants.now('ada', 'orders-db')).toMatchObject([{ approvedBy: ['grace', 'joan'] }])
  })
})

describe('rows', () => {
  const estimate = async (id: string) => (await parts.requests.get(grace, id)).estimate

  test('what stands in the way of an estimate for a moment is waited for; what does not pass is said', async () => {
    let tries = 0
    parts.agent.rows = async () => {
      tries += 1
      if (tries < 3) return { ok: false, reason: 'Somebody else has locked the table.', passing: true }
      return { ok: true, rows: 12, ms: 1 }
    }
    const { requestId } = await hold()
    expect(await estimate(requestId)).toEqual({ state: 'pending' })
    await expect.poll(() => estimate(requestId)).toMatchObject({ state: 'planned', rows: 12 })
    parts.agent.rows = async () => ({ ok: false, reason: 'There is no plan for this kind of statement.' })
    const other = await hold()
    await expect.poll(() => estimate(other.requestId)).toMatchObject({ state: 'unavailable' })
  })

  test('an estimate that failed is taken again while somebody may still decide by it', async () => {
    parts.agent.rows = () => Promise.reject(new Error('the agent is gone'))
    const { requestId } = await hold()
    parts.agent.rows = async () => ({ ok: true, rows: 5, ms: 1 })
    await server.store.db
      .updateTable('requests')
      .set({ created_at: new Date(Date.now() - 60_000) })
      .where('id', '=', requestId)
      .execute()
    await expect.poll(() => estimate(requestId)).toMatchObject({ state: 'planned', rows: 5 })
  })

  test('the computer’s name is shown as what its client says', async () => {
    const held = await parts.requests.hold(
      {
        sessionId: 'ses_1',
        principal: ada.principal,
        connection: database,
        sourceIp: '10.0.0.7',
        mfa: true,
        client: 'desktop',
        device: 'ada-laptop',
      },
      {
        action: 'sql:delete',
        text: 'delete from orders where id = 7',
        policy: policy('writes'),
        approval: approval(),
        tables: [],
        binding: {},
      },
    )
    expect((await parts.requests.get(grace, held.requestId)).origin).toMatchObject({ device: 'ada-laptop' })
    writesNeed({})
    const asked = await parts.requests.create({ ...ada, device: 'ada-phone' }, ask())
    expect(asked.origin).toMatchObject({ device: 'ada-phone' })
  })

  test('are estimated for every held statement, and counted for who may decide', async () => {
    const held = await hold()
    await expect
      .poll(async () => (await parts.requests.get(grace, held.requestId)).estimate)
      .toMatchObject({ state: 'planned', rows: 7 })
    await expect(parts.requests.count(ada, held.requestId)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect(await parts.requests.count(grace, held.requestId)).toMatchObject({ rowCount: { rows: 7, by: 'grace' } })
    expect((await parts.audited()).includes('request.count')).toBe(true)
    parts.agent.rows = () => Promise.resolve({ ok: false, reason: 'It took too long to tell.' })
    await expect(parts.requests.count(grace, held.requestId)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: 'It took too long to tell.',
    })
  })
})
