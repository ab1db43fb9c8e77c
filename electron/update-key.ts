import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

const Manifest = z.object({ sallyport: z.object({ updateKey: z.string() }).optional() })

/** The release key that this build was packaged with; undefined when it was packaged without, and gets no updates. */
export async function packagedKey(appPath: string): Promise<string | undefined> {
  const manifest: unknown = JSON.parse(await readFile(join(appPath, 'package.json'), 'utf8'))
  return Manifest.parse(manifest).sallyport?.updateKey
}
