import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'

/**
 * Encryption at rest: AES-256-GCM, a random nonce per value.
 * `context` (`connections/orders-db`) is authenticated with it, so that a value can't be moved to another row.
 * Layout: version 1 (1 byte) · nonce (12) · tag (16) · ciphertext.
 */
export interface Sealer {
  seal(plain: string, context: string): Buffer
  /** Throws when the bytes were changed, belong elsewhere or were sealed with another key. */
  open(sealed: Uint8Array, context: string): string
}

const version = 1
const nonceBytes = 12
const tagBytes = 16

/** @param key 32 bytes */
export function createSealer(key: Uint8Array): Sealer {
  if (key.byteLength !== 32) throw new Error(`A data key has 32 bytes, not ${key.byteLength}.`)
  return {
    seal(plain, context) {
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context))
      const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
      return Buffer.concat([Buffer.of(version), nonce, cipher.getAuthTag(), body])
    },
    open(sealed, context) {
      if (sealed[0] !== version || sealed.byteLength < 1 + nonceBytes + tagBytes) {
        throw new Error(`${context}: not a sealed value. The store was changed by something else than a gateway.`)
      }
      const nonce = sealed.subarray(1, 1 + nonceBytes)
      const tag = sealed.subarray(1 + nonceBytes, 1 + nonceBytes + tagBytes)
      const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context)).setAuthTag(tag)
      try {
        return decipher.update(sealed.subarray(1 + nonceBytes + tagBytes), undefined, 'utf8') + decipher.final('utf8')
      } catch (error) {
        throw new Error(
          `${context}: can't be decrypted. Start the gateway with the data key that this store was written with (SALLYPORT_KEY, or secret.key in its data folder).`,
          { cause: error },
        )
      }
    },
  }
}

/** SHA-256 as hex: how secrets with full entropy (tokens, tickets) are looked up without being stored. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
