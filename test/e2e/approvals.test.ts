import pg from 'pg'
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, onTestFailed, test } from 'vitest'
import { type Client, chromiumPath, launchChromium, openClient, secondTry, signIn } from '../support/client.ts'

/**
 * Just-in-time access in two real windows: ada is stopped and asks, grace is told without looking and decides, and ada's work goes on
 * by itself. What each claims is checked against the target. (Ada is in this file only: her grants would show in others.)
 */
const demo = inject('demo')

let browser: Browser
let ada: Client
let grace: Client

async function onTarget(sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: demo.targets?.['orders-db'] })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

const left = (id: number) => onTarget(`SELECT count(*)::int AS n FROM audit_log WHERE id = ${id}`)

/** Puts `sql` in the editor instead of what is there, and runs the statement at its start. */
async function runSql(page: Page, sql: string): Promise<void> {
  // Only while nothing runs.
  await page.getByRole('button', { name: /^Run all/ }).waitFor()
  await page.locator('.monaco-editor').first().click()
  await page.keyboard.press('Control+A')
  await page.keyboard.press('Delete')
  await page.keyboard.insertText(sql)
  await page.keyboard.press('Escape')
  await page.keyboard.press('Control+Home')
  await page.keyboard.press('Control+Enter')
}

/** Moves by the Tab key alone until `target` has the focus. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  for (let step = 0; step < 120; step += 1) {
    if (await target.evaluate((element) => element === element.ownerDocument.activeElement)) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`${target} is not reached by Tab`)
}

const log = (client: Client) => client.page.getByRole('complementary', { name: 'Decision log' })
const decision = (client: Client) => client.page.getByRole('complementary', { name: 'Decision', exact: true })
const toast = (client: Client, text: string) => client.page.locator('.toast').filter({ hasText: text })

/** System notifications as the page makes them, of a window that nobody looks at. */
async function lookAway(client: Client): Promise<void> {
  await client.context.grantPermissions(['notifications'])
  await client.context.addInitScript({
    content: `
      Document.prototype.hasFocus = () => false
      window.told = []
      window.Notification = new Proxy(window.Notification, {
        construct: (System, [title, options]) => {
          window.told.push(title + ' | ' + options.body)
          return new System(title, options)
        },
      })`,
  })
  await client.page.reload()
}

const told = (client: Client) => client.page.evaluate<string[]>('window.told')

async function ask(page: Page, dataClass: string, reason: string): Promise<void> {
  await page.getByRole('button', { name: 'New', exact: true }).click()
  await page.getByRole('button', { name: 'Connection', exact: true }).click()
  await page.getByRole('option', { name: 'orders-db' }).click()
  await page.getByRole('checkbox', { name: dataClass, exact: true }).click()
  await page.getByRole('textbox', { name: 'Reason' }).fill(reason)
  await page.keyboard.press('Control+Enter')
  await page.getByRole('heading', { name: new RegExp(`^Unmask ${dataClass} on orders-db`) }).waitFor()
}

describe.skipIf(chromiumPath === undefined)('asking, deciding and being told', secondTry, () => {
  beforeAll(async () => {
    browser = await launchChromium()
    ;[ada, grace] = [await openClient(browser, demo), await openClient(browser, demo)]
    await lookAway(grace)
    await signIn(ada, demo, 'ada')
    await signIn(grace, demo, 'grace')
    await ada.page.getByRole('treeitem', { name: 'orders-db, Database' }).dblclick()
  })

  afterAll(async () => {
    await browser?.close()
    for (const client of [ada, grace]) await client?.close()
  })

  const pictures = () =>
    onTestFailed(async ({ task }) => {
      const name = task.name.replaceAll(/\W+/g, '-').slice(0, 60)
      await ada.page.screenshot({ path: `test-results/${name}-ada.png` })
      await grace.page.screenshot({ path: `test-results/${name}-grace.png` })
    })

  test('grace is told wherever she is, without a refresh, and without a statement in the notification', async () => {
    pictures()
    await runSql(ada.page, 'DELETE FROM audit_log WHERE id = 901;')
    const held = ada.page.getByRole('group', { name: 'Held by prod-write-approval' })
    await held.waitFor()
    await toast(grace, 'asks for approval').first().waitFor()
    await held.getByText(/of dba asked to review/).waitFor()
    expect(await held.innerText()).toMatch(/\d\d:\d\d waiting/)
    await expect
      .poll(() => told(grace))
      .toContainEqual(expect.stringMatching(/^Approval needed on orders-db \| Production · Ada/))
    expect((await told(grace)).join()).not.toMatch(/DELETE|audit_log|901/)
    expect(await grace.page.title()).toMatch(/^\(\d+\) Sallyport$/)
  })

  test('by keyboard alone she opens it, sees what it touches, and approves; ada’s statement goes on by itself', async () => {
    pictures()
    const { page } = grace
    expect(await left(901)).toEqual([{ n: 1 }])
    await page.keyboard.press('Control+2')
    const review = page.getByRole('radio', { name: /^To review/ })
    await tabTo(page, page.getByRole('radio', { checked: true }).first())
    for (let i = 0; i < 3 && (await review.getAttribute('aria-checked')) !== 'true'; i += 1) {
      await page.keyboard.press('ArrowRight')
    }
    const row = page.getByRole('region', { name: 'Needs you' }).getByRole('button', { name: /DELETE audit_log/ })
    await row.first().waitFor()
    await tabTo(page, row.first())
    await page.keyboard.press('Enter')
    await page.getByRole('region', { name: 'Statement', exact: true }).waitFor()
    const main = await page.locator('main:visible').innerText()
    expect(main).toContain('prod-write-approval')
    expect(main).toMatch(/Desktop client/)
    // Nothing decides by where the focus happens to be.
    expect(await page.evaluate<string>('document.activeElement.textContent')).not.toMatch(/^Approve/)
    expect(await left(901)).toEqual([{ n: 1 }])
    // A toast goes by itself, so it is waited for from the start.
    const heard = toast(ada, 'Grace').first().waitFor()
    await page.keyboard.press('Control+Enter')
    await log(ada)
      .getByRole('button', { name: /^Approved DELETE.*by grace/ })
      .waitFor()
    // Production commits by hand.
    await ada.page.getByRole('button', { name: 'Commit', exact: true }).click()
    await expect.poll(() => left(901)).toEqual([{ n: 0 }])
    await heard
  })

  test('a denial says why, where ada was stopped, and she can ask again', async () => {
    pictures()
    await runSql(ada.page, 'DELETE FROM audit_log WHERE id = 902;')
    await ada.page.getByRole('group', { name: 'Held by prod-write-approval' }).waitFor()
    const { page } = grace
    const row = page.getByRole('region', { name: 'Needs you' }).getByRole('button', { name: /Ada.*DELETE audit_log/ })
    await row.first().click()
    await page.getByText('WHERE id = 902').first().waitFor()
    await page.keyboard.press('Control+Backspace')
    const comment = page.getByRole('textbox', { name: /^Comment/ })
    expect(await comment.evaluate((element) => element === element.ownerDocument.activeElement)).toBe(true)
    await page.keyboard.type('Keep the log: use the replica.')
    await tabTo(page, decision(grace).getByRole('button', { name: /^Deny/ }))
    await page.keyboard.press('Enter')
    const denied = ada.page.getByRole('group', { name: 'Denied by prod-write-approval' })
    await denied.getByText('Keep the log: use the replica.').waitFor()
    expect(await denied.innerText()).toMatch(/by grace/)
    expect(await left(902)).toEqual([{ n: 1 }])
    await denied.getByRole('button', { name: 'Ask again' }).click()
    await ada.page.getByRole('group', { name: 'Held by prod-write-approval' }).waitFor()
    await ada.page.getByRole('button', { name: 'Cancel request' }).click()
  })

  test('from a masked column she asks in one step; shortened and approved, it counts down until she gives it back', async () => {
    pictures()
    // Not her e-mail addresses: the editor's tests say of them that they are masked for her.
    const { page } = ada
    const [real] = await onTarget('SELECT card_number FROM customers WHERE id = 42')
    await runSql(page, 'SELECT id, card_number FROM customers WHERE id = 42;')
    await page.getByRole('button', { name: /^card_number, masked by pii-default/ }).click()
    await page.getByRole('menuitem', { name: 'Request to unmask…' }).click()
    // Everything is filled in: only the reason is left to say.
    await page.getByRole('checkbox', { name: 'card_number', exact: true, checked: true }).waitFor()
    expect(await page.getByRole('button', { name: 'Connection orders-db' }).count()).toBe(1)
    await page.keyboard.type('Customer 42 called about their card.')
    await page.keyboard.press('Control+Enter')
    await page.getByRole('heading', { name: /^Unmask card_number on orders-db/ }).waitFor()

    const row = grace.page
      .getByRole('region', { name: 'Needs you' })
      .getByRole('button', { name: /Ada.*Unmask card_number/ })
    await row.first().click()
    await grace.page.getByRole('radiogroup', { name: 'How long' }).getByRole('radio', { name: '15 min' }).click()
    await decision(grace)
      .getByRole('button', { name: /^Approve 15 min/ })
      .click()

    await page.keyboard.press('Control+1')
    const status = page.getByRole('button', { name: /^Unmask card_number, granted on orders-db/ })
    await status.waitFor()
    // Drawn beside the name of the button, which says it in words.
    const drawn = "[...document.querySelectorAll('footer [data-text]')].map((mark) => mark.dataset.text).join()"
    expect(await page.evaluate<string>(drawn)).toMatch(/1[45]:\d\d/)
    await runSql(page, 'SELECT id, card_number FROM customers WHERE id = 42;')
    await page.locator('.ag-root').getByText(String(real?.card_number), { exact: true }).first().waitFor()

    await status.click()
    await page.getByRole('menuitem', { name: 'Give back now' }).click()
    await page
      .getByRole('contentinfo')
      .getByText(/^Ended/)
      .waitFor()
    await runSql(page, 'SELECT id, card_number FROM customers WHERE id = 42;')
    await page.getByRole('button', { name: /^card_number, masked by pii-default/ }).waitFor()
    expect(await page.locator('.ag-root').innerText()).not.toContain(String(real?.card_number))
  })

  test('what was blocked is asked for from there, and is run again where it stands', async () => {
    pictures()
    const { page } = ada
    await runSql(page, "SELECT id FROM customers WHERE phone LIKE '+4%' ORDER BY id LIMIT 3;")
    const blocked = page.getByRole('group', { name: /^Blocked by/ })
    await blocked.getByRole('button', { name: 'Request to unmask…' }).click()
    await page.getByRole('checkbox', { name: 'phone', exact: true, checked: true }).waitFor()
    await page.keyboard.type('Find who called from abroad.')
    await page.keyboard.press('Control+Enter')
    await page.getByRole('heading', { name: /^Unmask phone on orders-db/ }).waitFor()
    const row = grace.page.getByRole('region', { name: 'Needs you' }).getByRole('button', { name: /Ada.*Unmask phone/ })
    await row.first().click()
    await decision(grace)
      .getByRole('button', { name: /^Approve/ })
      .click()
    await page.keyboard.press('Control+1')
    await blocked.getByText(/^Granted since by grace/).waitFor()
    await blocked.getByRole('button', { name: 'Run again' }).click()
    await page.locator('.ag-root').getByText('1', { exact: true }).first().waitFor()
    expect(await blocked.count()).toBe(0)
  })

  test('grace decides several at once, each shown in full', async () => {
    pictures()
    await ada.page.keyboard.press('Control+2')
    await ask(ada.page, 'card_number', 'Call back customer 43.')
    await ask(ada.page, 'ssn', 'Compare with the tax form of customer 43.')
    const { page } = grace
    await page.getByRole('checkbox', { name: /^Pick Unmask card_number/ }).click()
    await page.getByRole('checkbox', { name: /^Pick Unmask ssn/ }).click()
    const together = page.getByRole('region', { name: '2 requests together' })
    await together.getByText('Call back customer 43.').waitFor()
    await together.getByText('Compare with the tax form').waitFor()
    await decision(grace)
      .getByRole('button', { name: /^Approve 2/ })
      .click()
    await page.getByText('2 requests decided.').waitFor()
    await ada.page.getByRole('region', { name: 'Active' }).getByText('Unmask card_number').waitFor()
    await ada.page.getByRole('region', { name: 'Active' }).getByText('Unmask ssn').waitFor()
  })

  test('the history keeps what was decided, and is narrowed by outcome', async () => {
    pictures()
    const { page } = grace
    await page.getByRole('radio', { name: 'History' }).click()
    const history = page.getByRole('list', { name: 'History' })
    await page.getByRole('combobox', { name: 'Outcome' }).selectOption('denied')
    await page.getByRole('textbox', { name: 'Person' }).fill('ada')
    await history
      .getByRole('button', { name: /Ada.*DELETE audit_log.*Denied/s })
      .first()
      .waitFor()
    await expect.poll(() => history.getByRole('button', { name: /Granted/ }).count()).toBe(0)
  })

  test('metrics draw what happened', async () => {
    pictures()
    const { page } = grace
    await page.getByRole('button', { name: 'Metrics' }).click()
    await page.locator('.recharts-bar-rectangle path').first().waitFor()
    await page.getByRole('row', { name: /prod-write-approval/ }).waitFor()
  })

  test('no page complained', () => {
    expect([...ada.errors, ...grace.errors]).toEqual([])
  })
})
