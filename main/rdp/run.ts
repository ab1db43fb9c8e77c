import { spawn } from 'node:child_process'
import { codeOf, fail, messageOf } from '../problem.ts'
import { filePlace, type Plan } from './plan.ts'

/** A program that was started. */
export interface Running {
  pid: number
  /** Resolves with its end; never rejects. `words`: the last line that it printed. */
  readonly ended: Promise<{ code: number | undefined; words: string }>
  stop(): void
}

const keptOutput = 4096

/** Starts the program of a plan. Rejects when it can't be started. */
export function startProgram(plan: Plan, file: string, env: NodeJS.ProcessEnv): Promise<Running> {
  const args = plan.args.map((arg) => (arg === filePlace ? file : arg))
  return new Promise((resolve, reject) => {
    const child = spawn(plan.command, args, { stdio: ['pipe', 'pipe', 'pipe'], env, windowsHide: false })
    let output = ''
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-keptOutput)
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    // A program that has ended before it read its input says why by its exit.
    child.stdin.on('error', () => child.stdin.destroy())
    const ended = new Promise<{ code: number | undefined; words: string }>((done) => {
      child.once('close', (code) => done({ code: code ?? undefined, words: lastLine(output) }))
    })
    child.once('error', (error) => {
      const why = codeOf(error) === 'ENOENT' ? 'it is no longer installed' : messageOf(error)
      reject(fail('failed', `${plan.command} was not started: ${why}.`, { action: 'retry', cause: error }))
    })
    child.once('spawn', () => {
      child.stdin.end(plan.stdin ?? '')
      resolve({ pid: child.pid ?? 0, ended, stop: () => void child.kill('SIGTERM') })
    })
  })
}

/** FreeRDP prefixes its lines: `[12:00:00:000] [1:2] [ERROR][com.freerdp.core] - words`. */
function lastLine(output: string): string {
  const line = output
    .split('\n')
    .findLast((l) => l.trim() !== '')
    ?.trim()
  return (line ?? '').replace(/^(\[[^\]]*\]\s*)+(- )?/, '').slice(0, 300)
}
