import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createCore } from '../main/core.ts'
import { fileSecrets } from '../main/files.ts'
import type { Log } from '../main/log.ts'
import { Downloads } from '../web/downloads.ts'
import { startWebShell } from '../web/shell.ts'

const root = join(import.meta.dirname, '..')

export interface BrowserClient {
  /** A link that opens the client once, within two minutes. */
  url: string
  /** Another such link. */
  newLink(): string
  close(): Promise<void>
}

/** The client in a browser, with a sign-in and settings of its own in `dataDir` (secrets as files of mode 0600). */
export async function startBrowserClient(options: {
  dataDir: string
  gateway?: string
  port?: number
  log: Log
}): Promise<BrowserClient> {
  const { dataDir, gateway, port, log } = options
  const { version }: { version: string } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const downloads = new Downloads()
  const core = await createCore({
    dataDir,
    secrets: fileSecrets(join(dataDir, 'secrets')),
    shell: 'browser',
    version,
    ...(gateway === undefined ? {} : { gateway }),
    // The page is in the browser already and opens the sign-in beside itself.
    openExternal: async () => {},
    saver: downloads.saver,
    log,
  })
  try {
    const rendererDir = join(root, 'renderer', 'dist')
    const shell = await startWebShell({ core, downloads, rendererDir, ...(port === undefined ? {} : { port }) })
    return {
      url: shell.url,
      newLink: shell.newLink,
      async close() {
        await shell.close()
        await core.close()
      },
    }
  } catch (error) {
    await core.close()
    throw error
  }
}
