import { z } from 'zod'
import { api } from '../api/context.ts'
import { registerApiRoutes } from '../api/server.ts'
import { stepUpError } from '../api/step-up.ts'
import { startHttp } from '../http.ts'
import { type Identity, openIdentity } from '../identity/identity.ts'
import { createMetrics } from '../metrics.ts'
import type { Log } from '../services.ts'
import { Browser, type ClientKey, jsonOf, newPkce } from './client.ts'
import { quiet, startTestStore, type TestStore } from './store.ts'
import { startTestUpstream, type TestUpstream } from './upstream.ts'

/** For tests: store, identity and HTTP of a gateway, with `me` as its API, and an upstream provider. */
export interface TestDoor {
  url: string
  upstream: TestUpstream
  identity: Identity
  store: TestStore
  audited: { actor: string; action: string; subject: string; detail: Record<string, unknown> }[]
  ended: ({ principalId: string } | { accessTokenId: string })[]
  /** One for each time that sessions were to be looked at. */
  reviews: string[]
  /** Whose requests and grants were taken back. */
  takenBack: string[]
  close(): Promise<void>
}

export const machine = {
  clientId: 'deploy',
  clientSecret: 'a secret of a machine',
  name: 'Deploy job',
  groups: ['engineers'],
}
export const redirect = 'http://127.0.0.1:4711/callback'

export async function startTestDoor(options: { log?: Log; signInHours?: number } = {}): Promise<TestDoor> {
  const log = options.log ?? quiet
  const [store, upstream] = await Promise.all([startTestStore(), startTestUpstream()])
  const http = await startHttp({ listen: { host: '127.0.0.1', port: 0 }, tls: undefined, log })
  const audited: TestDoor['audited'] = []
  const ended: TestDoor['ended'] = []
  const reviews: TestDoor['reviews'] = []
  const takenBack: TestDoor['takenBack'] = []
  const identity = await openIdentity({
    store: store.store,
    sealer: store.sealer,
    config: {
      name: 'Harborline',
      upstream: { ...upstream, groupsClaim: 'groups', mfaAcr: 'urn:test:mfa' },
      machines: [machine, ciMachine(upstream)],
      signInHours: options.signInHours ?? 12,
    },
    publicUrl: http.address,
    audit: {
      append: async (entry) => {
        audited.push(entry)
      },
    },
    sessions: {
      endFor: async (who) => {
        ended.push(who)
        return 0
      },
      review: async () => {
        reviews.push('review')
      },
    },
    takeBack: async (id, by) => {
      takenBack.push(`${id} by ${by}`)
    },
    log,
  })
  identity.register(http.app)
  await registerApiRoutes(http.app, {
    router: {
      me: api.me.handler(({ context: { caller } }) => ({
        principal: caller.principal,
        gateway: { name: String(caller.mfa), version: '0', url: http.address },
        signInEndsAt: caller.signInEndsAt,
        mfa: caller.mfa,
        ...(caller.signedInAt === undefined ? {} : { signedInAt: caller.signedInAt }),
      })),
      policies: {
        get: api.policies.get.handler(() => {
          throw stepUpError('audit-mfa: This takes a sign-in with a second factor.', { maxAgeSeconds: 900 })
        }),
      },
      explain: api.explain.handler(() => {
        throw new Error('a reason that nobody outside may see')
      }),
    },
    tokens: identity.tokens,
    metrics: createMetrics(),
    publicUrl: http.address,
    name: 'Harborline',
    version: '0.0.0',
    unready: async () => undefined,
    log,
  })
  await http.open((_request, socket) => socket.destroy())
  return {
    url: http.address,
    upstream,
    identity,
    store,
    audited,
    ended,
    reviews,
    takenBack,
    close: async () => {
      await http.close()
      await identity.close()
      await upstream.close()
      await store.close()
    },
  }
}

function ciMachine({ issuer, clientId }: TestUpstream) {
  const idToken = { issuer, audience: clientId, subject: 'ci-job-1' }
  return { clientId: 'ci', name: 'CI', groups: ['engineers'], idToken }
}

/** Tokens, or an error; a field that did not come is empty. */
const TokenAnswer = z.object({
  access_token: z.string().default(''),
  refresh_token: z.string().default(''),
  token_type: z.string().default(''),
  expires_in: z.number().default(0),
  error: z.string().optional(),
  error_description: z.string().optional(),
})
export type TokenAnswer = z.infer<typeof TokenAnswer>

/** Walks to where the client would get its code: the address on its loopback listener. */
export async function authorize(
  door: TestDoor,
  browser: Browser,
  extra: Record<string, string> = {},
): Promise<{ answer: URL; verifier: string }> {
  const { verifier, challenge } = newPkce()
  const url = new URL(`${door.url}/oauth/auth`)
  url.search = new URLSearchParams({
    client_id: 'sallyport-desktop',
    redirect_uri: redirect,
    response_type: 'code',
    scope: 'openid profile offline_access',
    state: 'state-of-the-client',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...extra,
  }).toString()
  const { url: end, response } = await browser.follow(
    url.href,
    (next) => next.port !== '4711' && next.protocol === 'http:',
  )
  if (new URL(end).port !== '4711' && new URL(end).protocol === 'http:') {
    throw new Error(`stuck at ${end}: ${response.status} ${await response.text()}`)
  }
  return { answer: new URL(end), verifier }
}

/** Posts to the token endpoint, with a proof when there is a key. */
export async function tokenRequest(
  door: TestDoor,
  parameters: Record<string, string>,
  key?: ClientKey,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: TokenAnswer }> {
  const url = `${door.url}/oauth/token`
  const proof: Record<string, string> = key === undefined ? {} : { dpop: await key.proof('POST', url) }
  const response = await fetch(url, {
    method: 'POST',
    body: new URLSearchParams(parameters),
    headers: { ...headers, ...proof },
  })
  return { status: response.status, body: await jsonOf(response, TokenAnswer) }
}

/** Signs in with the code flow. */
export async function signIn(
  door: TestDoor,
  key: ClientKey,
  browser: Browser = new Browser(),
  extra: Record<string, string> = {},
): Promise<TokenAnswer> {
  const { answer, verifier } = await authorize(door, browser, extra)
  const code = answer.searchParams.get('code')
  if (code === null) throw new Error(`no code: ${answer.href}`)
  const { status, body } = await tokenRequest(
    door,
    {
      grant_type: 'authorization_code',
      client_id: 'sallyport-desktop',
      code,
      redirect_uri: extra.redirect_uri ?? redirect,
      code_verifier: verifier,
    },
    key,
  )
  if (status !== 200) throw new Error(`no tokens: ${JSON.stringify(body)}`)
  return body
}

/** Calls the API as a client with this key. */
export async function call(
  door: TestDoor,
  key: ClientKey,
  accessToken: string,
  path = '/api/v1/me',
  init: RequestInit = {},
): Promise<Response> {
  const url = door.url + path
  const dpop = await key.proof(init.method ?? 'GET', url, { accessToken })
  return fetch(url, { ...init, headers: { ...init.headers, authorization: `DPoP ${accessToken}`, dpop } })
}
