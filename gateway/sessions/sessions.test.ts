import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { call } from '@orpc/server'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { RecordingEvent } from '../../shared/recording.ts'
import type { Caller } from '../api/context.ts'
import { Recordings } from '../recordings/recordings.ts'
import { newId } from '../secrets.ts'
import { allow, block, echo, hold } from '../testing/agent.ts'
import { startParts, type TestParts } from '../testing/parts.ts'
import { quiet, startTestStore, type TestStore } from '../testing/store.ts'
import { createTunnel } from '../tunnel.ts'
import { endPatienceMs } from './live.ts'
import { sessionsRouter } from './router.ts'

let server: TestStore
let parts: TestParts
let http: Server
let url: string
let tunnel: ReturnType<typeof createTunnel>
let ada: Caller
let audrey: Caller

beforeAll(async () => {
  server = await startTestStore()
})
afterAll(() => server.close())
beforeEach(async () => {
  await server.clear()
  parts = await startParts(server)
  ada = await parts.person('ada', ['engineers'])
  audrey = await parts.person('audrey', ['auditors'])
  tunnel = createTunnel({ ...parts, log: { info() {}, warn() {}, error() {} } })
  http = createServer()
  http.on('upgrade', tunnel.handle)
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const address = http.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  url = `ws://127.0.0.1:${address.port}/api/v1/tunnel`
})
afterEach(async () => {
  await parts.close()
  tunnel.close()
  http.close()
})

async function ticketFor(caller: Caller, connection = 'orders-db') {
  const sessionId = newId('ses')
  const { secret } = await parts.tokens.issueTicket({
    principal: caller.principal,
    connection,
    accessTokenId: caller.tokenId,
    mfa: true,
    sessionId,
    door: 'desktop',
    annotations: 'machine',
    sourceIp: '127.0.0.1',
  })
  return { sessionId, secret }
}

function connect(ticket: string): WebSocket {
  return new WebSocket(url, { headers: { 'sallyport-ticket': ticket }, perMessageDeflate: false })
}

async function closing(ws: WebSocket): Promise<{ code: number; reason: string }> {
  const [code, reason] = await once(ws, 'close')
  return { code, reason: String(reason) }
}

async function openLive(caller = ada) {
  const { sessionId, secret } = await ticketFor(caller)
  const ws = connect(secret)
  await once(ws, 'open')
  await expect.poll(() => parts.view.find(caller, sessionId)).toBeDefined()
  return { sessionId, ws }
}

function statement(n: number, outcome: 'allowed' | 'masked' = 'allowed'): RecordingEvent {
  return { type: 'request', at: n, n, action: 'sql:select', text: `select ${n}`, outcome }
}

describe('tunnel', () => {
  test('bytes come back as they were sent, whatever their size', async () => {
    const { ws } = await openLive()
    const sent = Array.from({ length: 200 }, (_, n) => Buffer.alloc((n * 977) % 70_000, n))
    const received: Buffer[] = []
    ws.on('message', (data: Buffer) => received.push(data))
    for (const chunk of sent) ws.send(chunk)
    const whole = Buffer.concat(sent)
    await expect.poll(() => received.reduce((sum, chunk) => sum + chunk.byteLength, 0)).toBe(whole.byteLength)
    expect(Buffer.concat(received).equals(whole)).toBe(true)
    ws.close()
    expect(await closing(ws)).toMatchObject({ code: 1005 })
  })

  test('of many who show one ticket, one gets in', async () => {
    const { secret } = await ticketFor(ada)
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, async () => {
        const ws = connect(secret)
        const closed = closing(ws)
        await once(ws, 'open')
        return Promise.race([closed, new Promise<'in'>((done) => setTimeout(() => done('in'), 1_500))])
      }),
    )
    expect(outcomes.filter((outcome) => outcome === 'in')).toHaveLength(1)
    expect(outcomes.find((outcome) => outcome !== 'in')).toMatchObject({
      code: 4401,
      reason: expect.stringMatching(/used already/),
    })
    expect(parts.agent.taken).toHaveLength(1)
  })

  test('no ticket, a wrong one, an expired one, one of somebody who left', async () => {
    const bare = new WebSocket(url)
    const [response] = await Promise.race([once(bare, 'unexpected-response').then(([, answer]) => [answer])])
    expect(response.statusCode).toBe(401)
    expect(await closing(connect('spk_wrong'))).toMatchObject({
      code: 4401,
      reason: expect.stringMatching(/not one of/),
    })
    const late = await ticketFor(ada)
    await server.store.db.updateTable('tunnel_tickets').set({ expires_at: new Date() }).execute()
    expect(await closing(connect(late.secret))).toMatchObject({ reason: expect.stringMatching(/expired/) })
    const gone = await ticketFor(ada)
    await parts.remove('ada')
    expect(await closing(connect(gone.secret))).toMatchObject({ reason: expect.stringMatching(/Sign in again/) })
    expect(parts.agent.taken).toHaveLength(0)
  })

  test('policy is asked again when the ticket is used', async () => {
    const { secret } = await ticketFor(ada)
    parts.agent.rule = () => block('nobody')
    expect(await closing(connect(secret))).toMatchObject({
      code: 4403,
      reason: expect.stringMatching(/Blocked by nobody/),
    })
  })

  test('a target that does not read stops the client: memory stays bounded', async () => {
    parts.agent.serve = ({ port }) => port.started({ user: 'app' })
    const { ws } = await openLive()
    const chunk = Buffer.alloc(64 * 1024)
    let taken = 0
    for (let n = 0; n < 1_024; n++) {
      ws.send(chunk, () => {
        taken += chunk.byteLength
      })
    }
    await settled(() => taken)
    const [session] = parts.agent.taken
    // What the two kernels hold is theirs; of 64 MiB, most must still be with the client.
    expect(ws.bufferedAmount).toBeGreaterThan(32 * 1024 * 1024)
    expect(session?.client.readableLength).toBeLessThan(1024 * 1024)
    let read = 0
    session?.client.on('data', (data: Buffer) => {
      read += data.byteLength
    })
    await expect.poll(() => read).toBe(1_024 * chunk.byteLength)
    ws.terminate()
  })

  test('a client that does not read stops the target', async () => {
    const { ws } = await openLive()
    const [session] = parts.agent.taken
    session?.client.unpipe()
    ws.pause()
    const chunk = Buffer.alloc(64 * 1024)
    let written = 0
    const pump = () => {
      while (written < 64 * 1024 * 1024) {
        written += chunk.byteLength
        if (session?.client.write(chunk) === false) {
          session.client.once('drain', pump)
          return
        }
      }
    }
    pump()
    await settled(() => written)
    expect(written).toBeLessThan(32 * 1024 * 1024)
    let read = 0
    ws.on('message', (data: Buffer) => {
      read += data.byteLength
    })
    ws.resume()
    await expect.poll(() => read).toBe(64 * 1024 * 1024)
    ws.close()
  })

  test('text messages end the tunnel', async () => {
    const { ws } = await openLive()
    ws.send('hello')
    expect(await closing(ws)).toMatchObject({ code: 1003 })
  })
})

/** Waits until a number stops changing. */
async function settled(value: () => number): Promise<void> {
  let last = -1
  while (last !== value()) {
    last = value()
    await new Promise((done) => setTimeout(done, 300))
  }
}

describe('sessions', () => {
  test('begun, counted, ended: row, recording and audit agree', async () => {
    const { sessionId, ws } = await openLive()
    const [session] = parts.agent.taken
    await session?.port.record(statement(1))
    session?.port.record(statement(2, 'masked'))
    session?.port.record({ type: 'masked', at: 3, classes: { email: 2 } })
    expect(await parts.view.find(ada, sessionId)).toMatchObject({
      state: 'live',
      door: 'desktop',
      counts: { allowed: 1, masked: 2 },
      canKill: true,
      canReplay: true,
    })
    ws.close()
    await expect.poll(async () => (await parts.view.find(ada, sessionId))?.state).toBe('ended')
    expect(await parts.view.find(ada, sessionId)).toMatchObject({ counts: { allowed: 1, masked: 2 }, canKill: false })
    const end = await parts.audit.find(['session.end'], sessionId)
    expect(end?.detail).toMatchObject({ recording: { chunks: 1, events: 3 } })
    expect(await parts.audited()).toEqual(['session.open', 'session.end'])
  })

  test('one that never begins leaves nothing behind', async () => {
    parts.agent.serve = ({ client }, finish) => {
      client.end()
      finish({ reason: 'A cancel request.', bytesIn: 0, bytesOut: 0 })
    }
    const { secret } = await ticketFor(ada)
    const ws = connect(secret)
    expect(await closing(ws)).toMatchObject({ code: 1000 })
    await expect.poll(() => parts.sessions.size).toBe(0)
    expect(await parts.view.list(ada, { limit: 10 })).toEqual([])
    expect(await parts.audited()).toEqual([])
  })

  test('nothing is forwarded before row and audit record are stored, and nothing without them', async () => {
    await server.store.db.schema.alterTable('audit').renameTo('audit_away').execute()
    let recorded: unknown
    parts.agent.serve = ({ port, client }, finish) => {
      recorded = Promise.resolve(port.record(statement(1))).catch((error: unknown) => error)
      client.once('close', () => finish({ reason: '', bytesIn: 0, bytesOut: 0 }))
    }
    const { secret } = await ticketFor(ada)
    const ws = connect(secret)
    expect(await closing(ws)).toMatchObject({ code: 4000, reason: expect.stringMatching(/can’t be recorded/) })
    expect(await recorded).toBeInstanceOf(Error)
    await server.store.db.schema.alterTable('audit_away').renameTo('audit').execute()
  })

  test('killed: the person is told who and why', async () => {
    const { sessionId, ws } = await openLive()
    const closed = closing(ws)
    await parts.sessions.kill(sessionId, 'grace', 'wrong database')
    expect(await closed).toEqual({ code: 4000, reason: 'grace ended this session: wrong database' })
    expect(await parts.view.find(ada, sessionId)).toMatchObject({
      state: 'ended',
      endReason: 'grace ended this session: wrong database',
    })
  })

  test('a cancel is on the record, reaches whoever holds the key, and is no session', async () => {
    const digest = Buffer.alloc(32, 7)
    const input = { connection: 'orders-db', processId: 9, digest: digest.toString('base64') }
    const router = sessionsRouter({ ...parts, sshHostKey: '', rdpCertificate: '' })
    await call(router.cancel, input, { context: { caller: ada } })
    expect(parts.agent.cancels).toEqual([{ processId: 9, digest: digest.toString('hex') }])
    expect(await parts.audit.list(0, 1)).toMatchObject([
      { actor: 'ada', action: 'session.cancel', subject: 'orders-db', detail: { processId: 9 } },
    ])
    expect(await parts.view.list(audrey, { limit: 10 })).toEqual([])
    const elsewhere = call(router.cancel, { ...input, connection: 'nowhere' }, { context: { caller: ada } })
    await expect(elsewhere).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(parts.agent.cancels).toHaveLength(1)
  })

  test('an agent that does not react is cut off within a second', async () => {
    const { sessionId, ws } = await openLive()
    parts.agent.deaf = true
    const closed = closing(ws)
    void parts.sessions.kill(sessionId, 'grace', '')
    await closed
    expect(endPatienceMs).toBeLessThan(1_000)
  })

  test('kill reaches a session at another gateway', async () => {
    const other = await startParts(server, { replica: 'other' })
    const { sessionId, ws } = await openLive()
    const closed = closing(ws)
    await other.sessions.kill(sessionId, 'grace', '')
    expect(await closed).toMatchObject({ code: 4000 })
    await other.close()
  })

  test('a sign-in that ends takes its sessions and its tokens along', async () => {
    const { ws } = await openLive()
    const waiting = await ticketFor(ada)
    const token = await parts.tokens.issueToken({
      principal: ada.principal,
      connection: 'orders-db',
      accessTokenId: ada.tokenId,
      mfa: true,
    })
    const closed = closing(ws)
    expect(await parts.sessions.endFor({ accessTokenId: ada.tokenId }, 'You signed out.')).toBe(1)
    expect(await closed).toEqual({ code: 4000, reason: 'You signed out.' })
    expect(await parts.tokens.redeemTicket(waiting.secret)).toMatchObject({ ok: false })
    expect(await parts.tokens.checkToken(token.secret)).toEqual({ ok: false, why: 'revoked' })
  })

  test('grants reach a live session when they begin and leave it when they are revoked', async () => {
    const grace = await parts.person('grace', ['dba'])
    parts.agent.accessRule = () => ({
      connect: allow,
      actions: [{ action: 'sql:write', decision: hold('writes', 'dba') }],
      dataClasses: [],
    })
    const { ws } = await openLive()
    const [session] = parts.agent.taken
    const { id } = await parts.requests.create(ada, {
      connection: 'orders-db',
      actions: ['sql:write'],
      dataClasses: [],
      durationSeconds: 600,
      reason: 'fix it',
    })
    const { grant } = await parts.requests.review(grace, id, 'approve', '')
    expect(session?.grants).toEqual([[grant?.id]])
    await parts.grants.revoke(grant?.id ?? '', 'grace')
    expect(session?.grants).toEqual([[grant?.id], []])
    ws.close()
  })

  test('who was let in by a grant must leave when it ends', async () => {
    const grace = await parts.person('grace', ['dba'])
    parts.agent.rule = (_principal, action) => (action === 'connect' ? hold('ask-first', 'dba') : allow)
    parts.agent.accessRule = () => ({ connect: hold('ask-first', 'dba'), actions: [], dataClasses: [] })
    expect(await closing(connect((await ticketFor(ada)).secret))).toMatchObject({
      code: 4403,
      reason: expect.stringMatching(/ask-first/),
    })
    const { id } = await parts.requests.create(ada, {
      connection: 'orders-db',
      actions: ['connect'],
      dataClasses: [],
      durationSeconds: 600,
      reason: 'fix it',
    })
    const { grant } = await parts.requests.review(grace, id, 'approve', '')
    const { ws } = await openLive()
    const closed = closing(ws)
    await parts.grants.revoke(grant?.id ?? '', 'grace')
    expect(await closed).toMatchObject({ code: 4000, reason: expect.stringMatching(/Your access to orders-db ended/) })
  })

  test('who may see what', async () => {
    parts.agent.rule = (principal, action) =>
      action === 'connect' || (action === 'replay' && principal.groups.includes('auditors')) ? allow : block('no')
    const { sessionId, ws } = await openLive()
    const mallory = await parts.person('mallory', ['contractors'])
    expect(await parts.view.list(audrey, { limit: 10 })).toMatchObject([
      { id: sessionId, canReplay: true, canKill: false },
    ])
    expect(await parts.view.list(mallory, { limit: 10 })).toEqual([])
    expect(await parts.view.find(mallory, sessionId)).toBeUndefined()
    ws.close()
  })

  test('after a crash, what was open is closed and its recording sealed', async () => {
    const { sessionId, ws } = await openLive()
    const [session] = parts.agent.taken
    await session?.port.record(statement(1))
    // A second gateway with the same name and folder: the first one is taken for dead.
    await server.store.db.updateTable('sessions').set({ replica: 'crashed' }).execute()
    const next = await startParts(server, { replica: 'crashed' })
    expect(await next.view.find(ada, sessionId)).toMatchObject({ state: 'ended', endReason: 'The gateway stopped.' })
    const end = await next.audit.find(['session.end'], sessionId)
    expect(end?.detail).toMatchObject({ recording: { chunks: 1, events: 2 } })
    await next.close()
    ws.terminate()
  })

  test('a crash before a session’s end is stored: the next start tells of its seal', async () => {
    const { sessionId, ws } = await openLive()
    await parts.agent.taken[0]?.port.record(statement(1))
    const { inOne } = parts.audit
    const ending = Promise.withResolvers<void>()
    const go = Promise.withResolvers<void>()
    parts.audit.inOne = async (...args) => {
      ending.resolve()
      await go.promise
      await inOne.apply(parts.audit, args)
    }
    ws.close()
    await ending.promise
    const next = new Recordings({ dataDir: server.dataDir, log: quiet })
    expect(await next.recover()).toMatchObject([{ session: sessionId, seal: { chunks: 1 } }])
    go.resolve()
    await expect.poll(() => parts.sessions.size).toBe(0)
    expect(await next.recover()).toEqual([])
    next.close()
  })

  test('the gateway stops: everybody is told, and every end is stored', async () => {
    const { sessionId, ws } = await openLive()
    const closed = closing(ws)
    await parts.sessions.close()
    expect(await closed).toMatchObject({ code: 4000, reason: expect.stringMatching(/being stopped/) })
    expect(await parts.view.find(ada, sessionId)).toMatchObject({ state: 'ended' })
    parts.agent.serve = echo
    expect(await closing(connect((await ticketFor(ada)).secret))).toMatchObject({ code: 4500 })
  })
})
