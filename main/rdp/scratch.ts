import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf } from '../problem.ts'

/** A file for one launch, in a folder of its own. */
export interface ScratchFile {
  path: string
  /** Removes it and its folder. A second call does nothing. */
  remove(): Promise<void>
}

const folderOf = (dataDir: string): string => join(dataDir, 'desktops')

/** Folders are named after the process that made them, so that a sweep leaves those of one that runs. */
export async function writeScratch(dataDir: string, id: string, name: string, text: string): Promise<ScratchFile> {
  const folder = join(folderOf(dataDir), `${process.pid}-${id}`)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, name)
  await writeFile(path, text, { mode: 0o600, flag: 'wx' })
  return { path, remove: () => rm(folder, { recursive: true, force: true }) }
}

/** Removes what a client that crashed has left behind. */
export async function sweepScratch(dataDir: string): Promise<void> {
  const folder = folderOf(dataDir)
  for (const name of await entries(folder)) {
    const pid = Number(name.split('-', 1)[0])
    if (pid !== process.pid && isRunning(pid)) continue
    await rm(join(folder, name), { recursive: true, force: true })
  }
}

async function entries(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Somebody else's process: not ours to sweep after, but it runs.
    return codeOf(error) === 'EPERM'
  }
}
