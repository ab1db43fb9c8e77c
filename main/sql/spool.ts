import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf } from '../problem.ts'

/** Deletes spool files of processes that are gone. They exist only where open files can't be unlinked. */
export async function sweepSpool(dataDir: string): Promise<void> {
  const dir = join(dataDir, 'spool')
  for (const name of await list(dir)) {
    const pid = /^(\d+)-.*\.rows$/.exec(name)?.[1]
    if (pid !== undefined && !isRunning(Number(pid))) await rm(join(dir, name), { force: true })
  }
}

async function list(dir: string): Promise<string[]> {
  try {
    return await readdir(dir)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}
