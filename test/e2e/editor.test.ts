import pg from 'pg'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, onTestFailed, test } from 'vitest'
import { type Client, chromiumPath, launchChromium, openClient, secondTry, signIn } from '../support/client.ts'

/** Writing SQL in real Chromium, against the demo: what the editor says before anything is run, and how it helps. */
const demo = inject('demo')

let browser: Browser
let ada: Client

/** Puts `sql` in the editor instead of what is there. */
async function write(page: Page, sql: string): Promise<void> {
  await page.locator('.monaco-editor:visible').first().click()
  await page.keyboard.press('Control+A')
  await page.keyboard.press('Delete')
  await page.keyboard.insertText(sql)
}

const picture = (name: string) =>
  onTestFailed(() => ada.page.screenshot({ path: `test-results/${name}.png` }).then(() => {}))
async function onTarget(sql: string, target = 'orders-db'): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: demo.targets?.[target] })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

/** What the editor shows, hints and all, with single blanks. */
const shown = async (page: Page) =>
  (await page.locator('.view-lines').first().innerText()).replaceAll(/[\u00a0 ]+/g, ' ')
const glyphs = (page: Page) => page.locator('.glyph--pre')

/** How each statement's sign in the gutter looks, from the top. */
const looks = (page: Page) =>
  glyphs(page).evaluateAll((all) =>
    all
      .map((glyph) => ({ top: glyph.getBoundingClientRect().top, look: /(?:^| )d-(\w+)/.exec(glyph.className)?.[1] }))
      .sort((a, b) => a.top - b.top)
      .map(({ look }) => look),
  )

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

describe.skipIf(chromiumPath === undefined)('the SQL editor', secondTry, () => {
  beforeAll(async () => {
    browser = await launchChromium()
    ada = await openClient(browser, demo)
    await signIn(ada, demo, 'ada')
    await ada.page.getByRole('treeitem', { name: 'orders-db, Database' }).dblclick()
  })

  afterAll(async () => {
    await browser?.close()
    await ada?.close()
    await onTarget('DROP SCHEMA IF EXISTS parcels CASCADE', 'analytics-db')
  })

  test('says of each statement what the gateway will do, before it is run', async () => {
    const { page } = ada
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
    // Monaco draws the signs line by line, so the last may be there before the first.
    await expect.poll(() => looks(page)).toEqual(['allowed', 'masked', 'blocked', 'held', 'blocked'])
    for (const hint of ['masked email', 'blocked no-unbounded-write', 'held for 1 of dba'])
      await expect.poll(() => shown(page)).toContain(`Will be ${hint}`)
    await glyphs(page).nth(2).hover()
    await page
      .getByRole('tooltip')
      .or(page.locator('.monaco-hover'))
      .getByText(/no-unbounded-write:/)
      .first()
      .waitFor()
    // Nothing was run: there is no session of his. What was read of the catalog is shown to who asks for it.
    expect(await page.getByText('REC', { exact: false }).count()).toBe(0)
    await page.getByRole('button', { name: 'Sessions', exact: true }).click()
    const row = page.getByRole('row', { name: /Ada Byron.*orders-db.*desktop .*catalog/ }).first()
    const filter = page.getByRole('checkbox', { name: 'Catalog reading' })
    await filter.click()
    await row.waitFor()
    await filter.click()
    await row.waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Connections', exact: true }).click()
  })

  test('what the session alone can tell is not foretold, and what ran is not said of another statement', async () => {
    const { page } = ada
    picture('later')
    await write(page, 'EXECUTE q(1);')
    await expect.poll(() => shown(page)).toContain('Decided when run what q was prepared as')
    await write(page, 'SELECT 11 AS a')
    await page.keyboard.press('Control+Enter')
    await expect.poll(() => shown(page)).toContain('Allowed 1 row')
    await page.keyboard.type('b')
    await expect.poll(() => shown(page)).not.toContain('Allowed 1 row')
    // Brackets are closed in the statement, and not within a string.
    await write(page, '')
    await page.keyboard.type("SELECT '[1' x, (2")
    await page.keyboard.press('Escape')
    await expect.poll(() => shown(page)).toContain("SELECT '[1' x, (2)")
  })

  test('marks where PostgreSQL’s parser stops, whatever characters come before', async () => {
    const { page } = ada
    picture('syntax')
    await write(page, "SELECT 'é😀', 1 1 FROM orders;")
    await expect.poll(() => distance(page)).toBeLessThan(2)
  })

  test('completes from the live catalog: masked columns with a lock, joins by foreign key', async () => {
    const { page } = ada
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
    // Behind an operand what joins it comes first, and the line that Enter takes stands out.
    await page.keyboard.type(' = o.status a')
    const first = list.locator('.monaco-list-row.focused')
    await first.getByText('AND', { exact: true }).waitFor()
    const back = await first
      .locator('.main')
      .evaluate((node) => node.ownerDocument.defaultView?.getComputedStyle(node).backgroundColor)
    expect(back).toMatch(/, 0\)$/)
    await page.keyboard.press('Escape')
    // A table's short name stays what was written.
    await write(page, '')
    await page.keyboard.type('SELECT 1 FROM orders o')
    await list.getByText('as a name').waitFor()
    await page.keyboard.press('Enter')
    await page.keyboard.type('WHERE true')
    await expect.poll(() => shown(page)).toMatch(/FROM orders o\s*WHERE true/)
  })

  test('says of a name its type and class, and nothing is offered where a name is made up', async () => {
    const { page } = ada
    picture('hover')
    await write(page, 'SELECT email FROM customers')
    await page.locator('.view-line span').getByText('email').first().hover()
    const hover = page.locator('.monaco-hover')
    await hover.getByText('customers.email text NOT NULL').waitFor()
    await hover.getByText('Class email: masked for you.').waitFor()
    await page.keyboard.press('Control+Home')
    await page.keyboard.press('Control+ArrowRight')
    await page.keyboard.press('Control+ArrowRight')
    await page.keyboard.type(' AS ann')
    await page.waitForTimeout(400)
    expect(await page.locator('.suggest-widget.visible').count()).toBe(0)
  })

  test('fills in a snippet, place by place', async () => {
    const { page } = ada
    picture('snippet')
    await write(page, '')
    await page.keyboard.type('selc')
    await page.locator('.suggest-widget.visible').getByText('count rows').waitFor()
    await page.keyboard.press('Enter')
    await page.keyboard.type('orders')
    await page.keyboard.press('Tab')
    await page.keyboard.type('id < 10')
    await expect.poll(() => shown(page)).toMatch(/SELECT count\(\*\)\s*FROM orders\s*WHERE id < 10;/i)
  })

  test('runs what is selected, and no more', async () => {
    const { page } = ada
    picture('selection')
    await write(page, 'SELECT 11 AS eleven; SELECT 22 AS twice')
    await page.keyboard.press('Control+Home')
    for (let i = 0; i < 'SELECT 11'.length; i += 1) await page.keyboard.press('Shift+ArrowRight')
    await page.keyboard.press('Control+Enter')
    // Without its alias: that was not selected.
    await page.getByRole('columnheader').getByText('?column?').waitFor()
    const tabs = page.getByRole('tablist', { name: 'Results' }).getByRole('tab')
    expect(await tabs.count()).toBe(2)
    await page.getByRole('button', { name: 'Roll back' }).click()
    await page.getByText('Transaction open').waitFor({ state: 'detached' })
  })

  test('leads from a column to the definition of its table, and back', async () => {
    const { page } = ada
    picture('definition')
    await write(page, 'SELECT 1 FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.email')
    await page.keyboard.press('F12')
    const peek = page.getByRole('complementary', { name: 'Definition of public.customers' })
    await peek.getByText('CONSTRAINT').waitFor()
    await peek.getByRole('row', { name: /^email text not null.*email/ }).waitFor()
    await page.keyboard.press('Escape')
    await peek.waitFor({ state: 'detached' })
    await page.keyboard.type(' = 1')
    await expect.poll(() => shown(page)).toContain('WHERE c.email = 1')
  })

  test('a function says what it takes and how it is made, an enum what it may be', async () => {
    const { page } = ada
    picture('function')
    await onTarget(
      `DROP SCHEMA IF EXISTS parcels CASCADE;
      CREATE SCHEMA parcels;
      CREATE FUNCTION parcels.cost(parcel int) RETURNS numeric LANGUAGE sql AS 'SELECT 1.0';
      CREATE FUNCTION parcels.cost(weight numeric, express boolean) RETURNS numeric LANGUAGE sql AS 'SELECT weight * 2';
      CREATE TYPE parcels.state AS ENUM ('sent', 'on hold');
      CREATE TABLE parcels.parcel (state parcels.state);
      INSERT INTO parcels.parcel VALUES ('on hold')`,
      'analytics-db',
    )
    await page.getByRole('treeitem', { name: 'analytics-db, Database' }).dblclick()
    await page.getByRole('button', { name: /Auto-commit/ }).waitFor()
    await write(page, 'SELECT parcels.cost')
    await page.keyboard.type('(1.5, ')
    const hints = page.locator('.parameter-hints-widget.visible')
    await hints.locator('.parameter.active').getByText('express boolean').waitFor()
    await page.keyboard.press('Escape')
    await page.keyboard.type('true')
    await page.keyboard.press('Control+Home')
    for (let i = 0; i < 'SELECT parcels.co'.length; i += 1) await page.keyboard.press('ArrowRight')
    await page.keyboard.press('F12')
    const peek = page.getByRole('complementary', { name: 'Definition of parcels.cost' })
    await peek.getByText('SELECT weight * 2').waitFor()
    await page.keyboard.press('ArrowUp')
    await peek.getByText('SELECT 1.0').waitFor()
    await page.keyboard.press('Escape')
    await write(page, 'SELECT * FROM parcels.parcel WHERE state = ')
    await page.keyboard.type("'")
    await page.locator('.suggest-widget.visible').getByText('on hold').waitFor()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await expect.poll(() => shown(page)).toContain("WHERE state = 'on hold'")
    await page.keyboard.press('Control+Enter')
    await page.locator('.ag-header-cell button[title="state parcels.state"]').waitFor()
    // What is offered while writing goes when it is run.
    await write(page, '')
    await page.keyboard.type('SELECT 1 AS one FROM parcels.parcel')
    await page.locator('.suggest-widget.visible').getByText('parcel', { exact: true }).first().waitFor()
    await page.keyboard.press('Control+Enter')
    await page.locator('.suggest-widget.visible').waitFor({ state: 'detached' })
    await page.keyboard.press('Alt+w')
    await page.locator('.tab').filter({ hasText: 'analytics-db' }).waitFor({ state: 'detached' })
  })

  test('asks for parameters and binds them', async () => {
    const { page } = ada
    picture('parameters')
    await write(page, 'SELECT id, country FROM customers WHERE id = :id AND country <> :not')
    await page.keyboard.press('Control+Enter')
    const form = page.getByRole('form', { name: 'Parameters' })
    await form.getByLabel(':id', { exact: true }).fill('42')
    await form.getByLabel(':not', { exact: true }).fill("'; DROP TABLE customers; --")
    await page.keyboard.press('Enter')
    await page.locator('.ag-cell').getByText('42', { exact: true }).waitFor()
    await page.getByText('Transaction open').waitFor()
    await page.getByRole('button', { name: 'Roll back' }).click()
    await page.getByText('Transaction open').waitFor({ state: 'detached' })
  })

  test('a name that PostgreSQL does not know is put right by a key, under the error and in the text', async () => {
    const { page } = ada
    picture('meant')
    await write(page, 'SELECT id FROM ordres LIMIT 1')
    await page.keyboard.press('Control+Enter')
    const messages = page.getByRole('list', { name: 'Messages' })
    await messages.getByText('relation "ordres" does not exist').waitFor()
    await messages.getByRole('button', { name: /Write orders/ }).waitFor()
    await page.locator('.monaco-editor:visible').first().click()
    await page.keyboard.press('Alt+Enter')
    await expect.poll(() => shown(page)).toContain('SELECT id FROM orders LIMIT 1')
  })

  test('cancel ends the statement on the target itself', async () => {
    const { page } = ada
    picture('cancel')
    const running = () =>
      onTarget(
        "SELECT count(*)::int AS n FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%cancel_me%' AND backend_type = 'client backend' AND pid <> pg_backend_pid()",
      )
    await write(page, 'SELECT pg_sleep(600) AS cancel_me')
    await page.keyboard.press('Control+Enter')
    await expect.poll(running).toEqual([{ n: 1 }])
    await page.getByRole('button', { name: 'Cancel', exact: false }).first().click()
    await page
      .getByRole('complementary', { name: 'Decision log' })
      .getByRole('button', { name: /^Cancelled/ })
      .waitFor()
    expect(await running()).toEqual([{ n: 0 }])
  })

  test('in staging each statement is committed; in a transaction of one’s own, closing the tab asks', async () => {
    const { page } = ada
    picture('transaction')
    await page.getByRole('treeitem', { name: 'analytics-db, Database' }).dblclick()
    await page.getByRole('button', { name: /Auto-commit/ }).waitFor()
    await write(page, "BEGIN; UPDATE audit_log SET actor = 'nobody' WHERE id = 5;")
    await page.keyboard.press('Control+Shift+Enter')
    await page.getByText('Transaction open').waitFor()
    await page.keyboard.press('Alt+w')
    const dialog = page.getByRole('dialog', { name: 'This tab has an open transaction' })
    await dialog.getByRole('button', { name: 'Roll back and close' }).click()
    await page.locator('.tab').filter({ hasText: 'analytics-db' }).waitFor({ state: 'detached' })
  })

  test('runs all, and goes on or stops where one fails', async () => {
    const { page } = ada
    picture('go-on')
    await write(page, 'SELECT 1 AS one; SELECT 1/0; SELECT 2 AS two;')
    await page.keyboard.press('Control+Shift+Enter')
    await page.getByText('division by zero').first().waitFor()
    const tabs = page.getByRole('tablist', { name: 'Results' }).getByRole('tab')
    await expect.poll(() => tabs.count()).toBe(2)
    // Nothing but reads: there is nothing to roll back by hand.
    await page.getByRole('tab', { name: /^Messages/ }).click()
    await page.getByText('had only read').waitFor()
    await page.getByText(/^Transaction/).waitFor({ state: 'detached' })
    await page.getByRole('button', { name: /Manual commit/ }).click()
    await page.getByRole('menuitem', { name: /^Auto-commit/ }).click()
    await page.getByRole('button', { name: /Auto-commit/ }).click()
    await page.getByRole('menuitem', { name: /^Go on with the next/ }).click()
    await page.locator('.monaco-editor:visible').first().click()
    await page.keyboard.press('Control+Shift+Enter')
    await expect.poll(() => tabs.count()).toBe(3)
  })

  test('shows how PostgreSQL would run it, measures what policy lets run, and leaves nothing behind', async () => {
    const { page } = ada
    picture('plan')
    await page.getByRole('treeitem', { name: 'analytics-db, Database' }).dblclick()
    await page.getByRole('button', { name: /Auto-commit/ }).waitFor()
    const editor = page.locator('.monaco-editor:visible').first()
    const explain = async (sql: string, keys: string) => {
      await write(page, sql)
      await editor.click()
      await page.keyboard.press(keys)
    }
    const foot = page.locator('.res__ft:visible')
    await explain("SELECT actor FROM audit_log WHERE action = 'login'", 'Control+e')
    await page.getByRole('treeitem', { name: /Scan.*audit_log/ }).waitFor()
    await foot.getByText('Planned, not run', { exact: true }).waitFor()
    const insert = "INSERT INTO audit_log (id, actor, action, at) VALUES (-5, 'plan', 'measured', now())"
    await explain(insert, 'Alt+Shift+E')
    await foot.getByText('Ran to be measured, and was rolled back').waitFor()
    await page.getByRole('treeitem', { name: /^Insert audit_log/ }).waitFor()
    expect(await onTarget('SELECT id FROM audit_log WHERE id = -5', 'analytics-db')).toEqual([])
    await page.getByText(/^Transaction/).waitFor({ state: 'detached' })
    // What may not run is not measured either.
    await explain("UPDATE audit_log SET actor = 'nobody'", 'Alt+Shift+E')
    await page.getByRole('group', { name: /Blocked by no-unbounded-write/ }).waitFor()
  })

  test('a plan shows no literal beside a masked column', async () => {
    const { page } = ada
    picture('plan-masked')
    await page.locator('.tab', { hasText: 'orders-db' }).first().click()
    await write(page, "SELECT name FROM customers WHERE email = 'someone@nowhere.example'")
    await page.keyboard.press('Control+e')
    // The plan of this statement, not one that was there before it.
    await page
      .locator('.plan')
      .getByText(/email = '•••'/)
      .first()
      .waitFor()
    await page.getByRole('radio', { name: 'Text' }).click()
    const text = page.getByRole('region', { name: 'Plan as text' })
    await text.getByText(/email = '•••'/).waitFor()
    expect(await text.innerText()).not.toContain('nowhere')
  })

  test('formats the statement', async () => {
    const { page } = ada
    picture('format')
    await write(page, 'select id, status from orders where id = 1')
    await page.getByRole('button', { name: 'Format' }).click()
    await expect.poll(() => page.locator('.view-line').count()).toBeGreaterThanOrEqual(7)
  })

  test('no page complained', () => {
    expect(ada.errors).toEqual([])
  })
})
