import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Target } from '../shared/link.ts'
import { dial, probe } from './dial.ts'

let server: Server
let port: number
beforeEach(async () => {
  server = createServer((socket) => {
    // A probe hangs up without reading.
    socket.on('error', () => socket.destroy())
    socket.end('hello')
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  port = portOf(server)
})
afterEach(() => {
  server.close()
})

function portOf(from: Server): number {
  const address: AddressInfo | string | null = from.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

const target = (more: Partial<Target> = {}): Target => {
  const ssh = { kind: 'ssh' as const, host: '127.0.0.1', port, user: 'x', privateKey: 'x', hostKeys: ['SHA256:x'] }
  return { ...ssh, ...(more.port === undefined ? {} : { port: more.port }), ...(more.host ? { host: more.host } : {}) }
}

async function closedPort(): Promise<number> {
  const other = createServer()
  await once(other.listen(0, '127.0.0.1'), 'listening')
  const free = portOf(other)
  other.close()
  await once(other, 'close')
  return free
}

test('dials a target', async () => {
  const socket = await dial(target())
  const [data] = await once(socket, 'data')
  expect(String(data)).toBe('hello')
  socket.destroy()
})

test('says why it could not, without the address', async () => {
  const free = await closedPort()
  await expect(dial(target({ port: free }))).rejects.toThrow('the target refuses connections')
  await expect(dial(target({ port: free }))).rejects.not.toThrow(String(free))
  await expect(dial(target({ host: 'nowhere.invalid' }))).rejects.toThrow("the target's name can't be resolved")
})

test('probes', async () => {
  expect(await probe(target(), 1_000)).toBe(true)
  expect(await probe(target({ port: await closedPort() }), 1_000)).toBe(false)
})
