import type { Page } from 'playwright-core'

/** The SQL tab in front, as a person uses it. */

/** The panel that is shown; those behind it stay in the page. */
export const panel = (page: Page) => page.locator('section.panel:visible').last()

export async function openTab(page: Page, connection: string): Promise<void> {
  await page.getByRole('treeitem', { name: `${connection}, Database` }).dblclick()
  await panel(page).locator('.monaco-editor').first().waitFor()
}

export async function newTab(page: Page): Promise<void> {
  await page
    .getByRole('button', { name: /^New tab/ })
    .first()
    .click()
}

/** Puts `sql` in the editor instead of what is there. */
export async function write(page: Page, sql: string): Promise<void> {
  await panel(page).locator('.monaco-editor').first().click()
  await page.keyboard.press('Control+A')
  await page.keyboard.press('Delete')
  await page.keyboard.insertText(sql)
}

/** Puts `sql` in the editor, runs it, and waits for `rows` rows. */
export async function runFor(page: Page, sql: string, rows: number): Promise<void> {
  await write(page, sql)
  await page.keyboard.press('Control+Home')
  await page.keyboard.press('Control+Enter')
  const count = `${rows.toLocaleString('en-GB')} row${rows === 1 ? '' : 's'}`
  await panel(page).locator('.res__ft').getByText(count, { exact: true }).waitFor({ timeout: 120_000 })
  if (rows > 0) await panel(page).locator('.ag-row[row-index="0"] .ag-cell[col-id="0"]').waitFor()
}

export async function closeTab(page: Page): Promise<void> {
  const tabs = page.locator('.dv-tab')
  const open = await tabs.count()
  await page
    .locator('.dv-tab.dv-active-tab')
    .last()
    .getByTitle(/^Close/)
    .click()
  await tabs.nth(open - 1).waitFor({ state: 'detached' })
}
