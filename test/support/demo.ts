import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { z } from 'zod'

const root = join(import.meta.dirname, '..', '..')

/** What `sallyport demo --json` prints (INTERFACES.md). */
const Ready = z.object({
  gateway: z.url(),
  native: z.object({ postgres: z.string(), ssh: z.string() }),
  machines: z.record(z.string(), z.object({ clientId: z.string(), clientSecret: z.string() })),
  people: z.array(z.object({ username: z.string(), password: z.string(), groups: z.array(z.string()) })),
  dataDir: z.string(),
  targets: z.record(z.string(), z.string()).optional(),
  keys: z.record(z.string(), z.string()).optional(),
})
export type Ready = z.infer<typeof Ready>

export interface RunningDemo {
  ready: Ready
  pid: number
  /** The last lines of its log so far. */
  said(): readonly string[]
  /** SIGTERM, then waits for a clean end; resolves with the exit code. */
  stop(): Promise<number | null>
  /** SIGKILL: nothing is told, nothing is tidied up, and its servers are left running. */
  kill(): Promise<void>
}

/** Starts `sallyport demo --json` as its users do: a process of its own. `dataDir` defaults to a new folder that `stop` removes. */
export async function startDemo(
  options: { dataDir?: string; policy?: string; workers?: number } = {},
): Promise<RunningDemo> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'sallyport-demo-')))
  const args = [
    join(root, 'cli', 'main.ts'),
    'demo',
    '--json',
    '--headless',
    '--port',
    '0',
    '--expose-targets',
    '--data',
    dataDir,
    ...(options.policy === undefined ? [] : ['--policy', options.policy]),
    ...(options.workers === undefined ? [] : ['--workers', String(options.workers)]),
  ]
  const child = spawn(process.execPath, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, SALLYPORT_LOG: process.env.SALLYPORT_LOG ?? 'info' },
  })
  const log = collect(child)
  const line = await firstLine(child, log)
  const ready = Ready.parse(JSON.parse(line))
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }
  return {
    ready,
    pid: child.pid ?? 0,
    said: () => log,
    kill: () => end('SIGKILL'),
    stop: async () => {
      await end('SIGTERM')
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true })
      return child.exitCode
    },
  }
}

function collect(child: ChildProcess): string[] {
  const lines: string[] = []
  if (child.stderr !== null) {
    createInterface({ input: child.stderr }).on('line', (line) => {
      lines.push(line)
      if (lines.length > 200) lines.shift()
      if (process.env.SALLYPORT_TEST_VERBOSE !== undefined) process.stderr.write(`${line}\n`)
    })
  }
  return lines
}

function firstLine(child: ChildProcess, log: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    if (child.stdout === null) return reject(new Error('no stdout'))
    createInterface({ input: child.stdout }).once('line', resolve)
    child.once('error', reject)
    child.once('exit', (code) =>
      reject(new Error(`the demo ended with ${code} before it was ready:\n${log.join('\n')}`)),
    )
  })
}
