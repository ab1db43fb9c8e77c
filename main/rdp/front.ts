import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { fail } from '../problem.ts'
import type { InstalledProgram } from './programs.ts'

const run = promisify(execFile)
const timeout = 5_000

/** How a window comes to the front: macOS by its app, Windows by its process; X11 with xdotool, where it is installed. */
type Way = { command: string; args(program: InstalledProgram, pid: number): string[] }

const ways: Readonly<Partial<Record<NodeJS.Platform, Way>>> = {
  darwin: { command: '/usr/bin/open', args: ({ path }) => ['-a', path] },
  win32: {
    command: 'powershell.exe',
    args: (_program, pid) => [
      '-NoProfile',
      '-NonInteractive',
      '-Command',
      `if (-not (New-Object -ComObject WScript.Shell).AppActivate(${pid})) { exit 1 }`,
    ],
  },
  linux: {
    command: 'xdotool',
    args: (_program, pid) => ['search', '--onlyvisible', '--pid', String(pid), 'windowactivate'],
  },
}

export async function canBringToFront(
  program: InstalledProgram,
  platform: NodeJS.Platform,
  env: NodeJS.ProcessEnv,
): Promise<boolean> {
  if (platform !== 'linux') return ways[platform] !== undefined
  if (program.id !== 'xfreerdp') return false
  return run('xdotool', ['version'], { timeout, env }).then(
    () => true,
    () => false,
  )
}

/** Brings the program's window to the front. Rejects with a ProblemError when it has none, or the system says no. */
export async function bringToFront(
  program: InstalledProgram,
  pid: number,
  platform: NodeJS.Platform,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const way = ways[platform]
  if (way === undefined) throw fail('failed', 'This system lets no other program bring a window to the front.')
  await run(way.command, way.args(program, pid), { timeout, env, windowsHide: true }).catch((error: unknown) => {
    throw fail('failed', `The window of ${program.name} could not be brought to the front.`, {
      hint: 'It may not have opened yet, or be on another desktop.',
      cause: error,
    })
  })
}
