import { createServer, type Socket } from 'node:net'
import ssh2 from 'ssh2'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { serveSshFront } from './front.ts'
import { ed25519Pair } from './key-pair.ts'
import { entryDeadlineMs, serveSsh } from './session.ts'
import { targetDeadlineMs } from './target.ts'
import { dialTcp, doorKey, listen, startDoor, testPort } from './testing.ts'
import { fingerprint } from './transport.ts'

/** Peers that stop in the middle of their sign-in, wherever that is: nobody waits for them. */
const cleanup: (() => Promise<void> | void)[] = []
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true })
})
afterEach(async () => {
  // What is closed lingers by the clock that it was opened with.
  for (const close of cleanup.splice(0).reverse()) await close()
  vi.useRealTimers()
})

const hostPair = ed25519Pair()
const userPair = ed25519Pair()
const hostKeys = [fingerprint(Buffer.from(hostPair.public.split(' ')[1] ?? '', 'base64'))]
/** A client that opens nothing yet is let go somewhat later, so that what it opens can say why. */
const wordsMs = 10_000
const tooLong = 'Nobody signed in for too long.'

/** Passes connections on to `port`; of what the stalling side sends, `bytes` alone, and keeps the connection. */
async function stallingAt(
  port: number,
  side: 'client' | 'host',
  bytes: number,
): Promise<{ port: number; stalled: Promise<void> }> {
  const stalled = Promise.withResolvers<void>()
  const server = createServer(async (client) => {
    const host = await dialTcp(port)
    cleanup.push(() => {
      client.destroy()
      host.destroy()
    })
    const [from, to] = side === 'client' ? [client, host] : [host, client]
    let left = bytes
    if (left === 0) stalled.resolve()
    from.on('data', (chunk: Buffer) => {
      const part = chunk.subarray(0, left)
      left -= part.length
      if (part.length > 0) to.write(part)
      if (left === 0) stalled.resolve()
    })
    to.pipe(from)
    for (const socket of [client, host]) socket.on('error', () => undefined)
    from.on('close', () => to.destroy())
  })
  cleanup.push(() => {
    server.close()
  })
  return { port: await listen(server), stalled: stalled.promise }
}

/** A host that decides on sign-ins as it is told to. */
async function host(onSignIn: (context: ssh2.AuthContext) => void = (context) => context.accept()): Promise<number> {
  const server = new ssh2.Server({ hostKeys: [hostPair.private] }, (client) => {
    client.on('error', () => undefined)
    client.on('authentication', onSignIn)
  })
  const listening = createServer((socket) => server.injectSocket(socket))
  cleanup.push(() => {
    listening.close()
  })
  return listen(listening)
}

async function doorTo(port: number) {
  const door = await startDoor({ port, user: 'deploy', privateKey: userPair.private, hostKeys }, testPort())
  cleanup.push(door.close)
  return door
}

/** A client of ssh2's; `signIn` as its `authHandler`. */
async function client(port: number, signIn?: ssh2.ConnectConfig['authHandler']): Promise<ssh2.Client> {
  const connection = new ssh2.Client()
  connection.on('error', () => undefined)
  const sock = await dialTcp(port)
  const more = signIn === undefined ? {} : { authHandler: signIn }
  connection.connect({ sock, username: 'anyone', password: 'x', readyTimeout: 0, ...more })
  cleanup.push(() => {
    connection.destroy()
  })
  return connection
}

/** Byte by byte into the version, the offer of algorithms, and the exchange of keys. */
const places = [0, 4, 60, 900, 1_180] as const

describe('a client that stops', () => {
  test.each(places)('after %i bytes is let go', async (bytes) => {
    const door = await doorTo(await host())
    const { port, stalled } = await stallingAt(door.port, 'client', bytes)
    await client(port)
    await stalled
    await expect.poll(() => door.sessions.length).toBe(1)
    await vi.advanceTimersByTimeAsync(entryDeadlineMs)
    expect((await door.sessions[0]?.done)?.reason).toBe(`The client left before it signed in: ${tooLong}`)
  })

  test('before it says who it is, is let go', async () => {
    const door = await doorTo(await host())
    const asked = Promise.withResolvers<void>()
    await client(door.port, () => {
      asked.resolve()
    })
    await asked.promise
    await vi.advanceTimersByTimeAsync(entryDeadlineMs)
    expect((await door.sessions[0]?.done)?.reason).toContain(tooLong)
  })

  test('at the native door, where it is asked for its token, is let go', async () => {
    const closed = Promise.withResolvers<void>()
    const server = createServer((socket: Socket) => {
      socket.once('close', () => closed.resolve())
      serveSshFront({
        client: socket,
        hostKey: doorKey,
        authenticate: async () => ({ ok: false, reason: 'never asked' }),
      })
    })
    cleanup.push(() => {
      server.close()
    })
    const asked = Promise.withResolvers<void>()
    await client(await listen(server), () => {
      asked.resolve()
    })
    await asked.promise
    await vi.advanceTimersByTimeAsync(entryDeadlineMs)
    await closed.promise
  })
})

describe('a host that stops', () => {
  test.each(places)('after %i bytes is let go, and the client hears of it', async (bytes) => {
    const { port, stalled } = await stallingAt(await host(), 'host', bytes)
    const door = await doorTo(port)
    await client(door.port)
    await stalled
    await vi.advanceTimersByTimeAsync(targetDeadlineMs)
    await vi.advanceTimersByTimeAsync(wordsMs)
    expect((await door.sessions[0]?.done)?.reason).toContain(
      `The host could not be reached through SSH: it did not answer within ${targetDeadlineMs / 1000} s.`,
    )
  })

  test('before it decides on the key is let go', async () => {
    const asked = Promise.withResolvers<void>()
    const door = await doorTo(await host(() => asked.resolve()))
    await client(door.port)
    await asked.promise
    await vi.advanceTimersByTimeAsync(targetDeadlineMs)
    await vi.advanceTimersByTimeAsync(wordsMs)
    expect((await door.sessions[0]?.done)?.reason).toContain(`did not answer within ${targetDeadlineMs / 1000} s.`)
  })

  test('before it is there at all is not waited for', async () => {
    const dialled = Promise.withResolvers<void>()
    const ends: Promise<{ reason: string }>[] = []
    const server = createServer((socket) => {
      const session = serveSsh({
        client: socket,
        dial: () => {
          dialled.resolve()
          return new Promise(() => undefined)
        },
        target: { kind: 'ssh', host: '127.0.0.1', port: 1, user: 'deploy', privateKey: userPair.private, hostKeys },
        hostKey: doorKey,
        port: testPort(),
      })
      ends.push(session.done)
    })
    cleanup.push(() => {
      server.close()
    })
    await client(await listen(server))
    await dialled.promise
    await vi.advanceTimersByTimeAsync(targetDeadlineMs)
    await vi.advanceTimersByTimeAsync(wordsMs)
    expect((await ends[0])?.reason).toContain(`The host did not answer within ${targetDeadlineMs / 1000} s.`)
  })
})

test('one that goes on is let in: what stalls above is what was held back', async () => {
  const { port } = await stallingAt(await host(), 'host', Number.POSITIVE_INFINITY)
  const door = await doorTo(port)
  const front = await stallingAt(door.port, 'client', Number.POSITIVE_INFINITY)
  const connection = await client(front.port)
  await new Promise<void>((resolve, reject) => connection.once('ready', resolve).once('error', reject))
  await vi.advanceTimersByTimeAsync(entryDeadlineMs + targetDeadlineMs)
  await new Promise<void>((resolve, reject) => {
    connection.exec('true', (error) => (error === undefined || error.message !== '' ? resolve() : reject(error)))
  })
})
