import type { Kysely } from 'kysely'
import Provider, {
  type Configuration,
  type ErrorOut,
  errors,
  interactionPolicy,
  type JWKS,
  type KoaContextWithOIDC,
} from 'oidc-provider'
import { mfaAcr } from '../../shared/api/problem.ts'
import type { Identities, Log } from '../services.ts'
import type { Database } from '../store/database.ts'
import type { Sealer } from '../store/seal.ts'
import { createAdapter } from './adapter.ts'
import { customScheme, peoplesClients } from './clients.ts'
import { deviceCodePage, deviceConfirmPage, deviceDonePage, errorPage } from './pages.ts'
import { verifySecret } from './secrets.ts'

/** The gateway as its clients' OAuth server: authorization code with PKCE, device flow, client credentials, DPoP. */
export interface ProviderOptions {
  /** `https://gate.example/oauth` */
  issuer: string
  db: Kysely<Database>
  sealer: Sealer
  identities: Identities
  keys: { signing: JWKS; cookies: readonly string[] }
  /** Seconds a sign-in lasts, whatever is refreshed in between. */
  signInSeconds: number
  gatewayName: string
  log: Log
}

/** Seconds an access token lasts: also the longest a revoked one could matter where it is not checked against the store. */
const accessTokenSeconds = 600
const interactionSeconds = 600

/** The time of a sign-in that the upstream provider says nothing about: no policy takes it for a fresh one. */
export const unknownTime = 0

/** What goes into an access token beside oidc-provider's own. */
export interface TokenExtra {
  mfa: boolean
  /** ISO 8601. */
  signInEndsAt: string
  /** ISO 8601: when the person proved who they are; absent for machines, and where the upstream provider does not say. */
  signedInAt?: string
}

export function createProvider(options: ProviderOptions): Provider {
  const { issuer, identities, signInSeconds, log } = options
  const mountPath = new URL(issuer).pathname
  const secure = issuer.startsWith('https:')
  const cookie = { httpOnly: true, sameSite: 'lax', secure, signed: true, overwrite: true } as const

  const configuration: Configuration = {
    adapter: createAdapter(options.db, options.sealer),
    clients: [...peoplesClients],
    jwks: options.keys.signing,
    cookies: {
      keys: [...options.keys.cookies],
      names: { session: 'sallyport', interaction: 'sallyport_signin', resume: 'sallyport_resume' },
      long: { ...cookie, path: mountPath },
      short: cookie,
    },
    scopes: ['openid', 'profile', 'offline_access'],
    claims: { openid: ['sub'], profile: ['name', 'preferred_username', 'groups'] },
    conformIdTokenClaims: false,
    // People sign in for as long as the gateway says, not as long as a browser keeps a cookie.
    expiresWithSession: () => false,
    issueRefreshToken: (_context, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: () => true,
    clientBasedCORS: () => false,
    pkce: { required: () => true },
    responseTypes: ['code'],
    acrValues: [mfaAcr],
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post'],
    enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
    ttl: {
      AccessToken: (context) => Math.max(1, Math.min(accessTokenSeconds, signInLeft(context) ?? accessTokenSeconds)),
      ClientCredentials: accessTokenSeconds,
      AuthorizationCode: 60,
      DeviceCode: interactionSeconds,
      Interaction: interactionSeconds,
      IdToken: accessTokenSeconds,
      Grant: signInSeconds,
      RefreshToken: (context) => Math.max(1, signInLeft(context) ?? signInSeconds),
      // The cookie only carries a browser through one sign-in; the next one asks the upstream provider again.
      Session: interactionSeconds,
    },
    features: {
      devInteractions: { enabled: false },
      deviceFlow: {
        enabled: true,
        charset: 'base-20',
        mask: '****-****',
        deviceInfo: (context) => ({ ip: context.ip, ua: context.get('user-agent') }),
        userCodeInputSource: (context, _form, _out, error) => {
          const { secret } = sessionState(context)
          const prefilled = context.state.userCode
          render(
            context,
            deviceCodePage({
              action: context.oidc.urlFor('code_verification'),
              xsrf: secret,
              userCode: typeof prefilled === 'string' ? prefilled : '',
              problem: error === undefined ? undefined : problemOf(error),
            }),
          )
        },
        userCodeConfirmSource: (context, _form, client, deviceInfo, userCode) => {
          const { secret } = sessionState(context)
          render(
            context,
            deviceConfirmPage({
              action: context.oidc.urlFor('code_verification'),
              xsrf: secret,
              userCode,
              client: client.clientName ?? client.clientId,
              from: typeof deviceInfo.ip === 'string' ? deviceInfo.ip : '',
            }),
          )
        },
        successSource: (context) => render(context, deviceDonePage(options.gatewayName)),
      },
      clientCredentials: { enabled: true },
      dPoP: { enabled: true },
      introspection: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      resourceIndicators: { enabled: false },
      revocation: { enabled: true, allowedPolicy: (_context, client, token) => token.clientId === client.clientId },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: true },
    },
    interactions: {
      policy: signInPolicy(),
      url: (_context, interaction) => `${mountPath}/interaction/${interaction.uid}`,
    },
    // Our own clients need no consent; a grant of its own for every sign-in keeps signing out of one from ending another.
    loadExistingGrant: async (context) => {
      const { account, client, provider } = context.oidc
      if (context.oidc.result?.login === undefined || account === undefined || client === undefined) return undefined
      const grant = new provider.Grant({ accountId: account.accountId, clientId: client.clientId })
      grant.addOIDCScope('openid profile offline_access')
      await grant.save()
      return grant
    },
    findAccount: async (_context, id) => {
      const principal = await identities.get(id)
      if (principal === undefined) return undefined
      const { name, groups } = principal
      return { accountId: id, claims: () => ({ sub: id, preferred_username: id, name, groups }) }
    },
    extraTokenClaims: (context, token): TokenExtra & Record<string, unknown> => {
      const signIn = token.kind === 'ClientCredentials' ? undefined : signInLeft(context)
      const left = signIn ?? accessTokenSeconds
      const { AuthorizationCode, DeviceCode, RefreshToken } = context.oidc.entities
      const { amr, authTime = unknownTime } = AuthorizationCode ?? DeviceCode ?? RefreshToken ?? {}
      return {
        mfa: isMultiFactor(amr),
        signInEndsAt: new Date(Date.now() + left * 1000).toISOString(),
        // A provider whose clock is ahead makes no sign-in fresher than it is.
        ...(authTime === unknownTime
          ? {}
          : { signedInAt: new Date(Math.min(authTime * 1000, Date.now())).toISOString() }),
      }
    },
    renderError: (context, out) => {
      render(context, errorPage(wordsForError(out)))
    },
  }

  const provider = new Provider(issuer, configuration)
  // Addresses are made from `x-forwarded-…`, which `routes.ts` sets from the public URL, never from what a client sends.
  provider.proxy = true
  provider.Client.prototype.compareClientSecret = function compare(this: { clientSecret?: string }, actual: string) {
    return verifySecret(actual, this.clientSecret ?? '')
  }
  const redirectUriAllowed = provider.Client.prototype.redirectUriAllowed
  provider.Client.prototype.redirectUriAllowed = function allowed(uri: string) {
    // oidc-provider wants a dot in the schemes of native apps; ours is fixed without one.
    return (uri === customScheme && this.applicationType === 'native') || redirectUriAllowed.call(this, uri)
  }
  provider.use(async (context, next) => {
    const start = context.path === '/auth' || context.path.startsWith('/auth/') || context.path === '/device'
    // Every sign-in starts from nothing: whoever used this browser before has no part in it.
    if (context.method === 'GET' && start) context.req.headers.cookie = withoutSession(context.req.headers.cookie)
    if (context.path === '/device') {
      // `verification_uri_complete` puts the code into the form, where a person compares it, instead of a script that sends it.
      if (context.method === 'GET' && typeof context.query.user_code === 'string') {
        context.state.userCode = context.query.user_code.slice(0, 20)
        context.query = {}
      }
      // A form that this browser was never shown: it gets one.
      if (context.method === 'POST' && context.cookies.get('sallyport') === undefined) {
        context.status = 303
        context.redirect(`${mountPath}/device`)
        return
      }
    }
    await next()
    // oidc-provider opens its metadata to every page; nothing of ours runs in one.
    context.remove('access-control-allow-origin')
  })
  provider.on('server_error', (_context, error) => log.error({ err: error }, 'the OAuth server failed'))
  return provider
}

function withoutSession(cookies: string | undefined): string {
  return (cookies ?? '')
    .split(';')
    .filter((cookie) => !/^\s*sallyport(\.sig)?=/.test(cookie))
    .join(';')
}

/** Always the upstream provider, whoever signed in with this browser before. */
function signInPolicy(): interactionPolicy.DefaultPolicy {
  const policy = interactionPolicy.base()
  const login = policy.get('login')
  if (login === undefined) throw new Error('oidc-provider has no login prompt')
  login.checks.add(
    new interactionPolicy.Check('fresh', 'the person has to sign in', (context) =>
      context.oidc.result?.login === undefined
        ? interactionPolicy.Check.REQUEST_PROMPT
        : interactionPolicy.Check.NO_NEED_TO_PROMPT,
    ),
  )
  const consent = policy.get('consent')
  consent?.checks.remove('native_client_prompt')
  return policy
}

/** Seconds until the sign-in behind this request ends; undefined when there is none. */
function signInLeft(context: KoaContextWithOIDC | undefined): number | undefined {
  const grant = context?.oidc?.entities.Grant
  return grant?.exp === undefined ? undefined : grant.remainingTTL
}

/** RFC 8176: `mfa` says so; otherwise a password and something beside it. */
export function isMultiFactor(amr: readonly string[] | undefined): boolean {
  if (amr === undefined) return false
  if (amr.includes('mfa')) return true
  const second = ['otp', 'hwk', 'swk', 'sms', 'tel', 'face', 'fpt', 'iris', 'retina', 'vbm', 'sc']
  return amr.some((method) => method === 'pwd' || method === 'pin') && amr.some((method) => second.includes(method))
}

function render(context: KoaContextWithOIDC, html: string): void {
  context.type = 'html'
  context.body = html
}

function sessionState(context: KoaContextWithOIDC): { secret: string } {
  const secret = context.oidc.session?.state?.secret
  if (typeof secret !== 'string') throw new errors.InvalidRequest('the form has no secret')
  return { secret }
}

function problemOf(error: Error): string {
  switch (error.name) {
    case 'NoCodeError':
      return 'Enter the code that Sallyport shows.'
    case 'NotFoundError':
      return 'There is no such code. Compare it with the one that Sallyport shows.'
    case 'ExpiredError':
      return 'This code has expired. Start the sign-in again to get a new one.'
    case 'AlreadyUsedError':
      return 'This code was used already. Start the sign-in again to get a new one.'
    case 'AbortedError':
      return 'The sign-in was stopped. Nobody was signed in.'
    default:
      return error instanceof errors.OIDCProviderError && error.error_description !== undefined
        ? error.error_description
        : 'The sign-in did not finish. Start it again in Sallyport.'
  }
}

function wordsForError(out: ErrorOut): { title: string; text: string; detail: string } {
  const detail = [out.error, out.error_description].filter((part) => part !== undefined).join(' · ')
  switch (out.error) {
    case 'server_error':
      return {
        title: 'The gateway could not finish the sign-in',
        text: 'Nobody was signed in. Try again; if it happens again, tell whoever runs this gateway.',
        detail: 'server_error',
      }
    case 'access_denied':
      return {
        title: 'Sign-in did not finish',
        text: 'Nobody was signed in. Go back to Sallyport and try again.',
        detail,
      }
    default:
      return {
        title: 'This sign-in can’t be continued',
        text: 'It has expired, was finished already, or was started in another browser. Nobody was signed in. Go back to Sallyport and sign in again.',
        detail,
      }
  }
}
