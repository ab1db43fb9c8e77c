import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { expect, test } from 'vitest'
import { testTls } from '../testing/tls.ts'
import { checkAge, createUpstream } from './upstream.ts'

const issuer = new URL('https://id.example/realm')
const secondsAgo = (seconds: number) => Math.floor(Date.now() / 1000) - seconds

test('a fresh sign-in that is wanted has to be one, and said to be one', () => {
  expect(() => checkAge(secondsAgo(60), 900, issuer)).not.toThrow()
  expect(() => checkAge(secondsAgo(3600), 900, issuer)).toThrow(/id\.example answered with an earlier sign-in/)
  expect(() => checkAge(undefined, 900, issuer)).toThrow(/id\.example does not say when you signed in there/)
  expect(() => checkAge(undefined, undefined, issuer)).not.toThrow()
})

const about: RequestListener = (_request, response) => {
  const at = 'https://other.example'
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ issuer: at, authorization_endpoint: `${at}/authorize`, token_endpoint: `${at}/token` }))
}

test.each([
  ['http', 'calls itself by another name (issuer) than this gateway knows it by'],
  ['https', 'has a certificate that is signed by nobody whom this gateway trusts'],
] as const)('a provider over %s that can’t be trusted is not said to be away: it %s', async (scheme, why) => {
  const server = scheme === 'http' ? createServer(about) : createTlsServer(testTls, about)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const host = scheme === 'http' ? '127.0.0.1' : 'localhost'
  const at = `${scheme}://${host}:${typeof address === 'object' ? address?.port : 0}`
  const upstream = createUpstream({
    issuer: at,
    clientId: 'a',
    clientSecret: 'b',
    groupsClaim: 'groups',
    mfaAcr: 'mfa',
  })
  const start = () => upstream.start('https://gateway.example/oauth/callback', {})
  try {
    await expect(start()).rejects.toMatchObject({ kind: 'invalid', message: expect.stringContaining(why) })
  } finally {
    server.close()
  }
  await expect(start()).rejects.toMatchObject({ kind: 'unreachable' })
})

test('a provider that goes away, is slow or fails between the two halves of a sign-in is said to be away, not to lie', async () => {
  let answers: RequestListener = (_request, response) => response.writeHead(503).end()
  const server = createServer((request, response) => {
    if (request.url?.includes('well-known') !== true) return answers(request, response)
    const token = `${at}/token`
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ issuer: at, authorization_endpoint: `${at}/authorize`, token_endpoint: token }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const at = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  const callback = 'https://gateway.example/oauth/callback'
  const upstream = createUpstream({
    issuer: at,
    clientId: 'a',
    clientSecret: 'b',
    groupsClaim: 'groups',
    mfaAcr: 'mfa',
    timeoutSeconds: 0.5,
  })
  const finish = async (answer = 'code=c') => {
    const { pending } = await upstream.start(callback, {})
    return upstream.finish(new URL(`${callback}?${answer}&state=${pending.state}`), pending)
  }
  const away = (words: string) => ({ kind: 'unreachable', message: expect.stringContaining(words) })
  try {
    await expect(finish()).rejects.toMatchObject(away('with an error of its own (HTTP 503)'))
    answers = (_request, response) => {
      response.writeHead(500, { 'content-type': 'application/json' }).end('{"error":"server_error"}')
    }
    await expect(finish()).rejects.toMatchObject(away('with an error of its own (HTTP 500)'))
    await expect(finish('error=temporarily_unavailable')).rejects.toMatchObject(away('has trouble of its own'))
    answers = () => {}
    await expect(finish()).rejects.toMatchObject(away('did not answer this gateway in time'))
    answers = (request) => request.socket.destroy()
    await expect(finish()).rejects.toMatchObject(away('could not be reached'))
    answers = (_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>proxy</p>')
    await expect(finish()).rejects.toMatchObject({ kind: 'invalid' })
  } finally {
    server.closeAllConnections()
    server.close()
  }
})
