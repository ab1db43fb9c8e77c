import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { run } from './run.ts'

/**
 * Folders of throw-away PostgreSQL servers. `initdb` takes a second of a processor, and a copy of what it made a tenth of that; the tests
 * start some seventy servers. What the first one made stays beside the installed packages, under a name that says what it was made of.
 */
const root = join(import.meta.dirname, '..', '..')
const cache = join(root, 'node_modules', '.cache', 'sallyport-postgres')

/**
 * Puts at `folder`, which must not be there, what `make` makes there out of `parts` and the installed packages. Nothing may use it at
 * the end of `make`.
 */
export async function madeOnce(folder: string, parts: readonly string[], make: () => Promise<void>): Promise<void> {
  // Owners and modes must be the same, and cp(1) of Linux keeps them.
  if (process.platform !== 'linux') return make()
  const lock = await readFile(join(root, 'package-lock.json'))
  // The account that it belongs to is this machine's.
  const of = JSON.stringify([hostname(), ...parts])
  const name = createHash('sha256').update(lock).update(of).digest('hex').slice(0, 16)
  const made = join(cache, name)
  if (await exists(made)) return copy(made, folder)
  await make()
  await mkdir(cache, { recursive: true })
  const own = `${made}.${process.pid}.${Math.random().toString(36).slice(2)}`
  await copy(folder, own)
  // Where another file's tests were faster, theirs is as good.
  await rename(own, made).catch(() => rm(own, { recursive: true }))
}

async function copy(from: string, to: string): Promise<void> {
  const { code, stderr } = await run('cp', ['-a', '--reflink=auto', from, to])
  if (code !== 0) throw new Error(stderr)
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
