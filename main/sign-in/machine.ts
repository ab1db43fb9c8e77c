import * as oauth from 'openid-client'
import { discoverGateway, type GatewayInfo } from '../gateway/address.ts'
import { type ApiClient, createApiClient } from '../gateway/client.ts'
import { newProofKey, Prover } from '../gateway/proof.ts'
import { fail } from '../problem.ts'
import { TokenKeeper } from '../tokens.ts'
import { dpop, oauthServer, signInProblem, type Tokens, tokensOf } from './oauth.ts'

const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange'

/** How a job signs in: `SALLYPORT_GATEWAY` with a client id and secret, or with an ID token to exchange. */
export type MachineIdentity =
  | { gateway: string; clientId: string; clientSecret: string }
  | { gateway: string; clientId: string | undefined; idToken: string }

/** Reads the environment of a job; undefined when it names no machine. Throws `bad-input` when it names half of one. */
export function machineFrom(env: Readonly<Record<string, string | undefined>>): MachineIdentity | undefined {
  const clientId = env.SALLYPORT_CLIENT_ID
  const clientSecret = env.SALLYPORT_CLIENT_SECRET
  const idToken = env.SALLYPORT_ID_TOKEN
  if (clientSecret === undefined && idToken === undefined) {
    if (clientId === undefined) return undefined
    throw fail('bad-input', 'SALLYPORT_CLIENT_ID is set, SALLYPORT_CLIENT_SECRET is not.', {
      hint: 'Set it, or SALLYPORT_ID_TOKEN; to use your own sign-in, unset SALLYPORT_CLIENT_ID.',
    })
  }
  const gateway = env.SALLYPORT_GATEWAY
  if (gateway === undefined)
    throw fail('bad-input', 'SALLYPORT_GATEWAY is not set.', { hint: 'It is the address of the gateway.' })
  if (idToken !== undefined) return { gateway, clientId, idToken }
  if (clientId === undefined || clientSecret === undefined) {
    throw fail('bad-input', 'SALLYPORT_CLIENT_SECRET is set, SALLYPORT_CLIENT_ID is not.')
  }
  return { gateway, clientId, clientSecret }
}

/** Signs a machine in. Nothing is stored: the token lives in memory and is asked for again when it runs out. */
export async function machineSignIn(identity: MachineIdentity): Promise<{ info: GatewayInfo; api: ApiClient }> {
  const info = await discoverGateway(identity.gateway)
  const prover = new Prover(await newProofKey())
  const grant = 'idToken' in identity ? await exchange(info, identity, prover) : await secret(info, identity, prover)
  const credentials = new TokenKeeper(async () => ({ tokens: await grant(), prover }))
  await credentials.access()
  return { info, api: createApiClient(info.api, credentials) }
}

async function secret(
  info: GatewayInfo,
  identity: { clientId: string; clientSecret: string },
  prover: Prover,
): Promise<() => Promise<Tokens>> {
  const server = await oauthServer(info, identity.clientId, identity.clientSecret)
  const handle = dpop(server, prover)
  return () =>
    tried(
      oauth.clientCredentialsGrant(server, undefined, { DPoP: handle }),
      'SALLYPORT_CLIENT_ID and SALLYPORT_CLIENT_SECRET',
    )
}

async function exchange(
  info: GatewayInfo,
  identity: { clientId: string | undefined; idToken: string },
  prover: Prover,
): Promise<() => Promise<Tokens>> {
  const server = await oauthServer(info, identity.clientId ?? 'sallyport-cli')
  if (server.serverMetadata().grant_types_supported?.includes(tokenExchange) !== true) {
    throw fail('sign-in-failed', `${info.url} does not exchange ID tokens.`, {
      hint: 'Set SALLYPORT_CLIENT_ID and SALLYPORT_CLIENT_SECRET instead of SALLYPORT_ID_TOKEN.',
    })
  }
  const handle = dpop(server, prover)
  const parameters = {
    subject_token: identity.idToken,
    subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
  }
  return () =>
    tried(oauth.genericGrantRequest(server, tokenExchange, parameters, { DPoP: handle }), 'SALLYPORT_ID_TOKEN')
}

/** `from`: the variables that hold what was refused. */
async function tried(grant: Promise<oauth.TokenEndpointResponse>, from: string): Promise<Tokens> {
  try {
    return tokensOf(await grant)
  } catch (error) {
    const { problem } = signInProblem(error)
    if (problem.code !== 'sign-in-failed') throw signInProblem(error)
    throw fail(problem.code, problem.message, { hint: `Check ${from}.`, action: problem.action, cause: error })
  }
}
