import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, onTestFailed, test } from 'vitest'
import { endSignIn } from '../../main/client.ts'
import { fileSecrets } from '../../main/files.ts'
import { call } from '../support/access.ts'
import {
  type Client,
  chromiumPath,
  launchPages,
  openClient,
  secondTry,
  signIn,
  signInAgain,
} from '../support/client.ts'
import { openTab, panel, write } from '../support/sql-page.ts'

/**
 * What goes wrong while somebody works, in real Chromium: it is said in words, there is a way on, and all that was written is kept.
 * As mallory, who works nowhere else: her sessions are ended.
 */
const demo = inject('demo')

let browser: Browser
let mallory: Client

const picture = (name: string) =>
  onTestFailed(() => mallory.page.screenshot({ path: `test-results/${name}.png` }).then(() => {}))
/** What is in the editor, with single blanks. */
const text = async (page: Page) =>
  (await panel(page).locator('.view-lines').first().innerText()).replaceAll(/[\u00a0 ]+/g, ' ')
const runButton = (page: Page) => panel(page).getByRole('button', { name: 'Run', exact: true })
const toggleCut = () => process.kill(mallory.pid, 'SIGUSR2')

/** Waits until the target itself runs a statement with `words` in it. */
async function running(words: string): Promise<void> {
  const client = new pg.Client({ connectionString: demo.targets?.['orders-db'] })
  await client.connect()
  try {
    const sql = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE state = 'active' AND query LIKE $1 AND pid <> pg_backend_pid()`
    const count = async () => (await client.query(sql, [`%${words}%`])).rows[0]?.n
    await expect.poll(count).toBe(1)
  } finally {
    await client.end()
  }
}

/** The ids of her open sessions on orders-db. */
async function sessions(): Promise<string[]> {
  const { body } = await call(demo, 'oncall', 'GET', '/sessions?state=live&connection=orders-db')
  const list = Array.isArray(body) ? body : []
  return list.filter((s) => s.principal?.id === 'mallory').map((s) => String(s.id))
}

describe.skipIf(chromiumPath === undefined)('when it goes wrong', secondTry, () => {
  beforeAll(async () => {
    browser = await launchPages()
    const hook = `--import ${join(import.meta.dirname, '..', 'support', 'troubles.mjs')}`
    const port = new URL(demo.gateway).port
    mallory = await openClient(browser, demo, { env: { NODE_OPTIONS: hook, CUT_PORT: port } })
    await signIn(mallory, demo, 'mallory')
    await openTab(mallory.page, 'orders-db')
  })

  afterAll(async () => {
    await browser?.close()
    await mallory?.close()
  })

  test('the gateway is lost while a query runs, and comes back: nothing is sent meanwhile, and no text is lost', async () => {
    const { page } = mallory
    picture('gateway-lost')
    await write(page, 'SELECT pg_sleep(600) AS waits; -- my draft')
    await page.keyboard.press('Control+Home')
    await page.keyboard.press('Control+Enter')
    await running('AS waits')
    toggleCut()
    const log = page.getByRole('complementary', { name: 'Decision log' })
    await log
      .getByRole('button', { name: /^Failed/ })
      .first()
      .waitFor()
    const banner = page.getByRole('status').filter({ hasText: 'is not answering' })
    await banner.waitFor()
    expect(await banner.innerText()).toContain('Your tabs and drafts are kept.')
    await expect.poll(() => runButton(page).getAttribute('aria-disabled')).toBe('true')
    // What is written meanwhile stays, too.
    await write(page, 'SELECT 1 AS back; -- written while it was away')
    await page.keyboard.press('Control+Enter')
    await expect.poll(() => text(page)).toContain('written while it was away')
    toggleCut()
    // It also tries by itself, and may be first.
    const gone = banner.waitFor({ state: 'detached' })
    await Promise.race([banner.getByRole('button', { name: 'Try now' }).click(), gone])
    await gone
    await expect.poll(() => runButton(page).getAttribute('aria-disabled')).not.toBe('true')
    expect(await text(page)).toContain('written while it was away')
    await page.locator('.monaco-editor:visible').first().click()
    await page.keyboard.press('Control+Home')
    await page.keyboard.press('Control+Enter')
    await panel(page).locator('.ag-cell').first().waitFor()
    await page.getByRole('tab', { name: /^Messages/ }).click()
    await panel(page).getByText('The earlier session is gone').waitFor()
  })

  test('a session that is ended says so and why; the next statement has a new one', async () => {
    const { page } = mallory
    picture('killed')
    await write(page, 'SELECT pg_sleep(600) AS is_killed')
    await page.keyboard.press('Control+Enter')
    await running('AS is_killed')
    for (const id of await sessions()) {
      const { status } = await call(demo, 'oncall', 'POST', `/sessions/${id}/kill`, { reason: 'a planned switch-over' })
      // 409: it ended by itself meanwhile.
      expect([200, 409]).toContain(status)
    }
    await panel(page)
      .getByText(/a planned switch-over/)
      .first()
      .waitFor()
    expect(await text(page)).toContain('is_killed')
    await write(page, 'SELECT 2 AS again')
    await page.keyboard.press('Control+Enter')
    await panel(page).locator('.ag-cell').getByText('2', { exact: true }).waitFor()
  })

  test('a sign-in that ended hides the rows and keeps the text; signed in again, both are there', async () => {
    const { page } = mallory
    picture('signed-out')
    await write(page, "SELECT 'seen' AS seen -- kept")
    await page.keyboard.press('Control+Enter')
    await panel(page).locator('.ag-cell').getByText('seen').waitFor()
    // As from another window of hers: at the gateway, and in the store that they share.
    const [profile = ''] = await readdir(join(mallory.home, 'app'))
    const secrets = fileSecrets(join(mallory.home, 'app', profile, 'secrets'))
    expect(await endSignIn(demo.gateway, secrets)).toEqual({ told: true })
    // Nobody notices before the token runs out.
    process.kill(mallory.pid, 'SIGALRM')
    await page.getByRole('button', { name: 'Sessions', exact: true }).click()
    await page.getByRole('button', { name: 'Connections', exact: true }).click()
    const gate = page.getByRole('region', { name: 'Sign in again to see these results' })
    await gate.waitFor()
    expect(await page.locator('.ag-cell').count()).toBe(0)
    expect(await text(page)).toContain('kept')
    process.kill(mallory.pid, 'SIGALRM')
    await signInAgain(mallory, demo, 'mallory')
    expect(await text(page)).toContain('kept')
    await page.locator('.monaco-editor:visible').first().click()
    await page.keyboard.press('Control+Enter')
    await panel(page).locator('.ag-cell').getByText('seen').waitFor()
  })

  test('the page ends with its terminal: it says so, keeps the text on screen, and sends nothing', async () => {
    const { page } = mallory
    picture('core-down')
    // The address that stays is no way in for who reads it.
    expect(page.url()).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/)
    process.kill(mallory.pid, 'SIGTERM')
    await page.getByText('Sallyport was closed in its terminal.', { exact: true }).waitFor()
    await expect.poll(() => runButton(page).getAttribute('aria-disabled')).toBe('true')
    expect(await text(page)).toContain('kept')
    await expect(fetch(page.url())).rejects.toThrow()
  })

  test('the page did not complain', () => {
    expect(mallory.errors).toEqual([])
  })
})
