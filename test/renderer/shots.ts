import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { launchChromium } from '../support/client.ts'
import { type Scene, scenes } from './harness/scenes.ts'
import { startHarness } from './harness/server.ts'

/**
 * Pictures of every screen, in both themes, from fixtures: `node test/renderer/shots.ts OUT [name…]`, to be laid beside the design's. With
 * SHOT_SIZE=1024x700 in another size. For people who change the look.
 */
const [out = 'test-results/shots', ...only] = process.argv.slice(2)
const [width = 1440, height = 900] = (process.env.SHOT_SIZE ?? '1440x900').split('x').map(Number)
const dist = process.env.RENDERER_DIST ?? fileURLToPath(new URL('../../renderer/dist', import.meta.url))
await mkdir(out, { recursive: true })

const browser = await launchChromium()
for (const [name, scene] of Object.entries(scenes)) {
  if (only.length > 0 && !only.includes(name)) continue
  for (const theme of ['dark', 'light'] as const) await shoot(name, scene, theme)
}
await browser.close()

async function shoot(name: string, scene: Scene, theme: 'dark' | 'light'): Promise<void> {
  const harness = await startHarness(dist)
  harness.fixture.settings.set({ ...harness.fixture.settings.get(), theme })
  const page = await browser.newPage({ viewport: { width, height } })
  page.on('pageerror', (error) => console.error(name, 'page error', error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') console.error(name, message.type(), message.text())
  })
  page.setDefaultTimeout(10_000)
  try {
    await page.goto(harness.url)
    await scene(page, harness)
    // Transitions end.
    await page.waitForTimeout(500)
    await page.screenshot({ path: `${out}/${name}-${theme}.png` })
  } catch (error) {
    console.error(name, error instanceof Error ? error.message : error)
    await page.screenshot({ path: `${out}/${name}-failed.png` })
  }
  await page.close()
  await harness.close()
}
