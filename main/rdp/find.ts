import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { type Candidate, candidatesFor, type InstalledProgram } from './programs.ts'

export interface Surroundings {
  platform: NodeJS.Platform
  env: NodeJS.ProcessEnv
}

/** The programs on this machine that can show a desktop, best first. */
export async function findPrograms({ platform, env }: Surroundings): Promise<InstalledProgram[]> {
  const found = await Promise.all(candidatesFor(platform, env).map((candidate) => locate(candidate, platform, env)))
  return found.filter((program) => program !== undefined)
}

async function locate(
  candidate: Candidate,
  platform: NodeJS.Platform,
  env: NodeJS.ProcessEnv,
): Promise<InstalledProgram | undefined> {
  const { id, name } = candidate
  const folders = (env.PATH ?? env.Path ?? '').split(delimiter).filter((folder) => folder !== '')
  const places = [
    ...candidate.paths,
    ...candidate.executables.flatMap((executable) => folders.map((folder) => join(folder, executable))),
  ]
  for (const path of places) {
    if (!(await isThere(path, platform))) continue
    const version = isFreeRdp(id) ? await freerdpVersion(path) : undefined
    return { id, name, path, ...(version === undefined ? {} : { version }) }
  }
  return undefined
}

async function isThere(path: string, platform: NodeJS.Platform): Promise<boolean> {
  return access(path, platform === 'win32' ? constants.F_OK : constants.X_OK).then(
    () => true,
    () => false,
  )
}

/** FreeRDP says `This is FreeRDP version 2.10.0 (…)`, whatever its exit code. */
async function freerdpVersion(path: string): Promise<string | undefined> {
  const run = promisify(execFile)
  const output = await run(path, ['/version'], { timeout: 3_000, windowsHide: true }).then(
    ({ stdout }) => stdout,
    (error: unknown) => (error instanceof Error && 'stdout' in error ? String(error.stdout) : ''),
  )
  return /FreeRDP version (\d+(?:\.\d+)*)/.exec(output)?.[1]
}

function isFreeRdp(id: Candidate['id']): boolean {
  return id === 'xfreerdp' || id === 'sdl-freerdp' || id === 'wlfreerdp'
}
