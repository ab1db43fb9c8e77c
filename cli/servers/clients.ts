import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Logger } from 'pino'
import { startBrowserClient } from '../browser-client.ts'
import { openInBrowser } from '../open.ts'

const root = join(import.meta.dirname, '..', '..')

interface ClientOptions {
  shell: 'electron' | 'browser'
  gateway: string
  dataDir: string
  log: Logger
}

/** Opens the client: the desktop app where its runtime is present, else the same client in the browser. */
export async function openClients(options: ClientOptions): Promise<{ close(): Promise<void> }> {
  const runtime = existsSync(join(root, 'node_modules', 'electron', 'path.txt'))
  return options.shell === 'electron' && runtime ? openDesktop(options) : openBrowser(options)
}

/** Two clients, each with a sign-in of its own, so that one person can ask and another review. */
async function openBrowser({ gateway, dataDir, log }: ClientOptions): Promise<{ close(): Promise<void> }> {
  const start = (name: string) =>
    startBrowserClient({ dataDir: join(dataDir, name), gateway, log: log.child({ part: name }) })
  const [first, second] = [await start('client-1'), await start('client-2')]
  const show = (one: string, another: string): void => {
    say(`  Client       ${one}`)
    say(`  And another  ${another}   for a second person`)
    say('')
  }
  show(first.url, second.url)
  say('Each link works once, within two minutes. Press Enter for new ones. Ctrl-C stops everything.')
  const lines = createInterface({ input: process.stdin })
  lines.on('line', () => show(first.newLink(), second.newLink()))
  await openInBrowser(first.url).catch((error: unknown) => log.info({ error: String(error) }, 'no browser was opened'))
  return {
    close: async () => {
      lines.close()
      await Promise.all([first.close(), second.close()])
    },
  }
}

async function openDesktop({ gateway, log }: ClientOptions): Promise<{ close(): Promise<void> }> {
  const main = join(root, 'electron', 'dist', 'main.js')
  const child = spawn(join(root, 'node_modules', '.bin', 'electron'), [main, `--gateway=${gateway}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
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
