import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * A secret in a file that only its owner reads (0600), made on first use.
 * @throws when others can read the file: what they may have read is no secret any more
 */
export async function readOrCreateSecret(file: string, create: () => string): Promise<string> {
  await mkdir(dirname(file), { recursive: true })
  if (!(await exists(file))) await publish(file, `${create()}\n`)
  const { mode } = await stat(file)
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new Error(
      `${file} can be read by other users of this machine. Run chmod 600 on it, and change the secret if they may have.`,
    )
  }
  const secret = (await readFile(file, 'utf8')).trim()
  if (secret === '') throw new Error(`${file} is empty. Restore it from a backup, or remove it to have a new one made.`)
  return secret
}

async function exists(file: string): Promise<boolean> {
  try {
    await stat(file)
    return true
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false
    throw error
  }
}

/**
 * Gives the file its name when it is whole and on disk: a process beside this one, or the next one after a crash, never
 * finds half a secret. The first one wins; who comes later leaves the file as it is.
 */
async function publish(file: string, text: string): Promise<void> {
  const draft = `${file}.${randomBytes(8).toString('hex')}`
  const handle = await open(draft, 'wx', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
    await link(draft, file)
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
  } finally {
    await handle.close()
    await rm(draft, { force: true })
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

/**
 * The key that everything at rest is sealed with: `SALLYPORT_KEY` (32 bytes, base64), else `secret.key` in the data folder.
 * A store without its key can't be read, so back the key up where the store is not.
 */
export async function dataKey(dataDir: string, fromEnv: string | undefined): Promise<Buffer> {
  const text =
    fromEnv === undefined || fromEnv === ''
      ? await readOrCreateSecret(`${dataDir}/secret.key`, () => randomBytes(32).toString('base64'))
      : fromEnv
  const key = Buffer.from(text, 'base64')
  if (key.byteLength !== 32) {
    throw new Error(
      'The data key (SALLYPORT_KEY or secret.key) is not 32 bytes in base64. Make one with: openssl rand -base64 32',
    )
  }
  return key
}
