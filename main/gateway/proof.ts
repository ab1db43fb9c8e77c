import { createHash, randomUUID, type webcrypto } from 'node:crypto'
import { exportJWK, importJWK, type JWK, SignJWT } from 'jose'
import { fail } from '../problem.ts'

/** An ES256 key pair that binds a sign-in's tokens to this client (RFC 9449). */
export type ProofKey = webcrypto.CryptoKeyPair

const algorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const

export function newProofKey(): Promise<ProofKey> {
  return crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
}

/** The private key as JSON text for the secret store. */
export async function exportProofKey(key: ProofKey): Promise<string> {
  return JSON.stringify(await exportJWK(key.privateKey))
}

export async function importProofKey(text: string): Promise<ProofKey> {
  const { d, ...pub }: JWK = JSON.parse(text)
  if (d === undefined) throw fail('failed', 'The stored sign-in has no key.', { action: 'sign-in' })
  const privateKey = await importJWK({ ...pub, d }, 'ES256', { extractable: true })
  const publicKey = await importJWK(pub, 'ES256', { extractable: true })
  if (privateKey instanceof Uint8Array || publicKey instanceof Uint8Array) {
    throw fail('failed', 'The stored sign-in has a key of the wrong kind.', { action: 'sign-in' })
  }
  return { privateKey, publicKey }
}

/** Makes DPoP proofs, and remembers the nonce that each server asked for last. */
export class Prover {
  readonly key: ProofKey
  private readonly nonces = new Map<string, string>()
  private jwk: JWK | undefined

  constructor(key: ProofKey) {
    this.key = key
  }

  /** A proof for one request. `url` as requested; query and fragment are left out as RFC 9449 asks. */
  async proof(method: string, url: string, accessToken: string): Promise<string> {
    const { origin, pathname } = new URL(url)
    this.jwk ??= await exportJWK(this.key.publicKey)
    const nonce = this.nonces.get(origin)
    return new SignJWT({
      htm: method,
      htu: `${origin}${pathname}`,
      ath: createHash('sha256').update(accessToken).digest('base64url'),
      ...(nonce === undefined ? {} : { nonce }),
    })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: this.jwk })
      .setIssuedAt()
      .setJti(randomUUID())
      .sign(this.key.privateKey)
  }

  /** True when the server gave a nonce that was not known: the request may be worth another try. */
  learn(url: string, nonce: string | null): boolean {
    const { origin } = new URL(url)
    if (nonce === null || nonce === this.nonces.get(origin)) return false
    this.nonces.set(origin, nonce)
    return true
  }
}
