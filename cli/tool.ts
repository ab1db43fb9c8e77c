import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { codeOf, fail } from '../main/problem.ts'

/** Runs a native tool on this terminal, to its end; resolves with its exit code. Ctrl-C is for the tool alone. */
export function runTool(
  command: string,
  args: readonly string[],
  env: Record<string, string>,
  hint: string,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const ignore = (): void => {}
    process.on('SIGINT', ignore)
    const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, ...env } })
    const stop = (): void => void child.kill('SIGTERM')
    process.on('SIGTERM', stop)
    child.once('error', (error) => {
      const missing = codeOf(error) === 'ENOENT'
      reject(
        missing ? fail('failed', `${command} is not installed.`, { hint: `Install it (package ${hint}).` }) : error,
      )
    })
    child.once('close', (code, signal) => {
      process.off('SIGINT', ignore)
      process.off('SIGTERM', stop)
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]))
    })
  })
}
