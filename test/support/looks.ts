import type { Page } from 'playwright-core'

const themes = ['dark', 'light'] as const
const sizes = [
  { width: 1440, height: 900 },
  { width: 1024, height: 700 },
] as const

/** How a screen is looked at: `dark-1440`, … in both themes and both sizes that the design was drawn for. */
export type Look = `${(typeof themes)[number]}-${(typeof sizes)[number]['width']}`

/** What turns for as long as something is awaited has no end. */
const transitionsEnd = `Promise.allSettled(document.getAnimations()
  .filter((animation) => Number.isFinite(animation.effect?.getComputedTiming().endTime ?? Infinity))
  .map((animation) => animation.finished))`

/** A picture of the page in every look, written to where `path` says. The theme must follow the system. */
export async function takeLooks(page: Page, path: (look: Look) => string): Promise<void> {
  for (const size of sizes) {
    await page.setViewportSize(size)
    for (const theme of themes) {
      await page.emulateMedia({ colorScheme: theme })
      // Editor and grid take their new size, and transitions end.
      await page.waitForTimeout(500)
      await page.evaluate(transitionsEnd)
      await page.screenshot({ path: path(`${theme}-${size.width}`) })
    }
  }
  await page.setViewportSize(sizes[0])
  await page.emulateMedia({ colorScheme: themes[0] })
}
