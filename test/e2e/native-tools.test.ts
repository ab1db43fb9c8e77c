import { randomUUID } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import pg from 'pg'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, onTestFailed, test } from 'vitest'
import { type Client, chromiumPath, launchChromium, openClient, signIn } from '../support/client.ts'
import { openTab, panel, runFor, write } from '../support/sql-page.ts'

/** What outlives a start of the client: ports for native tools, history, drafts. In real Chromium, against the demo. */
const demo = inject('demo')

let browser: Browser
let home: string
let linus: Client

const table = (page: Page) => page.getByRole('table', { name: 'Native tools' })
const row = (page: Page) =>
  table(page)
    .getByRole('row', { name: /analytics-db/ })
    .first()
const picture = (name: string) =>
  onTestFailed(() => linus.page.screenshot({ path: `test-results/${name}.png` }).then(() => {}))

/** What the client keeps in its own folder of settings and drafts. */
async function settings(): Promise<string> {
  const file = (await readdir(home, { recursive: true })).find((name) => basename(name) === 'settings.json')
  return file === undefined ? '' : readFile(join(home, file), 'utf8')
}

async function openTools(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Settings', exact: true }).click()
  await row(page).waitFor()
}

/** What a native tool gets through `port`: a masked value and one in the clear. */
async function throughPort(port: number, whileOpen: () => Promise<void>): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'linus', database: 'analytics', ssl: false })
  await client.connect()
  try {
    await whileOpen()
    return (await client.query('SELECT id, email FROM customers WHERE id = 1')).rows
  } finally {
    await client.end()
  }
}

describe.skipIf(chromiumPath === undefined)('what outlives a restart', () => {
  beforeAll(async () => {
    browser = await launchChromium()
    home = await mkdtemp(join(tmpdir(), 'sallyport-home-'))
    linus = await openClient(browser, demo, { home })
    await signIn(linus, demo, 'linus')
  })

  afterAll(async () => {
    await browser?.close()
    await linus?.close()
    await rm(home, { recursive: true, force: true })
  })

  test('a port that was opened for native tools: its state is live, and a restart opens it again, the same', async () => {
    picture('ports')
    const { page } = linus
    await openTools(page)
    await page.getByRole('button', { name: 'Port and snippets of analytics-db' }).click()
    await page.getByRole('button', { name: 'Open the port' }).click()
    await row(page).getByText('Open', { exact: true }).waitFor()
    const address = /127\.0\.0\.1:(\d+)/.exec(await row(page).innerText())
    const port = Number(address?.[1])
    await page.getByRole('checkbox', { name: 'Open when Sallyport starts' }).click()
    const rows = await throughPort(port, () => row(page).getByText('In use · 1').waitFor())
    expect(rows).toEqual([{ id: '1', email: expect.stringContaining('•') }])
    await row(page).getByText('Open', { exact: true }).waitFor()

    await linus.close()
    linus = await openClient(browser, demo, { home })
    // Nobody has to look at the page: tools that were set up once find their port.
    await expect.poll(() => throughPort(port, async () => {}).catch(() => [])).toHaveLength(1)
    await openTools(linus.page)
    await row(linus.page).getByText(`127.0.0.1:${port}`).waitFor()
  })

  test('what was run is found again by its words, after a restart; a query that was saved, too', async () => {
    picture('history')
    await linus.page.getByRole('button', { name: 'Connections', exact: true }).click()
    await openTab(linus.page, 'analytics-db')
    await runFor(linus.page, "SELECT 'needle' AS found, id FROM orders LIMIT 3;", 3)
    await write(linus.page, 'SELECT country FROM customers LIMIT 1;')
    const { page } = linus
    await page.getByRole('button', { name: 'Queries', exact: true }).click()
    const queries = page.getByRole('complementary', { name: 'Queries' })
    await queries.getByRole('radio', { name: 'Saved' }).click()
    await queries.getByRole('button', { name: 'Save this statement…' }).click()
    await queries.getByRole('textbox', { name: 'Name' }).fill('One country')
    await page.keyboard.press('Enter')
    await queries.getByRole('button', { name: /^One country/ }).waitFor()
    await linus.close()
    linus = await openClient(browser, demo, { home })
    const again = linus.page
    // The draft is where it was.
    await expect.poll(() => panel(again).locator('.view-lines').first().innerText()).toContain('country')
    await again.getByRole('button', { name: 'Queries', exact: true }).click()
    const found = again.getByRole('complementary', { name: 'Queries' })
    await found.getByRole('textbox', { name: 'Search history' }).fill('needle orders')
    await found.getByRole('list', { name: 'History' }).getByRole('button').click()
    await expect.poll(() => panel(again).locator('.view-lines').first().innerText()).toContain('needle')
    await found.getByRole('radio', { name: 'Saved' }).click()
    await found.getByRole('textbox', { name: 'Search saved queries' }).fill('country')
    await found.getByRole('button', { name: /^One country/ }).waitFor()
  })

  test('a page that is gone leaves no session open, and none of its transactions', async () => {
    picture('page-gone')
    const { page } = linus
    const target = new pg.Client({ connectionString: demo.targets?.['orders-db'] })
    await target.connect()
    const marker = `page-${randomUUID()}`
    const open = async (): Promise<unknown[]> => {
      const text = `SELECT state FROM pg_stat_activity WHERE query LIKE '%' || $1 || '%' AND pid <> pg_backend_pid()`
      return (await target.query(text, [marker])).rows
    }
    try {
      await openTab(page, 'orders-db')
      await runFor(page, `SELECT '${marker}' AS one`, 1)
      // Production commits by hand.
      await expect.poll(open).toEqual([{ state: 'idle in transaction' }])
      await page.reload()
      await panel(page).locator('.monaco-editor').first().waitFor()
      await expect.poll(open).toEqual([])
    } finally {
      await target.end()
    }
  })

  test('what was typed last is there again: after a reload at once, and after a client that was killed meanwhile', async () => {
    picture('typed-last')
    await write(linus.page, 'SELECT 1; -- right before the reload')
    await linus.page.reload()
    await expect.poll(() => panel(linus.page).locator('.view-lines').first().innerText()).toMatch(/before.the.reload/)
    await write(linus.page, '')
    let all = false
    const typing = linus.page.keyboard.type(`-- ${'typed without a pause '.repeat(6)}`, { delay: 40 }).then(() => {
      all = true
    })
    await expect.poll(settings, { interval: 20 }).toContain('typed without')
    // Not only once nothing more was typed.
    expect(all).toBe(false)
    process.kill(linus.pid, 'SIGKILL')
    await typing
    await linus.close()
    linus = await openClient(browser, demo, { home })
    await expect.poll(() => panel(linus.page).locator('.view-lines').first().innerText()).toMatch(/typed.without/)
  })

  test('the page did not complain', () => {
    expect(linus.errors).toEqual([])
  })
})
