import { once } from 'node:events'
import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { freePort, plannedPort } from './ports.ts'

test('ports of a kind begin where people know it, each with its own', () => {
  expect(plannedPort('postgres', new Set())).toBe(15432)
  expect(plannedPort('postgres', new Set([15432, 15433]))).toBe(15434)
  expect(plannedPort('ssh', new Set([15432]))).toBe(12022)
})

test('neither another connection’s port nor one in use is given', async () => {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const used = typeof address === 'object' && address !== null ? address.port : 0
  const port = await freePort(used, new Set([used + 1]))
  expect(port).toBeGreaterThan(used + 1)
  server.close()
})
