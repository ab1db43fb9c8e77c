import { createHmac, createSecretKey, hash, type KeyObject, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

/**
 * The client's half of SCRAM-SHA-256 (RFC 5802, RFC 7677) as PostgreSQL speaks it, against a server that may be hostile:
 *
 *   → n,,n=,r=NONCE                      ← r=NONCE+MORE,s=SALT,i=ITERATIONS
 *   → c=biws,r=NONCE+MORE,p=PROOF        ← v=SIGNATURE
 *
 * PostgreSQL ignores the name: it knows it from start-up. What stands before the name says how the exchange is bound to TLS:
 * `p=tls-server-end-point` with SCRAM-SHA-256-PLUS, `y` where we could and the target did not offer it (which it checks, so that
 * nobody in between can take the offer away), `n` without TLS.
 */
export class ScramError extends Error {
  override readonly name = 'ScramError'
}

const derive = promisify(pbkdf2)

/** RFC 7677's floor, and what we are willing to be made to compute. */
const iterations = { least: 4096, most: 1_000_000 }

/** What a password comes to with a salt: the keys of all sign-ins with it. */
interface SaltedPassword {
  clientKey: Buffer
  storedKey: KeyObject
  serverKey: KeyObject
}

/** Salted passwords of one password, so that a busy connection derives each once. Bounded. */
export class SaltedPasswords {
  readonly #known = new Map<string, Promise<SaltedPassword>>()

  get(password: string, salt: string, count: number): Promise<SaltedPassword> {
    const key = hash('sha256', `${count}\0${salt}\0${password}`, 'base64')
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const made = derive(password.normalize('NFKC'), Buffer.from(salt, 'base64'), count, 32, 'sha256').then(keysOf)
    if (this.#known.size >= 64) this.#known.clear()
    this.#known.set(key, made)
    made.catch(() => this.#known.delete(key))
    return made
  }
}

function keysOf(salted: Buffer): SaltedPassword {
  const key = createSecretKey(salted)
  const clientKey = hmac(key, 'Client Key')
  return {
    clientKey,
    storedKey: createSecretKey(hash('sha256', clientKey, 'buffer')),
    serverKey: createSecretKey(hmac(key, 'Server Key')),
  }
}

export interface Scram {
  /** The first message, for SASLInitialResponse. */
  readonly first: string
  /** Answers the server's first message. Throws ScramError when it is malformed or asks too little or too much. */
  answer(serverFirst: string): Promise<string>
  /** Throws ScramError unless the server proved that it knows the password too. */
  verify(serverFinal: string): void
}

export type Binding = { kind: 'none' } | { kind: 'unoffered' } | { kind: 'bound'; data: Buffer }

export function scram(
  password: string,
  salted: SaltedPasswords,
  { binding = { kind: 'none' }, nonce = newNonce() }: { binding?: Binding; nonce?: string } = {},
): Scram {
  const header = { none: 'n,,', unoffered: 'y,,', bound: 'p=tls-server-end-point,,' }[binding.kind]
  const data = binding.kind === 'bound' ? binding.data : Buffer.alloc(0)
  const bound = Buffer.concat([Buffer.from(header), data]).toString('base64')
  const firstBare = `n=,r=${nonce}`
  let expected: Buffer | undefined
  return {
    first: `${header}${firstBare}`,
    async answer(serverFirst) {
      const { serverNonce, salt, count } = readServerFirst(serverFirst, nonce)
      const { clientKey, storedKey, serverKey } = await salted.get(password, salt, count)
      const withoutProof = `c=${bound},r=${serverNonce}`
      const authMessage = `${firstBare},${serverFirst},${withoutProof}`
      const signature = hmac(storedKey, authMessage)
      const proof = Buffer.alloc(32)
      for (let i = 0; i < 32; i++) proof[i] = (clientKey[i] ?? 0) ^ (signature[i] ?? 0)
      expected = hmac(serverKey, authMessage)
      return `${withoutProof},p=${proof.toString('base64')}`
    },
    verify(serverFinal) {
      if (expected === undefined) throw new ScramError('the target ended SCRAM before it began')
      if (serverFinal.startsWith('e=')) throw new ScramError(`the target refused the sign-in (${serverFinal.slice(2)})`)
      const value = /^v=([A-Za-z0-9+/]+={0,2})(?:,.*)?$/.exec(serverFinal)?.[1]
      const signature = value === undefined ? undefined : Buffer.from(value, 'base64')
      if (signature === undefined || signature.length !== expected.length || !timingSafeEqual(signature, expected)) {
        throw new ScramError('the target could not prove that it knows the password')
      }
    },
  }
}

function newNonce(): string {
  return randomBytes(18).toString('base64')
}

function readServerFirst(text: string, nonce: string): { serverNonce: string; salt: string; count: number } {
  // A mandatory extension (`m=`) must be refused when it isn't known; it would stand before `r=`.
  const match = /^r=([\x21-\x2b\x2d-\x7e]+),s=([A-Za-z0-9+/]+={0,2}),i=([1-9]\d{0,9})(?:,.*)?$/.exec(text)
  const [, serverNonce, salt, count] = match ?? []
  if (serverNonce === undefined || salt === undefined || count === undefined) {
    throw new ScramError('the target sent a malformed SCRAM challenge')
  }
  if (!serverNonce.startsWith(nonce) || serverNonce.length <= nonce.length) {
    throw new ScramError("the target's SCRAM nonce does not continue ours")
  }
  if (salt.length % 4 !== 0 || Buffer.from(salt, 'base64').length < 8) {
    throw new ScramError('the target sent a SCRAM salt that is too short or malformed')
  }
  const times = Number(count)
  if (times < iterations.least || times > iterations.most) {
    throw new ScramError(`the target asks for ${count} SCRAM iterations; accepted are 4096 to 1000000`)
  }
  return { serverNonce, salt, count: times }
}

function hmac(key: KeyObject, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
