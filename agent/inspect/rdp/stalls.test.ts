import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import * as tls from 'node:tls'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { slow } from './frames.ts'
import { readPdu } from './read-pdu.ts'
import { beginDeadlineMs, signInDeadlineMs } from './session.ts'
import { credential, type Door, makeIdentity, openDoor, TestPort } from './testing/door.ts'
import {
  connectInitial,
  type FakeTarget,
  requestFor,
  startClient,
  startTarget,
  type TargetAnswer,
  until,
} from './testing/peers.ts'
import type { Identity } from './tls.ts'

/** Peers that stop in the middle of their sign-in, wherever that is: nobody waits for them. */
let ours: Identity
let theirs: Identity
let port: TestPort
let target: FakeTarget
let door: Door
const sockets: Socket[] = []

beforeAll(async () => {
  ;[ours, theirs] = await Promise.all([makeIdentity('Sallyport'), makeIdentity('desk')])
})
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true })
  port = new TestPort()
})
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await door.close()
  await target.close()
  vi.useRealTimers()
})

async function open(answer: TargetAnswer = 'tls'): Promise<void> {
  target = await startTarget(theirs, answer)
  door = await openDoor(target.address, ours, () => port)
}

/** Why the session ended. */
async function reason(): Promise<string> {
  await until(() => door.ends.length > 0)
  return (await door.ends[0])?.reason ?? ''
}

const signal = (): AbortSignal => AbortSignal.timeout(10_000)

async function begun(): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: door.port })
  socket.on('error', () => socket.destroy())
  sockets.push(socket)
  await once(socket, 'connect')
  await until(() => port.said.length > 0)
  return socket
}

async function asked(): Promise<Socket> {
  const socket = await begun()
  socket.write(requestFor(credential.username, 1))
  await readPdu(socket, { signal: signal(), limit: 1_000, more: false, who: 'target' })
  return socket
}

async function secured(): Promise<tls.TLSSocket> {
  const secure = tls.connect({ socket: await asked(), rejectUnauthorized: false })
  secure.on('error', () => secure.destroy())
  await once(secure, 'secureConnect', { signal: signal() })
  return secure
}

async function settled(): Promise<tls.TLSSocket> {
  const secure = await secured()
  secure.write(connectInitial())
  await readPdu(secure, { signal: signal(), limit: 16_384, more: true, who: 'target' })
  return secure
}

describe('a program that stops', () => {
  test.each([
    ['before its first word', begun],
    [
      'in the middle of it',
      async () => {
        ;(await begun()).write(requestFor(credential.username, 1).subarray(0, 9))
      },
    ],
  ])('%s is let go, and nobody was dialled', async (_, stop) => {
    await open()
    await stop()
    await vi.advanceTimersByTimeAsync(beginDeadlineMs)
    expect(await reason()).toBe('No client began within a minute.')
    expect(target.dialled).toBe(0)
  })

  test.each([
    ['before TLS', asked, 0],
    [
      'in the middle of TLS',
      async () => {
        ;(await asked()).write(Buffer.from('1603010200010001fc', 'hex'))
      },
      0,
    ],
    ['behind TLS', secured, 0],
    [
      'in the middle of its settings',
      async () => {
        ;(await secured()).write(connectInitial().subarray(0, 200))
      },
      0,
    ],
    ['before it joins a channel', settled, 1],
    [
      'before it signs in',
      async () => {
        const secure = await settled()
        const attached = once(secure, 'data')
        secure.write(Buffer.concat([slow(Buffer.from([4, 1, 0, 1, 0])), slow(Buffer.from([0x28]))]))
        secure.resume()
        await attached
      },
      1,
    ],
  ])('%s is let go', async (_, stop, dialled) => {
    await open()
    await stop()
    await vi.advanceTimersByTimeAsync(signInDeadlineMs)
    expect(await reason()).toBe('Nobody signed in for too long.')
    expect(target.dialled).toBe(dialled)
  })
})

describe('a target that stops', () => {
  test.each([
    ['before its first word', 'silent', () => target.dialled > 0],
    ['before TLS', 'no-tls', () => target.dialled > 0],
    ['in its Network Level Authentication', 'no-nla', () => target.streams.length > 0],
    ['before its settings', 'no-settings', () => target.settings.length > 0],
    ['before it takes a user', 'no-user', () => target.received.length > 0],
    ['before it shows the desktop', 'no-desktop', () => target.received.some((mcs) => mcs.kind === 'data')],
  ] as const)('%s is let go', async (_, answer, there) => {
    await open(answer)
    // It waits for what never comes.
    startClient(door.port).catch(() => undefined)
    await until(there)
    await vi.advanceTimersByTimeAsync(signInDeadlineMs)
    expect(await reason()).toBe('Nobody signed in for too long.')
  })
})

test('one that goes on is let in, and stays', async () => {
  await open()
  const client = await startClient(door.port)
  await until(() => client.received.filter((mcs) => mcs.kind === 'data').length >= 2)
  await vi.advanceTimersByTimeAsync(beginDeadlineMs + signInDeadlineMs)
  expect(client.stream.destroyed).toBe(false)
  client.stream.destroy()
  expect(await reason()).toBe('The client left.')
})
