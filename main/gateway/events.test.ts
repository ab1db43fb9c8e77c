import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import type { GatewayEvent } from '../../shared/api/models.ts'
import { type ApiClient, createApiClient } from './client.ts'
import { followEvents } from './events.ts'

/** The API of a gateway that answers by `listener`, until the test is over. */
async function apiOf(listener: RequestListener): Promise<ApiClient> {
  const server = createServer(listener)
  onTestFinished(() => void server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return createApiClient(`http://127.0.0.1:${port}`, { access: () => Promise.resolve({ token: 't' }) })
}

test('resumes after the last event that was seen, when the stream breaks', async () => {
  const asked: (string | undefined)[] = []
  const api = await apiOf((request, response) => {
    asked.push(request.headers['last-event-id']?.toString())
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const id = String(asked.length)
    response.write(`event: message\nid: ${id}\ndata: ${JSON.stringify({ type: 'policy', id, version: id })}\n\n`)
    setImmediate(() => response.destroy())
  })
  const abort = new AbortController()
  const seen: GatewayEvent[] = []
  const warnings: string[] = []
  await followEvents(
    api,
    (event) => {
      seen.push(event)
      if (seen.length === 2) abort.abort()
    },
    (message) => warnings.push(message),
    abort.signal,
  )
  expect(seen.map((event) => event.id)).toEqual(['1', '2'])
  expect(asked).toEqual([undefined, '1'])
  expect(warnings[0]).toContain('again in 1 s')
})

test('what could not be followed is followed again as soon as the gateway is seen to answer', async () => {
  let asked = 0
  const api = await apiOf((_request, response) => {
    asked += 1
    response.writeHead(503).end()
  })
  const abort = new AbortController()
  // By the clock alone the sixth try would come after half a minute.
  await followEvents(
    api,
    () => {},
    () => {
      if (asked === 6) abort.abort()
    },
    abort.signal,
    () => Promise.resolve(),
  )
  expect(asked).toBe(6)
})
