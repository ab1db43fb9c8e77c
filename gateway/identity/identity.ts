import { generateKeyPairSync, randomBytes } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { calculateJwkThumbprint, exportJWK } from 'jose'
import type { JWKS } from 'oidc-provider'
import { z } from 'zod'
import type { GatewayConfig } from '../config-schema.ts'
import type { AuditLog, LiveSessions, Log } from '../services.ts'
import { loadOrCreateKey } from '../store/keys.ts'
import type { Sealer } from '../store/seal.ts'
import type { Store } from '../store/store.ts'
import { registerTokenExchange } from './exchange.ts'
import { createIdentities, type IdentityStore } from './identities.ts'
import { createProvider } from './provider.ts'
import { registerOAuthRoutes } from './routes.ts'
import { createTokenVerifier, signInId, type TokenVerifier } from './tokens.ts'
import { createUpstream } from './upstream.ts'

/** Who people and machines are: signing in, tokens, and the end of both. */
export interface Identity {
  identities: IdentityStore
  tokens: TokenVerifier
  register(app: FastifyInstance): void
  /**
   * Off-boards: sign-ins, tokens and live sessions of a person end within a second, on every replica; requests and grants with them.
   * False when there is no such person, or they are turned off already.
   */
  offboard(id: string, by: string): Promise<boolean>
  /** Lets a person who was off-boarded sign in again. False when no such person is turned off. */
  reinstate(id: string, by: string): Promise<boolean>
  close(): Promise<void>
}

export interface IdentityOptions {
  store: Store
  sealer: Sealer
  config: Pick<GatewayConfig, 'name' | 'upstream' | 'machines' | 'signInHours'>
  /** As clients reach the gateway, without a slash at the end. */
  publicUrl: string
  audit: AuditLog
  sessions: LiveSessions
  /** Takes back what somebody who is off-boarded asked for and was given. */
  takeBack(id: string, by: string): Promise<void>
  log: Log
}

/** Says which sign-in (`signIn`) or principal (`principal`) has ended, or who may be another by now, to the replicas that hold sessions. */
const endedChannel = 'sallyport_signin_ended'
const Ended = z.union([
  z.object({ signIn: z.string() }),
  z.object({ principal: z.string() }),
  /** Somebody signed in, maybe with other groups than before. */
  z.object({ signedIn: z.string() }),
])
const sweepMs = 5 * 60_000

export async function openIdentity(options: IdentityOptions): Promise<Identity> {
  const { store, sealer, config, publicUrl, audit, sessions, takeBack, log } = options
  const { db, listener } = store
  const identities = createIdentities(db)
  await identities.syncMachines(config.machines)
  const tokens = createTokenVerifier(db, sealer)
  const provider = createProvider({
    issuer: `${publicUrl}/oauth`,
    db,
    sealer,
    identities,
    keys: {
      signing: JSON.parse(await loadOrCreateKey(db, sealer, 'oauth/signing', newSigningKeys)),
      cookies: [await loadOrCreateKey(db, sealer, 'oauth/cookies', () => randomBytes(32).toString('base64url'))],
    },
    signInSeconds: Math.round(config.signInHours * 3600),
    gatewayName: config.name,
    log,
  })
  registerTokenExchange(provider, db, log)

  const end = async (ended: z.infer<typeof Ended>) => {
    tokens.forget()
    if ('signIn' in ended)
      await sessions.endFor({ accessTokenId: ended.signIn }, 'Signed out, or the sign-in was revoked.')
    else if ('principal' in ended)
      await sessions.endFor({ principalId: ended.principal }, 'This account was turned off at the gateway.')
    else await sessions.review()
  }
  const endEverywhere = (ended: z.infer<typeof Ended>) => listener.notify(endedChannel, JSON.stringify(ended))

  provider.on('grant.revoked', (context, grantId) => {
    tokens.forget()
    const who =
      context.oidc.entities.RefreshToken?.accountId ?? context.oidc.entities.AccessToken?.accountId ?? 'unknown'
    Promise.all([
      endEverywhere({ signIn: signInId(grantId) }),
      audit.append({ actor: who, action: 'sign-out', subject: who, detail: { route: context.oidc.route } }),
    ]).catch((error: unknown) => log.error({ err: error }, 'the end of a sign-in could not be told'))
  })

  const unsubscribe = await listener.subscribe(endedChannel, (payload) => {
    // Empty: the connection was lost for a moment, and what was said meanwhile with it.
    if (payload === '') {
      tokens.forget()
      void sessions.review()
      return
    }
    end(Ended.parse(JSON.parse(payload))).catch((error: unknown) =>
      log.error({ err: error }, 'sessions could not be ended'),
    )
  })

  const sweep = setInterval(() => {
    const now = new Date()
    db.deleteFrom('oidc_payloads')
      .where('expires_at', '<', now)
      .execute()
      .catch((error: unknown) => log.warn({ err: error }, 'expired tokens could not be swept'))
  }, sweepMs)
  sweep.unref()

  return {
    identities,
    tokens,
    register: (app) =>
      registerOAuthRoutes(app, {
        provider,
        upstream: createUpstream(config.upstream),
        identities,
        audit,
        sealer,
        publicUrl,
        signedIn: (id) => {
          endEverywhere({ signedIn: id }).catch((error: unknown) =>
            log.error({ err: error }, 'a sign-in could not be told of; sessions are looked at in a moment'),
          )
        },
        log,
      }),
    async offboard(id, by) {
      if (!(await identities.disable(id))) return false
      // Before the record: who is to be out is out, also where the audit log can't be written.
      await end({ principal: id })
      await endEverywhere({ principal: id })
      await audit.append({ actor: by, action: 'identity-disabled', subject: id, detail: {} })
      await takeBack(id, by)
      return true
    },
    reinstate: (id, by) =>
      identities.enable(id, () => audit.append({ actor: by, action: 'identity-enabled', subject: id, detail: {} })),
    async close() {
      clearInterval(sweep)
      unsubscribe()
    },
  }
}

async function newSigningKeys(): Promise<string> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = await exportJWK(privateKey)
  const keys: JWKS = { keys: [{ ...jwk, kid: await calculateJwkThumbprint(jwk), alg: 'ES256', use: 'sig' }] }
  return JSON.stringify(keys)
}
