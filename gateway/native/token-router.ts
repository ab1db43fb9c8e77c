import { api } from '../api/context.ts'
import { type AdmissionDeps, admit } from '../sessions/admission.ts'
import { refusal } from '../sessions/router.ts'
import type { Tokens } from '../tokens.ts'

export interface TokenRouteDeps extends AdmissionDeps {
  tokens: Tokens
  /** The native listeners' `host:port`; empty where there is none. */
  native: { postgres: string; ssh: string }
}

/** `connections.token`: the password for a native listener. */
export function tokenRoute(deps: TokenRouteDeps) {
  return api.connections.token.handler(async ({ context: { caller }, input, errors }) => {
    const { principal, sourceIp, mfa, tokenId } = caller
    const admission = admit(deps, { principal, context: { sourceIp, mfa } }, input.name)
    if (!admission.ok) throw refusal(admission)
    const { ref, target } = admission.connection
    const address = target.kind === 'rdp' ? '' : deps.native[target.kind]
    if (address === '') {
      throw errors.CONFLICT({
        message: `This gateway has no native listener for ${ref.kind}. Use sallyport connect ${ref.name} instead.`,
      })
    }
    const { secret, expiresAt } = await deps.tokens.issueToken({
      principal,
      connection: ref.name,
      accessTokenId: tokenId,
      mfa,
    })
    return {
      ...splitAddress(address),
      // SSH has no place of its own for the connection.
      ...(target.kind === 'ssh' ? { user: `${principal.id}%${ref.name}` } : { user: principal.id, database: ref.name }),
      token: secret,
      expiresAt: expiresAt.toISOString(),
    }
  })
}

function splitAddress(address: string): { host: string; port: number } {
  const at = address.lastIndexOf(':')
  return { host: address.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(address.slice(at + 1)) }
}
