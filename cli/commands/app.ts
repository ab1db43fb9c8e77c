import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Command, InvalidArgumentError } from 'commander'
import { gatewayAddress, home } from '../context.ts'
import { openInBrowser } from '../open.ts'
import { say, write } from '../output.ts'

interface AppOptions {
  gateway?: string
  profile: string
  port?: number
  open: boolean
}

export function appCommand(): Command {
  return new Command('app')
    .description('the client in the browser, until Ctrl-C')
    .option('--gateway <url>', 'address of the gateway; else $SALLYPORT_GATEWAY, else the one used last')
    .option(
      '--profile <name>',
      'a sign-in and settings of its own, for a second person on this machine',
      name,
      'default',
    )
    .option('--port <n>', 'on this port; else a free one', port)
    .option('--no-open', 'only print the link')
    .action(app)
}

function name(text: string): string {
  if (!/^[A-Za-z0-9_-]{1,32}$/.test(text)) throw new InvalidArgumentError('a profile is a short plain name')
  return text
}

function port(text: string): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 0 || number > 65_535) throw new InvalidArgumentError('a port is 0 to 65535')
  return number
}

async function app(options: AppOptions): Promise<void> {
  const { startBrowserClient } = await import('../browser-client.ts')
  const { messageOf } = await import('../../main/problem.ts')
  const gateway = await gatewayAddress(options.gateway)
  const client = await startBrowserClient({
    dataDir: join(home(), 'app', options.profile),
    ...(gateway === undefined ? {} : { gateway }),
    ...(options.port === undefined ? {} : { port: options.port }),
    log: {
      info: () => {},
      warn: (_about, message) => say(`sallyport: ${message}`),
      error: (_about, message) => say(`sallyport: ${message}`),
    },
  })
  await show(client.url, 'Sallyport is open in the browser. The link works once:')
  if (options.open) {
    await openInBrowser(client.url).catch((error: unknown) => say(`(No browser was opened: ${messageOf(error)})`))
  }
  say('Press Enter for another link. Ctrl-C stops it.')
  const lines = createInterface({ input: process.stdin })
  lines.on('line', () => void show(client.newLink(), 'A new link:'))
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve())
  })
  lines.close()
  await client.close()
  // A far side that never says goodbye must not keep the terminal waiting.
  setTimeout(() => process.exit(), 1000).unref()
}

/** The link is the answer, so it goes to stdout. */
async function show(url: string, words: string): Promise<void> {
  say(words)
  await write(`${url}\n`)
}
