import { mkdir } from 'node:fs/promises'
import { launchChromium } from '../support/client.ts'
import { takeLooks } from '../support/looks.ts'
import { builtPage } from './harness/dist.ts'
import { type Scene, scenes } from './harness/scenes.ts'
import { startHarness } from './harness/server.ts'

/**
 * Pictures of every screen and state from fixtures, in both themes and sizes: `node test/renderer/shots.ts OUT [name…]`, to be laid beside
 * the design's. For people who change the look.
 */
const [out = 'test-results/shots', ...only] = process.argv.slice(2)
const dist = await builtPage()
await mkdir(out, { recursive: true })

const browser = await launchChromium()
for (const [name, scene] of Object.entries(scenes)) {
  if (only.length === 0 || only.includes(name)) await shoot(name, scene)
}
await browser.close()

async function shoot(name: string, scene: Scene): Promise<void> {
  const harness = await startHarness(dist)
  harness.fixture.settings.set({ ...harness.fixture.settings.get(), theme: 'system' })
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, colorScheme: 'dark' })
  page.on('pageerror', (error) => console.error(name, 'page error', error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') console.error(name, message.type(), message.text())
  })
  try {
    await page.goto(harness.url)
    await scene(page, harness)
    await takeLooks(page, (look) => `${out}/${name}-${look}.png`)
  } catch (error) {
    console.error(name, error instanceof Error ? error.message : error)
    await page.screenshot({ path: `${out}/${name}-failed.png` })
  }
  await page.close()
  await harness.close()
}
