import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { connectLender } from './lender.ts'

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
