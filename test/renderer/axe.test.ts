import AxeBuilder from '@axe-core/playwright'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumPath, launchPages, stepMs } from '../support/client.ts'
import { builtPage } from './harness/dist.ts'
import { unreachable } from './harness/layout.ts'
import { scenes } from './harness/scenes.ts'
import { startHarness } from './harness/server.ts'

/**
 * WCAG 2.2 AA on every screen, in both themes; in high contrast where every colour is in use. Themes differ in contrast alone, so the
 * other rules are asked once. And nothing is out of reach where there is little room, or moves where motion is not wanted.
 */
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']
const looks = [
  { name: 'dark', media: { colorScheme: 'dark', contrast: 'no-preference' }, all: true },
  { name: 'light', media: { colorScheme: 'light', contrast: 'no-preference' }, all: false },
  { name: 'dark, high contrast', media: { colorScheme: 'dark', contrast: 'more' }, all: false },
  { name: 'light, high contrast', media: { colorScheme: 'light', contrast: 'more' }, all: false },
] as const

/** As narrow as it must hold, and 200% zoom of a window of 1440 × 900. */
const smallest = [
  { width: 1100, height: 800 },
  { width: 720, height: 450 },
] as const

/** Between them they have every decision, environment, syntax and control. */
const highContrast = ['sign-in', 'sql', 'terminal', 'review', 'settings-endpoint']

let dist: string
let browser: Browser

describe.skipIf(chromiumPath === undefined)('accessible', () => {
  beforeAll(async () => {
    dist = await builtPage()
    browser = await launchPages()
  })
  afterAll(async () => {
    await browser?.close()
  })

  test.each(Object.keys(scenes))('%s', async (name) => {
    const harness = await startHarness(dist)
    harness.fixture.settings.set({ ...harness.fixture.settings.get(), theme: 'system' })
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' })
    context.setDefaultTimeout(stepMs)
    const page = await context.newPage()
    try {
      await page.goto(harness.url)
      await scenes[name]?.(page, harness)
      // The page has no frames within: what is found is put together where it is found, and not in another page, which takes longer.
      expect(page.frames()).toHaveLength(1)
      const found: string[] = []
      for (const { name: look, media, all } of looks) {
        if (media.contrast === 'more' && !highContrast.includes(name)) continue
        await page.emulateMedia(media)
        const axe = new AxeBuilder({ page }).options({ resultTypes: ['violations'] }).setLegacyMode()
        const { violations } = await (all ? axe.withTags(rules) : axe.withRules(['color-contrast'])).analyze()
        for (const { id, nodes } of violations) {
          for (const node of nodes)
            found.push(`${look}: ${id}: ${node.target.join(' ')}\n${node.failureSummary}\n${node.html.slice(0, 300)}`)
        }
      }
      // Reduced motion was asked for: nothing moves.
      const moving = 'document.getAnimations().filter((a) => a.effect?.getComputedTiming().duration > 10).length'
      if ((await page.evaluate<number>(moving)) > 0) found.push('something moves')
      for (const size of smallest) found.push(...(await unreachable(page, size)))
      expect(found).toEqual([])
    } finally {
      await context.close()
      await harness.close()
    }
  })
})
