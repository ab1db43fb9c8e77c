import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import fc from 'fast-check'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { parseClientInfo } from './client-info.ts'
import { connectionRequest, mcsData, slow } from './frames.ts'
import { allow, block, credential, type Door, makeIdentity, openDoor, TestPort } from './testing/door.ts'
import { type FakeTarget, requestFor, startClient, startTarget, until } from './testing/peers.ts'
import type { Identity, RdpTarget } from './tls.ts'

let ours: Identity
let theirs: Identity
let port: TestPort
let target: FakeTarget
let door: Door

beforeAll(async () => {
  ;[ours, theirs] = await Promise.all([makeIdentity('Sallyport'), makeIdentity('desk')])
})

const fingerprint = (identity: Identity): string => new X509Certificate(identity.certificate).fingerprint256

async function open(
  answer: Parameters<typeof startTarget>[1] = 'tls',
  trust?: RdpTarget['tls'],
  size?: { width: number; height: number },
): Promise<void> {
  target = await startTarget(theirs, answer, size)
  const { address } = target
  door = await openDoor({ ...address, domain: 'HARBOUR', tls: trust ?? address.tls }, ours, () => port)
}

beforeEach(() => {
  port = new TestPort()
})
afterEach(async () => {
  await door.close()
  await target.close()
})

/** Why the first session ended. */
async function reason(): Promise<string> {
  await until(() => door.ends.length > 0)
  return (await door.ends[0])?.reason ?? ''
}

async function signedIn() {
  const client = await startClient(door.port)
  await until(() => client.received.filter((mcs) => mcs.kind === 'data').length >= 2)
  return client
}

describe('signing in', () => {
  test('the target hears its own credential, no program of the client’s, and nothing of the person’s', async () => {
    await open()
    const client = await signedIn()
    expect(client.certificate).toBe(fingerprint(ours))
    const sent = target.received.find((mcs) => mcs.kind === 'data')
    const data = sent?.kind === 'data' ? sent.data : Buffer.alloc(0)
    expect(parseClientInfo(data)).toMatchObject({ username: 'clerk', password: 'only the gateway knows' })
    const text = data.toString('utf16le')
    for (const secret of [credential.username, credential.password, 'evil.exe']) expect(text).not.toContain(secret)
    expect(data.readUInt32LE(8) & 0x80).toBe(0)
  })

  test('channels that policy refuses are not in the negotiation; what is sent on them goes nowhere', async () => {
    port.rule = ({ action }) => (action === 'rdp:connect' || action === 'rdp:audio' ? allow : block)
    await open()
    const client = await signedIn()
    expect(target.settings[0]?.channels.map(({ name }) => name)).toEqual(['rdpsnd', 'drdynvc'])
    const before = target.received.length
    // The first ghost.
    client.send(mcsData('client', 1010, 0xeffe, Buffer.alloc(40)))
    client.send(mcsData('client', 1010, 1003, Buffer.from('12001700f203ea0301000001000000001f00'.slice(0, 36), 'hex')))
    await until(() => target.received.length > before)
    expect(target.received.slice(before).map((mcs) => (mcs.kind === 'data' ? mcs.channel : 0))).toEqual([1003])
    const refused = port.events.flatMap((event) =>
      event.type === 'request' && event.outcome === 'blocked' ? [event.action] : [],
    )
    expect(refused).toEqual(['rdp:clipboard', 'rdp:clipboard', 'rdp:drive', 'rdp:printer'])
  })

  test('drawing codecs are taken out of what the target offers', async () => {
    await open()
    const client = await signedIn()
    const demand = client.received.filter((mcs) => mcs.kind === 'data').at(-1)
    const data = demand?.kind === 'data' ? demand.data : Buffer.alloc(0)
    expect(data.readUInt16LE(18)).toBe(3)
  })

  test.each([
    ['another password', { ...credential, password: 'x' }],
    ['another name', { ...credential, username: 'ada' }],
  ])('with %s: the target hears nothing of it', async (_, as) => {
    await open()
    await startClient(door.port, as).catch(() => undefined)
    expect(await reason()).toMatch(/does not belong to this session|did not sign in/)
    expect(target.received.some((mcs) => mcs.kind === 'data')).toBe(false)
  })

  test.each([
    ['without TLS', requestFor(credential.username, 0), /does not speak TLS/],
    ['that sends bytes before TLS', Buffer.concat([connectionRequest(1), Buffer.from('x')]), /before TLS/],
    ['that speaks HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n'), /does not speak RDP/],
    ['whose first message is endless', Buffer.from([3, 0, 0xff, 0xff, 1]), /impossible length/],
  ])('a client %s is turned away, and the target is not dialled', async (_, bytes, why) => {
    await open()
    const socket = connect({ host: '127.0.0.1', port: door.port })
    socket.on('error', () => undefined)
    socket.resume()
    socket.write(bytes)
    expect(await reason()).toMatch(why)
    expect(target.dialled).toBe(0)
    socket.destroy()
  })
})

describe('the target', () => {
  test('with another certificate gets nothing', async () => {
    await open('tls', { mode: 'pinned', certificates: [fingerprint(ours)] })
    await startClient(door.port).catch(() => undefined)
    expect(await reason()).toContain(`the target showed the certificate ${fingerprint(theirs)}`)
    expect(await reason()).toContain('adds it to tls.certificates of its target')
    expect(target.settings).toEqual([])
  })

  test('that no authority vouches for gets nothing', async () => {
    await open('tls', { mode: 'verify-full', servername: 'desk' })
    await startClient(door.port).catch(() => undefined)
    expect(await reason()).toMatch(/self.signed/)
    expect(target.settings).toEqual([])
  })

  test.each([
    ['nla' as const, /Network Level Authentication/],
    ['plain' as const, /does not speak TLS/],
    ['early' as const, /before TLS/],
  ])('that answers with %s is refused in words', async (answer, why) => {
    await open(answer)
    await startClient(door.port).catch(() => undefined)
    expect(await reason()).toMatch(why)
  })
})

test.each([
  [{ width: 4096, height: 2304 }, true],
  // Two screens beside each other.
  [{ width: 5120, height: 1440 }, true],
  [{ width: 8192, height: 4320 }, false],
])('a desktop of %o is recorded: %s; one that is not is closed, in words', async (size, recorded) => {
  await open('tls', undefined, size)
  const client = await signedIn()
  if (recorded) await until(() => port.events.some((event) => event.type === 'desktop'))
  else expect(await reason()).toContain("8192×4320 can't be recorded; the largest is 4096×2304")
  expect(port.events.find((event) => event.type === 'desktop')).toEqual(
    recorded ? { type: 'desktop', at: expect.any(Number), ...size } : undefined,
  )
  client.stream.destroy()
})

describe('policy', () => {
  const hold = {
    verdict: 'hold' as const,
    policy: { id: 'ask', reason: 'Ask first.' },
    approval: { group: 'dba', count: 1, windowSeconds: 60, notify: [] },
  }

  test('a held desktop waits for people, and is opened when they approve', async () => {
    port.rule = ({ action }) => (action === 'rdp:connect' ? hold : allow)
    await open()
    const socket = connect({ host: '127.0.0.1', port: door.port })
    await until(() => port.said.length > 0)
    expect(port.said[0]).toMatchObject({ kind: 'held', command: 'rdp:connect', requestId: 'request' })
    expect(target.dialled).toBe(0)
    port.holds[0]?.settle({ kind: 'approved', by: ['grace'] })
    await until(() => port.said.length > 1)
    expect(port.said[1]).toMatchObject({ kind: 'approved', by: ['grace'] })
    socket.write(requestFor(credential.username, 1))
    const [answer] = await once(socket, 'data')
    expect(answer[11]).toBe(2)
    socket.destroy()
    await reason()
  })

  test('a held desktop that is denied, and one whose person gave up', async () => {
    port.rule = () => hold
    await open()
    const sockets = [connect({ host: '127.0.0.1', port: door.port })]
    await until(() => port.said.length === 1)
    port.holds[0]?.settle({ kind: 'denied', by: 'grace', reason: 'not tonight' })
    expect(await reason()).toBe('Denied by grace: not tonight')
    sockets.push(connect({ host: '127.0.0.1', port: door.port }))
    await until(() => port.holds.length === 2)
    sockets[1]?.destroy()
    await until(() => port.events.some((event) => event.type === 'decided' && event.outcome === 'cancelled'))
    expect(target.dialled).toBe(0)
    sockets[0]?.destroy()
  })

  test('that changes ends the session, with a code that the client shows', async () => {
    await open()
    const client = await signedIn()
    port.rule = () => block
    port.epoch++
    client.send(Buffer.from([4, 4, 0, 0x1e]))
    expect(await reason()).toBe('Blocked by closed: No.')
    await client.closed
    const last = client.received.filter((mcs) => mcs.kind === 'data').at(-1)
    const data = last?.kind === 'data' ? last.data : Buffer.alloc(0)
    expect([data.readUInt8(14), data.readUInt32LE(18)]).toEqual([47, 1])
    expect(client.received.at(-1)?.kind).toBe('disconnect')
  })

  test('that changes ends a desktop on which nobody moves, too', async () => {
    await open()
    const client = await signedIn()
    port.rule = () => block
    port.epoch++
    expect(await reason()).toBe('Blocked by closed: No.')
    await client.closed
    expect(client.received.at(-1)?.kind).toBe('disconnect')
  })

  test('what can’t be recorded is not opened', async () => {
    port.onRecord = () => Promise.reject(new Error('The disk is full.'))
    await open()
    await startClient(door.port).catch(() => undefined)
    expect(await reason()).toBe('The disk is full.')
    expect(target.dialled).toBe(0)
  })

  test('ending it tells the client', async () => {
    await open()
    const client = await signedIn()
    door.sessions[0]?.end('grace ended this session: lunch')
    await client.closed
    expect(client.received.at(-1)?.kind).toBe('disconnect')
    expect(port.said.at(-1)).toEqual({ kind: 'ended', reason: 'grace ended this session: lunch' })
  })
})

describe('hostile peers', () => {
  const bitmap = Buffer.from([0, 0x80, 28, 1, 23, 0, ...Array(22).fill(0)])
  const mangled = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
    fc.uint8Array({ maxLength: 60 }).map((bytes) => mcsData('client', 1010, 1003, Buffer.from(bytes))),
    fc.uint8Array({ maxLength: 60 }).map((bytes) => mcsData('server', 1002, 1003, Buffer.from(bytes))),
    fc
      .tuple(fc.integer({ min: 1004, max: 1009 }), fc.uint8Array({ maxLength: 60 }))
      .map(([channel, bytes]) => mcsData('client', 1010, channel, Buffer.from(bytes))),
    fc.uint8Array({ maxLength: 60 }).map((bytes) => slow(Buffer.from(bytes))),
    fc.tuple(fc.nat(27), fc.nat(255)).map(([at, value]) => {
      const bytes = Buffer.from(bitmap)
      bytes[at] = value
      return bytes
    }),
  )

  test.each(['client', 'target'] as const)(
    'whatever a %s sends, its session ends in words or goes on, and others do too',
    async (who) => {
      await open()
      const bystander = await signedIn()
      await fc.assert(
        fc.asyncProperty(fc.array(mangled, { minLength: 1, maxLength: 8 }), async (messages) => {
          const client = await signedIn()
          const stream = who === 'client' ? client.stream : target.streams.at(-1)
          for (const message of messages) stream?.write(message)
          await new Promise((resolve) => setTimeout(resolve, 5))
          client.stream.destroy()
          const end = await door.ends.at(-1)
          expect(end?.reason).not.toMatch(/RangeError|TypeError|undefined/)
        }),
        { numRuns: 25, endOnFailure: true },
      )
      expect(bystander.stream.destroyed).toBe(false)
    },
    60_000,
  )

  test('a target that draws what it was told not to is cut off before the client sees it', async () => {
    await open()
    const client = await signedIn()
    // A surface command, on the fast path.
    target.streams[0]?.write(Buffer.from([0, 7, 4, 2, 0, 1, 2]))
    expect(await reason()).toMatch(/The target broke the protocol: the target draws in a way/)
    await client.closed
  })
})
