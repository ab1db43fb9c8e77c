import type { Kysely } from 'kysely'
import { z } from 'zod'
import type { Caller } from '../api/context.ts'
import type { Database } from '../store/database.ts'
import { type Sealer, sha256 } from '../store/seal.ts'
import { createProofVerifier, ProofError } from './dpop.ts'

/** Nobody is signed in, in words; `challenge` goes into WWW-Authenticate. */
export class Unauthenticated extends Error {
  override readonly name = 'Unauthenticated'
  readonly challenge: string
  constructor(message: string, challenge: string) {
    super(message)
    this.challenge = challenge
  }
}

export interface TokenRequest {
  method: string
  /** As clients see it. */
  url: string
  authorization: string | undefined
  dpop: string | undefined
  sourceIp: string
}

export interface TokenVerifier {
  /** @throws {Unauthenticated} */
  authenticate(request: TokenRequest): Promise<Caller>
  /** Forgets what was read from the store: a sign-in was revoked by this replica, so it counts at once. */
  forget(): void
}

/** For how long a token that was found good is not looked up again: a revocation anywhere counts within this. */
const cacheMs = 1000
const maxCached = 10_000

const Payload = z.object({
  kind: z.enum(['AccessToken', 'ClientCredentials']),
  clientId: z.string(),
  accountId: z.string().optional(),
  grantId: z.string().optional(),
  jkt: z.string().optional(),
  exp: z.number(),
  extra: z.object({ mfa: z.boolean(), signInEndsAt: z.string(), signedInAt: z.string().optional() }),
})

interface Found {
  caller: Omit<Caller, 'sourceIp'>
  jkt: string | undefined
  expiresAt: number
  readAt: number
}

export function createTokenVerifier(db: Kysely<Database>, sealer: Sealer): TokenVerifier {
  const proofs = createProofVerifier()
  const cache = new Map<string, Found>()

  const find = async (token: string): Promise<Found | undefined> => {
    const hash = sha256(token)
    const cached = cache.get(hash)
    if (cached !== undefined && Date.now() - cached.readAt < cacheMs) return cached
    cache.delete(hash)
    const found = await read(db, sealer, hash)
    if (found === undefined) return undefined
    if (cache.size >= maxCached) cache.clear()
    cache.set(hash, found)
    return found
  }

  return {
    async authenticate({ method, url, authorization, dpop, sourceIp }) {
      const [scheme, token, ...rest] = authorization?.split(' ') ?? []
      if (scheme === undefined || token === undefined || token === '' || rest.length > 0) {
        throw new Unauthenticated(
          'You are not signed in. Sign in, and send the access token.',
          'DPoP algs="ES256 EdDSA", Bearer',
        )
      }
      const kind = scheme.toLowerCase()
      if (kind !== 'dpop' && kind !== 'bearer') {
        throw new Unauthenticated('The authorization scheme must be DPoP or Bearer.', 'DPoP algs="ES256 EdDSA", Bearer')
      }
      const found = await find(token)
      if (found === undefined || found.expiresAt <= Date.now()) {
        throw new Unauthenticated(
          'This sign-in has expired or was revoked. Sign in again.',
          `${kind === 'dpop' ? 'DPoP' : 'Bearer'} error="invalid_token"`,
        )
      }
      if (found.jkt !== undefined) {
        if (kind !== 'dpop' || dpop === undefined) {
          throw new Unauthenticated('This access token needs a DPoP proof.', 'DPoP error="invalid_dpop_proof"')
        }
        try {
          await proofs.verify(dpop, { method, url, accessToken: token, thumbprint: found.jkt })
        } catch (error) {
          if (!(error instanceof ProofError)) throw error
          throw new Unauthenticated(`Not accepted: ${error.message}.`, 'DPoP error="invalid_dpop_proof"')
        }
      } else if (kind === 'dpop') {
        throw new Unauthenticated(
          'This access token is not bound to a key; send it as Bearer.',
          'Bearer error="invalid_token"',
        )
      }
      return { ...found.caller, sourceIp }
    },
    forget: () => cache.clear(),
  }
}

async function read(db: Kysely<Database>, sealer: Sealer, hash: string): Promise<Found | undefined> {
  const row = await db
    .selectFrom('oidc_payloads')
    .select(['model', 'payload_sealed'])
    .where('model', 'in', ['AccessToken', 'ClientCredentials'])
    .where('id_hash', '=', hash)
    .executeTakeFirst()
  if (row === undefined) return undefined
  const payload = Payload.parse(JSON.parse(sealer.open(row.payload_sealed, `oidc/${row.model}/${hash}`)))
  const principal = await db
    .selectFrom('identities')
    .select(['id', 'kind', 'name', 'groups'])
    .where('id', '=', payload.accountId ?? payload.clientId)
    .where('kind', '=', payload.kind === 'AccessToken' ? 'user' : 'machine')
    .where('disabled_at', 'is', null)
    .executeTakeFirst()
  if (principal === undefined) return undefined
  return {
    caller: {
      principal,
      mfa: payload.extra.mfa,
      signInEndsAt: payload.extra.signInEndsAt,
      ...(payload.extra.signedInAt === undefined ? {} : { signedInAt: payload.extra.signedInAt }),
      client: clientOf(payload.kind, payload.clientId),
      tokenId: payload.grantId === undefined ? hash : signInId(payload.grantId),
    },
    jkt: payload.jkt,
    expiresAt: payload.exp * 1000,
    readAt: Date.now(),
  }
}

function clientOf(kind: 'AccessToken' | 'ClientCredentials', clientId: string): NonNullable<Caller['client']> {
  if (kind === 'ClientCredentials') return 'machine'
  return clientId === 'sallyport-cli' ? 'cli' : 'desktop'
}

/** How a sign-in is named in sessions, tickets and tokens. */
export function signInId(grantId: string): string {
  return sha256(grantId)
}
