import { createHash, timingSafeEqual } from 'node:crypto'

/** The fingerprint of an SSH host key as `ssh-keygen -l` prints it: `SHA256:` and base64 without padding. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}

export function isHostKey(key: Buffer, expected: string): boolean {
  const seen = Buffer.from(fingerprint(key))
  const wanted = Buffer.from(expected)
  return seen.length === wanted.length && timingSafeEqual(seen, wanted)
}
