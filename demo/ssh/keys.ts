import { createHash } from 'node:crypto'

/** `SHA256:…` of a public key in OpenSSH form (`ssh-ed25519 AAAA…`), as ssh-keygen -l prints it. */
export function fingerprint(publicKey: string): string {
  const blob = publicKey.split(' ')[1]
  if (blob === undefined) throw new Error('not an OpenSSH public key')
  return `SHA256:${createHash('sha256').update(Buffer.from(blob, 'base64')).digest('base64').replace(/=+$/, '')}`
}
