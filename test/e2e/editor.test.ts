import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, onTestFailed, test } from 'vitest'
import { type Client, chromiumPath, launchChromium, openClient, signIn } from '../support/client.ts'

/** Writing SQL in real Chromium, against the demo: what the editor says before anything is run, and how it helps. */
const demo = inject('demo')

let browser: Browser
let linus: Client

/** Puts `sql` in the editor instead of what is there. */
async function write(page: Page, sql: string): Promise<void> {
  await page.locator('.monaco-editor:visible').first().click()
  await page.keyboard.press('Control+A')
  await page.keyboard.press('Delete')
  await page.keyboard.insertText(sql)
}

const picture = (name: string) =>
  onTestFailed(() => linus.page.screenshot({ path: `test-results/${name}.png` }).then(() => {}))
/** What the editor shows, hints and all, with single blanks. */
const shown = async (page: Page) =>
  (await page.locator('.view-lines').first().innerText()).replaceAll(/[\u00a0 ]+/g, ' ')
const glyphs = (page: Page) => page.locator('.glyph--pre')

/** Pixels between the last `1` of the first line and the start of the squiggle. */
function distance(page: Page): Promise<number> {
  return page.evaluate<number>(`(() => {
    const line = document.querySelector('.view-line')
    const mark = document.querySelector('.squiggly-error')
    if (line === null || mark === null) return 1e9
    const range = document.createRange()
    const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT)
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const at = node.textContent.lastIndexOf('1')
      if (at === -1) continue
      range.setStart(node, at)
      range.setEnd(node, at + 1)
    }
    return Math.abs(range.getBoundingClientRect().left - mark.getBoundingClientRect().left)
  })()`)
}

describe.skipIf(chromiumPath === undefined)('the SQL editor', () => {
  beforeAll(async () => {
    browser = await launchChromium()
    linus = await openClient(browser, demo)
    await signIn(linus, demo, 'linus')
    await linus.page.getByRole('treeitem', { name: 'orders-db, Database' }).dblclick()
  }, 60_000)

  afterAll(async () => {
    await browser?.close()
    await linus?.close()
  })

  test('says of each statement what the gateway will do, before it is run', async () => {
    const { page } = linus
    picture('preflight')
    await write(
      page,
      [
        'SELECT id, status FROM orders WHERE id = 1;',
        'SELECT name, email FROM customers WHERE id = :id;',
        "UPDATE orders SET status = 'void';",
        'DELETE FROM audit_log WHERE id = 1;',
        'SELECT id FRM orders;',
      ].join('\n'),
    )
    await glyphs(page).nth(4).waitFor()
    const looks = await glyphs(page).evaluateAll((all) =>
      all
        .map((glyph) => ({ top: glyph.getBoundingClientRect().top, look: /(?:^| )d-(\w+)/.exec(glyph.className)?.[1] }))
        .sort((a, b) => a.top - b.top)
        .map(({ look }) => look),
    )
    expect(looks).toEqual(['allowed', 'masked', 'blocked', 'held', 'blocked'])
    const text = await shown(page)
    expect(text).toContain('Will be masked email')
    expect(text).toContain('Will be blocked no-unbounded-write')
    expect(text).toContain('Will be held for 1 of dba')
    await glyphs(page).nth(2).hover()
    await page
      .getByRole('tooltip')
      .or(page.locator('.monaco-hover'))
      .getByText(/no-unbounded-write:/)
      .first()
      .waitFor()
    // Nothing was run: there is no session of his.
    expect(await page.getByText('REC', { exact: false }).count()).toBe(0)
  })

  test('marks where PostgreSQL’s parser stops, whatever characters come before', async () => {
    const { page } = linus
    picture('syntax')
    await write(page, "SELECT 'é😀', 1 1 FROM orders;")
    await expect.poll(() => distance(page)).toBeLessThan(2)
  })

  test('completes from the live catalog: masked columns with a lock, joins by foreign key', async () => {
    const { page } = linus
    picture('completion')
    await write(page, '')
    await page.keyboard.type('SELECT o.id FROM orders o JOIN ')
    const list = page.locator('.suggest-widget.visible')
    await list.getByText('customers c ON c.id = o.customer_id').waitFor()
    await page.keyboard.press('Enter')
    await expect.poll(() => shown(page)).toContain('orders o JOIN customers c ON c.id = o.customer_id')
    await page.keyboard.type(' WHERE c.')
    const email = list.locator('.monaco-list-row').filter({ hasText: 'masked email' })
    await email.locator('.codicon-issues').waitFor()
    await page.keyboard.type('ema')
    await page.keyboard.press('Enter')
    await expect.poll(() => shown(page)).toContain('WHERE c.email')
  })

  test('leads from a column to the definition of its table, and back', async () => {
    const { page } = linus
    picture('definition')
    await page.keyboard.press('F12')
    const peek = page.getByRole('complementary', { name: 'Definition of public.customers' })
    await peek.getByText('CONSTRAINT').waitFor()
    await peek.getByRole('row', { name: /^email text not null.*email/ }).waitFor()
    await page.keyboard.press('Escape')
    await peek.waitFor({ state: 'detached' })
    await page.keyboard.type(' = 1')
    await expect.poll(() => shown(page)).toContain('WHERE c.email = 1')
  })

  test('no page complained', () => {
    expect(linus.errors).toEqual([])
  })
})
