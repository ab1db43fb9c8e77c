import * as oauth from 'openid-client'
import { z } from 'zod'
import type { StepUp } from '../../shared/api/problem.ts'
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
import { stepUpParameters } from './step-up.ts'

/** What outlives the process, in the secret store only. */
const Stored = z.object({
  info: z.object({ url: z.url(), name: z.string(), version: z.string(), issuer: z.url(), api: z.url() }),
  clientId: z.string(),
  refreshToken: z.string(),
  key: z.string(),
  person: Principal,
  /** How they signed in, and so how they prove again who they are. Absent: with the browser. */
  flow: z.enum(['browser', 'device']).optional(),
  /** Of sign-ins that a better one took the place of: sessions that were opened with them go on, and end with this one. */
  earlier: z.array(z.string()).optional(),
})
type Stored = z.infer<typeof Stored>

/** A person who is signed in at a gateway. */
export interface SignedIn {
  info: GatewayInfo
  person: Principal
  api: ApiClient
  credentials: TokenKeeper
  flow: 'browser' | 'device'
}

const secretKey = (gateway: string): string => `sign-in ${gateway}`

interface StartOptions {
  gateway: string
  flow: 'browser' | 'device'
  clientId: string
  secrets: SecretStore
  onEnded: () => void
  signal?: AbortSignal
}

export type StartedSignIn = Omit<PendingSignIn, 'done'> & { done: Promise<SignedIn> }

/**
 * Starts a sign-in. When its `done` resolves, the person is signed in and it is in the store; `done` rejects with a ProblemError.
 * `onEnded` is called once a later renewal is refused, so that the client can say so.
 */
export async function startSignIn(options: StartOptions): Promise<StartedSignIn> {
  return begin(options)
}

/**
 * The same for somebody who is signed in: they prove again who they are, with a second factor. The new sign-in takes the place of the
 * one in the store. Rejects, and changes nothing, when somebody else signs in or the provider asked for no second factor.
 */
export function stepUpSignIn(
  options: Omit<StartOptions, 'gateway' | 'flow'> & { who: SignedIn; lack: StepUp },
): Promise<StartedSignIn> {
  const { who, lack, ...rest } = options
  return begin({ ...rest, gateway: who.info.url, flow: who.flow }, { person: who.person, lack })
}

interface Again {
  person: Principal
  lack: StepUp
}

async function begin(options: StartOptions, again?: Again): Promise<StartedSignIn> {
  const { flow, clientId, signal } = options
  const info = await discoverGateway(options.gateway, signal)
  const server = await oauthServer(info, clientId)
  const prover = new Prover(await newProofKey())
  const start = flow === 'browser' ? browserSignIn : deviceSignIn
  const more = again === undefined ? {} : stepUpParameters(again.lack, again.person.id, flow)
  const { done, ...pending } = await start(server, prover, signal, more)
  return { ...pending, done: done.then((tokens) => settle(options, { info, server, prover, tokens }, again)) }
}

interface Made {
  info: GatewayInfo
  server: oauth.Configuration
  prover: Prover
  tokens: Tokens
}

async function settle(
  { clientId, secrets, onEnded, flow, signal }: StartOptions,
  { info, server, prover, tokens }: Made,
  again: Again | undefined,
): Promise<SignedIn> {
  const { refreshToken } = tokens
  if (refreshToken === undefined) {
    throw fail('sign-in-failed', 'The gateway gave no refresh token, so the sign-in would end within minutes.', {
      action: 'sign-in',
    })
  }
  const credentials = new TokenKeeper(() => renewStored(info.url, secrets, onEnded), { tokens, prover })
  const api = createApiClient(info.api, credentials)
  const { principal: person, mfa } = await asked(api.me())
  const drop = async (why: string): Promise<never> => {
    // Of no use to anybody; that it stays behind where it can't be revoked is no reason to hide why.
    await oauth.tokenRevocation(server, refreshToken, { token_type_hint: 'refresh_token' }).catch(() => undefined)
    throw fail('sign-in-failed', why)
  }
  const why = again === undefined ? undefined : whyNotBetter(again, person, mfa === true)
  if (why !== undefined) return drop(why)
  const key = await exportProofKey(prover.key)
  /** Says why not, where it must not be kept. */
  const store = async (): Promise<string | undefined> => {
    const before = again === undefined ? undefined : await read(info.url, secrets)
    if (again !== undefined && before?.person.id !== again.person.id) {
      return `${again.person.id} was signed out meanwhile, and stays so.`
    }
    if (signal?.aborted === true) return 'It was given up.'
    const earlier = before === undefined ? [] : [...(before.earlier ?? []), before.refreshToken]
    const stored: Stored = {
      info,
      clientId,
      refreshToken,
      key,
      person,
      ...(flow === 'device' ? { flow } : {}),
      ...(earlier.length === 0 ? {} : { earlier }),
    }
    await secrets.set(secretKey(info.url), JSON.stringify(stored))
    return undefined
  }
  // The old one may be renewed at this very moment, and must not be written over the new one.
  const kept = secrets.exclusive === undefined ? store() : secrets.exclusive(secretKey(info.url), store)
  const whyNot = await kept
  if (whyNot !== undefined) return drop(whyNot)
  return { info, person, api, credentials, flow }
}

/** Why a sign-in does not do in place of the one before, in words; undefined when it does. */
function whyNotBetter({ person }: Again, now: Principal, mfa: boolean): string | undefined {
  if (now.id !== person.id) {
    return `You are signed in as ${person.id}, and confirmed as ${now.id}. Nothing was changed. Try again as ${person.id}.`
  }
  return mfa
    ? undefined
    : 'The sign-in provider did not ask for a second factor, so nothing was changed. Whoever runs the gateway can set how it asks for one.'
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
  const { info, person, flow = 'browser' } = stored
  return { info, person, api: createApiClient(info.api, credentials), credentials, flow }
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
    for (const token of [stored.refreshToken, ...(stored.earlier ?? [])]) {
      await oauth.tokenRevocation(server, token, { token_type_hint: 'refresh_token' })
    }
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
    const now = await read(gateway, secrets)
    // A better sign-in may have come in its place meanwhile.
    if (now?.key === stored.key) {
      await secrets.set(secretKey(gateway), JSON.stringify({ ...stored, refreshToken } satisfies Stored))
    }
    return { tokens, prover }
  }
  return secrets.exclusive === undefined ? work() : secrets.exclusive(secretKey(gateway), work)
}
