import { createPrivateKey, type KeyObject, sign } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { SignedRelease, signedText } from '../../electron/update-signature.ts'

const Release = SignedRelease.loose()

/** Percentage of installed copies that see a release: a whole number, 1 to 100. */
export const Staging = z.coerce.number().int().min(1).max(100)

/** The private half of the release key, from PKCS #8 in base64. */
export function signingKey(pkcs8: string): KeyObject {
  return createPrivateKey({ key: Buffer.from(pkcs8, 'base64'), format: 'der', type: 'pkcs8' })
}

/** A `latest*.yml` with its signature and its staging. */
export function signRelease(yaml: string, key: KeyObject, staging: number): string {
  const release = Release.parse(parse(yaml))
  const sallyportSignature = sign(null, signedText(release), key).toString('base64')
  return stringify({ ...release, stagingPercentage: staging, sallyportSignature })
}

/** Signs what electron-builder left in a folder. Returns the names; throws when there is nothing to sign. */
export async function signFolder(out: string, key: KeyObject, staging: number): Promise<string[]> {
  const names = (await readdir(out)).filter((name) => /^latest.*\.yml$/.test(name))
  if (names.length === 0) throw new Error(`${out}: no latest*.yml. Was it packaged with SALLYPORT_UPDATE_URL?`)
  for (const name of names) {
    const file = join(out, name)
    await writeFile(file, signRelease(await readFile(file, 'utf8'), key, staging))
  }
  return names
}
