import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const root = join(import.meta.dirname, '..', '..', '..')
const cache = join(root, 'node_modules', '.cache', 'sallyport-page')
const run = promisify(execFile)
const oldMs = 60 * 60_000

/** The built page, as `npm run build` makes it; built once for all test files that want it, and again when a source changed. */
export async function builtPage(): Promise<string> {
  const dist = join(cache, await sourcesHash())
  if (await exists(join(dist, 'index.html'))) return dist
  await mkdir(cache, { recursive: true })
  await removeOld()
  const own = `${dist}.${process.pid}`
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js')
  const config = join(root, 'renderer', 'vite.config.ts')
  await run(process.execPath, [vite, 'build', '--config', config, '--outDir', own, '--emptyOutDir'], {
    // The tests' own environment would make it React's development build.
    env: { ...process.env, NODE_ENV: 'production' },
  })
  try {
    await rename(own, dist)
  } catch (error) {
    // Another file's tests were faster.
    if (!(await exists(join(dist, 'index.html')))) throw error
    await rm(own, { recursive: true })
  }
  return dist
}

async function sourcesHash(): Promise<string> {
  const hash = createHash('sha256')
  for (const folder of ['renderer', 'shared']) {
    const files = await readdir(join(root, folder), { recursive: true, withFileTypes: true })
    for (const file of files) {
      const path = join(file.parentPath, file.name)
      if (!file.isFile() || path.startsWith(join(root, 'renderer', 'dist'))) continue
      const { mtimeMs, size } = await stat(path)
      hash.update(`${path} ${mtimeMs} ${size}\n`)
    }
  }
  return hash.digest('hex').slice(0, 16)
}

async function removeOld(): Promise<void> {
  for (const name of await readdir(cache)) {
    const { mtimeMs } = await stat(join(cache, name))
    if (Date.now() - mtimeMs > oldMs) await rm(join(cache, name), { recursive: true, force: true })
  }
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
