import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import pg from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Endpoint } from '../../shared/rpc/contract.ts'
import { fail } from '../problem.ts'
import { type Relay, startRelay } from '../testing/relay.ts'
import { openTunnel } from '../tunnel.ts'
import { type EndpointOptions, Endpoints, type EndpointTarget } from './endpoints.ts'

const target: EndpointTarget = { connection: 'orders-db', kind: 'postgres', user: 'ada', database: 'orders' }
let echo: Server
let relay: Relay
let endpoints: Endpoints
let ports: Map<string, number>
let warnings: string[]
let cancelled: { connection: string; processId: number; secret: string }[]
let dial: () => ReturnType<typeof openTunnel>

beforeEach(async () => {
  echo = createServer((socket) => socket.pipe(socket))
  echo.listen(0, '127.0.0.1')
  await once(echo, 'listening')
  const address = echo.address()
  relay = await startRelay(typeof address === 'object' && address !== null ? address.port : 0)
  ports = new Map()
  warnings = []
  cancelled = []
  dial = () => openTunnel({ url: relay.url, ticket: relay.ticket() })
  endpoints = make()
})

afterEach(async () => {
  await endpoints.closeAll()
  await relay.close()
  echo.close()
})

function make(more: Partial<EndpointOptions> = {}): Endpoints {
  return new Endpoints({
    dial: () => dial(),
    cancel: async (connection, { processId, secret }) => {
      cancelled.push({ connection, processId, secret: Buffer.from(secret).toString('hex') })
    },
    port: (connection) => ports.get(connection),
    savePort: async (connection, port) => void ports.set(connection, port),
    warn: (message) => warnings.push(message),
    ...more,
  })
}

async function talk(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(text)
  const [answer] = await once(socket, 'data')
  socket.destroy()
  return String(answer)
}

test('pipes each native client into a tunnel of its own, on a port that stays', async () => {
  expect(endpoints.describe(target)).toMatchObject({ open: false, port: 0 })
  const { port, open } = await endpoints.open(target)
  expect(open).toBe(true)
  expect(await talk(port, 'one')).toBe('one')
  expect(await talk(port, 'two')).toBe('two')
  expect(relay.tunnels).toHaveLength(2)
  expect(await endpoints.open(target)).toMatchObject({ port })
  expect(await endpoints.close(target)).toMatchObject({ open: false, port })
  expect(
    await make()
      .open(target)
      .then((e) => e.port),
  ).toBe(port)
})

test('a cancel goes to the gateway as such and opens no session, with and without asking for encryption first', async () => {
  const { port } = await endpoints.open(target)
  const request = Buffer.from('00000010' + '04d2162e' + '00000007' + 'deadbeef', 'hex')
  const bare = connect(port, '127.0.0.1')
  bare.end(request)
  await once(bare.resume(), 'close')
  const asking = connect(port, '127.0.0.1')
  asking.write(Buffer.from('00000008' + '04d2162f', 'hex'))
  expect(String((await once(asking, 'data'))[0])).toBe('N')
  asking.end(request)
  await once(asking.resume(), 'close')
  const one = { connection: 'orders-db', processId: 7, secret: 'deadbeef' }
  expect(cancelled).toEqual([one, one])
  expect(relay.tunnels).toHaveLength(0)
})

test('a port that is taken is said, with what to do', async () => {
  const other = createServer()
  other.listen(0, '127.0.0.1')
  await once(other, 'listening')
  const address = other.address()
  const taken = typeof address === 'object' && address !== null ? address.port : 0
  ports.set('orders-db', taken)
  await expect(endpoints.open(target)).rejects.toMatchObject({
    problem: {
      code: 'conflict',
      message: `Port ${taken} is in use by another program.`,
      hint: expect.stringContaining('--port'),
    },
  })
  other.close()
  expect((await endpoints.open(target)).port).toBe(taken)
})

test('closing an endpoint ends what came in through it', async () => {
  const { port } = await endpoints.open(target)
  const socket = connect(port, '127.0.0.1')
  socket.write('hello')
  await once(socket, 'data')
  socket.on('error', () => {})
  await endpoints.close(target)
  await once(socket, 'close')
  await expect(talk(port, 'again')).rejects.toThrow('ECONNREFUSED')
})

test('a PostgreSQL client is told why it is not let in, in its own protocol', async () => {
  dial = () => Promise.reject(fail('not-signed-in', 'The sign-in has ended.', { hint: 'Sign in again.' }))
  const { port } = await endpoints.open(target)
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'ada', database: 'orders', password: '', ssl: false })
  await expect(client.connect()).rejects.toMatchObject({ message: 'The sign-in has ended.', hint: 'Sign in again.' })
  // With an SSLRequest first, as psql sends.
  const socket: Socket = connect(port, '127.0.0.1')
  socket.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]))
  expect(String((await once(socket, 'data'))[0])).toBe('N')
  socket.write(Buffer.from([0, 0, 0, 8, 0, 3, 0, 0]))
  expect(String((await once(socket, 'data'))[0])).toContain('The sign-in has ended.')
})

test('a program whose sockets are all of IPv6 is let in, as Java is', async () => {
  const { port } = await endpoints.open(target)
  const socket = connect(port, '::ffff:127.0.0.1')
  socket.write('hello')
  expect(String((await once(socket, 'data'))[0])).toBe('hello')
  socket.destroy()
})

test.skipIf(process.platform !== 'linux' || process.getuid?.() !== 0).each(['127.0.0.1', '::ffff:127.0.0.1'])(
  'another user of the machine is turned away, who dials %s',
  async (host) => {
    const { port } = await endpoints.open(target)
    const script = `exec 3<>/dev/tcp/${host}/${port}; echo hello >&3; head -n 1 <&3`
    const other = spawn('bash', ['-c', script], { uid: 65_534, cwd: '/' })
    let output = ''
    other.stdout.on('data', (chunk) => {
      output += String(chunk)
    })
    await once(other, 'close')
    expect(output).toBe('')
    expect(relay.tunnels).toHaveLength(0)
    expect(warnings.join()).toContain('another user')
    expect(await talk(port, 'own')).toBe('own')
  },
)

test('one that was never opened takes the planned port, or the next that is free, and keeps it', async () => {
  const other = createServer()
  other.listen(0, '127.0.0.1')
  await once(other, 'listening')
  const address = other.address()
  const taken = typeof address === 'object' && address !== null ? address.port : 0
  endpoints = make({ plan: () => taken })
  expect(endpoints.describe(target)).toMatchObject({ open: false, port: taken })
  const { port } = await endpoints.open(target)
  expect(port).toBeGreaterThan(taken)
  expect(ports.get('orders-db')).toBe(port)
  other.close()
  await endpoints.close(target)
  expect(endpoints.describe(target).port).toBe(port)
})

test('tells who comes and goes, and why it is not open', async () => {
  const told: Endpoint[] = []
  const other = createServer()
  other.listen(0, '127.0.0.1')
  await once(other, 'listening')
  const address = other.address()
  ports.set('orders-db', typeof address === 'object' && address !== null ? address.port : 0)
  endpoints = make({ changed: (endpoint) => told.push(endpoint) })
  await expect(endpoints.open(target)).rejects.toThrow('in use')
  const [failed] = told
  expect(failed).toMatchObject({ open: false, problem: { code: 'conflict' } })
  expect(failed?.freePort).toBeGreaterThan(failed?.port ?? 0)
  const { port } = await endpoints.open(target, failed?.freePort)
  expect(port).toBe(failed?.freePort)
  expect(endpoints.describe(target).problem).toBeUndefined()
  await talk(port, 'hello')
  await expect.poll(() => told.map((e) => e.clients)).toEqual([0, 0, 1, 0])
  other.close()
})

test('a port that was taken is opened by itself once it is free, and stays the same', async () => {
  const other = createServer()
  other.listen(0, '127.0.0.1')
  await once(other, 'listening')
  const address = other.address()
  const taken = typeof address === 'object' && address !== null ? address.port : 0
  ports.set('orders-db', taken)
  endpoints = make({ retryMs: 20 })
  await expect(endpoints.open(target)).rejects.toThrow('in use')
  other.close()
  await once(other, 'close')
  await expect.poll(() => endpoints.describe(target)).toMatchObject({ open: true, port: taken })
  expect(endpoints.describe(target).problem).toBeUndefined()
})

test('what is to be open from the start is opened once a gateway that is away answers, unless nobody is signed in by then', async () => {
  endpoints = make({ retryMs: 20 })
  let asks = 0
  const wanted = async () => {
    asks += 1
    if (asks < 3) throw new Error('away')
    return [target]
  }
  await endpoints.openAll(wanted, new AbortController().signal)
  expect(asks).toBe(3)
  expect(endpoints.describe(target).open).toBe(true)
  await endpoints.close(target)
  const out = new AbortController()
  await endpoints.openAll(async () => {
    out.abort()
    return [target]
  }, out.signal)
  expect(endpoints.describe(target).open).toBe(false)
})
