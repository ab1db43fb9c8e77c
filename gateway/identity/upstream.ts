import * as oidc from 'openid-client'
import { prose } from '../../shared/unseen.ts'
import { isSecure } from '../config-schema.ts'
import type { UpstreamPerson } from './identities.ts'

/** The provider that people really sign in at: Okta, Entra ID, Keycloak … by OpenID Connect. */
export interface Upstream {
  /** Where to send the browser, and what has to be kept in it until it comes back. */
  start(redirectUri: string, wanted: Wanted): Promise<{ url: URL; pending: Pending }>
  /**
   * Checks the answer (state, nonce, PKCE, signature, issuer, and the age of the sign-in where one was wanted) and says who it is.
   * @throws {UpstreamError}
   */
  finish(answer: URL, pending: Pending): Promise<UpstreamSignIn>
}

/** What a sign-in must be. */
export interface Wanted {
  prompt?: string
  /** Seconds since the person last proved who they are, at most. */
  maxAge?: number
  /** With a second factor. */
  mfa?: boolean
  /** Who it is expected to be. */
  loginHint?: string
}

export interface UpstreamSignIn {
  person: UpstreamPerson
  /** RFC 8176. */
  amr: string[]
  /** When they proved who they are, seconds since 1970; undefined where the provider does not say. */
  authTime?: number
}

export interface Pending {
  state: string
  nonce: string
  verifier: string
  maxAge?: number | undefined
}

/** The sign-in at the upstream provider did not succeed. `title` and the message are for people. */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError'
  readonly title: string
  /** `denied`: the provider said no, which the client should hear; the others mean that the answer can't be trusted. */
  readonly kind: 'unreachable' | 'denied' | 'invalid'
  constructor(kind: UpstreamError['kind'], title: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
    this.title = title
  }
}

export interface UpstreamOptions {
  issuer: string
  clientId: string
  clientSecret: string
  groupsClaim: string
  /** The provider's name for a sign-in with a second factor: asked for as `acr_values`, and known by it as `acr`. */
  mfaAcr: string
  /** How long each answer of the provider may take. */
  timeoutSeconds?: number
}

export function createUpstream(options: UpstreamOptions): Upstream {
  const issuer = new URL(options.issuer)
  let discovered: Promise<oidc.Configuration> | undefined

  /** Looked up at the first sign-in and kept; a failure is not kept, so that the gateway heals when the provider does. */
  const configuration = (): Promise<oidc.Configuration> => {
    discovered ??= oidc
      .discovery(issuer, options.clientId, options.clientSecret, undefined, {
        timeout: options.timeoutSeconds ?? 10,
        // `isSecure` holds by configuration: plain HTTP is for loopback only.
        ...(issuer.protocol === 'http:' && isSecure(options.issuer) ? { execute: [oidc.allowInsecureRequests] } : {}),
      })
      .catch((error: unknown) => {
        discovered = undefined
        throw untrusted(error, issuer) ?? unreachable(error, issuer, awayWords(error))
      })
    return discovered
  }

  return {
    async start(redirectUri, { prompt, maxAge, mfa, loginHint }) {
      const config = await configuration()
      const pending = {
        state: oidc.randomState(),
        nonce: oidc.randomNonce(),
        verifier: oidc.randomPKCECodeVerifier(),
        ...(maxAge === undefined ? {} : { maxAge }),
      }
      const url = oidc.buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        scope: scopes(config),
        state: pending.state,
        nonce: pending.nonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(pending.verifier),
        code_challenge_method: 'S256',
        ...(prompt === undefined ? {} : { prompt }),
        ...(maxAge === undefined ? {} : { max_age: String(maxAge) }),
        ...(mfa === true ? { acr_values: options.mfaAcr } : {}),
        ...(loginHint === undefined ? {} : { login_hint: loginHint }),
      })
      return { url, pending }
    },

    async finish(answer, pending) {
      const config = await configuration()
      let tokens: Awaited<ReturnType<typeof oidc.authorizationCodeGrant>>
      try {
        tokens = await oidc.authorizationCodeGrant(config, answer, {
          pkceCodeVerifier: pending.verifier,
          expectedState: pending.state,
          expectedNonce: pending.nonce,
          idTokenExpected: true,
        })
      } catch (error) {
        throw failure(error, issuer)
      }
      const idToken = tokens.claims()
      if (idToken === undefined) throw failure(new Error('no ID token'), issuer)
      checkAge(idToken.auth_time, pending.maxAge, issuer)
      const claims: Record<string, unknown> = { ...idToken }
      if (claims.preferred_username === undefined || claims[options.groupsClaim] === undefined) {
        if (config.serverMetadata().userinfo_endpoint !== undefined) {
          try {
            const more = await oidc.fetchUserInfo(config, tokens.access_token, idToken.sub)
            for (const [claim, value] of Object.entries(more)) claims[claim] ??= value
          } catch (error) {
            throw failure(error, issuer)
          }
        }
      }
      // From the ID token alone: nothing else is tied to this very sign-in.
      const { amr, acr, auth_time: authTime } = idToken
      return {
        person: person(claims, idToken.iss, idToken.sub, options.groupsClaim),
        amr: [...strings(amr), ...(acr === options.mfaAcr ? ['mfa'] : [])],
        ...(authTime === undefined ? {} : { authTime }),
      }
    },
  }
}

/** The usual ones; `groups` where the provider has it as a scope of its own. */
function scopes(config: oidc.Configuration): string {
  const supported = config.serverMetadata().scopes_supported ?? []
  return ['openid', 'profile', 'email', 'groups']
    .filter((scope) => scope === 'openid' || scope === 'profile' || supported.includes(scope))
    .join(' ')
}

function person(claims: Record<string, unknown>, issuer: string, subject: string, groupsClaim: string): UpstreamPerson {
  const { preferred_username: username } = claims
  const name = typeof claims.name === 'string' ? personName(claims.name) : ''
  if (typeof username !== 'string' || username === '') {
    throw new UpstreamError(
      'denied',
      'Sign-in did not finish',
      'The sign-in provider did not send a login name (preferred_username). Ask the IT desk to add it for Sallyport.',
    )
  }
  return {
    issuer,
    subject,
    username,
    name: name === '' ? username : name,
    groups: strings(claims[groupsClaim]),
  }
}

const longestName = 200

/** On one line, and nothing that turns or hides what stands beside it. */
function personName(text: string): string {
  return [...prose(text).replaceAll(/\s+/g, ' ').trim()].slice(0, longestName).join('')
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string' && item !== '') : []
}

/** The answer is the provider's, but not the fresh sign-in that was wanted: the client hears of it. @throws {UpstreamError} */
export function checkAge(authTime: number | undefined, maxAge: number | undefined, issuer: URL): void {
  if (maxAge === undefined || (authTime !== undefined && authTime + maxAge >= Date.now() / 1000)) return
  const why =
    authTime === undefined
      ? `${issuer.host} does not say when you signed in there (auth_time), and a fresh sign-in is wanted. Ask the IT desk to add it for Sallyport.`
      : `${issuer.host} answered with an earlier sign-in of yours, and a fresh one is wanted. Sign out there, then try again.`
  throw new UpstreamError('denied', 'Sign-in did not finish', why)
}

function failure(error: unknown, issuer: URL): UpstreamError {
  if (error instanceof UpstreamError) return error
  if (error instanceof oidc.AuthorizationResponseError && troubles.has(error.error)) {
    return unreachable(error, issuer, `has trouble of its own (${error.error})`)
  }
  if (error instanceof oidc.AuthorizationResponseError) {
    const said = error.error_description ?? error.error
    return new UpstreamError(
      'denied',
      'Sign-in did not finish',
      `${issuer.host} did not sign you in: ${said.replace(/\.$/, '')}. Try another account of yours, or ask the IT desk to let this one in.`,
      { cause: error },
    )
  }
  const distrust = untrusted(error, issuer)
  if (distrust !== undefined) return distrust
  const away = awayWords(error)
  if (away !== undefined) return unreachable(error, issuer, away)
  return new UpstreamError(
    'invalid',
    'The sign-in could not be verified',
    `The answer from ${issuer.host} does not prove who you are. Nobody was signed in. Go back to Sallyport and sign in again; if it happens again, tell the IT desk.`,
    { cause: error },
  )
}

/** RFC 6749, 4.1.2.1: what the provider says of itself, and not of the person. */
const troubles: ReadonlySet<string> = new Set(['server_error', 'temporarily_unavailable'])

/** How the provider is away, where that is what an error tells: not there, too slow, or with an error of its own. */
function awayWords(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof TypeError && at.message === 'fetch failed') return notReached
    if ('code' in at && at.code === 'OAUTH_TIMEOUT') return 'did not answer this gateway in time'
    const response = at instanceof oidc.ResponseBodyError ? at.response : at.cause
    if (response instanceof Response && response.status >= 500) {
      return `answered this gateway with an error of its own (HTTP ${response.status})`
    }
  }
  return undefined
}

const notReached = 'could not be reached from this gateway'

function unreachable(error: unknown, issuer: URL, how = notReached): UpstreamError {
  return new UpstreamError(
    'unreachable',
    'The sign-in provider does not answer',
    `${issuer.host} ${how}. Nobody was signed in. Try again in a minute; if it stays so, tell the IT desk.`,
    { cause: error },
  )
}

const unknownSigner = 'has a certificate that is signed by nobody whom this gateway trusts'

/** Why what answers is not taken for the provider, or for one that speaks of now; by the codes of Node and openid-client. */
const distrusted: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'has a certificate that has expired',
  CERT_NOT_YET_VALID: 'has a certificate that is not valid yet, by the clock of this gateway',
  ERR_TLS_CERT_ALTNAME_INVALID: 'has a certificate for another name',
  DEPTH_ZERO_SELF_SIGNED_CERT: unknownSigner,
  SELF_SIGNED_CERT_IN_CHAIN: unknownSigner,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownSigner,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownSigner,
  OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED: 'calls itself by another name (issuer) than this gateway knows it by',
  OAUTH_JWT_TIMESTAMP_CHECK_FAILED: 'and this gateway have clocks that differ by too much',
}

/** That trying again is no use, and why; undefined for all else. */
function untrusted(error: unknown, issuer: URL): UpstreamError | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const why = 'code' in at && typeof at.code === 'string' ? distrusted[at.code] : undefined
    if (why === undefined) continue
    const text = `${issuer.host} ${why}. Nobody was signed in. Tell whoever runs this gateway: trying again does not help.`
    return new UpstreamError('invalid', 'The sign-in provider can’t be trusted', text, { cause: error })
  }
  return undefined
}
