import { createHmac } from 'node:crypto'
import fastify, { type FastifyInstance } from 'fastify'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Approval } from '../../shared/decision.ts'
import type { Caller } from '../api/context.ts'
import { createIdentities } from '../identity/identities.ts'
import { policy } from '../testing/agent.ts'
import { database, startParts, type TestParts } from '../testing/parts.ts'
import { type Posted, startHttpReceiver, startSmtp } from '../testing/receivers.ts'
import { quiet, startTestStore, type TestStore } from '../testing/store.ts'
import { NotifyConfig } from './config.ts'
import { Notifier } from './notifier.ts'
import { registerOpenPage } from './open-page.ts'
import { registerSlack } from './slack.ts'

let server: TestStore
let parts: TestParts
let ada: Caller
let grace: Caller
const closers: (() => unknown)[] = []

beforeAll(async () => {
  server = await startTestStore()
})
afterAll(() => server.close())
beforeEach(() => server.clear())
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const signingSecret = 'a-signing-secret-of-slack'

async function start(input: unknown, backoff: readonly number[] = [0.05, 0.05]) {
  const config = NotifyConfig.parse(input)
  parts = await startParts(server, { notify: config })
  closers.push(() => parts.close())
  ada = await parts.person('ada', ['engineers'])
  grace = await parts.person('grace', ['dba'])
  await notifier(config, backoff)
  return config
}

async function notifier(config: NotifyConfig, backoff: readonly number[]) {
  const { db } = server.store
  const started = new Notifier({
    db,
    config,
    events: parts.events,
    publicUrl: 'https://gate.example',
    log: quiet,
    backoff,
  })
  started.start()
  closers.push(() => started.close())
  return started
}

async function smtp(options?: { greylist?: number }) {
  const started = await startSmtp(options)
  closers.push(() => started.close())
  return started
}

async function receiver(answer?: (posted: Posted) => number | object) {
  const started = await startHttpReceiver(answer)
  closers.push(() => started.close())
  return started
}

function hold(more: Partial<Approval> = {}, reason = '', text = "delete from customers where ssn = '123-45-6789'") {
  return parts.requests.hold(
    { sessionId: 's', principal: ada.principal, connection: database, sourceIp: '10.0.0.7', mfa: true, client: 'cli' },
    {
      action: 'sql:delete',
      text,
      reason,
      policy: policy('writes'),
      approval: { group: 'dba', count: 1, windowSeconds: 1_800, notify: [], ...more },
      tables: ['public.customers'],
      binding: {},
    },
  )
}

describe('mail', () => {
  test('reviewers and the requester are told, of every change, without the statement', async () => {
    const mail = await smtp()
    await start({
      channels: [{ kind: 'email', name: 'dba-mail', groups: ['dba'], to: ['dba@example.com'] }],
      people: { ada: { email: 'ada@example.com' } },
      smtp: { host: '127.0.0.1', port: mail.port, from: 'Sallyport <gate@example.com>' },
    })
    const held = await hold({ notify: ['boss@example.com'] }, 'INC-7', 'delete from customers where ssn = 1234567')
    await expect.poll(() => mail.mails.flatMap(({ to }) => to).sort()).toEqual(['boss@example.com', 'dba@example.com'])
    await parts.requests.review(grace, held.requestId, 'deny', 'use a ticket\n\nReviewers:   nobody')
    await expect.poll(() => mail.mails.some(({ to }) => to.includes('ada@example.com'))).toBe(true)
    const [asked] = mail.mails
    expect(asked?.text).toContain('[Sallyport] Review requested: ada, orders-db')
    expect(asked?.text).toContain(`sallyport://request/${held.requestId}`)
    expect(asked?.text).toContain(`https://gate.example/open/request/${held.requestId}`)
    expect(asked?.text).toContain('INC-7')
    const told = mail.mails.find(({ to }) => to.includes('ada@example.com'))
    expect(told?.text).toMatch(/grace denied .*use a ticket/s)
    // Nobody's words look like a line of ours.
    expect(told?.text.replaceAll(/=\r?\n/g, '')).not.toMatch(/^Reviewers: +nobody/m)
    for (const { text } of mail.mails) expect(text).not.toMatch(/1234567|where ssn/)
  })

  test('a server that puts it off gets it again; one that is away gets it once it is back', async () => {
    const mail = await smtp({ greylist: 2 })
    const config = await start({
      channels: [{ kind: 'email', name: 'm', groups: ['dba'], to: ['dba@example.com'] }],
      smtp: { host: '127.0.0.1', port: mail.port, from: 'gate@example.com' },
    })
    await hold()
    await expect.poll(() => mail.mails.length).toBe(1)
    expect(config.channels).toHaveLength(1)
  })
})

describe('webhooks', () => {
  const secret = `whsec_${Buffer.from('thirty-two bytes of a test secret').toString('base64')}`

  test('are signed, and sent again with the same id until they are taken', async () => {
    let refused = 2
    const hook = await receiver(() => (refused-- > 0 ? 503 : 200))
    await start({ channels: [{ kind: 'webhook', name: 'pager', url: `${hook.url}/in`, secret }] })
    const held = await hold({ notify: ['pager'] })
    await expect.poll(() => hook.posts.length).toBe(3)
    expect(new Set(hook.posts.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
    for (const { headers, body } of hook.posts) {
      const key = Buffer.from(secret.slice(6), 'base64')
      const content = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
      expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', key).update(content).digest('base64')}`)
      expect(JSON.parse(body)).toMatchObject({ type: 'request.asked', data: { requestId: held.requestId } })
      expect(body).not.toContain('6789')
    }
  })

  test('what was not sent when the gateway stopped is sent when it starts', async () => {
    const hook = await receiver()
    const config = NotifyConfig.parse({ channels: [{ kind: 'webhook', name: 'pager', url: hook.url, secret }] })
    parts = await startParts(server, { notify: config })
    closers.push(() => parts.close())
    ada = await parts.person('ada', ['engineers'])
    await hold({ notify: ['pager'] })
    expect(hook.posts).toEqual([])
    await notifier(config, [1])
    await expect.poll(() => hook.posts.length).toBe(1)
  })

  test('a refusal of the message itself is not repeated; nobody hears twice; no redirect is followed', async () => {
    const hook = await receiver(() => 400)
    await start({ channels: [{ kind: 'webhook', name: 'pager', groups: ['dba'], url: hook.url, secret }] })
    await hold({ notify: ['pager'] })
    const outcome = () => server.store.db.selectFrom('outbox').select(['attempts', 'failed_at', 'error']).execute()
    await expect.poll(async () => (await outcome())[0]?.failed_at).toBeInstanceOf(Date)
    expect(await outcome()).toMatchObject([{ attempts: 1, error: expect.stringContaining('answered 400') }])
    expect(hook.posts).toHaveLength(1)
  })

  test('a change that did not happen is not told', async () => {
    const hook = await receiver()
    await start({ channels: [{ kind: 'webhook', name: 'pager', groups: ['dba'], url: hook.url, secret }] })
    const held = await hold()
    await expect(parts.requests.review(ada, held.requestId, 'approve', '')).rejects.toThrow()
    await parts.requests.review(grace, held.requestId, 'approve', '')
    await expect.poll(() => hook.posts.length).toBe(2)
    const types = hook.posts.map(({ body }): unknown => JSON.parse(body).type)
    expect(types.sort()).toEqual(['request.approved', 'request.asked'])
  })

  test('a reminder is told to those who decide, and not to who gave it', async () => {
    const hook = await receiver()
    await start({
      channels: [{ kind: 'webhook', name: 'pager', groups: ['dba'], url: hook.url, secret }],
      people: { ada: { email: 'ada@example.com' } },
      smtp: { host: '127.0.0.1', port: 1, from: 'gate@example.com' },
    })
    const held = await hold()
    await server.store.db
      .updateTable('requests')
      .set({ created_at: new Date(Date.now() - 60_000) })
      .where('id', '=', held.requestId)
      .execute()
    await parts.requests.remind(ada, held.requestId)
    await expect.poll(() => hook.posts.length).toBe(2)
    const { type, data } = JSON.parse(hook.posts[1]?.body ?? '')
    expect(type).toBe('request.reminded')
    expect(data).toMatchObject({ decidable: true, title: 'Reminder: ada, orders-db', requestId: held.requestId })
    const letters = await server.store.db.selectFrom('outbox').select('destination').execute()
    expect(letters.map(({ destination }) => destination)).toEqual([
      { kind: 'channel', name: 'pager' },
      { kind: 'channel', name: 'pager' },
    ])
  })

  test('break-glass is told to everybody', async () => {
    const hook = await receiver()
    const channel = (name: string, group: string) => ({
      kind: 'webhook',
      name,
      groups: [group],
      url: `${hook.url}/${name}`,
      secret,
    })
    await start({
      channels: [channel('a', 'dba'), channel('b', 'leads'), channel('c', 'on-call'), channel('d', 'other')],
    })
    ada = await parts.person('ada', ['on-call'])
    const held = await hold({ breakGlass: 'on-call', escalate: [{ group: 'leads', afterSeconds: 600 }] })
    await parts.requests.breakGlass(ada, held.requestId, 'checkout is down')
    const broken = () =>
      hook.posts
        .filter(({ body }) => body.includes('request.broken'))
        .map(({ path }) => path)
        .sort()
    await expect.poll(broken).toEqual(['/a', '/b', '/c'])
  })
})

describe('cards', () => {
  test('Slack and Teams get what they can draw; nobody’s words become markup', async () => {
    const hook = await receiver()
    await start({
      channels: [
        { kind: 'slack', name: 'ops', groups: ['dba'], url: `${hook.url}/slack` },
        { kind: 'teams', name: 'team', groups: ['dba'], url: `${hook.url}/teams` },
      ],
    })
    const held = await hold({}, '<!channel> [click](https://evil.example) INC-7')
    await expect.poll(() => hook.posts.length).toBe(2)
    const slack = hook.posts.find(({ path }) => path === '/slack')?.body ?? ''
    expect(slack).toContain('&lt;!channel&gt;')
    expect(slack).not.toContain('"approve"')
    // The line that stands in for the blocks is read as markup too.
    await parts.requests.review(grace, held.requestId, 'deny', '<!here> look')
    await expect.poll(() => hook.posts.length).toBe(4)
    expect(hook.posts.filter(({ path }) => path === '/slack')[1]?.body).toMatch(
      /"text":"Denied[^"]*&lt;!here&gt; look"/,
    )
    const teams = hook.posts.find(({ path }) => path === '/teams')?.body ?? ''
    expect(JSON.parse(teams)).toMatchObject({
      attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', content: { type: 'AdaptiveCard' } }],
    })
    expect(teams).not.toContain('[click](https')
  })
})

describe('Slack’s buttons', () => {
  let app: FastifyInstance
  let api: Awaited<ReturnType<typeof startHttpReceiver>>

  beforeEach(async () => {
    api = await receiver()
    const config = await start({
      channels: [{ kind: 'slack', name: 'ops', groups: ['dba'], channel: 'C1' }],
      people: { grace: { slack: 'UGRACE' }, ada: { slack: 'UADA' } },
      slack: { token: 'xoxb-test', signingSecret, api: `${api.url}/api` },
    })
    app = fastify()
    registerOpenPage(app)
    await registerSlack(app, {
      config,
      requests: parts.requests,
      identities: createIdentities(server.store.db),
      log: quiet,
    })
    closers.push(() => app.close())
  })

  function press(
    user: string,
    action: string,
    id: string,
    change: { reason?: string; age?: number; sign?: string } = {},
  ) {
    const payload = {
      type: 'block_actions',
      user: { id: user },
      actions: [{ action_id: action, value: id }],
      state: { values: { reason: { reason: { value: change.reason ?? null } } } },
      response_url: `${api.url}/respond`,
    }
    const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString()
    const stamp = String(Math.floor(Date.now() / 1000) - (change.age ?? 0))
    const signature = createHmac('sha256', change.sign ?? signingSecret)
      .update(`v0:${stamp}:${body}`)
      .digest('hex')
    return app.inject({
      method: 'POST',
      url: '/hooks/slack',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'x-slack-request-timestamp': stamp,
        'x-slack-signature': `v0=${signature}`,
      },
      payload: body,
    })
  }
  const said = () =>
    api.posts.filter(({ path }) => path === '/respond').map(({ body }): unknown => JSON.parse(body).text)

  test('are offered, decide as the person they belong to, and tell them', async () => {
    const held = await hold()
    await expect.poll(() => api.posts.length).toBe(1)
    expect(api.posts[0]).toMatchObject({
      path: '/api/chat.postMessage',
      headers: { authorization: 'Bearer xoxb-test' },
    })
    expect(api.posts[0]?.body).toContain('"action_id":"approve"')
    expect((await press('UGRACE', 'approve', held.requestId)).statusCode).toBe(200)
    expect(await held.outcome).toEqual({ kind: 'approved', by: ['grace'] })
    await expect.poll(said).toEqual(['The request is approved.'])
    // The requester is told by a message of their own.
    await expect.poll(() => api.posts.some(({ body }) => body.includes('"channel":"UADA"'))).toBe(true)
  })

  test('a denial has a reason', async () => {
    const held = await hold()
    await press('UGRACE', 'deny', held.requestId)
    await expect.poll(said).toEqual([expect.stringMatching(/Say why/)])
    await press('UGRACE', 'deny', held.requestId, { reason: 'use a ticket' })
    expect(await held.outcome).toEqual({ kind: 'denied', by: 'grace', reason: 'use a ticket' })
  })

  test('are nobody’s own, no stranger’s, and never past a second factor', async () => {
    const held = await hold({ stepUpSeconds: 900 })
    await parts.person('ada', ['engineers', 'dba'])
    for (const user of ['UADA', 'USTRANGER', 'UGRACE']) await press(user, 'approve', held.requestId)
    await expect
      .poll(said)
      .toEqual([
        expect.stringMatching(/You asked for this yourself/),
        expect.stringMatching(/does not know who you are/),
        expect.stringMatching(/second factor/),
      ])
    expect(await parts.requests.get(ada, held.requestId)).toMatchObject({ state: 'pending', reviews: [] })
  })

  test.each([
    ['with another secret', { sign: 'another secret' }],
    ['from more than five minutes ago', { age: 301 }],
    ['from the future', { age: -301 }],
  ])('signed %s do nothing', async (_, change) => {
    const held = await hold()
    expect((await press('UGRACE', 'approve', held.requestId, change)).statusCode).toBe(401)
    expect(await parts.requests.get(ada, held.requestId)).toMatchObject({ state: 'pending' })
  })

  test('without a signature, or with a body changed after signing, they do nothing', async () => {
    const bare = await app.inject({ method: 'POST', url: '/hooks/slack', payload: 'payload={}' })
    expect(bare.statusCode).toBe(401)
    expect((await app.inject({ url: '/open/request/req_1' })).body).toContain('sallyport://request/req_1')
    expect((await app.inject({ url: '/open/request/%22%3E%3Cscript%3E' })).statusCode).toBe(404)
  })
})
