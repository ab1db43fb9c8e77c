import { createRemoteJWKSet, errors as joseErrors, jwtVerify } from 'jose'
import type { Kysely } from 'kysely'
import type Provider from 'oidc-provider'
import { errors } from 'oidc-provider'
import { z } from 'zod'
import { isSecure } from '../config-schema.ts'
import type { Log } from '../services.ts'
import type { Database } from '../store/database.ts'
import { tokenExchangeGrant } from './clients.ts'

/** A CI job shows the ID token of its own provider instead of a secret (RFC 8693). The machine's configuration says which one. */

interface Params {
  subject_token?: string
  subject_token_type?: string
}

const idTokenType = 'urn:ietf:params:oauth:token-type:id_token'
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'
const algorithms = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519']

export function registerTokenExchange(provider: Provider, db: Kysely<Database>, log: Log): void {
  const keysOf = createKeySets()

  provider.registerGrantType<Params>(
    tokenExchangeGrant,
    async (context) => {
      const { client, params } = context.oidc
      if (params.subject_token_type !== idTokenType || params.subject_token === undefined) {
        throw new errors.InvalidRequest('subject_token must be an ID token, and subject_token_type say so')
      }
      const machine = await db
        .selectFrom('machines')
        .select('id_token')
        .where('client_id', '=', client.clientId)
        .where('removed_at', 'is', null)
        .executeTakeFirst()
      const expected = machine?.id_token
      if (expected === null || expected === undefined)
        throw new errors.UnauthorizedClient('no ID token stands for this machine')
      try {
        await jwtVerify(params.subject_token, await keysOf(expected.issuer), {
          ...expected,
          algorithms,
          clockTolerance: 15,
          requiredClaims: ['exp'],
        })
      } catch (error) {
        log.warn({ err: error, client: client.clientId }, 'an ID token was not accepted for a machine')
        const why = error instanceof joseErrors.JWTClaimValidationFailed ? ` (${error.claim})` : ''
        throw new errors.InvalidGrant(`the ID token is not the one that this machine is known by${why}`)
      }
      const token = new provider.ClientCredentials({ client })
      context.oidc.entity('ClientCredentials', token)
      const value = await token.save()
      context.body = {
        access_token: value,
        issued_token_type: accessTokenType,
        token_type: token.tokenType,
        expires_in: token.expiration,
      }
    },
    ['subject_token', 'subject_token_type'],
  )
}

const Metadata = z.object({ issuer: z.string(), jwks_uri: z.url() })

/** The keys of issuers, found by discovery and kept; jose fetches them again when a new key appears. */
function createKeySets(): (issuer: string) => Promise<ReturnType<typeof createRemoteJWKSet>> {
  const sets = new Map<string, Promise<ReturnType<typeof createRemoteJWKSet>>>()
  return (issuer) => {
    const known = sets.get(issuer)
    if (known !== undefined) return known
    const found = discover(issuer)
    sets.set(issuer, found)
    found.catch(() => sets.delete(issuer))
    return found
  }
}

async function discover(issuer: string): Promise<ReturnType<typeof createRemoteJWKSet>> {
  if (!isSecure(issuer)) throw new Error(`${issuer} is not https`)
  const response = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, {
    signal: AbortSignal.timeout(10_000),
  })
  if (!response.ok) throw new Error(`${issuer} answered ${response.status}`)
  const metadata = Metadata.parse(await response.json())
  if (metadata.issuer !== issuer || !isSecure(metadata.jwks_uri))
    throw new Error(`${issuer} describes itself as another`)
  return createRemoteJWKSet(new URL(metadata.jwks_uri), { timeoutDuration: 10_000 })
}
