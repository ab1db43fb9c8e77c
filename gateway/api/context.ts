import { implement } from '@orpc/server'
import { apiContract } from '../../shared/api/contract.ts'
import type { Principal } from '../../shared/principal.ts'

/** Who calls the API. The access token was checked against the store for this very request. */
export interface Caller {
  principal: Principal
  sourceIp: string
  /** The upstream provider said that a second factor was used. */
  mfa: boolean
  /** ISO 8601: when the sign-in ends and has to be done again. */
  signInEndsAt: string
  /** Names the access token without being it: SHA-256, hex. */
  tokenId: string
}

export interface ApiContext {
  caller: Caller
}

/**
 * What every handler starts from. A domain exports `xxxRouter(deps)`, which returns the handlers of its part of the contract
 * (`{ list: api.sessions.list.handler(…), … }`); `router.ts` puts the parts together.
 */
export const api = implement(apiContract).$context<ApiContext>()
