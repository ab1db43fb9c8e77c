import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import type { SessionEnd } from '../../../shared/link.ts'
import { createCancelRegistry } from './cancels.ts'
import { Snapshot } from './catalog/catalog.ts'
import { backend, int32, message, messages } from './messages.ts'
import { servePostgres } from './session.ts'
import type { PostgresTarget } from './start/tls.ts'
import { dialTarget, TestPort } from './testing/door.ts'
import { fixedCatalog, Leg, memoryTarget } from './testing/memory.ts'
import { say } from './testing/wire.ts'

/** Whoever stalls before somebody is signed in is given up in time, and told so. */
const patienceMs = 60
const never = new Promise<never>(() => {})
const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

interface Sat {
  heard(): string
  client: Leg
  port: TestPort
  done: Promise<SessionEnd>
}

function sit(
  dial: () => Promise<Duplex>,
  change: { target?: PostgresTarget; catalogReady?: Promise<never> } = {},
): Sat {
  const heard: Buffer[] = []
  const client = new Leg((chunk) => heard.push(chunk))
  const port = new TestPort()
  const catalogs = fixedCatalog(new Snapshot(1, 'orders', { own: { relations: [], functions: [] } }))
  const { catalogReady } = change
  const stalled =
    catalogReady === undefined
      ? catalogs
      : { ...catalogs, get: () => ({ ...catalogs.get(memoryTarget), ready: () => catalogReady }) }
  const { done } = servePostgres({
    client,
    dial,
    target: change.target ?? memoryTarget,
    catalogs: stalled,
    cancels: createCancelRegistry(),
    port,
    patienceMs,
  })
  return { heard: () => Buffer.concat(heard).toString(), client, port, done }
}

/** A target that says `words` and then nothing; `drips` a notice now and then. */
async function stalling(words: Buffer, { drips = false } = {}): Promise<{ port: number; closed: Promise<unknown> }> {
  const sockets: Socket[] = []
  let left: () => void = () => {}
  const closed = new Promise<void>((resolve) => {
    left = resolve
  })
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    socket.once('close', () => left())
    socket.resume()
    socket.write(words)
    if (!drips) return
    const drip = setInterval(() => socket.write(notice), patienceMs / 6)
    socket.once('close', () => clearInterval(drip))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise<void>((done) => server.close(() => done()))
  })
  const address = server.address()
  return { port: address !== null && typeof address === 'object' ? address.port : 0, closed }
}

const notice = message(backend.notice, Buffer.from('SNOTICE\0Mwait\0\0'))
const sasl = message(backend.authentication, int32(10), Buffer.from('SCRAM-SHA-256\0\0'))
const in_ = [messages.authenticationOk, messages.parameterStatus('server_version', '15.0')]

async function gaveUp({ done, heard, port }: Sat, words: RegExp): Promise<void> {
  const { reason } = await done
  expect(reason).toMatch(words)
  expect(heard()).toMatch(/SFATAL\0VFATAL\0C08[0-9A-Z]{3}\0M[A-Z]/)
  expect(port.events.at(-1)).toMatchObject({ type: 'end', reason })
}

describe('a client that stalls', () => {
  it.each<[string, Buffer[]]>([
    ['says nothing', []],
    ['says half of who it is', [say.startup.subarray(0, 9)]],
    ['asks for encryption and says nothing more', [Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])]],
  ])('%s', async (_name, words) => {
    const sat = sit(() => never)
    for (const one of words) sat.client.say(one)
    await gaveUp(sat, /nobody said in time who they are/)
  })

  it('drips, which is stalling too', async () => {
    const sat = sit(() => never)
    let at = 0
    const drip = setInterval(() => sat.client.say(say.startup.subarray(at, ++at)), patienceMs / 6)
    await gaveUp(sat, /nobody said in time who they are/)
    clearInterval(drip)
  })
})

describe('a target that stalls', () => {
  it.each<[string, Buffer[], RegExp, PostgresTarget['tls']?]>([
    ['after it took the connection', [], /did not finish sign-in in time/],
    ['in the middle of a message', [sasl.subarray(0, 7)], /did not finish sign-in in time/],
    ['in the middle of SCRAM', [sasl], /did not finish sign-in in time/],
    ['before it is ready', in_, /did not finish sign-in in time/],
    ['before it says whether it speaks TLS', [], /did not answer in time/, { mode: 'require' }],
    ['in the TLS handshake', [Buffer.from('S')], /did not answer in time/, { mode: 'require' }],
  ])('%s', async (_name, words, reason, tls = { mode: 'disable' }) => {
    const { port, closed } = await stalling(Buffer.concat(words))
    const target = { ...memoryTarget, host: '127.0.0.1', port, tls }
    const sat = sit(() => dialTarget(target), { target })
    sat.client.say(say.startup)
    await gaveUp(sat, reason)
    await closed
  })

  it('drips notices, which is stalling too', async () => {
    const { port, closed } = await stalling(notice, { drips: true })
    const target = { ...memoryTarget, host: '127.0.0.1', port }
    const sat = sit(() => dialTarget(target), { target })
    sat.client.say(say.startup)
    await gaveUp(sat, /did not finish sign-in in time/)
    await closed
  })

  it('is never reached, and what comes too late is closed', async () => {
    let answer: (stream: Duplex) => void = () => {}
    const dialled = new Promise<Duplex>((resolve) => {
      answer = resolve
    })
    const sat = sit(() => dialled)
    sat.client.say(say.startup)
    await gaveUp(sat, /did not answer in time/)
    const late = new Leg(() => {})
    answer(late)
    await once(late, 'close')
  })

  it('never tells its catalog', async () => {
    const target = new Leg(() => {})
    const sat = sit(() => Promise.resolve(target), { catalogReady: never })
    sat.client.say(say.startup)
    target.say(Buffer.concat([...in_, messages.readyForQuery(0x49)]))
    await gaveUp(sat, /did not answer in time/)
    expect(target.destroyed).toBe(true)
  })

  it('keeps nobody else waiting', async () => {
    const stalled = sit(() => never)
    const target = new Leg(() => {})
    const other = sit(() => Promise.resolve(target))
    stalled.client.say(say.startup)
    other.client.say(say.startup)
    target.say(Buffer.concat([...in_, messages.readyForQuery(0x49)]))
    await expect.poll(other.heard).toContain('server_version')
    other.client.say(say.terminate)
    target.finish()
    expect((await other.done).reason).toBe('The client ended the session.')
    await stalled.done
  })

  it('a client that leaves while it is dialled keeps no connection to it', async () => {
    let answer: (stream: Duplex) => void = () => {}
    const sat = sit(
      () =>
        new Promise((resolve) => {
          answer = resolve
        }),
    )
    sat.client.say(say.startup)
    await new Promise((resolve) => setImmediate(resolve))
    sat.client.kill()
    await sat.done
    const late = new Leg(() => {})
    answer(late)
    await once(late, 'close')
  })
})
