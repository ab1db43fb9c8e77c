import * as oauth from 'openid-client'
import { z } from 'zod'
import { Principal } from '../../shared/principal.ts'
import { discoverGateway, type GatewayInfo, gatewayOrigin } from '../gateway/address.ts'
import { type ApiClient, asked, createApiClient } from '../gateway/client.ts'
import { exportProofKey, importProofKey, newProofKey, Prover } from '../gateway/proof.ts'
import { fail, messageOf } from '../problem.ts'
import type { SecretStore } from '../secrets.ts'
import { type Renewed, TokenKeeper } from '../tokens.ts'
import { browserSignIn, type PendingSignIn } from './browser.ts'
import { deviceSignIn } from './device.ts'
import { dpop, isRefused, oauthServer, signInProblem, type Tokens, tokensOf } from './oauth.ts'

/** What outlives the process, in the secret store only. */
const Stored = z.object({
  info: z.object({ url: z.url(), name: z.string(), version: z.string(), issuer: z.url(), api: z.url() }),
  clientId: z.string(),
  refreshToken: z.string(),
  key: z.string(),
  person: Principal,
})
type Stored = z.infer<typeof Stored>

/** A person who is signed in at a gateway. */
export interface SignedIn {
  info: GatewayInfo
  person: Principal
  api: ApiClient
  credentials: TokenKeeper
}

const secretKey = (gateway: string): string => `sign-in ${gateway}`

/**
 * Starts a sign-in. When its `done` resolves, the person is signed in and it is in the store; `done` rejects with a ProblemError.
 * `onEnded` is called once a later renewal is refused, so that the client can say so.
 */
export async function startSignIn(options: {
  gateway: string
  flow: 'browser' | 'device'
  clientId: string
  secrets: SecretStore
  onEnded: () => void
  signal?: AbortSignal
}): Promise<Omit<PendingSignIn, 'done'> & { done: Promise<SignedIn> }> {
  const { flow, clientId, secrets, signal } = options
  const info = await discoverGateway(options.gateway, signal)
  const server = await oauthServer(info, clientId)
  const prover = new Prover(await newProofKey())
  const start = flow === 'browser' ? browserSignIn : deviceSignIn
  const { done, ...pending } = await start(server, prover, signal)
  return { ...pending, done: done.then((tokens) => settle(info, clientId, prover, tokens, secrets, options.onEnded)) }
}

async function settle(
  info: GatewayInfo,
  clientId: string,
  prover: Prover,
  tokens: Tokens,
  secrets: SecretStore,
  onEnded: () => void,
): Promise<SignedIn> {
  const { refreshToken } = tokens
  if (refreshToken === undefined) {
    throw fail('sign-in-failed', 'The gateway gave no refresh token, so the sign-in would end within minutes.', {
      action: 'sign-in',
    })
  }
  const credentials = new TokenKeeper(() => renewStored(info.url, secrets, onEnded), { tokens, prover })
  const api = createApiClient(info.api, credentials)
  const { principal: person } = await asked(api.me())
  const key = await exportProofKey(prover.key)
  await secrets.set(secretKey(info.url), JSON.stringify({ info, clientId, refreshToken, key, person } satisfies Stored))
  return { info, person, api, credentials }
}

/** The sign-in that the store holds for a gateway, without asking the gateway yet; undefined when there is none. */
export async function resumeSignIn(
  gateway: string,
  secrets: SecretStore,
  onEnded: () => void,
): Promise<SignedIn | undefined> {
  const url = gatewayOrigin(gateway)
  const stored = await read(url, secrets)
  if (stored === undefined) return undefined
  const credentials = new TokenKeeper(() => renewStored(url, secrets, onEnded))
  return { info: stored.info, person: stored.person, api: createApiClient(stored.info.api, credentials), credentials }
}

/** Ends the sign-in at the gateway and here. Here even when the gateway can't be told: then it resolves with why. */
export async function endSignIn(
  gateway: string,
  secrets: SecretStore,
): Promise<{ told: true } | { told: false; why: string }> {
  const stored = await read(gateway, secrets)
  if (stored === undefined) return { told: true }
  await secrets.delete(secretKey(gateway))
  try {
    const server = await oauthServer(stored.info, stored.clientId)
    await oauth.tokenRevocation(server, stored.refreshToken, { token_type_hint: 'refresh_token' })
    return { told: true }
  } catch (error) {
    return { told: false, why: messageOf(error) }
  }
}

async function read(gateway: string, secrets: SecretStore): Promise<Stored | undefined> {
  const text = await secrets.get(secretKey(gateway))
  if (text === undefined) return undefined
  const parsed = Stored.safeParse(JSON.parse(text))
  if (!parsed.success) throw fail('not-signed-in', 'The stored sign-in is of an older version.', { action: 'sign-in' })
  return parsed.data
}

/** Rotates the refresh token: one process at a time, and always from what the store holds now. */
function renewStored(gateway: string, secrets: SecretStore, onEnded: () => void): Promise<Renewed> {
  const work = async (): Promise<Renewed> => {
    const stored = await read(gateway, secrets)
    if (stored === undefined) {
      // Signed out elsewhere: in a terminal, or by another window.
      onEnded()
      throw fail('not-signed-in', 'The sign-in has ended.', { action: 'sign-in' })
    }
    const prover = new Prover(await importProofKey(stored.key))
    const server = await oauthServer(stored.info, stored.clientId)
    let tokens: Tokens
    try {
      tokens = tokensOf(
        await oauth.refreshTokenGrant(server, stored.refreshToken, undefined, { DPoP: dpop(server, prover) }),
      )
    } catch (error) {
      if (!isRefused(error)) throw signInProblem(error)
      await secrets.delete(secretKey(gateway))
      onEnded()
      throw fail('not-signed-in', 'The sign-in has ended.', {
        hint: 'Sign in again to go on.',
        action: 'sign-in',
        cause: error,
      })
    }
    const refreshToken = tokens.refreshToken ?? stored.refreshToken
    await secrets.set(secretKey(gateway), JSON.stringify({ ...stored, refreshToken } satisfies Stored))
    return { tokens, prover }
  }
  return secrets.exclusive === undefined ? work() : secrets.exclusive(secretKey(gateway), work)
}
