import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { z } from 'zod'

/** What a release says of itself (`latest*.yml`), as far as it is signed. */
export const SignedRelease = z.object({
  version: z.string().min(1),
  files: z.array(z.object({ url: z.string(), sha512: z.string() })).min(1),
  /** Ed25519 over `signedText`, base64. Made by build/package/sign.ts. */
  sallyportSignature: z.string().optional(),
})
export type SignedRelease = z.infer<typeof SignedRelease>

/** The bytes that are signed: version, and name and SHA-512 of each file. */
export function signedText({ version, files }: Pick<SignedRelease, 'version' | 'files'>): Buffer {
  return Buffer.from(JSON.stringify(['sallyport-release-1', version, files.map(({ url, sha512 }) => [url, sha512])]))
}

/** The key of this build, from its package.json: SPKI, base64. Throws when it is not an Ed25519 key. */
export function releaseKey(spki: string): KeyObject {
  const key = createPublicKey({ key: Buffer.from(spki, 'base64'), format: 'der', type: 'spki' })
  if (key.asymmetricKeyType !== 'ed25519') throw new Error('The release key is not an Ed25519 key.')
  return key
}

/** Whether a release was signed with the key. What can't be read is not. */
export function isSignedRelease(info: unknown, key: KeyObject): boolean {
  const parsed = SignedRelease.safeParse(info)
  if (!parsed.success || parsed.data.sallyportSignature === undefined) return false
  return verify(null, signedText(parsed.data), key, Buffer.from(parsed.data.sallyportSignature, 'base64'))
}
