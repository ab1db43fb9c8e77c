import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { RdpError, u32 } from '../frames.ts'
import { Rc4 } from './rc4.ts'

/** NTLM's sealing (MS-NLMP 3.4) with extended session security, 128 bits and a key of the session's own. */

type Side = 'client' | 'server'

/** One direction of a session. Messages are numbered: each is sealed, or opened, once and in order. */
export class Sealer {
  readonly #signKey: Buffer
  readonly #rc4: Rc4
  #n = 0

  /** `side`: who sends in this direction. */
  constructor(sessionKey: Buffer, side: Side) {
    const way = side === 'client' ? 'client-to-server' : 'server-to-client'
    this.#signKey = keyFor(sessionKey, `session key to ${way} signing key magic constant\0`)
    this.#rc4 = new Rc4(keyFor(sessionKey, `session key to ${way} sealing key magic constant\0`))
  }

  /** Signature and ciphertext, as GSS_Wrap has it. */
  seal(message: Buffer): Buffer {
    const sealed = this.#rc4.apply(message)
    return Buffer.concat([this.#signature(message), sealed])
  }

  /** Throws RdpError unless the other side sealed it. */
  open(bytes: Buffer): Buffer {
    if (bytes.length < 16) throw new RdpError('a sealed message is too short')
    const message = this.#rc4.apply(bytes.subarray(16))
    if (!timingSafeEqual(this.#signature(message), bytes.subarray(0, 16))) {
      throw new RdpError('the target did not seal a message with the key of this sign-in')
    }
    return message
  }

  #signature(message: Buffer): Buffer {
    const n = u32(this.#n++)
    const checksum = hmacMd5(this.#signKey, n, message).subarray(0, 8)
    return Buffer.concat([u32(1), this.#rc4.apply(checksum), n])
  }
}

function keyFor(sessionKey: Buffer, purpose: string): Buffer {
  return createHash('md5').update(sessionKey).update(purpose, 'latin1').digest()
}

export function hmacMd5(key: Buffer, ...parts: readonly Buffer[]): Buffer {
  const hmac = createHmac('md5', key)
  for (const part of parts) hmac.update(part)
  return hmac.digest()
}
