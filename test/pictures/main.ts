import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { launchChromium } from '../support/client.ts'
import { startDemo } from '../support/demo.ts'
import { takeLooks } from '../support/looks.ts'
import { audit, desktop, onCall, type Stage } from './screens.ts'

/**
 * Every screen of the design with the real client on the real demo, in both themes and both sizes: `node test/pictures/main.ts [FOLDER]`.
 * With `--docs` those that README and docs show are copied there.
 */
const args = process.argv.slice(2)
const docs = args.includes('--docs')
const root = join(import.meta.dirname, '..', '..')
const [out = join(root, 'test-results', 'pictures')] = args.filter((arg) => !arg.startsWith('--'))
await mkdir(out, { recursive: true })

/** Names in docs/pictures, by that of the picture. */
const shown = {
  'sql-dark': '02-sql-dark-1440',
  'held-dark': '02-sql-held-dark-1440',
  'terminal-dark': '03-terminal-dark-1440',
  'request-light': '04-request-light-1440',
  'review-dark': '05-review-dark-1440',
  'replay-sql-light': '06-replay-sql-light-1440',
  'replay-ssh-dark': '06-replay-ssh-dark-1440',
  'palette-dark': '08-palette-dark-1440',
  'gateway-down-dark': '11-gateway-down-dark-1440',
}

const demo = await startDemo()
const browser = await launchChromium()
const stage: Stage = {
  demo,
  browser,
  take: ({ page }, name) => takeLooks(page, (look) => join(out, `${name}-${look}.png`)),
}
try {
  for (const play of [onCall, desktop, audit]) {
    // One that fails leaves the others' pictures to be looked at.
    await play(stage).catch((error: unknown) => {
      console.error(play.name, error)
      process.exitCode = 1
    })
  }
} finally {
  await browser.close()
  await demo.stop()
}
if (docs && process.exitCode === undefined) {
  for (const [name, from] of Object.entries(shown)) {
    await copyFile(join(out, `${from}.png`), join(root, 'docs', 'pictures', `${name}.png`))
  }
}
