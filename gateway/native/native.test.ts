import { execFile } from 'node:child_process'
import { hash } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { promisify } from 'node:util'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { acceptLender } from '../../agent/lender.ts'
import type { Caller } from '../api/context.ts'
import { agentSession, allow, block, hold, type Serve } from '../testing/agent.ts'
import { startParts, type TestParts } from '../testing/parts.ts'
import { quiet, startTestStore, type TestStore } from '../testing/store.ts'
import { testTls } from '../testing/tls.ts'
import { entranceHere } from './entrance.ts'
import { listenDoor, type NativeListener } from './listener.ts'
import { type PostgresDoorOptions, postgresDoor } from './postgres.ts'
import { listenSsh } from './ssh.ts'

const run = promisify(execFile)
let server: TestStore
let parts: TestParts
let listeners: NativeListener[]
let sockets: Socket[]
let ada: Caller
/** The StartupMessages that the agent was given. */
let openings: Buffer[]
const tls = testTls

beforeAll(async () => {
  server = await startTestStore()
})
afterAll(() => server.close())
beforeEach(async () => {
  await server.clear()
  parts = await startParts(server)
  ada = await parts.person('ada', ['engineers'])
  parts.agent.serve = servePostgres
  listeners = []
  sockets = []
  openings = []
})
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  await parts.close()
  for (const listener of listeners) await listener.close()
})

async function listen(change: Partial<PostgresDoorOptions> = {}): Promise<{ host: string; port: number }> {
  const door = postgresDoor({
    entrance: entranceHere(parts),
    tls: undefined,
    log: quiet,
    lending: acceptLender,
    ...change,
  })
  const listen = { host: '127.0.0.1', port: 0 }
  const listener = await listenDoor({ listen, log: quiet }, door)
  listeners.push(listener)
  return { host: '127.0.0.1', port: Number(listener.address.split(':')[1]) }
}

async function token(connection = 'orders-db', caller = ada): Promise<string> {
  const { principal, tokenId } = caller
  const { secret } = await parts.tokens.issueToken({ principal, connection, accessTokenId: tokenId, mfa: true })
  return secret
}

function client(at: { host: string; port: number }, password: string, change: pg.ClientConfig = {}): pg.Client {
  return new pg.Client({ ...at, user: 'ada', database: 'orders-db', password, ...change })
}

async function dial(at: { host: string; port: number }): Promise<Socket> {
  const socket = connect(at.port, at.host)
  sockets.push(socket)
  await once(socket, 'connect')
  return socket
}

function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.write(type)
  head.writeUInt32BE(body.byteLength + 4, 1)
  return Buffer.concat([head, body])
}
function startup(words: string): Buffer {
  const body = Buffer.from(words)
  const head = Buffer.alloc(8)
  head.writeUInt32BE(body.byteLength + 8, 0)
  head.writeUInt32BE(3 << 16, 4)
  return Buffer.concat([head, body])
}
const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])
const hello = startup('user\0ada\0database\0orders-db\0\0')

/** The smallest server that psql and pg talk to: signs in whoever comes, and answers a query with its own text. */
const servePostgres: Serve = ({ client: stream, port }, finish) => {
  let bytes = Buffer.alloc(0)
  let greeted = false
  stream.on('data', (data: Buffer) => {
    bytes = Buffer.concat([bytes, data])
    if (!greeted) {
      if (bytes.byteLength < 4 || bytes.byteLength < bytes.readUInt32BE(0)) return
      openings.push(bytes.subarray(0, bytes.readUInt32BE(0)))
      bytes = bytes.subarray(bytes.readUInt32BE(0))
      greeted = true
      port.started({ user: 'app' })
      const parameter = (name: string, value: string) => message('S', Buffer.from(`${name}\0${value}\0`))
      stream.write(
        Buffer.concat([
          message('R', Buffer.alloc(4)),
          parameter('server_version', '15.0'),
          parameter('client_encoding', 'UTF8'),
          parameter('standard_conforming_strings', 'on'),
          message('Z', Buffer.from('I')),
        ]),
      )
    }
    while (bytes.byteLength >= 5 && bytes.byteLength > bytes.readUInt32BE(1)) {
      const size = bytes.readUInt32BE(1) + 1
      const body = bytes.subarray(5, size)
      if (bytes[0] === 0x51) stream.write(answer(body.subarray(0, -1)))
      if (bytes[0] === 0x58) stream.end()
      bytes = bytes.subarray(size)
    }
  })
  stream.once('close', () => finish({ reason: 'The client left.', bytesIn: 0, bytesOut: 0 }))
}

function answer(text: Buffer): Buffer {
  const column = Buffer.concat([
    Buffer.from('text\0'),
    Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 25, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0]),
  ])
  const row = Buffer.alloc(6)
  row.writeUInt16BE(1, 0)
  row.writeUInt32BE(text.byteLength, 2)
  return Buffer.concat([
    message('T', Buffer.concat([Buffer.from([0, 1]), column])),
    message('D', Buffer.concat([row, text])),
    message('C', Buffer.from('SELECT 1\0')),
    message('Z', Buffer.from('I')),
  ])
}

describe('postgres', () => {
  test('psql signs in with a session token, several times', async () => {
    const { port } = await listen()
    const password = await token()
    const env = { ...process.env, PGPASSWORD: password, PGSSLMODE: 'prefer' }
    const psql = (text: string) =>
      run('psql', [`host=127.0.0.1 port=${port} dbname=orders-db user=ada`, '-XAtc', text], { env })
    const results = await Promise.all(['select 1', 'select 2', 'select 3'].map(psql))
    expect(results.map(({ stdout }) => stdout.trim())).toEqual(['select 1', 'select 2', 'select 3'])
    expect(parts.agent.taken[0]?.spec).toMatchObject({
      principal: { id: 'ada' },
      connection: { name: 'orders-db' },
      annotations: 'text',
      context: { sourceIp: '127.0.0.1', mfa: true },
    })
  })

  test('the connection may be named in the user, and a machine by its name', async () => {
    const at = await listen()
    const byUser = client(at, await token(), { user: 'ada%orders-db', database: 'anything' })
    await byUser.connect()
    await byUser.end()
    await server.store.db
      .insertInto('identities')
      .values({ id: 'ci-1', kind: 'machine', name: 'Nightly report', groups: '[]', issuer: null, subject: null })
      .execute()
    const machine = { ...ada, principal: { kind: 'machine' as const, id: 'ci-1', name: 'Nightly report', groups: [] } }
    for (const user of ['ci-1', 'Nightly report']) {
      const connection = client(at, await token('orders-db', machine), { user })
      await connection.connect()
      await connection.end()
    }
    expect(parts.agent.taken.map(({ spec }) => spec.principal.id)).toEqual(['ada', 'ci-1', 'ci-1'])
  })

  test('over TLS, with the certificate checked', async () => {
    const at = await listen({ tls })
    const connection = client(at, await token(), { ssl: { ca: tls.cert, servername: 'localhost' } })
    await connection.connect()
    expect((await connection.query('select 7')).rows).toEqual([{ text: 'select 7' }])
    await connection.end()
  })

  test('over TLS that begins with the first byte, where it is for PostgreSQL', async () => {
    const at = await listen({ tls })
    const ssl = { ca: tls.cert, servername: 'localhost' }
    const connection = client(at, await token(), { ssl, sslnegotiation: 'direct' })
    await connection.connect()
    expect((await connection.query('select 8')).rows).toEqual([{ text: 'select 8' }])
    await connection.end()
    for (const ALPNProtocols of [undefined, ['http/1.1']]) {
      const socket = connectTls({ ...at, ...ssl, ...(ALPNProtocols === undefined ? {} : { ALPNProtocols }) })
      sockets.push(socket)
      socket.on('error', () => {})
      await new Promise<void>((done) => socket.once('close', () => done()))
      expect(socket.alpnProtocol).not.toBe('postgresql')
    }
    const plain = await listen()
    await expect(client(plain, await token(), { ssl, sslnegotiation: 'direct' }).connect()).rejects.toThrow()
    expect(parts.agent.taken).toHaveLength(1)
  })

  test('a newer protocol and extensions are talked down, and what the agent gets says so', async () => {
    const socket = await dial(await listen())
    const received: Buffer[] = []
    socket.on('data', (data) => received.push(data))
    const asked = startup('user\0ada\0database\0orders-db\0_pq_.grease\0on\0\0')
    asked.writeUInt16BE(9999, 6)
    socket.write(Buffer.concat([asked, message('p', Buffer.from(`${await token()}\0`))]))
    const answer = message('v', Buffer.concat([Buffer.from([0, 3, 0, 2, 0, 0, 0, 1]), Buffer.from('_pq_.grease\0')]))
    await expect.poll(() => Buffer.concat(received).includes('server_version')).toBe(true)
    expect(Buffer.concat(received).indexOf(answer)).toBe(0)
    const opening = startup('user\0ada\0database\0orders-db\0\0')
    opening.writeUInt16BE(2, 6)
    expect(openings).toEqual([opening])
  })

  test.each([
    ['a made-up password', {}, 'spt_made_up', '28P01', /not a session token/],
    ['another person’s name', { user: 'grace' }, undefined, '28P01', /not one of grace/],
    ['another connection', { database: 'web-1' }, undefined, '28P01', /not for web-1/],
    ['a name hidden before the connection', { user: 'grace%orders-db' }, undefined, '28P01', /not one of grace/],
  ])('%s is refused', async (_name, change, password, code, words) => {
    const at = await listen()
    const connection = client(at, password ?? (await token()), change)
    const error = await connection.connect().then(
      () => undefined,
      (reason: unknown) => reason,
    )
    expect(error).toMatchObject({ code, severity: 'FATAL', message: expect.stringMatching(words) })
    expect(error).toMatchObject({ hint: expect.stringMatching(/sallyport token/) })
    expect(parts.agent.taken).toHaveLength(0)
  })

  test('a token that expired, and one whose owner was turned off', async () => {
    const at = await listen()
    const old = await token()
    await server.store.db.updateTable('session_tokens').set({ expires_at: new Date() }).execute()
    await expect(client(at, old).connect()).rejects.toMatchObject({ code: '28P01', message: /expired/ })
    const fresh = await token()
    await parts.remove('ada')
    await expect(client(at, fresh).connect()).rejects.toMatchObject({ code: '28P01', message: /revoked/ })
  })

  test('no more sessions than there may be, for a person and for all, and room again when one ends', async () => {
    await parts.close()
    parts = await startParts(server, { limits: { sessions: 3, perPerson: 2 } })
    parts.agent.serve = servePostgres
    ada = await parts.person('ada', ['engineers'])
    const grace = await parts.person('grace', ['dba'])
    const at = await listen()
    const open = async (caller: Caller) => {
      const connection = client(at, await token('orders-db', caller), { user: caller.principal.id })
      connection.on('error', () => undefined)
      await connection.connect()
      return connection
    }
    const first = await open(ada)
    const second = await open(ada)
    await expect(open(ada)).rejects.toMatchObject({ code: '53300', message: /You have 2 sessions open on orders-db/ })
    const third = await open(grace)
    await expect(open(grace)).rejects.toMatchObject({ code: '53300', message: /orders-db has 3 sessions open/ })
    await first.end()
    await expect.poll(() => parts.sessions.size).toBe(2)
    const fourth = await open(grace)
    await Promise.all([second, third, fourth].map((connection) => connection.end()))
  })

  test('policy that blocks or holds the connection says so', async () => {
    const at = await listen()
    const password = await token()
    parts.agent.rule = () => block('not-from-here')
    await expect(client(at, password).connect()).rejects.toMatchObject({ code: 'SPB01', message: /not-from-here/ })
    parts.agent.rule = (_principal, action) => (action === 'connect' ? hold('ask-first', 'dba') : allow)
    await expect(client(at, password).connect()).rejects.toMatchObject({ code: 'SPB01', hint: /sallyport request/ })
  })

  test('a token for an SSH host opens no database', async () => {
    const at = await listen()
    const connection = client(at, await token('web-1'), { database: 'web-1' })
    await expect(connection.connect()).rejects.toMatchObject({ code: '3D000', message: /not a PostgreSQL/ })
  })

  test('what was sent ahead of time is not lost: password and query with the start-up message', async () => {
    const socket = await dial(await listen())
    const received: Buffer[] = []
    socket.on('data', (data) => received.push(data))
    socket.write(
      Buffer.concat([
        hello,
        message('p', Buffer.from(`${await token()}\0`)),
        message('Q', Buffer.from('select early\0')),
      ]),
    )
    await expect.poll(() => Buffer.concat(received).includes('select early')).toBe(true)
  })

  test('byte by byte, it is the same', async () => {
    const socket = await dial(await listen())
    socket.setNoDelay(true)
    const received: Buffer[] = []
    socket.on('data', (data) => received.push(data))
    const password = message('p', Buffer.from(`${await token()}\0`))
    for (const byte of Buffer.concat([hello, password, message('Q', Buffer.from('select slow\0'))])) {
      socket.write(Buffer.of(byte))
      await new Promise((done) => setImmediate(done))
    }
    await expect.poll(() => Buffer.concat(received).includes('select slow')).toBe(true)
  })

  test('bytes before the answer to a TLS request are refused, not read as if they had come under TLS', async () => {
    const socket = await dial(await listen({ tls }))
    socket.write(Buffer.concat([sslRequest, hello, message('p', Buffer.from(`${await token()}\0`))]))
    const received: Buffer[] = []
    socket.on('data', (data) => received.push(data))
    await once(socket, 'close')
    expect(Buffer.concat(received).toString()).toMatch(/^E.*08P01.*Nothing may be sent before/s)
    expect(parts.agent.taken).toHaveLength(0)
  })

  test('without TLS of its own it says no, and goes on', async () => {
    const socket = await dial(await listen())
    socket.write(sslRequest)
    expect(String((await once(socket, 'data'))[0])).toBe('N')
    socket.write(hello)
    expect(String((await once(socket, 'data'))[0])).toMatch(/^R/)
  })

  test('encryption by GSS is declined, and TLS taken after it', async () => {
    const socket = await dial(await listen({ tls }))
    const gssRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 48])
    socket.write(gssRequest)
    expect(String((await once(socket, 'data'))[0])).toBe('N')
    socket.write(sslRequest)
    expect(String((await once(socket, 'data'))[0])).toBe('S')
  })

  test('stalled peers are cut at the deadline, in every phase, and keep nobody out', async () => {
    const at = await listen({ tls, patienceMs: 700 })
    const silent = await dial(at)
    const dripping = await dial(at)
    dripping.write(hello.subarray(0, 6))
    const undecided = await dial(at)
    undecided.write(hello)
    const handshaking = await dial(at)
    handshaking.write(sslRequest)
    await once(handshaking, 'data')
    const drip = setInterval(() => {
      dripping.write(Buffer.alloc(0))
      // It learns that it was cut by writing only.
      if (refused.writable) refused.write('x')
    }, 100)
    // Told why it is not let in, and stays all the same.
    const refused = connect({ ...at, allowHalfOpen: true })
    refused.on('error', () => {})
    sockets.push(refused)
    refused.write(Buffer.concat([hello, message('p', Buffer.from('not a token\0'))]))
    const closed = [silent, dripping, undecided, handshaking, refused].map(
      (socket) => new Promise<void>((done) => socket.resume().once('close', () => done())),
    )
    const connection = client(at, await token())
    await connection.connect()
    await connection.end()
    await Promise.all(closed)
    clearInterval(drip)
  })

  test('beyond the cap on those who are not let in yet, the oldest of the address with most makes room: nobody is kept out', async () => {
    const at = await listen({ entering: 3 })
    const from = async (localAddress: string) => {
      const socket = connect({ ...at, localAddress })
      sockets.push(socket)
      await once(socket, 'connect')
      return socket.resume()
    }
    const lone = await from('127.0.0.2')
    const crowd = [await from('127.0.0.3'), await from('127.0.0.3')]
    const closed = crowd.map((socket) => once(socket, 'close'))
    const connection = client(at, await token())
    await connection.connect()
    await closed[0]
    // With one from each address, the oldest goes.
    const gone = once(lone, 'close')
    await from('127.0.0.4')
    await from('127.0.0.5')
    await gone
    expect(crowd[1]?.destroyed).toBe(false)
    await connection.end()
  })

  test('a session is no longer under the deadline', async () => {
    const at = await listen({ patienceMs: 400 })
    let connection = client(at, '')
    // On a busy machine the way in itself may take longer than that.
    await expect
      .poll(async () => {
        connection = client(at, await token())
        return connection.connect().then(
          () => true,
          () => false,
        )
      })
      .toBe(true)
    await new Promise((done) => setTimeout(done, 600))
    expect((await connection.query('select still')).rows).toEqual([{ text: 'select still' }])
    await connection.end()
  })

  const cancelRequest = Buffer.from([0, 0, 0, 16, 4, 210, 22, 46, 0, 0, 0, 9, 1, 2, 3, 4])
  const cancelled = { processId: 9, digest: hash('sha256', Buffer.from('01020304', 'hex')) }

  test('a cancel request goes to the agent', async () => {
    const socket = await dial(await listen())
    socket.write(cancelRequest)
    await once(socket.resume(), 'close')
    expect(parts.agent.cancels).toEqual([cancelled])
  })

  test('a cancel request whose session is at another replica reaches it there, or in a worker of it', async () => {
    const other = await startParts(server, { replica: 'other' })
    const held: number[] = []
    other.cancels.also((processId) => held.push(processId) > 0)
    parts.agent.holdsKeys = false
    other.agent.holdsKeys = false
    const socket = await dial(await listen())
    socket.write(cancelRequest)
    await expect.poll(() => other.agent.cancels).toEqual([cancelled])
    expect(held).toEqual([9])
    await other.close()
  })

  test('something that is not PostgreSQL gets an answer and is cut', async () => {
    const socket = await dial(await listen())
    socket.write('GET / HTTP/1.1\r\n\r\n')
    expect(String((await once(socket, 'data'))[0])).toMatch(/speaks the PostgreSQL protocol/)
  })

  test('under TLS, a second TLS request is refused', async () => {
    const at = await listen({ tls })
    const socket = await dial(at)
    socket.write(sslRequest)
    await once(socket, 'data')
    const secure = connectTls({ socket, ca: tls.cert, servername: 'localhost' })
    await once(secure, 'secureConnect')
    secure.write(sslRequest)
    expect(String((await once(secure, 'data'))[0])).toMatch(/TLS is on already/)
    secure.destroy()
  })
})

describe('ssh', () => {
  async function front(user: string, password: string) {
    const { promise, resolve } = Promise.withResolvers<{ ok: boolean; reason?: string }>()
    parts.agent.ssh = (stream, ask) => {
      void ask.authenticate(user, password).then((result) => {
        if (result.ok) {
          parts.agent.serve = ({ port }) => port.started({ user: 'app' })
          result.opened(agentSession(parts.agent, { ...result, client: stream, grants: [], ended: [] }))
        }
        resolve(result)
      })
    }
    const listener = await listenSsh({ ...parts, listen: { host: '127.0.0.1', port: 0 }, log: quiet })
    listeners.push(listener)
    const socket = await dial({ host: '127.0.0.1', port: Number(listener.address.split(':')[1]) })
    return { socket, result: await promise }
  }

  test('a token lets in who it belongs to, where it is for', async () => {
    const { result, socket } = await front('ada%web-1', await token('web-1'))
    expect(result.ok).toBe(true)
    await expect
      .poll(async () => (await parts.view.list(ada, { limit: 5 })).map(({ door }) => door))
      .toEqual(['native'])
    const closed = once(socket.resume(), 'close')
    await parts.sessions.endFor({ principalId: 'ada' }, 'over')
    await closed
  })

  test('others are told why not', async () => {
    expect((await front('ada', await token('web-1'))).result.reason).toMatch(/Say where to/)
    expect((await front('grace%web-1', await token('web-1'))).result.reason).toMatch(/not one of grace/)
    expect((await front('ada%orders-db', await token())).result.reason).toMatch(/not an SSH host/)
    const password = await token('web-1')
    parts.agent.rule = () => block('no-shells')
    expect((await front('ada%web-1', password)).result.reason).toMatch(/Blocked by no-shells/)
  })
})
