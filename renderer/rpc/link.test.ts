import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { coreWords } from '../frame/core-words.ts'
import { type Connection, connectSocket } from './link.ts'
import { problemOf } from './problem.ts'

/** What answers at the core's address, as each test has it. */
let upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
let url: string
let stop: () => Promise<void>
const sockets = new WebSocketServer({ noServer: true })
const accept: typeof upgrade = (request, socket, head) => sockets.handleUpgrade(request, socket, head, () => {})
const refuse: typeof upgrade = (_request, socket) =>
  socket.end('HTTP/1.1 401 Refused\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')

beforeEach(async () => {
  upgrade = accept
  const server = createServer()
  server.on('upgrade', (request, socket, head) => upgrade(request, socket, head))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  url = `ws://127.0.0.1:${address.port}/rpc`
  stop = async () => {
    for (const client of sockets.clients) client.terminate()
    server.close()
  }
})
afterEach(() => stop())

const becomes = (core: Connection, state: string) =>
  expect.poll(() => core.state.get(), { timeout: 10_000 }).toBe(state)

async function open(knows: () => Promise<boolean> = () => Promise.resolve(true)) {
  const core = connectSocket(url, knows)
  await becomes(core, 'up')
  const [client] = [...sockets.clients].slice(-1)
  if (client === undefined) throw new Error('nobody came')
  return { core, client }
}

test('a core that says goodbye is closed, one that goes without a word does not answer', async () => {
  const { core, client } = await open()
  upgrade = refuse
  client.close(1001, 'Sallyport was closed in its terminal.')
  await becomes(core, 'closed')
  expect(coreWords(core.state.get()).what).toBe('Sallyport was closed in its terminal.')
  const other = await (async () => {
    upgrade = accept
    return open()
  })()
  upgrade = refuse
  other.client.terminate()
  await becomes(other.core, 'down')
})

test('one that was started since and does not know the page is told apart; one that does takes over', async () => {
  let known = false
  const { core, client } = await open(() => Promise.resolve(known))
  upgrade = refuse
  client.terminate()
  await becomes(core, 'replaced')
  known = true
  upgrade = accept
  await becomes(core, 'up')
})

test('what is in flight fails in words when the link breaks', async () => {
  const { core, client } = await open()
  const answer = core.link.call(['sql', 'open'], {}, { context: {} })
  await once(client, 'message')
  client.terminate()
  const problem = await answer.then(() => undefined, problemOf)
  expect(problem).toMatchObject({
    message: 'The link to Sallyport on this computer broke before the answer came.',
    hint: 'What was sent may or may not have run.',
  })
})
