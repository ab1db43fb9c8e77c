import pg from 'pg'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, onTestFailed, test } from 'vitest'
import { type Client, chromiumPath, launchChromium, openClient, secondTry, signIn } from '../support/client.ts'

/**
 * The main job, in real Chromium, as linus, grace and audrey: sign in, read with masks, be stopped, ask, approve in a second window,
 * type in a shell, replay. What each step claims is checked against the target itself.
 */
const demo = inject('demo')

let browser: Browser
let linus: Client
let grace: Client
let audrey: Client

async function onTarget(sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: demo.targets?.['orders-db'] })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

/** Puts `sql` in the editor instead of what is there, and runs the statement at its start. */
async function runSql(page: Page, sql: string): Promise<void> {
  await page.locator('.monaco-editor').first().click()
  await page.keyboard.press('Control+A')
  await page.keyboard.press('Delete')
  await page.keyboard.insertText(sql)
  await page.keyboard.press('Control+Home')
  await page.keyboard.press('Control+Enter')
}

const log = (client: Client) => client.page.getByRole('complementary', { name: 'Decision log' })

describe.skipIf(chromiumPath === undefined)('the whole path', secondTry, () => {
  beforeAll(async () => {
    browser = await launchChromium()
    ;[linus, grace, audrey] = [
      await openClient(browser, demo),
      await openClient(browser, demo),
      await openClient(browser, demo),
    ]
  })

  afterAll(async () => {
    // The browser first: its pages let go of their clients, which then end at once.
    await browser?.close()
    for (const client of [linus, grace, audrey]) await client?.close()
  })

  test('linus signs in through SSO and sees the connections he may open', async () => {
    onTestFailed(() => linus.page.screenshot({ path: 'test-results/sign-in.png' }).then(() => {}))
    await signIn(linus, demo, 'linus')
    const tree = linus.page.getByRole('tree', { name: 'Connections by environment' })
    for (const name of ['orders-db, Database', 'analytics-db, Database', 'web-1, SSH host'])
      await tree.getByRole('treeitem', { name }).waitFor()
    expect(await tree.getByRole('treeitem', { name: /orders-api/ }).count()).toBe(0)
  })

  test('he reads a real table: rows are the target’s, sensitive columns are masked, and the reason is there', async () => {
    const { page } = linus
    await page.getByRole('treeitem', { name: 'orders-db, Database' }).dblclick()
    await runSql(page, 'SELECT id, name, email, card_number FROM customers WHERE id BETWEEN 40 AND 60 ORDER BY id;')
    await log(linus)
      .getByRole('button', { name: /^Masked SELECT.*email, card_number · pii-default/ })
      .waitFor()
    const [real] = await onTarget('SELECT name, email, card_number FROM customers WHERE id = 42')
    const grid = page.locator('.ag-root')
    await grid.getByText(String(real?.name), { exact: true }).first().waitFor()
    const text = await grid.innerText()
    expect(text).not.toContain(String(real?.email))
    expect(text).not.toContain(String(real?.card_number))
    expect(text).toContain(`•••• •••• •••• ${String(real?.card_number).slice(-4)}`)
  })

  test('he is stopped at an UPDATE without WHERE, and nothing runs', async () => {
    await runSql(linus.page, "UPDATE orders SET status = 'void';")
    const zone = linus.page.getByRole('group', { name: 'Blocked by no-unbounded-write' })
    await zone.waitFor()
    expect(await zone.innerText()).toContain('Nothing ran')
    expect(await onTarget("SELECT count(*)::int AS n FROM orders WHERE status = 'void'")).toEqual([{ n: 0 }])
  })

  test('his DELETE is held; grace approves it in a second window; it runs by itself, once', async () => {
    onTestFailed(() => linus.page.screenshot({ path: 'test-results/held.png' }).then(() => {}))
    await signIn(grace, demo, 'grace')
    expect(await onTarget('SELECT count(*)::int AS n FROM audit_log WHERE id = 77')).toEqual([{ n: 1 }])
    await runSql(linus.page, 'DELETE FROM audit_log WHERE id = 77;')
    const held = linus.page.getByRole('group', { name: 'Held by prod-write-approval' })
    await held.waitFor()
    expect(await onTarget('SELECT count(*)::int AS n FROM audit_log WHERE id = 77')).toEqual([{ n: 1 }])

    await grace.page.getByRole('button', { name: 'Requests' }).first().click()
    await grace.page.getByRole('radio', { name: /^To review/ }).click()
    await grace.page
      .getByRole('region', { name: 'Needs you' })
      .getByRole('button', { name: /Linus Benedict.*DELETE audit_log/ })
      .click()
    const review = grace.page.getByRole('main').filter({ hasText: 'DELETE FROM audit_log WHERE id = 77' })
    await review.getByRole('button', { name: /^Approve/ }).click()

    await log(linus)
      .getByRole('button', { name: /^Approved DELETE.*by grace · 1 row/ })
      .waitFor()
    // In production it is his to commit.
    expect(await onTarget('SELECT count(*)::int AS n FROM audit_log WHERE id = 77')).toEqual([{ n: 1 }])
    await linus.page.getByRole('button', { name: 'Commit', exact: true }).click()
    await linus.page.getByText('Transaction open').waitFor({ state: 'detached' })
    expect(await onTarget('SELECT count(*)::int AS n FROM audit_log WHERE id = 77')).toEqual([{ n: 0 }])
  })

  test('he types in a real shell, and what the host prints is masked', async () => {
    const { page } = linus
    await page.getByRole('treeitem', { name: 'web-1, SSH host' }).dblclick()
    const rail = page.getByRole('complementary', { name: 'Decisions' })
    await page.getByRole('textbox', { name: 'Terminal input' }).waitFor()
    await rail.getByText(/^ses_/).waitFor()
    // The shell itself computes the answer, so nothing that echoes can pass for it.
    await page.keyboard.type('echo sum=$((40+2)); cat .env\n')
    await rail
      .getByRole('button', { name: /^Masked/ })
      .first()
      .waitFor()
  })

  test('audrey sees no connection, and replays both of his sessions', async () => {
    await signIn(audrey, demo, 'audrey')
    const { page } = audrey
    await page.getByText('No connections yet').waitFor()
    await page.getByRole('button', { name: 'Sessions' }).click()

    await page.getByRole('button', { name: 'Replay orders-db of Linus Benedict' }).first().click()
    const replay = page.locator('main:visible')
    for (const [outcome, statement] of [
      ['Masked', 'SELECT id, name, email'],
      ['Blocked', "UPDATE orders SET status = 'void'"],
      ['Approved', 'DELETE FROM audit_log WHERE id = 77'],
    ] as const) {
      await replay.getByRole('row').filter({ hasText: statement }).filter({ hasText: outcome }).first().waitFor()
    }
    await replay
      .getByText(/Integrity verified/)
      .first()
      .waitFor()

    await page.getByRole('tab', { name: 'Sessions' }).click()
    await page.getByRole('button', { name: 'Replay web-1 of Linus Benedict' }).first().click()
    await page
      .locator('main:visible')
      .getByText(/Integrity verified/)
      .last()
      .waitFor()
    await page.locator('main:visible .xterm').first().waitFor()
  })

  test('no page complained', () => {
    expect([...linus.errors, ...grace.errors, ...audrey.errors]).toEqual([])
  })
})
