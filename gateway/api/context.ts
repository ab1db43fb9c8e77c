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
  /** ISO 8601: when the person proved who they are; absent for machines, and where the upstream provider does not say. */
  signedInAt?: string
  /** The computer, as its client calls it: shown to people as such, and decided by nowhere. */
  device?: string
  /** The program that signed in. */
  client?: 'desktop' | 'cli' | 'machine'
  /**
   * Names the sign-in behind the access token (SHA-256, hex): it stays the same when tokens rotate, and all that was entered
   * with it ends when it is revoked. For a machine it is the access token itself. Goes into `access_token_id` of tokens and tickets.
   */
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
