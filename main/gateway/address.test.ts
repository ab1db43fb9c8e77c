import { once } from 'node:events'
import { createServer } from 'node:http'
import { expect, test } from 'vitest'
import { discoverGateway, gatewayOrigin } from './address.ts'

test.each([
  ['sallyport.example.com', 'https://sallyport.example.com'],
  [' https://sallyport.example.com/some/page ', 'https://sallyport.example.com'],
  ['localhost:8480', 'http://localhost:8480'],
  ['127.0.0.1:8480', 'http://127.0.0.1:8480'],
  ['http://[::1]:8480', 'http://[::1]:8480'],
])('%s is %s', (typed, origin) => expect(gatewayOrigin(typed)).toBe(origin))

test.each(['', 'http://sallyport.example.com', 'ftp://x', 'https://user:secret@x', 'http://127.0.0.1.evil.example'])(
  '%s is refused',
  (typed) => expect(() => gatewayOrigin(typed)).toThrow(),
)

async function answering(body: (origin: string) => string): Promise<{ url: string; close(): void }> {
  const server = createServer((_request, response) => response.end(body(url)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  return { url, close: () => server.close() }
}

test.each([
  ['is no gateway', () => '<html>', 'not a Sallyport gateway'],
  [
    'names a sign-in server elsewhere',
    (o: string) =>
      JSON.stringify({ name: 'x', version: '1', issuer: 'https://evil.example/oauth', api: `${o}/api/v1` }),
    'another host',
  ],
  [
    'names an unencrypted API elsewhere',
    () =>
      JSON.stringify({ name: 'x', version: '1', issuer: 'http://evil.example/oauth', api: 'http://evil.example/api' }),
    'in the clear',
  ],
])('a server that %s is not used', async (_what, body, words) => {
  const server = await answering(body)
  await expect(discoverGateway(server.url)).rejects.toThrow(words)
  server.close()
})

test('a gateway that is not there is said to be out of reach', async () => {
  await expect(discoverGateway('http://127.0.0.1:1')).rejects.toMatchObject({
    problem: { code: 'gateway-unreachable', action: 'retry' },
  })
})
