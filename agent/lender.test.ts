import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type Server, Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isLender } from './inspect/postgres/lending.ts'
import { acceptLender, connectLender } from './lender.ts'

const sent = randomBytes(8 << 20)
let server: Server
let port: number

beforeEach(async () => {
  server = createServer((socket) => {
    socket.write(sent.subarray(0, 5))
    socket.once('data', () => socket.end(sent.subarray(5)))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  port = address.port
})
afterEach(() => server.close())

test('is a socket like any other, and then lends what it reads, across pauses, to the end', async () => {
  const socket = connectLender({ host: '127.0.0.1', port })
  const [first] = await once(socket, 'data')
  expect(first).toEqual(sent.subarray(0, 5))
  socket.pause()
  socket.write('go')
  const hash = createHash('sha256').update(sent.subarray(0, 5))
  const kept: { chunk: Buffer; copy: Buffer }[] = []
  const memories = new Set<ArrayBufferLike>()
  let chunks = 0
  let paused = false
  socket.lend((chunk) => {
    expect(paused).toBe(false)
    hash.update(chunk)
    if (chunk.length > 20_000) memories.add(chunk.buffer)
    chunks++
    if (chunks % 7 === 0) {
      paused = true
      socket.pause()
      setImmediate(() => {
        paused = false
        socket.resume()
      })
    }
    if (chunks % 5 > 0) return false
    kept.push({ chunk, copy: Buffer.from(chunk) })
    return true
  })
  socket.resume()
  await once(socket, 'end')
  expect(hash.digest('hex')).toBe(createHash('sha256').update(sent).digest('hex'))
  expect(kept.length).toBeGreaterThan(3)
  for (const { chunk, copy } of kept) expect(chunk.equals(copy)).toBe(true)
  // Memory that nobody keeps is used again.
  expect(memories.size).toBeLessThanOrEqual(kept.length + 1)
})

test('an accepted connection goes on as one that lends, with what came meanwhile and what is written to it', async () => {
  const client = connect({ host: '127.0.0.1', port })
  server.removeAllListeners('connection')
  const [accepted] = await once(server, 'connection')
  if (!(accepted instanceof Socket)) throw new Error('not a connection')
  let gone = false
  accepted.once('close', () => {
    gone = true
  })
  const socket = acceptLender(accepted)
  if (!isLender(socket)) throw new Error('this Node has nothing to take over: acceptLender needs another way')
  client.write('as any socket')
  expect(String((await once(socket, 'data'))[0])).toBe('as any socket')
  expect(gone).toBe(true)
  socket.pause()
  client.write(sent)
  const hash = createHash('sha256')
  let length = 0
  const whole = new Promise<void>((resolve) => {
    socket.lend((chunk) => {
      hash.update(chunk)
      length += chunk.length
      if (length === sent.length) resolve()
      return false
    })
  })
  socket.resume()
  await whole
  expect(hash.digest('hex')).toBe(createHash('sha256').update(sent).digest('hex'))
  socket.end('answer')
  expect(String((await once(client, 'data'))[0])).toBe('answer')
  client.end()
  await once(socket, 'close')
})
