import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { expect, test } from 'vitest'
import { makeIdentity } from '../../agent/inspect/rdp/testing/door.ts'
import { oauthServer, signInProblem } from '../sign-in/oauth.ts'
import { discoverGateway } from './address.ts'

const refusal = (address: string) =>
  discoverGateway(address).then(
    () => 'was reached',
    (error: Error) => error.message,
  )

async function port(server: ReturnType<typeof createServer> | ReturnType<typeof createTlsServer>): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

test('why a gateway is not reached is said in words that people know', async () => {
  const plain = createServer()
  const at = await port(plain)
  expect(await refusal(`https://127.0.0.1:${at}`)).toBe(
    `https://127.0.0.1:${at} can't be reached: it does not speak TLS there.`,
  )
  plain.close()
  await once(plain, 'close')
  expect(await refusal(`http://127.0.0.1:${at}`)).toContain("can't be reached: nothing answers at that port.")
  expect(await refusal('https://sallyport.invalid')).toMatch(/no such name is known|names can’t be looked up now/)
})

test('a certificate that nobody vouches for is said to be that, and nothing is sent', async () => {
  const { certificate, key } = await makeIdentity('localhost')
  let asked = 0
  const server = createTlsServer({ cert: certificate, key }, () => {
    asked += 1
  })
  const at = await port(server)
  expect(await refusal(`https://localhost:${at}`)).toContain('signed by nobody that this computer trusts')
  expect(asked).toBe(0)
  server.close()
})

test('a gateway that is away behind a proxy is said to be away: when it is looked for, and when a sign-in is renewed', async () => {
  const proxy = createServer((_request, response) => response.writeHead(502).end('<h1>Bad Gateway</h1>'))
  const at = `http://127.0.0.1:${await port(proxy)}`
  const away = "can't be reached: it answered with an error of its own (HTTP 502)."
  expect(await refusal(at)).toContain(away)
  const info = { url: at, name: 'a', version: '1', issuer: at, api: at }
  await expect(oauthServer(info, 'sallyport-cli')).rejects.toMatchObject({
    message: expect.stringContaining(away),
    problem: { code: 'gateway-unreachable', action: 'retry' },
  })
  proxy.close()
  const wrapped = (message: string, cause: unknown) => signInProblem(new Error(message, { cause }))
  const late = new DOMException('The operation was aborted due to timeout', 'TimeoutError')
  expect(wrapped('operation timed out', late).message).toContain('it did not answer in time')
  const expired = Object.assign(new Error('certificate has expired'), { code: 'CERT_HAS_EXPIRED' })
  expect(wrapped('fetch failed', expired).problem).toMatchObject({
    code: 'gateway-unreachable',
    message: expect.stringContaining('its certificate has expired'),
  })
  expect(signInProblem(new Error('no ID token')).problem.code).toBe('sign-in-failed')
})
