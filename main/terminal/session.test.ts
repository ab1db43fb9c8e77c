import type { ServerChannel } from 'ssh2'
import { afterEach, expect, test } from 'vitest'
import type { Annotation } from '../../shared/annotation.ts'
import type { TerminalEvent } from '../../shared/rpc/contract.ts'
import { type Relay, startRelay } from '../testing/relay.ts'
import { type SshHost, startSshHost } from '../testing/ssh.ts'
import { openTunnel } from '../tunnel.ts'
import { TerminalSession } from './session.ts'

let host: SshHost
let relay: Relay
let terminal: TerminalSession | undefined

afterEach(async () => {
  terminal?.close()
  terminal = undefined
  await relay.close()
  await host.close()
})

async function open(shell: (channel: ServerChannel) => void, hostKey?: string): Promise<TerminalSession> {
  host = await startSshHost(shell)
  relay = await startRelay(host.port)
  terminal = new TerminalSession({
    dial: async () => ({
      stream: await openTunnel({ url: relay.url, ticket: relay.ticket() }),
      sessionId: 's-1',
      hostKey: hostKey ?? host.hostKey,
    }),
    user: 'ada',
    cols: 80,
    rows: 24,
  })
  return terminal
}

async function all(session: TerminalSession): Promise<TerminalEvent[]> {
  const events: TerminalEvent[] = []
  for await (const event of session.attach()) events.push(event)
  return events
}

const text = (events: TerminalEvent[]): string => events.map((e) => (e.type === 'data' ? e.text : '')).join('')

test('shows output as text, decisions as annotations in place, and the exit code', async () => {
  const annotation: Annotation = { kind: 'approved', requestId: 'r-1', by: ['grace'] }
  const bytes = Buffer.from(`é😀\u001b]7717;${Buffer.from(JSON.stringify(annotation)).toString('base64')}\u001b\\after`)
  const session = await open((channel) => {
    const send = (at: number): void => {
      if (at < bytes.length) channel.write(bytes.subarray(at, at + 1), () => send(at + 1))
      else {
        channel.exit(3)
        channel.end()
      }
    }
    send(0)
  })
  const events = await all(session)
  expect(events[0]).toEqual({ type: 'ready', sessionId: 's-1' })
  expect(text(events)).toBe('é😀after')
  expect(events.find((e) => e.type === 'annotation')).toMatchObject({ annotation })
  expect(events.at(-1)).toEqual({ type: 'exit', code: 3 })
})

test('types, resizes, and hands over to a second reader', async () => {
  const session = await open((channel) => channel.on('data', (d: Buffer) => channel.write(`<${d}>`)))
  const first = session.attach()
  expect((await first.next()).value).toMatchObject({ type: 'ready' })
  session.write('ls')
  expect((await first.next()).value).toEqual({ type: 'data', text: '<ls>' })
  const waiting = first.next()
  const second = session.attach()
  const next = second.next()
  expect((await waiting).done).toBe(true)
  session.resize(120, 40)
  session.write('x')
  expect((await next).value).toEqual({ type: 'data', text: '<x>' })
  expect(host.windows).toEqual(['80x24', '120x40'])
})

test('what is typed before there is a shell reaches it whole and in order; what is typed after the end is refused', async () => {
  const session = await open((channel) => channel.once('data', (d: Buffer) => channel.end(`<${d}>`)))
  for (const key of 'rm /tmp/x\r') session.write(key)
  const events = await all(session)
  expect(text(events)).toBe('<rm /tmp/x\r>')
  expect(() => session.write('x')).toThrow('not connected')
})

test('a host key that the gateway did not name is refused before anything is sent', async () => {
  let opened = false
  const session = await open(() => {
    opened = true
  }, 'SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA')
  const events = await all(session)
  expect(events).toEqual([{ type: 'exit', problem: expect.objectContaining({ code: 'failed' }) }])
  expect(JSON.stringify(events)).toContain('host key')
  expect(opened).toBe(false)
})

test('a reader that does not read makes the host wait', async () => {
  const block = Buffer.alloc(64 * 1024, 'x')
  let sent = 0
  const session = await open((channel) => {
    const more = (): void => {
      while (sent < 64 * 1024 * 1024) {
        sent += block.length
        if (!channel.write(block)) return
      }
      channel.exit(0)
      channel.end()
    }
    channel.on('drain', more)
    more()
  })
  const reader = session.attach()
  await reader.next()
  let before = -1
  while (before !== sent) {
    before = sent
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  expect(sent).toBeLessThan(16 * 1024 * 1024)
  let received = 0
  for await (const event of reader) if (event.type === 'data') received += event.text.length
  expect(received).toBe(64 * 1024 * 1024)
})

test('a lost session says so', async () => {
  const session = await open((channel) => channel.write('hello'))
  const reader = session.attach()
  await reader.next()
  await reader.next()
  relay.tunnels[0]?.socket.close(4001, 'The session was ended by grace.')
  expect((await reader.next()).value).toMatchObject({
    type: 'exit',
    problem: { code: 'session-ended', message: 'The session was ended by grace.' },
  })
})
