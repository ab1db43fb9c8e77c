import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { launchPages, stepMs } from '../../support/client.ts'
import { builtPage } from './dist.ts'
import { startHarness } from './server.ts'

/** What a test has: the built page's folder, a harness of its own, and a page that is not open yet. */
export interface Given {
  readonly dist: string
  readonly harness: Awaited<ReturnType<typeof startHarness>>
  readonly page: Page
}

/** Within a `describe`: a browser for all tests, a new page for each. After each the page must not have complained. */
export function inChromium(): () => Given {
  let dist: string
  let browser: Browser
  let given: Given
  let complaints: string[]
  beforeAll(async () => {
    dist = await builtPage()
    browser = await launchPages()
  })
  afterAll(async () => {
    await browser?.close()
  })
  beforeEach(async () => {
    complaints = []
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
    context.setDefaultTimeout(stepMs)
    await context.grantPermissions(['clipboard-read', 'clipboard-write'])
    const page = await context.newPage()
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text())
    })
    given = { dist, harness: await startHarness(dist), page }
  })
  afterEach(async () => {
    await given.page.context().close()
    await given.harness.close()
    expect(complaints).toEqual([])
  })
  return () => given
}
