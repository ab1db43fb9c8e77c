import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { createRouterClient, getEventMeta } from '@orpc/server'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { GatewayEvent } from '../../shared/api/models.ts'
import type { Caller } from '../api/context.ts'
import { auditRouter } from '../audit/router.ts'
import { grantsRouter } from '../grants/router.ts'
import { Recordings } from '../recordings/recordings.ts'
import { recordingsRouter } from '../recordings/router.ts'
import { requestsRouter } from '../requests/router.ts'
import { newId } from '../secrets.ts'
import { sessionsRouter } from '../sessions/router.ts'
import { allow, block, hold } from '../testing/agent.ts'
import { startParts, type TestParts } from '../testing/parts.ts'
import { quiet, startTestStore, type TestStore } from '../testing/store.ts'
import { eventsRouter } from './router.ts'

let server: TestStore
let parts: TestParts
let stopping: AbortController
let router: ReturnType<typeof makeRouter>
let ada: Caller
let grace: Caller
let mallory: Caller
/** Sessions that were read for streams. */
let read: string[]

beforeAll(async () => {
  server = await startTestStore()
})
afterAll(() => server.close())
beforeEach(async () => {
  await server.clear()
  parts = await startParts(server)
  stopping = new AbortController()
  router = makeRouter()
  ada = await parts.person('ada', ['engineers'])
  grace = await parts.person('grace', ['dba'])
  mallory = await parts.person('mallory', ['contractors'])
  parts.agent.accessRule = () => ({
    connect: allow,
    actions: [{ action: 'sql:write', decision: hold('writes', 'dba') }],
    dataClasses: [],
  })
})
afterEach(async () => {
  stopping.abort()
  await parts.close()
})

function makeRouter() {
  read = []
  const { view } = parts
  const snapshot = view.snapshot.bind(view)
  view.snapshot = (id) => {
    read.push(id)
    return snapshot(id)
  }
  const deps = {
    ...parts,
    db: server.store.db,
    sshHostKey: 'SHA256:test',
    rdpCertificate: '',
    replica: 'test',
    stopping: stopping.signal,
  }
  return {
    events: eventsRouter(deps),
    requests: requestsRouter(deps),
    grants: grantsRouter(deps),
    sessions: sessionsRouter(deps),
    recordings: recordingsRouter(deps),
    audit: auditRouter(deps),
  }
}

function as(caller: Caller) {
  return createRouterClient(router, { context: { caller } })
}

/** As if they had signed in at the provider. */
async function signedIn(...callers: Caller[]): Promise<void> {
  const expires_at = new Date(Date.now() + 3_600_000)
  for (const { principal, tokenId } of callers) {
    const values = { model: 'Grant', id_hash: tokenId, payload_sealed: Buffer.alloc(0), expires_at }
    await server.store.db
      .insertInto('oidc_payloads')
      .values({ ...values, account_id: principal.id })
      .execute()
  }
}

/** Collects events in the background. */
async function follow(caller: Caller, lastEventId?: string) {
  const iterator = await as(caller).events(undefined, lastEventId === undefined ? {} : { lastEventId })
  const seen: GatewayEvent[] = []
  const ended = (async () => {
    for await (const event of iterator) seen.push(event)
  })()
  await expect.poll(() => seen.length).toBeGreaterThan(0)
  return { seen, ended, stop: () => iterator.return() }
}

const ask = {
  connection: 'orders-db',
  actions: ['sql:write'],
  dataClasses: [],
  durationSeconds: 600,
  reason: 'fix order 7',
}

async function recordSession() {
  const client = new PassThrough()
  parts.agent.serve = ({ port }, finish) => {
    port.started({ user: 'app' })
    const stored = [1, 2].map((n) =>
      port.record({ type: 'request', at: n, n, action: 'sql:select', text: `select ${n}`, outcome: 'allowed' }),
    )
    void Promise.all(stored).then(() => finish({ reason: 'The client left.', bytesIn: 0, bytesOut: 0 }))
  }
  const connection = parts.connections.get('orders-db')
  if (connection === undefined) throw new Error('no connection')
  const sessionId = newId('ses')
  const { principal } = ada
  const context = { sourceIp: '127.0.0.1', mfa: true }
  const spec = { sessionId, principal, connection: connection.ref, target: connection.target, context, grants: [] }
  await parts.sessions.open({ spec: { ...spec, annotations: 'text' }, door: 'cli', accessTokenId: 'x', client })
  return { sessionId }
}

describe('events', () => {
  test('requests and grants reach those they concern, each as that person sees it', async () => {
    const [requester, reviewer, outsider] = await Promise.all([follow(ada), follow(grace), follow(mallory)])
    const { id } = await as(ada).requests.create(ask)
    await as(grace).requests.approve({ id, reason: '' })
    await expect.poll(() => requester.seen.map((event) => event.type)).toEqual(['hello', 'request', 'request', 'grant'])
    await expect.poll(() => reviewer.seen.map((event) => event.type)).toEqual(['hello', 'request', 'request', 'grant'])
    expect(requester.seen[1]).toMatchObject({ request: { id, canReview: false } })
    expect(reviewer.seen[3]).toMatchObject({ state: 'active', grant: { requestId: id } })
    await parts.events.policyChanged('v2')
    await expect.poll(() => outsider.seen.map((event) => event.type)).toEqual(['hello', 'policy'])
    await Promise.all([requester, reviewer, outsider].map(({ stop }) => stop()))
  })

  test('a member of the group whom policy keeps from reviewing hears of no request', async () => {
    const reviewer = await follow(grace)
    const requester = await follow(ada)
    parts.agent.rule = (_principal, action) => (action === 'review' ? block('not-on-leave') : allow)
    await as(ada).requests.create(ask)
    await parts.events.policyChanged('v2')
    await expect.poll(() => requester.seen.map((event) => event.type)).toEqual(['hello', 'request', 'policy'])
    await expect.poll(() => reviewer.seen.map((event) => event.type)).toEqual(['hello', 'policy'])
    await Promise.all([requester, reviewer].map(({ stop }) => stop()))
  })

  test('who comes back with the last id misses nothing, and sees nothing twice', async () => {
    const first = await follow(ada)
    await as(ada).requests.create(ask)
    await expect.poll(() => first.seen.length).toBe(2)
    const last = first.seen[1]
    if (last === undefined) throw new Error('no event')
    expect(getEventMeta(last)?.id).toBe(last.id)
    await first.stop()
    await as(ada).requests.create(ask)
    await as(ada).requests.create(ask)
    const second = await follow(ada, last.id)
    await expect.poll(() => second.seen.map((event) => event.type)).toEqual(['hello', 'request', 'request'])
    await second.stop()
  })

  test('who was away for long is told where it goes on, and not all that happened', async () => {
    await as(ada).requests.create(ask)
    await sql`insert into events (type, audience, payload)
      select 'policy', '{"everyone": true}', '{"type": "policy", "version": "v0"}' from generate_series(1, 2000)`.execute(
      server.store.db,
    )
    const late = await follow(ada, '0')
    await expect.poll(() => late.seen.length).toBe(2_001)
    expect(late.seen.some((event) => event.type === 'request')).toBe(false)
    expect(Number(late.seen[0]?.id)).toBe(Number(late.seen.at(-1)?.id) - 2_000)
    await late.stop()
  })

  test('thirty transactions at once: every event arrives, in order of its id', async () => {
    const stream = await follow(ada)
    await Promise.all(Array.from({ length: 30 }, () => as(ada).requests.create(ask)))
    await expect.poll(() => stream.seen.length).toBe(31)
    const ids = stream.seen.slice(1).map((event) => Number(event.id))
    expect(ids).toEqual([...ids].sort((a, b) => a - b))
    expect(new Set(ids).size).toBe(30)
    await stream.stop()
  })

  test('a stream ends when its person has other groups, or is turned off; others go on', async () => {
    const [mine, hers, other] = [await follow(ada), await follow(mallory), await follow(grace)]
    await signedIn(ada, mallory, grace)
    await parts.standing.look()
    await parts.person('ada', ['engineers', 'on-call'])
    await parts.remove('mallory')
    await parts.standing.look()
    await Promise.all([mine.ended, hers.ended])
    await parts.events.policyChanged('v2')
    await expect.poll(() => other.seen.length).toBe(2)
    await other.stop()
  })

  test('so many streams of one person, and room again when one ends', async () => {
    const streams = await Promise.all(Array.from({ length: 32 }, () => follow(mallory)))
    await expect(follow(mallory)).rejects.toMatchObject({ code: 'CONFLICT' })
    const other = await follow(ada)
    await streams[0]?.stop()
    streams.push(await follow(mallory))
    await Promise.all([other, ...streams].map(({ stop }) => stop()))
    const again = await Promise.all(Array.from({ length: 32 }, () => follow(mallory)))
    await Promise.all(again.map(({ stop }) => stop()))
  })

  test('a session is read once for all who are told of it', async () => {
    const streams = await Promise.all(Array.from({ length: 8 }, () => follow(grace)))
    const { sessionId } = await recordSession()
    const told = ({ seen }: (typeof streams)[number]) => seen.filter((event) => event.type === 'session').length
    const once = () => read.filter((id) => id === sessionId).length
    await expect.poll(() => once() > 0 && streams.every((stream) => told(stream) === once())).toBe(true)
    await Promise.all(streams.map(({ stop }) => stop()))
  })

  test('a stream ends with the sign-in, and with the gateway', async () => {
    const mine = await follow(ada)
    const other = await follow(grace)
    await parts.sessions.endFor({ principalId: 'ada' }, 'over')
    await mine.ended
    stopping.abort()
    await other.ended
  })
})

describe('API', () => {
  test('opening: a ticket, or the policy that says no and whether one may ask', async () => {
    const open = (connection: string) => as(ada).sessions.open({ connection, door: 'desktop', annotations: 'machine' })
    const opened = await open('web-1')
    expect(opened).toMatchObject({ tunnel: '/api/v1/tunnel', hostKey: 'SHA256:test' })
    expect(Date.parse(opened.expiresAt) - Date.now()).toBeLessThanOrEqual(60_000)
    parts.agent.rule = () => block('no-shells')
    await expect(open('web-1')).rejects.toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringMatching(/no-shells/),
      data: { requestable: false },
    })
    parts.agent.rule = (_principal, action) => (action === 'connect' ? hold('ask-first', 'dba') : allow)
    await expect(open('web-1')).rejects.toMatchObject({ code: 'FORBIDDEN', data: { requestable: true } })
    await expect(open('nowhere')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  test('grants are listed and ended by whom they are for and who gave them, by nobody else', async () => {
    const { id } = await as(ada).requests.create(ask)
    await as(grace).requests.approve({ id, reason: '' })
    const [grant] = await as(ada).grants.list()
    expect(await as(grace).grants.list()).toHaveLength(1)
    expect(await as(mallory).grants.list()).toEqual([])
    await expect(as(mallory).grants.revoke({ id: grant?.id ?? '' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await as(grace).grants.revoke({ id: grant?.id ?? '' })
    await expect(as(ada).grants.revoke({ id: grant?.id ?? '' })).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(await as(ada).grants.list()).toEqual([])
  })

  test('a recording is read by who may replay it, verified against the audit log, and the reading is recorded', async () => {
    parts.agent.rule = (principal, action) =>
      action === 'replay' && !principal.groups.includes('auditors') ? block('no') : allow
    const audrey = await parts.person('audrey', ['auditors'])
    const { sessionId } = await recordSession()
    await expect(as(mallory).recordings.read({ id: sessionId })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    // Beginning in the middle is reading too.
    const page = await as(audrey).recordings.read({ id: sessionId, after: 1 })
    expect(page).toMatchObject({ live: false, events: [{ n: 2 }], manifest: { session: sessionId } })
    await as(audrey).recordings.read({ id: sessionId })
    expect((await parts.audited()).filter((action) => action === 'recording.read')).toHaveLength(1)
    expect(await as(audrey).recordings.verify({ id: sessionId })).toMatchObject({ ok: true, checked: 1 })
    // Under no hash itself, what the store says of it is compared with what the recording says.
    const claim = (principal_id: string) =>
      server.store.db.updateTable('sessions').set({ principal_id }).where('id', '=', sessionId).execute()
    await claim('mallory')
    expect(await as(audrey).recordings.verify({ id: sessionId })).toMatchObject({
      ok: false,
      problems: [expect.stringMatching(/mallory on orders-db, the recording that it was ada on orders-db/)],
    })
    await claim('ada')
    // With a data folder in which nothing of it is.
    const empty = await mkdtemp(join(tmpdir(), 'sallyport-empty-'))
    const recordings = new Recordings({ dataDir: empty, log: quiet })
    const verifiedAt = (replica: string) =>
      createRouterClient(recordingsRouter({ ...parts, recordings, replica }), { context: { caller: audrey } }).verify({
        id: sessionId,
      })
    expect(await verifiedAt('test')).toMatchObject({ ok: false, problems: [expect.stringMatching(/^missing/)] })
    await expect(verifiedAt('other')).rejects.toMatchObject({ code: 'CONFLICT' })
    await recordings.close()
    await rm(empty, { recursive: true })
    expect(await as(audrey).audit.verify({})).toMatchObject({ ok: true })
    expect((await as(audrey).audit.list({})).map((record) => record.action)).toContain('session.end')
    await expect(as(mallory).audit.list({})).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })
})
