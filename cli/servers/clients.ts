import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { startBrowserClient } from '../browser-client.ts'

const root = join(import.meta.dirname, '..', '..')

/**
 * Opens the client: the desktop app where its runtime is present, else the same client in the browser. In the browser there are
 * two, each with its own sign-in, so that one person can ask and another review.
 */
export async function openClients(options: {
  shell: 'electron' | 'browser'
  gateway: string
  dataDir: string
  log: Logger
}): Promise<{ close(): Promise<void> }> {
  if (options.shell === 'electron' && existsSync(join(root, 'node_modules', 'electron', 'path.txt')))
    return openDesktop(options)
  const first = await startBrowserClient({
    dataDir: join(options.dataDir, 'client-1'),
    gateway: options.gateway,
    log: options.log,
  })
  const second = await startBrowserClient({
    dataDir: join(options.dataDir, 'client-2'),
    gateway: options.gateway,
    log: options.log,
  })
  say(`  Client       ${first.url}`)
  say(`  And another  ${second.url}   for a second person, in a private window`)
  say('')
  say('  Each link works once. Ctrl-C stops everything.')
  return {
    close: async () => {
      await Promise.all([first.close(), second.close()])
    },
  }
}

async function openDesktop({ gateway, log }: { gateway: string; log: Logger }): Promise<{ close(): Promise<void> }> {
  const child = spawn(
    join(root, 'node_modules', '.bin', 'electron'),
    [join(root, 'electron', 'dist', 'main.js'), `--gateway=${gateway}`],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  child.stdout.on('data', (chunk: Buffer) => log.info({ electron: chunk.toString().trim() }, 'desktop'))
  child.stderr.on('data', (chunk: Buffer) => log.warn({ electron: chunk.toString().trim() }, 'desktop'))
  child.on('error', (error) => log.error({ error: error.message }, 'the desktop client could not be started'))
  return {
    close: async () => {
      child.kill('SIGTERM')
    },
  }
}

function say(text: string): void {
  process.stderr.write(`${text}\n`)
}
