import * as oauth from 'openid-client'
import type { GatewayInfo } from '../gateway/address.ts'
import type { Prover } from '../gateway/proof.ts'
import { isUnreached, unreachable, unreachableStatus } from '../gateway/reach.ts'
import { fail, messageOf, ProblemError } from '../problem.ts'

export const scope = 'openid profile offline_access'

/** What the token endpoint gave. `expiresAt` in milliseconds since the epoch. */
export interface Tokens {
  accessToken: string
  expiresAt: number
  refreshToken?: string
}

/** The gateway's OAuth server for one client. A secret makes it a confidential (machine) client. */
export async function oauthServer(
  info: GatewayInfo,
  clientId: string,
  clientSecret?: string,
): Promise<oauth.Configuration> {
  const authentication = clientSecret === undefined ? oauth.None() : oauth.ClientSecretBasic(clientSecret)
  // GatewayInfo only ever holds http:// for loopback addresses.
  const execute = info.issuer.startsWith('http:') ? [oauth.allowInsecureRequests] : []
  try {
    return await oauth.discovery(new URL(info.issuer), clientId, undefined, authentication, { execute, timeout: 15 })
  } catch (error) {
    throw signInProblem(error)
  }
}

export function dpop(server: oauth.Configuration, prover: Prover): oauth.DPoPHandle {
  return oauth.getDPoPHandle(server, prover.key)
}

export function tokensOf(response: oauth.TokenEndpointResponse): Tokens {
  const seconds = response.expires_in ?? 60
  return {
    accessToken: response.access_token,
    expiresAt: Date.now() + seconds * 1000,
    ...(response.refresh_token === undefined ? {} : { refreshToken: response.refresh_token }),
  }
}

/** True when the server refused the grant itself: signing in again is the only way on. */
export function isRefused(error: unknown): boolean {
  return (
    error instanceof oauth.ResponseBodyError &&
    ['invalid_grant', 'invalid_client', 'unauthorized_client'].includes(error.error)
  )
}

/** What openid-client threw, in words. */
export function signInProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error
  if (error instanceof oauth.ResponseBodyError && error.status >= 500) return unreachableStatus(error.status)
  if (error instanceof oauth.ResponseBodyError || error instanceof oauth.AuthorizationResponseError) {
    const words = error.error_description ?? wordsFor(error.error)
    // A whole sentence is the gateway's own, and says what to do.
    return fail('sign-in-failed', words.endsWith('.') ? words : `The sign-in was refused: ${words}.`, {
      action: 'sign-in',
      cause: error,
    })
  }
  if (error instanceof oauth.WWWAuthenticateChallengeError) {
    return fail(
      'sign-in-failed',
      'The sign-in was refused: the gateway does not know this client, or its secret is wrong.',
      {
        action: 'sign-in',
        cause: error,
      },
    )
  }
  if (isUnreached(error)) return unreachable(error)
  return fail('sign-in-failed', `The sign-in did not complete: ${messageOf(error)}.`, {
    action: 'sign-in',
    cause: error,
  })
}

function wordsFor(code: string): string {
  switch (code) {
    case 'access_denied':
      return 'it was declined in the browser'
    case 'expired_token':
      return 'the code expired before it was entered'
    case 'invalid_client':
      return 'the gateway does not know this client, or its secret is wrong'
    case 'invalid_grant':
      return 'the sign-in has ended or was revoked'
    default:
      return code
  }
}
