import type { Page } from 'playwright-core'
import { beforeEach, describe, expect, test } from 'vitest'
import { chromiumPath } from '../support/client.ts'
import { type Given, inChromium } from './harness/chromium.ts'
import { unreachable } from './harness/layout.ts'

/** Windows and colours that the design does not draw, and people have. */
let harness: Given['harness']
let page: Page

describe.skipIf(chromiumPath === undefined)('beyond the design', () => {
  const given = inChromium()
  beforeEach(async () => {
    ;({ harness, page } = given())
    await page.goto(harness.url)
    await page.getByRole('treeitem', { name: 'orders-db' }).first().waitFor()
  })

  test('in a narrow window settings and sessions need no way sideways, and nothing of the title lies on something else', async () => {
    await page.setViewportSize({ width: 480, height: 800 })
    const found: string[] = []
    for (const [area, there] of [
      ['Sessions', page.getByRole('table', { name: 'Sessions' })],
      ['Settings', page.getByRole('heading', { name: 'Appearance' })],
    ] as const) {
      await page.getByRole('button', { name: area, exact: true }).click()
      await there.waitFor()
      found.push(...(await unreachable(page, { width: 480, height: 800 })).map((what) => `${area}: ${what}`))
      const wide = await page
        .locator('.main.scroll:visible, .main .scroll:visible')
        .evaluateAll((all) => all.filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.className))
      found.push(...wide.map((what) => `${area}: ${what} is wider than it is shown`))
    }
    await page.setViewportSize({ width: 360, height: 640 })
    const boxes = await page
      .locator('.title > *:visible')
      .evaluateAll((all) => all.map((one) => [one.getBoundingClientRect().left, one.getBoundingClientRect().right]))
    // WCAG's reflow: 400% zoom of a window of 1280 px.
    for (const area of ['Sessions', 'Settings', 'Requests']) {
      await page
        .getByRole('button', { name: new RegExp(`^${area}`) })
        .first()
        .click()
      if (area === 'Requests') {
        await page.getByRole('radio', { name: /^To review/ }).click()
        await page.locator('.rq').first().click()
        await page.getByText('Expires in').waitFor()
      }
      found.push(...(await unreachable(page, { width: 320, height: 640 })).map((what) => `${area}: ${what}`))
    }
    const detail = await page.locator('.rd__hd, .rd').first().boundingBox()
    const decision = await page.locator('.dec').boundingBox()
    expect(decision?.y).toBeGreaterThan(detail?.y ?? Number.POSITIVE_INFINITY)
    expect(boxes.flat()).toEqual(boxes.flat().sort((a, b) => a - b))
    expect(found).toEqual([])
  })

  test('in a window as low as half a laptop’s screen the list of requests shows whole requests beside the one that is open', async () => {
    await page.getByRole('button', { name: 'Requests' }).first().click()
    await page.setViewportSize({ width: 720, height: 450 })
    const list = page.locator('.side:visible')
    const rows = list.locator('.rq')
    await rows.nth(1).waitFor()
    const box = await list.boundingBox()
    const whole = await rows.evaluateAll((all) => all.map((one) => one.getBoundingClientRect().bottom))
    expect(whole.filter((bottom) => bottom <= (box?.y ?? 0) + (box?.height ?? 0)).length).toBeGreaterThanOrEqual(2)
    expect(await unreachable(page, { width: 720, height: 450 })).toEqual([])
  })

  test('with the system’s colours one still sees which line is chosen, and what is production', async () => {
    await page.emulateMedia({ forcedColors: 'active' })
    await page.getByRole('treeitem', { name: 'orders-db' }).first().dblclick()
    await page.locator('.tree-row[aria-selected="true"]').waitFor()
    const color = (selector: string) =>
      page
        .locator(selector)
        .first()
        .evaluate((node) => {
          const view = node.ownerDocument.defaultView
          return view?.getComputedStyle(node).backgroundColor
        })
    // As the system draws what is chosen: its words would not be read on another ground.
    const chosen = await page.evaluate(`(() => {
      const probe = document.body.appendChild(document.createElement('div'))
      probe.style.cssText = 'forced-color-adjust: none; background: Highlight'
      return getComputedStyle(probe).backgroundColor
    })()`)
    expect(await color('.tree-row[aria-selected="true"]')).toBe(chosen)
    expect(await color('.tree-row[aria-selected="false"]')).not.toBe(chosen)
    expect(await color('.env--prod')).not.toBe(await color('.env--staging'))
    expect(await color('.status__env--prod')).not.toBe(await color('.status'))
  })
})
