import { randomBytes } from 'node:crypto'

/** RFC 4648 base32 in lower case: ids that can be read aloud, and used in paths and host names. */
const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'

/** An id like `ses_4k2…`: 80 random bits, so that it can't be guessed or repeated. */
export function newId(prefix: 'ses' | 'req' | 'gra'): string {
  let id = ''
  for (const byte of randomBytes(16)) id += alphabet.charAt(byte & 31)
  return `${prefix}_${id}`
}

/** A secret that a client shows to be let in: 32 random bytes. The prefix lets scanners of leaked text find it. */
export function newSecret(prefix: 'spt' | 'spk'): string {
  return `${prefix}_${randomBytes(32).toString('base64url')}`
}
