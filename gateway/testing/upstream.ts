import { once } from 'node:events'
import { createServer } from 'node:http'
import { exportJWK, generateKeyPair } from 'jose'
import Provider from 'oidc-provider'

/** For tests: a real OpenID provider that signs in whoever `person` says, without asking. */
export interface TestUpstream {
  issuer: string
  clientId: string
  clientSecret: string
  /** Signs in next; undefined: the provider says no. */
  person: TestPerson | undefined
  /** Answers with this nonce in place of the one that was sent. */
  nonce: string | undefined
  /** What it was last asked for. */
  asked: URLSearchParams
  close(): Promise<void>
}

export interface TestPerson {
  sub: string
  preferred_username?: string
  name?: string
  groups?: string[]
  amr?: string[]
  acr?: string
  /** Seconds since 1970 at which they signed in there; now, if unsaid. */
  signedInAt?: number
}

export async function startTestUpstream(): Promise<TestUpstream> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  const issuer = `http://127.0.0.1:${address.port}`
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const people = new Map<string, TestPerson>()

  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'gateway',
        client_secret: 'upstream-secret-for-tests',
        application_type: 'native',
        redirect_uris: ['http://127.0.0.1/oauth/callback'],
        grant_types: ['authorization_code'],
        response_types: ['code'],
        id_token_signed_response_alg: 'ES256',
      },
    ],
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig' }] },
    cookies: { keys: ['cookies-for-tests'] },
    acrValues: ['urn:test:mfa'],
    claims: { openid: ['sub', 'amr', 'acr'], profile: ['name', 'preferred_username', 'groups'] },
    conformIdTokenClaims: false,
    features: { devInteractions: { enabled: false } },
    ttl: { Session: 60, Interaction: 60, Grant: 60, AccessToken: 60, IdToken: 60, AuthorizationCode: 60 },
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_context, id) => {
      const person = people.get(id)
      return person === undefined ? undefined : { accountId: id, claims: () => ({ ...person }) }
    },
    loadExistingGrant: async ({ oidc: { account, client } }) => {
      if (account === undefined || client === undefined) return undefined
      const grant = new provider.Grant({ accountId: account.accountId, clientId: client.clientId })
      grant.addOIDCScope('openid profile email')
      await grant.save()
      return grant
    },
  })
  const handle = provider.callback()
  server.on('request', (request, response) => {
    if (request.url?.startsWith('/interaction/') !== true) {
      if (request.url?.startsWith('/auth?') === true) upstream.asked = new URL(request.url, issuer).searchParams
      if (upstream.nonce !== undefined) request.url = request.url?.replace(/nonce=[^&]+/, `nonce=${upstream.nonce}`)
      return void handle(request, response)
    }
    const { person } = upstream
    if (person !== undefined) people.set(person.sub, person)
    const result =
      person === undefined
        ? { error: 'access_denied', error_description: 'not assigned to this application' }
        : {
            login: {
              accountId: person.sub,
              remember: false,
              ...(person.amr === undefined ? {} : { amr: person.amr }),
              ...(person.acr === undefined ? {} : { acr: person.acr }),
              ...(person.signedInAt === undefined ? {} : { ts: person.signedInAt }),
            },
            consent: {},
          }
    provider
      .interactionFinished(request, response, result)
      .catch((error: unknown) => response.destroy(error instanceof Error ? error : new Error(String(error))))
  })

  const upstream: TestUpstream = {
    issuer,
    clientId: 'gateway',
    clientSecret: 'upstream-secret-for-tests',
    person: undefined,
    nonce: undefined,
    asked: new URLSearchParams(),
    close: async () => {
      if (!server.listening) return
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
  return upstream
}
