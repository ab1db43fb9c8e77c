import { Console } from 'node:console'
import { destination, type Logger, pino } from 'pino'

/** Logs as JSON lines, to stderr or a file; stdout belongs to the command's answer. Credentials never get here. */
export function serverLog(to: 'stderr' | { file: string }): Logger {
  // Some libraries announce themselves with console.info, which would spoil `--json`.
  globalThis.console = new Console(process.stderr, process.stderr)
  const level = process.env.SALLYPORT_LOG ?? 'info'
  if (to === 'stderr') return pino({ level }, destination({ dest: 2, sync: false }))
  return pino({ level }, destination({ dest: to.file, mkdir: true, sync: false }))
}
