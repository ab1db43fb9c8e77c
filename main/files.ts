import { randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { codeOf, fail } from './problem.ts'
import type { SecretStore } from './secrets.ts'

/** Replaces a file whole or not at all, readable by its owner only. */
export async function writeAtomic(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const temporary = `${file}.${randomUUID()}.tmp`
  try {
    const handle = await open(temporary, 'wx', 0o600)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    if (codeOf(error) === 'ENOSPC') throw fail('failed', `The disk is full: ${file} was not saved.`, { cause: error })
    throw error
  }
}

/** The text of a file; undefined when there is none. */
export async function readIfPresent(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

const lockWaitMs = 20_000
const lockStaleMs = 60_000

/** A secret store of files with mode 0600 in `dir`, one per key. Refuses a file that others may read. */
export function fileSecrets(dir: string): SecretStore {
  const path = (key: string): string => join(dir, `${Buffer.from(key).toString('base64url')}.secret`)
  return {
    async get(key) {
      const file = path(key)
      const text = await readIfPresent(file)
      if (text !== undefined && process.platform !== 'win32') {
        const { mode } = await stat(file)
        if ((mode & 0o077) !== 0) {
          throw fail('failed', `${file} can be read by other users of this machine.`, {
            hint: `Run: chmod 600 '${file}', then sign in again.`,
          })
        }
      }
      return text
    },
    set: (key, value) => writeAtomic(path(key), value),
    delete: (key) => rm(path(key), { force: true }),
    exclusive: (key, work) => withLock(`${path(key)}.lock`, work),
  }
}

async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const deadline = Date.now() + lockWaitMs
  while (!(await tryLock(file))) {
    if (Date.now() > deadline) {
      throw fail('failed', `Another sallyport process holds ${file}.`, { hint: 'End it, or delete that file.' })
    }
    await sleep(50)
  }
  try {
    return await work()
  } finally {
    await rm(file, { force: true })
  }
}

async function tryLock(file: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx', 0o600)
    await handle.close()
    return true
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
  try {
    // Left behind by a process that died: nobody holds a lock that long.
    if (Date.now() - (await stat(file)).mtimeMs > lockStaleMs) await rm(file, { force: true })
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
  return false
}
