import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ProblemError } from './problem.ts'
import { type Relay, startRelay } from './testing/relay.ts'
import { closeError, openTunnel } from './tunnel.ts'

let target: Server
let relay: Relay
let accept: (socket: Socket) => void

beforeEach(async () => {
  target = createServer((socket) => accept(socket))
  target.listen(0, '127.0.0.1')
  await once(target, 'listening')
  const address = target.address()
  relay = await startRelay(typeof address === 'object' && address !== null ? address.port : 0)
})

afterEach(async () => {
  await relay.close()
  target.close()
})

const open = (): ReturnType<typeof openTunnel> => openTunnel({ url: relay.url, ticket: relay.ticket() })

test('carries bytes both ways and ends', async () => {
  accept = (socket) => socket.pipe(socket)
  const tunnel = await open()
  tunnel.write('hello ')
  tunnel.write('there')
  let text = ''
  while (text.length < 11) text += String((await once(tunnel, 'data'))[0])
  expect(text).toBe('hello there')
  tunnel.end()
  await once(tunnel, 'close')
  expect(tunnel.destroyed).toBe(true)
})

test('waits for a reader that does not read', async () => {
  const block = Buffer.alloc(64 * 1024, 1)
  let sent = 0
  accept = (socket) => {
    const more = (): void => {
      while (sent < 64 * 1024 * 1024) {
        sent += block.length
        if (!socket.write(block)) return
      }
      socket.end()
    }
    socket.on('drain', more)
    more()
  }
  const tunnel = await open()
  // Nothing is read: kernel and WebSocket buffers fill, and then the target must wait.
  let before = -1
  while (before !== sent) {
    before = sent
    await new Promise((resolve) => setTimeout(resolve, 150))
  }
  expect(sent).toBeLessThan(32 * 1024 * 1024)
  let received = 0
  await pipeline(tunnel, async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) received += chunk.length
  })
  expect(received).toBe(64 * 1024 * 1024)
})

test('says why it was refused, in the words of the gateway', async () => {
  accept = (socket) => socket.end()
  const ticket = relay.ticket()
  const first = await openTunnel({ url: relay.url, ticket })
  first.destroy()
  await expect(openTunnel({ url: relay.url, ticket })).rejects.toMatchObject({
    problem: { code: 'not-signed-in', message: 'This ticket was used or has expired.' },
  })
  await expect(openTunnel({ url: 'ws://127.0.0.1:1/', ticket: 'x' })).rejects.toMatchObject({
    problem: { code: 'gateway-unreachable' },
  })
  await expect(
    openTunnel({ url: relay.url, ticket: relay.ticket(), signal: AbortSignal.abort() }),
  ).rejects.toBeInstanceOf(ProblemError)
})

test('a close code of the gateway arrives as its words', async () => {
  accept = () => {}
  const tunnel = await open()
  relay.tunnels[0]?.socket.close(4001, 'The session was ended by grace.')
  const [error] = await once(tunnel, 'error')
  expect(error).toMatchObject({ problem: { code: 'session-ended', message: 'The session was ended by grace.' } })
})

test('a write after the gateway said goodbye does not hide its reason', async () => {
  accept = () => {}
  const tunnel = await open()
  tunnel.resume()
  const far = relay.tunnels[0]?.socket
  // Our answer to the goodbye is not read yet, so the tunnel stays half closed while we write.
  far?.close(4001, 'The session was ended by grace.')
  far?.pause()
  const failed = once(tunnel, 'error')
  for (let turn = 0; turn < 50 && !tunnel.destroyed; turn++) {
    tunnel.write('more')
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  far?.resume()
  const [error] = await failed
  expect(error).toMatchObject({ problem: { message: 'The session was ended by grace.' } })
})

test('a broken connection is an error, not an end', async () => {
  accept = () => {}
  const tunnel = await open()
  tunnel.resume()
  relay.tunnels[0]?.socket.terminate()
  const [error] = await once(tunnel, 'error')
  expect(error).toMatchObject({ problem: { code: 'session-ended', action: 'reconnect' } })
})

test('a text message is no part of the tunnel', async () => {
  accept = () => {}
  const tunnel = await open()
  tunnel.resume()
  relay.tunnels[0]?.socket.send('hello')
  const [error] = await once(tunnel, 'error')
  expect(error).toMatchObject({ problem: { code: 'session-ended' } })
})

test('close codes in words', () => {
  expect(closeError(1000, '')).toBeUndefined()
  expect(closeError(4003, '')?.message).toContain('4003')
  expect(closeError(1001, '')?.message).toContain('shutting down')
  expect(closeError(1006, '')?.message).toContain('broke')
})
