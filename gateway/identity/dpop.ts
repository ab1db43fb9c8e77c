import { createHash } from 'node:crypto'
import { calculateJwkThumbprint, EmbeddedJWK, errors, jwtVerify } from 'jose'

/** A DPoP proof (RFC 9449, 4.3) that does not hold. The message says which check failed; it goes to the client. */
export class ProofError extends Error {
  override readonly name = 'ProofError'
}

export interface ProofVerifier {
  /**
   * Checks a proof for one request with one access token.
   * @param url of the request as clients see it; query and fragment are ignored
   * @param thumbprint of the key that the token is bound to
   * @throws {ProofError}
   */
  verify(
    proof: string,
    request: { method: string; url: string; accessToken: string; thumbprint: string },
  ): Promise<void>
}

/** How old, or how far ahead, a proof may be. */
const windowSeconds = 60
const maxProofLength = 4096
/** Proofs remembered at most; beyond it the oldest goes, which then only its `iat` keeps out. */
const maxRemembered = 100_000
const algorithms = ['ES256', 'EdDSA', 'Ed25519', 'ES384', 'PS256', 'RS256']

export function createProofVerifier(now: () => number = Date.now): ProofVerifier {
  // jti and key, so that nobody can use up another client's ids. Insertion order is age order.
  const seen = new Map<string, number>()

  const forget = () => {
    for (const [id, until] of seen) {
      if (until > now() && seen.size <= maxRemembered) return
      seen.delete(id)
    }
  }

  return {
    async verify(proof, { method, url, accessToken, thumbprint }) {
      if (proof.length > maxProofLength) throw new ProofError('the DPoP proof is too long')
      let verified: Awaited<ReturnType<typeof jwtVerify>>
      try {
        verified = await jwtVerify(proof, EmbeddedJWK, { typ: 'dpop+jwt', algorithms, currentDate: new Date(now()) })
      } catch (error) {
        if (error instanceof errors.JOSEError || error instanceof TypeError) {
          throw new ProofError('the DPoP proof is not a valid signed proof', { cause: error })
        }
        throw error
      }
      const { payload, protectedHeader } = verified
      if (protectedHeader.jwk === undefined || 'd' in protectedHeader.jwk)
        throw new ProofError('the DPoP proof has no public key')
      if (payload.htm !== method) throw new ProofError('the DPoP proof is for another method')
      if (typeof payload.htu !== 'string' || bare(payload.htu) !== bare(url)) {
        throw new ProofError('the DPoP proof is for another address')
      }
      if (payload.iat === undefined || Math.abs(now() / 1000 - payload.iat) > windowSeconds) {
        throw new ProofError('the DPoP proof is too old or from the future; check the clock of this machine')
      }
      if (payload.ath !== createHash('sha256').update(accessToken).digest('base64url')) {
        throw new ProofError('the DPoP proof is for another access token')
      }
      const key = await calculateJwkThumbprint(protectedHeader.jwk)
      if (key !== thumbprint) throw new ProofError('the access token is bound to another key')
      if (typeof payload.jti !== 'string' || payload.jti === '' || payload.jti.length > 256) {
        throw new ProofError('the DPoP proof has no usable jti')
      }
      const id = `${key} ${payload.jti}`
      forget()
      if (seen.has(id)) throw new ProofError('the DPoP proof was used before')
      seen.set(id, now() + 2 * windowSeconds * 1000)
    },
  }
}

function bare(address: string): string | undefined {
  if (!URL.canParse(address)) return undefined
  const { origin, pathname } = new URL(address)
  return origin + pathname
}
