import { createHash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { exportJWK, generateKeyPair } from 'jose'
import Provider, { interactionPolicy } from 'oidc-provider'
import type { Log } from '../log.ts'
import { demoPeople } from '../people.ts'
import { memoryAdapter } from './memory.ts'
import { codePage, messagePage, pagePolicy, signInPage } from './pages.ts'

export interface DemoOidc {
  issuer: string
  clientId: string
  clientSecret: string
  close(): Promise<void>
}

const clientId = 'sallyport-gateway'
/** What a sign-in with a second factor is called, by those who ask for one (the gateway's default). */
const mfaAcr = 'http://schemas.openid.net/pape/policies/2007/06/multi-factor'
const codeTries = 5
/** Codes that wait to be entered. */
const mostCodes = 1_000

/** The demo company's identity provider: real OpenID Connect, five people, one password. Loopback only. */
export async function startOidc(password: string, port: number, log: Log): Promise<DemoOidc> {
  const issuer = `http://127.0.0.1:${port}`
  const clientSecret = randomBytes(24).toString('base64url')
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  // The gateway is the company's own and runs as a server: nobody is asked whether it may know them.
  const policy = interactionPolicy.base()
  policy.get('consent')?.checks.remove('native_client_prompt')
  policy
    .get('login')
    ?.checks.add(
      new interactionPolicy.Check('second_factor', 'a second factor is asked for', ({ oidc }) =>
        wantsMfa(oidc.params?.acr_values) && oidc.session?.acr !== mfaAcr
          ? interactionPolicy.Check.REQUEST_PROMPT
          : interactionPolicy.Check.NO_NEED_TO_PROMPT,
      ),
    )
  const provider = new Provider(issuer, {
    adapter: memoryAdapter(),
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        client_name: 'Sallyport gateway',
        application_type: 'native',
        redirect_uris: ['http://127.0.0.1/callback'],
        grant_types: ['authorization_code'],
        response_types: ['code'],
        token_endpoint_auth_method: 'client_secret_basic',
      },
    ],
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig' }] },
    cookies: { keys: [randomBytes(24).toString('base64url')] },
    claims: {
      openid: ['sub', 'acr', 'amr', 'auth_time'],
      profile: ['name', 'preferred_username'],
      email: ['email', 'email_verified'],
      groups: ['groups'],
    },
    scopes: ['openid', 'profile', 'email', 'groups'],
    // The gateway asks for an ID token with everything in it.
    conformIdTokenClaims: false,
    acrValues: [mfaAcr],
    features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: false } },
    interactions: { policy, url: (_context, interaction) => `/interaction/${interaction.uid}` },
    // Each sign-in at the gateway asks who it is: two people share one browser in the demo.
    ttl: { Session: 10, Interaction: 900, Grant: 3600, AccessToken: 600, IdToken: 600, AuthorizationCode: 60 },
    findAccount: (_context, id) => {
      const person = demoPeople.find((candidate) => candidate.username === id)
      if (person === undefined) return undefined
      return {
        accountId: id,
        claims: () => ({
          sub: id,
          name: person.name,
          preferred_username: person.username,
          email: person.email,
          email_verified: true,
          groups: [...person.groups],
        }),
      }
    },
    loadExistingGrant: async (context) => {
      // First party: whoever signs in lets the gateway know who they are.
      const accountId = context.oidc.session?.accountId
      if (accountId === undefined) return undefined
      const grant = new provider.Grant({ clientId, accountId })
      grant.addOIDCScope('openid profile email groups')
      await grant.save()
      return grant
    },
    renderError: (context, out) => {
      context.type = 'html'
      context.body = messagePage(
        'Sign-in did not finish',
        `${out.error}: ${out.error_description ?? 'start again from Sallyport'}`,
      )
    },
  })
  // The gateway's port and path are its own choice in the demo; only loopback addresses are let through.
  provider.Client.prototype.redirectUriAllowed = (uri: string) =>
    URL.canParse(uri) && new URL(uri).protocol === 'http:' && new URL(uri).hostname === '127.0.0.1'
  provider.on('server_error', (_context, error) => log.error({ error: error.message }, 'demo identity provider'))

  const expected = createHash('sha256').update(password).digest()
  const phones = new Map<string, SentCode>()
  const handle = provider.callback()
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/interaction/') !== true) return void handle(request, response)
    interact({ provider, expected, phones }, request, response).catch((error: unknown) => {
      log.warn({ error: String(error) }, 'demo identity provider: interaction failed')
      sendPage(response, 400, messagePage('This page has expired', 'Go back to Sallyport and sign in again.'))
    })
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening').catch((cause: unknown) => {
    throw new Error(
      `Port ${port}, where this demo's identity provider has to be, is taken. Is the demo running already? Else start it with another --data.`,
      { cause },
    )
  })
  return {
    issuer,
    clientId,
    clientSecret,
    close: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** A code that was sent to a person's phone, for one interaction. */
interface SentCode {
  username: string
  code: string
  tries: number
}

interface Interacting {
  provider: Provider
  expected: Buffer
  /** By interaction. */
  phones: Map<string, SentCode>
}

async function interact(
  { provider, expected, phones }: Interacting,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { uid, params } = await provider.interactionDetails(request, response)
  const action = `/interaction/${uid}`
  const hint = typeof params.login_hint === 'string' ? params.login_hint : undefined
  if (request.method !== 'POST') return sendPage(response, 200, signInPage(action, demoPeople, undefined, hint))
  const form = new URLSearchParams(await body(request))
  const sent = phones.get(uid)
  if (sent !== undefined && form.has('code')) {
    if (form.get('code')?.trim() !== sent.code) {
      sent.tries += 1
      if (sent.tries < codeTries) {
        return sendPage(response, 401, codePage(action, sent.code, 'That is not the code on the phone.'))
      }
      phones.delete(uid)
      return sendPage(response, 401, signInPage(action, demoPeople, 'Too many wrong codes. Start again.', hint))
    }
    phones.delete(uid)
    return finish({ accountId: sent.username, amr: ['pwd', 'sms', 'mfa'], acr: mfaAcr })
  }
  const given = createHash('sha256')
    .update(form.get('password') ?? '')
    .digest()
  const person = demoPeople.find((candidate) => candidate.username === form.get('username'))
  if (person === undefined || !timingSafeEqual(given, expected)) {
    return sendPage(
      response,
      401,
      signInPage(action, demoPeople, 'That password is not the one that the demo printed.', hint),
    )
  }
  if (!wantsMfa(params.acr_values)) return finish({ accountId: person.username, amr: ['pwd'] })
  const code = String(randomInt(1_000_000)).padStart(6, '0')
  if (phones.size >= mostCodes) phones.clear()
  phones.set(uid, { username: person.username, code, tries: 0 })
  return sendPage(response, 200, codePage(action, code, undefined))

  async function finish(login: { accountId: string; amr: string[]; acr?: string }): Promise<void> {
    const result = { login: { ...login, remember: false } }
    await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false })
  }
}

function wantsMfa(acrValues: unknown): boolean {
  return typeof acrValues === 'string' && acrValues.split(' ').includes(mfaAcr)
}

async function body(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) {
    text += String(chunk)
    if (text.length > 4096) throw new Error('form too large')
  }
  return text
}

function sendPage(response: ServerResponse, status: number, html: string): void {
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': pagePolicy,
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
  })
  response.end(html)
}
