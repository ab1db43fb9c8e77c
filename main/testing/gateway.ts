import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { calculateJwkThumbprint, EmbeddedJWK, exportJWK, generateKeyPair, jwtVerify } from 'jose'
import Provider, { type ClientMetadata } from 'oidc-provider'
import type { Me, SessionTicket } from '../../shared/api/models.ts'
import type { ProblemDocument } from '../../shared/api/problem.ts'

/** Stands for a gateway in tests: a real OAuth server, and as much of the API as the client core asks for. */
export interface TestGateway {
  url: string
  /** When set, the API takes only proofs with this nonce. */
  nonce: string | undefined
  /** Who signs in, and whether with a second factor. */
  person: { id: string; mfa: boolean }
  /** Calls of `/me` that were let in. */
  calls: number
  /** What a session's ticket is to say. */
  ticket: () => Omit<SessionTicket, 'sessionId' | 'expiresAt'>
  provider: Provider
  /** Ends every sign-in, as an administrator would. */
  revokeAll(): Promise<void>
  close(): Promise<void>
}

export const machine = { clientId: 'job', clientSecret: 'a secret of a job' }

export async function startGateway(): Promise<TestGateway> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const url = `http://127.0.0.1:${address.port}`
  const provider = await createProvider(url)
  const grants = new Set<string>()
  const oauth = provider.callback()
  const gateway: TestGateway = {
    url,
    nonce: undefined,
    person: { id: 'ada', mfa: false },
    calls: 0,
    ticket: () => ({ tunnel: '/api/v1/tunnel', ticket: 'none' }),
    provider,
    async revokeAll() {
      for (const grant of grants) {
        await provider.RefreshToken.revokeByGrantId(grant)
        await provider.AccessToken.revokeByGrantId(grant)
        await (await provider.Grant.find(grant))?.destroy()
      }
    },
    async close() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }

  const signInAsAda = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { params } = await provider.interactionDetails(request, response)
    const grant = new provider.Grant({ accountId: 'ada', clientId: String(params.client_id) })
    grant.addOIDCScope('openid profile offline_access')
    const grantId = await grant.save()
    grants.add(grantId)
    await provider.interactionFinished(request, response, { login: { accountId: 'ada' }, consent: { grantId } })
  }

  const api = async (request: IncomingMessage, response: ServerResponse, path: string): Promise<void> => {
    const refusal = await refused(gateway, request, `${url}${path}`)
    if (refusal !== undefined) {
      const problem = {
        type: 'about:blank',
        title: 'Unauthorized',
        status: 401,
        detail: refusal,
        code: 'NOT_SIGNED_IN',
      }
      const wanted = gateway.nonce === undefined ? {} : { 'dpop-nonce': gateway.nonce }
      send(response, 401, problem satisfies ProblemDocument, wanted)
      return
    }
    if (path === '/api/v1/me') {
      gateway.calls += 1
      send(response, 200, me(url, gateway.person))
    } else if (path === '/api/v1/requests/r1/approve' && !gateway.person.mfa) {
      const challenge = 'DPoP error="insufficient_user_authentication", acr_values="mfa", max_age="900"'
      const problem = {
        type: 'about:blank',
        title: 'Sign in again',
        status: 401,
        detail: 'writes: This takes a sign-in with a second factor.',
        code: 'STEP_UP',
        stepUp: { maxAgeSeconds: 900 },
      }
      gateway.calls += 1
      send(response, 401, problem satisfies ProblemDocument, { 'www-authenticate': challenge })
    } else if (path === '/api/v1/sessions') {
      const expiresAt = new Date(Date.now() + 60_000).toISOString()
      send(response, 201, { sessionId: randomUUID(), expiresAt, ...gateway.ticket() } satisfies SessionTicket)
    } else {
      const detail = `There is no ${path}.`
      const problem = { type: 'about:blank', title: 'Not found', status: 404, detail, code: 'NOT_FOUND' }
      send(response, 404, problem satisfies ProblemDocument)
    }
  }

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname } = new URL(request.url ?? '/', url)
    if (pathname === '/.well-known/sallyport') {
      send(response, 200, { name: 'Harborline', version: '0.0.0', issuer: `${url}/oauth`, api: `${url}/api/v1` })
    } else if (pathname.startsWith('/oauth/sign-in/')) await signInAsAda(request, response)
    else if (pathname.startsWith('/oauth/')) {
      Object.assign(request, { originalUrl: request.url, url: request.url?.slice('/oauth'.length) })
      await oauth(request, response)
    } else if (pathname.startsWith('/api/v1/')) await api(request, response, pathname)
    else send(response, 404, { title: 'Not found' })
  }
  server.on('request', (request, response) => {
    answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)))
  })
  return gateway
}

async function createProvider(url: string): Promise<Provider> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const clients: ClientMetadata[] = [
    {
      client_id: 'sallyport-cli',
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      redirect_uris: ['http://127.0.0.1/callback'],
      response_types: ['code'],
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
      dpop_bound_access_tokens: true,
      id_token_signed_response_alg: 'ES256',
      scope: 'openid profile offline_access',
    },
    {
      client_id: machine.clientId,
      client_secret: machine.clientSecret,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      id_token_signed_response_alg: 'ES256',
    },
  ]
  return new Provider(`${url}/oauth`, {
    clients,
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig' }] },
    cookies: { keys: ['test'] },
    claims: { openid: ['sub'], profile: ['name'] },
    enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
    ttl: {
      AccessToken: 600,
      ClientCredentials: 600,
      DeviceCode: 600,
      Grant: 3600,
      IdToken: 600,
      Interaction: 600,
      RefreshToken: 3600,
      Session: 600,
    },
    issueRefreshToken: () => true,
    rotateRefreshToken: true,
    features: {
      devInteractions: { enabled: false },
      deviceFlow: { enabled: true },
      clientCredentials: { enabled: true },
      dPoP: { enabled: true },
      revocation: { enabled: true },
    },
    interactions: { url: (_context, interaction) => `/oauth/sign-in/${interaction.uid}` },
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, name: 'Ada' }) }),
  })
}

/** Checks token and proof as RFC 9449 asks; undefined when all is right. */
async function refused(gateway: TestGateway, request: IncomingMessage, url: string): Promise<string | undefined> {
  const [, scheme, token] = /^(\S+) (\S+)$/.exec(request.headers.authorization ?? '') ?? []
  if (token === undefined || scheme !== 'DPoP') return 'no token'
  const { provider, nonce } = gateway
  const known = (await provider.AccessToken.find(token)) ?? (await provider.ClientCredentials.find(token))
  if (known === undefined || known.isExpired) return 'the token is not in force'
  const { payload, protectedHeader } = await jwtVerify(String(request.headers.dpop), EmbeddedJWK, { typ: 'dpop+jwt' })
  if (protectedHeader.jwk === undefined || (await calculateJwkThumbprint(protectedHeader.jwk)) !== known.jkt)
    return 'wrong key'
  if (payload.htm !== request.method || payload.htu !== url) return 'wrong request'
  if (payload.ath !== createHash('sha256').update(token).digest('base64url')) return 'wrong token'
  if (nonce !== undefined && payload.nonce !== nonce) return 'use_dpop_nonce'
  return undefined
}

function me(url: string, { id, mfa }: TestGateway['person']): Me {
  return {
    principal: { kind: 'user', id, name: 'Ada', groups: ['engineers'] },
    mfa,
    gateway: { name: 'Harborline', version: '0.0.0', url },
    signInEndsAt: new Date(Date.now() + 3_600_000).toISOString(),
  }
}

function send(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  const type = status >= 400 ? 'application/problem+json' : 'application/json'
  response.writeHead(status, { 'content-type': type, ...headers })
  response.end(JSON.stringify(body))
}

/** A browser that follows redirects, keeps cookies and sends every form as it finds it. Resolves with the last page. */
export async function browse(start: string): Promise<{ url: string; status: number; body: string }> {
  const cookies = new Map<string, string>()
  let url = start
  let form: URLSearchParams | undefined
  for (let step = 0; step < 20; step += 1) {
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form === undefined ? {} : { method: 'POST', body: form }),
    })
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
      cookies.set(name, value)
    }
    const body = await response.text()
    const location = response.headers.get('location')
    const found = /<form[^>]*action="([^"]+)"[^>]*>/.exec(body)
    if (location !== null) {
      url = new URL(location, url).href
      form = undefined
    } else if (found?.[1] !== undefined) {
      url = new URL(found[1], url).href
      form = new URLSearchParams()
      for (const input of body.matchAll(/<(?:input|button)[^>]*>/g)) {
        const name = /name="([^"]+)"/.exec(input[0])?.[1]
        if (name !== undefined && name !== 'abort') form.set(name, /value="([^"]*)"/.exec(input[0])?.[1] ?? 'yes')
      }
    } else return { url, status: response.status, body }
  }
  throw new Error(`the browser went in circles at ${url}`)
}
