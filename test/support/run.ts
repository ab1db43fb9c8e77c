import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

export interface Ran {
  code: number | null
  stdout: string
  stderr: string
}

/** Runs a program to its end with `input` on its stdin. Never through a shell. */
export function run(
  command: string,
  args: readonly string[],
  options: {
    env?: Record<string, string>
    input?: string
    cwd?: string
    timeoutMs?: number
    uid?: number
    gid?: number
  } = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const spawnOptions: SpawnOptions = {
      stdio: 'pipe',
      env: { ...process.env, ...options.env },
      timeout: options.timeoutMs ?? 120_000,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.uid === undefined ? {} : { uid: options.uid }),
      ...(options.gid === undefined ? {} : { gid: options.gid }),
    }
    const child = spawn(command, args, spawnOptions)
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout?.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr?.on('data', (chunk: Buffer) => err.push(chunk))
    child.on('error', reject)
    child.on('close', (code) =>
      resolve({ code, stdout: Buffer.concat(out).toString('utf8'), stderr: Buffer.concat(err).toString('utf8') }),
    )
    child.stdin?.on('error', () => child.stdin?.destroy())
    child.stdin?.end(options.input ?? '')
  })
}

const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin', '/usr/lib/postgresql/15/bin']

/** Full path of a program, or undefined where it is not installed (the tests that need it are then skipped). */
export function which(program: string): string | undefined {
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path))
}

/** Asks a program to stop, and waits until it has. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}
