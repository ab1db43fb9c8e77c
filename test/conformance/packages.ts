import { existsSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '../support/run.ts'

/** Installs npm packages of exact versions into a folder of their own under `cache`, once. Their scripts do not run. */
export async function installed(
  cache: string,
  name: string,
  packages: Readonly<Record<string, string>>,
): Promise<string> {
  const folder = join(cache, name)
  if (existsSync(folder)) return folder
  const work = `${folder}.part`
  await rm(work, { recursive: true, force: true })
  await mkdir(work, { recursive: true })
  await writeFile(join(work, 'package.json'), JSON.stringify({ private: true, dependencies: packages }))
  const ran = await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: work,
    timeoutMs: 600_000,
  })
  if (ran.code !== 0) throw new Error(`npm install of ${Object.keys(packages).join(', ')}: ${ran.stderr.trim()}`)
  await rename(work, folder)
  return folder
}
