import ssh2 from 'ssh2'
import type { AlgorithmOffer } from 'ssh2/lib/protocol/Protocol.js'

/**
 * What both sides of the inspector offer. No SHA-1, no CBC, no plain MAC, no compression.
 *
 * Toward clients AES-GCM stands alone: a client takes the first of its own list that we offer, OpenSSH lists ChaCha20 first,
 * and that costs this process 5 to 15 % more (measured with ssh2's add-on on a CPU with AES). GCM is also the one family that
 * prefix truncation (Terrapin) never touched. OpenSSH has had it since 6.2.
 */
const kex = [
  'curve25519-sha256',
  'curve25519-sha256@libssh.org',
  'ecdh-sha2-nistp256',
  'ecdh-sha2-nistp384',
  'ecdh-sha2-nistp521',
  'diffie-hellman-group16-sha512',
  'diffie-hellman-group14-sha256',
]

const hostKeyTypes = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
]

/** A target may be an old host: counter mode with encrypt-then-MAC is accepted there, after everything better. */
const clientCiphers = [
  'aes128-gcm@openssh.com',
  'aes256-gcm@openssh.com',
  'chacha20-poly1305@openssh.com',
  'aes256-ctr',
]
const serverCiphers = ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com']
const macs = ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com']

function direction(cipher: readonly string[]): AlgorithmOffer['cs'] {
  return { cipher: [...cipher], mac: [...macs], compress: ['none'], lang: [] }
}

/** The offer toward a target. */
export function clientOffer(): AlgorithmOffer {
  return { kex: [...kex], serverHostKey: [...hostKeyTypes], cs: direction(clientCiphers), sc: direction(clientCiphers) }
}

/** The offer toward a client, for a host key of `keyType` (`ssh-ed25519`, `ssh-rsa`, …). */
export function serverOffer(keyType: string): AlgorithmOffer {
  const serverHostKey = keyType === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256'] : [keyType]
  return { kex: [...kex], serverHostKey, cs: direction(serverCiphers), sc: direction(serverCiphers) }
}

/** Parses a private key; throws with words when it is none. The text itself is never part of the message. */
export function parsePrivateKey(text: string, whose: string): ssh2.ParsedKey {
  const parsed = ssh2.utils.parseKey(text)
  if (parsed instanceof Error) throw new Error(`${whose} can't be read: ${parsed.message}`)
  const key: ssh2.ParsedKey | undefined = Array.isArray(parsed) ? parsed[0] : parsed
  if (key === undefined || !key.isPrivateKey()) throw new Error(`${whose} is not a private key.`)
  return key
}
