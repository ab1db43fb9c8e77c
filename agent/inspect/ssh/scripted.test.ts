import { createServer } from 'node:net'
import ssh2 from 'ssh2'
import { afterEach, expect, test } from 'vitest'
import { type SshEntry, serveSshFront } from './front.ts'
import { ed25519Pair } from './key-pair.ts'
import {
  block,
  type Door,
  dialTcp,
  doorKey,
  emailMask,
  hold,
  listen,
  startDoor,
  type TestPort,
  testPort,
} from './testing.ts'
import { fingerprint } from './transport.ts'

/** Against hosts and clients made of ssh2: these run everywhere, and do what OpenSSH would not. */
const cleanup: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of cleanup.splice(0).reverse()) await close()
})

const hostPair = ed25519Pair()
const userPair = ed25519Pair()

interface Scripted {
  port: number
  user: string
  privateKey: string
  hostKeys: string[]
}

async function scriptedHost(onSession: (session: ssh2.Session, client: ssh2.Connection) => void): Promise<Scripted> {
  const server = new ssh2.Server({ hostKeys: [hostPair.private] }, (client) => {
    client.on('error', () => undefined)
    client.on('authentication', (context) => {
      if (context.method === 'publickey' && context.username === 'deploy') context.accept()
      else context.reject(['publickey'])
    })
    client.on('session', (accept) => onSession(accept(), client))
    cleanup.push(() => {
      client.end()
    })
  })
  const listening = createServer((socket) => server.injectSocket(socket))
  const port = await listen(listening)
  cleanup.push(() => {
    listening.close()
  })
  const key = Buffer.from(hostPair.public.split(' ')[1] ?? '', 'base64')
  return { port, user: 'deploy', privateKey: userPair.private, hostKeys: [fingerprint(key)] }
}

async function open(host: Scripted, port: TestPort): Promise<Door> {
  const door = await startDoor(host, port)
  cleanup.push(door.close)
  return door
}

async function client(doorPort: number, config: ssh2.ConnectConfig = {}): Promise<ssh2.Client> {
  const connection = new ssh2.Client()
  const sock = await dialTcp(doorPort)
  cleanup.push(() => {
    connection.end()
  })
  await new Promise<void>((resolve, reject) => {
    connection.on('error', reject).once('ready', resolve)
    connection.connect({ sock, username: 'anyone', ...config })
  })
  return connection
}

function exec(connection: ssh2.Client, command: string): Promise<ssh2.ClientChannel> {
  return new Promise((resolve, reject) => {
    connection.exec(command, (error, channel) => (error ? reject(error) : resolve(channel)))
  })
}

function finish(channel: ssh2.ClientChannel): Promise<{ stdout: string; stderr: string; code: number | null }> {
  let stdout = ''
  let stderr = ''
  channel.on('data', (chunk: Buffer) => {
    stdout += chunk
  })
  channel.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk
  })
  return new Promise((resolve) => channel.on('close', (code: number | null) => resolve({ stdout, stderr, code })))
}

test('signals reach the program', async () => {
  const host = await scriptedHost((session) => {
    let channel: ssh2.ServerChannel | undefined
    session.on('exec', (accept) => {
      channel = accept()
      channel.write('ready')
    })
    session.on('signal', (_accept, _reject, { name }) => {
      channel?.write(` ${name}`)
      channel?.exit(3)
      channel?.end()
    })
  })
  const channel = await exec(await client((await open(host, testPort())).port), 'wait')
  const result = finish(channel)
  channel.once('data', () => channel.signal('HUP'))
  expect(await result).toMatchObject({ stdout: 'ready HUP', code: 3 })
})

test('a host that opens channels toward the person is refused', async () => {
  const answers: string[] = []
  const host = await scriptedHost((session, connection) => {
    session.on('exec', (accept) => {
      const channel = accept()
      connection.forwardOut('127.0.0.1', 1, '127.0.0.1', 2, (error) => {
        answers.push(String(error?.message))
        connection.x11('127.0.0.1', 1, (x11Error) => {
          answers.push(String(x11Error?.message))
          channel.exit(0)
          channel.end()
        })
      })
    })
  })
  await finish(await exec(await client((await open(host, testPort())).port), 'x'))
  expect(answers).toEqual(Array(2).fill('(SSH) Channel open failure: not let through'))
})

test('stdout and stderr both wait for a slow reader, and nothing is lost, doubled or reordered', async () => {
  const lines = 60_000
  const host = await scriptedHost((session) => {
    session.on('exec', (accept) => {
      const channel = accept()
      let line = 0
      const more = (): void => {
        while (line < lines) {
          line += 1
          if (!channel.write(`out ${line} ${'x'.repeat(80)}\n`)) break
        }
        if (line < lines) channel.once('drain', more)
        else {
          channel.exit(0)
          channel.end()
        }
      }
      more()
    })
  })
  const channel = await exec(await client((await open(host, testPort())).port), 'x')
  channel.pause()
  await new Promise((resolve) => setTimeout(resolve, 100))
  const { stdout, code } = await finish(channel.resume() as ssh2.ClientChannel)
  expect(code).toBe(0)
  const numbers = stdout
    .trimEnd()
    .split('\n')
    .map((each) => Number(each.split(' ')[1]))
  expect(numbers.length).toBe(lines)
  expect(numbers.every((each, i) => each === i + 1)).toBe(true)
})

test('a prompt is shown at once although a mask might still match', async () => {
  const host = await scriptedHost((session) => {
    session.on('pty', (accept) => accept())
    session.on('shell', (accept) => {
      const channel = accept()
      channel.write('login: ')
      channel.on('data', () => {
        channel.exit(0)
        channel.end()
      })
    })
  })
  const port = testPort()
  port.masks = [emailMask()]
  const connection = await client((await open(host, port)).port)
  const channel = await new Promise<ssh2.ClientChannel>((resolve, reject) =>
    connection.shell((e, c) => (e ? reject(e) : resolve(c))),
  )
  expect(String(await new Promise((resolve) => channel.once('data', resolve)))).toBe('login: ')
  channel.write('x')
  await finish(channel)
})

test('an answer of the host that breaks the protocol ends the session', async () => {
  const host = await scriptedHost((session) => {
    session.on('exec', (accept) => {
      const channel = accept()
      // Past the window that we granted: ssh2 itself would never.
      const outgoing: unknown = Reflect.get(channel, 'outgoing')
      if (typeof outgoing === 'object' && outgoing !== null) Reflect.set(outgoing, 'window', 2 ** 31)
      channel.write(Buffer.alloc(16 << 20))
    })
  })
  const port = testPort()
  const door = await open(host, port)
  const channel = await exec(await client(door.port), 'x')
  channel.pause()
  expect((await door.sessions[0]?.done)?.reason).toContain('more data than the window allows')
})

test('a client that sends past its window is shown out', async () => {
  const host = await scriptedHost(() => undefined)
  const port = testPort(() => hold)
  const door = await open(host, port)
  const channel = await exec(await client(door.port), 'x')
  await port.held()
  const outgoing: unknown = Reflect.get(channel, 'outgoing')
  if (typeof outgoing === 'object' && outgoing !== null) Reflect.set(outgoing, 'window', 2 ** 31)
  channel.write(Buffer.alloc(8 << 20))
  expect((await door.sessions[0]?.done)?.reason).toContain('more data than the window allows')
  expect(port.holds[0]?.cancelled).toBe(true)
})

test('a client that leaves cancels what it holds', async () => {
  const port = testPort(() => hold)
  const door = await open(await scriptedHost(() => undefined), port)
  const connection = await client(door.port)
  await exec(connection, 'x')
  await port.held()
  connection.destroy()
  await port.seen('decided', (e) => e.outcome === 'cancelled')
  await door.sessions[0]?.done
})

// The native listener ---------------------------------------------------------------------------------------------------

async function front(authenticate: (user: string, password: string) => Promise<SshEntry>): Promise<number> {
  const server = createServer((socket) => {
    serveSshFront({ client: socket, hostKey: doorKey, authenticate })
    cleanup.push(() => {
      socket.destroy()
    })
  })
  cleanup.push(() => {
    server.close()
  })
  return listen(server)
}

async function frontTo(port: TestPort, asked: string[][]): Promise<number> {
  const host = await scriptedHost((session) => {
    session.on('exec', (accept) => {
      const channel = accept()
      channel.write('hello')
      channel.exit(0)
      channel.end()
    })
  })
  return front(async (user, password) => {
    asked.push([user, password])
    if (password !== 'token') return { ok: false, reason: 'This token has expired. Get another: sallyport token web-1' }
    return {
      ok: true,
      open: () => ({ dial: () => dialTcp(host.port), target: { kind: 'ssh', host: '127.0.0.1', ...host }, port }),
      opened: (session) => {
        cleanup.push(async () => {
          session.end('The test is over.')
          await session.done
        })
      },
    }
  })
}

test.each(['password', 'keyboard-interactive'] as const)('the native listener lets in by %s', async (method) => {
  const asked: string[][] = []
  const doorPort = await frontTo(testPort(), asked)
  const connection = new ssh2.Client()
  connection.on('keyboard-interactive', (_name, _instructions, _language, _prompts, answer) => answer(['token']))
  const ready = new Promise<void>((resolve, reject) => connection.once('ready', resolve).once('error', reject))
  const way: ssh2.ConnectConfig = method === 'password' ? { password: 'token' } : { tryKeyboard: true }
  connection.connect({ sock: await dialTcp(doorPort), username: 'ada%web-1', ...way })
  cleanup.push(() => {
    connection.end()
  })
  await ready
  expect(asked).toEqual([['ada%web-1', 'token']])
  expect((await finish(await exec(connection, 'x'))).stdout).toBe('hello')
})

test('the native listener says why it refuses, and ends after three tries', async () => {
  const asked: string[][] = []
  const doorPort = await frontTo(testPort(), asked)
  const connection = new ssh2.Client()
  const banners: string[] = []
  connection.on('banner', (text) => banners.push(text))
  const failed = new Promise<Error>((resolve) => connection.on('error', resolve))
  const wrong = { type: 'password', username: 'ada%web-1', password: 'old' } as const
  connection.connect({
    sock: await dialTcp(doorPort),
    username: 'ada%web-1',
    authHandler: (_left, _partial, next) => next(wrong),
  })
  expect((await failed).message).toContain('Too many sign-in attempts.')
  expect(asked.length).toBe(3)
  expect(banners[0]).toContain('This token has expired.')
})

test('a public key or no password at all never gets in', async () => {
  const asked: string[][] = []
  const doorPort = await frontTo(testPort(), asked)
  await expect(client(doorPort, { username: 'ada%web-1', privateKey: userPair.private })).rejects.toThrow(
    'All configured authentication methods failed',
  )
  await expect(client(doorPort, { username: 'ada%web-1' })).rejects.toThrow()
  expect(asked).toEqual([])
})

test('a refusal of the check itself opens nothing', async () => {
  const doorPort = await front(() => Promise.reject(new Error('store is down')))
  await expect(client(doorPort, { password: 'token' })).rejects.toThrow('The sign-in could not be checked.')
})

test('policy holds at the native listener as well', async () => {
  const doorPort = await frontTo(
    testPort(() => block),
    [],
  )
  const result = await finish(await exec(await client(doorPort, { password: 'token' }), 'x'))
  expect(result).toMatchObject({ stdout: '', code: 126, stderr: expect.stringContaining('Blocked by no-prod-exec') })
})
