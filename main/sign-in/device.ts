import * as oauth from 'openid-client'
import type { Prover } from '../gateway/proof.ts'
import { fail } from '../problem.ts'
import type { PendingSignIn } from './browser.ts'
import { dpop, scope, signInProblem, type Tokens, tokensOf } from './oauth.ts'

/** The device flow (RFC 8628): a code to enter in a browser anywhere. */
export async function deviceSignIn(
  server: oauth.Configuration,
  prover: Prover,
  signal?: AbortSignal,
  more: Readonly<Record<string, string>> = {},
): Promise<PendingSignIn> {
  const started = await start(server, more)
  return {
    url: started.verification_uri_complete ?? started.verification_uri,
    code: started.user_code,
    expiresAt: new Date(Date.now() + started.expires_in * 1000),
    done: poll(server, started, prover, signal),
  }
}

async function start(
  server: oauth.Configuration,
  more: Readonly<Record<string, string>>,
): Promise<oauth.DeviceAuthorizationResponse> {
  try {
    return await oauth.initiateDeviceAuthorization(server, { ...more, scope })
  } catch (error) {
    throw signInProblem(error)
  }
}

async function poll(
  server: oauth.Configuration,
  started: oauth.DeviceAuthorizationResponse,
  prover: Prover,
  signal: AbortSignal | undefined,
): Promise<Tokens> {
  try {
    const options = { DPoP: dpop(server, prover), ...(signal === undefined ? {} : { signal }) }
    return tokensOf(await oauth.pollDeviceAuthorizationGrant(server, started, undefined, options))
  } catch (error) {
    if (signal?.aborted) throw fail('sign-in-failed', 'The sign-in was cancelled.', { action: 'sign-in', cause: error })
    throw signInProblem(error)
  }
}
