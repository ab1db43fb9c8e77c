import type { Page } from 'playwright-core'
import type { startHarness } from './server.ts'

/** Every screen of the design, brought about from fixtures: for pictures, and for what has to hold on each of them. */

const sql = `-- INC-4821 · duplicate charges after the retry storm
SELECT id, status, total_cents, placed_at FROM orders WHERE id = 884213;

SELECT c.id, c.name, c.email, c.card_number, o.id AS order_id
FROM customers c JOIN orders o ON o.customer_id = c.id
WHERE o.batch_id = 'rt-20311' ORDER BY o.placed_at LIMIT 200;

UPDATE payments SET status = 'void';

DELETE FROM payments WHERE batch_id = 'rt-20311' AND duplicate_of IS NOT NULL;
`

type Harness = Awaited<ReturnType<typeof startHarness>>
export type Scene = (page: Page, harness: Harness) => Promise<void>

async function openSql(page: Page): Promise<void> {
  await page.getByRole('treeitem', { name: 'orders-db' }).first().click()
  await page.locator('.monaco-editor').first().waitFor()
  await page.keyboard.insertText(sql)
  await page.getByRole('button', { name: 'Run all' }).click()
  await page.getByRole('group', { name: /Held by/ }).waitFor()
  await page.locator('.ag-cell').first().waitFor()
}

async function openTerminal(page: Page): Promise<void> {
  await page.getByRole('treeitem', { name: 'web-1' }).first().click()
  await page.getByRole('group', { name: /Held by/ }).waitFor()
  await page.getByText('Recording', { exact: true }).waitFor()
}

/** By name; the page is open when one is called. */
export const scenes: Record<string, Scene> = {
  'sign-in': async (page, { fixture }) => {
    fixture.auth.set({ state: 'signed-out' })
    await page.getByText('Verified').waitFor()
  },
  'sign-in-waiting': async (page, { fixture }) => {
    fixture.auth.set({ state: 'signed-out' })
    await page.getByRole('button', { name: 'Sign in with a device code' }).click()
    await page.getByText('Finish in your browser').waitFor()
  },
  'sign-in-failed': async (page, { fixture }) => {
    fixture.auth.set({
      state: 'signed-out',
      problem: {
        code: 'sign-in-failed',
        message: 'Your account is not in a group that may use this gateway.',
        hint: 'Ask the IT desk to add you, then try again.',
        action: 'retry',
      },
    })
    await page.getByText('Sign-in did not finish').waitFor()
  },
  'sign-in-support': async (page, { fixture }) => {
    fixture.auth.set({ state: 'signed-out' })
    await page.getByRole('button', { name: 'Diagnostics' }).click()
    await page.getByRole('button', { name: 'Create…' }).click()
    await page.getByRole('region', { name: 'What the bundle holds' }).waitFor()
  },
  sql: async (page) => {
    await page.getByRole('treeitem', { name: 'orders-db' }).first().hover()
    await page.getByRole('button', { name: 'Show tables of orders-db' }).click()
    await openSql(page)
  },
  plan: async (page) => {
    await page.getByRole('treeitem', { name: 'orders-db' }).first().click()
    await page.locator('.monaco-editor').first().waitFor()
    await page.keyboard.insertText(sql.split('\n\n')[1] ?? '')
    await page.keyboard.press('Alt+Shift+E')
    await page.getByRole('treeitem', { name: /^Finalize HashAggregate/ }).click()
  },
  welcome: async (page, { fixture }) => {
    fixture.settings.set({ ...fixture.settings.get(), recent: ['analytics-db', 'orders-db'] })
    await page.reload()
    await page.getByText('What the marks mean').waitFor()
  },
  'tree-by-tag': async (page, { fixture }) => {
    fixture.settings.set({ ...fixture.settings.get(), grouping: 'tag' })
    await page.reload()
    await page.getByRole('treeitem', { name: /payments/ }).waitFor()
  },
  'saved-queries': async (page) => {
    await page.getByRole('button', { name: /^Saved queries/ }).click()
    await page.getByRole('button', { name: /^incidents/ }).hover()
  },
  terminal: openTerminal,
  desktop: async (page) => {
    await page.getByRole('treeitem', { name: 'fin-desk-01' }).first().click()
    await page.getByRole('heading', { name: 'Live in Windows App' }).waitFor()
    await page.getByText('Recording', { exact: true }).waitFor()
  },
  'desktop-held': async (page, { fixture }) => {
    fixture.desktop.set({
      ...fixture.desktop.get(),
      canFront: false,
      said: [],
      phase: {
        state: 'held',
        requestId: 'req-3',
        policy: { id: 'rdp-prod-approval', reason: 'A desktop in production needs one approval from dba.' },
        approval: { group: 'dba', count: 2, windowSeconds: 1800, notify: [] },
        expiresAt: new Date(Date.now() + 14 * 60_000).toISOString(),
      },
    })
    await page.getByRole('treeitem', { name: 'fin-desk-01' }).first().click()
    await page.getByRole('heading', { name: 'Held until it is approved' }).waitFor()
  },
  composer: async (page) => {
    await page.getByRole('button', { name: 'Request access' }).first().click()
    await page.getByRole('button', { name: 'Connection', exact: true }).click()
    await page.getByRole('option', { name: 'ledger-main' }).click()
    // What opens a locked connection is ticked already.
    await page.getByRole('checkbox', { name: 'Write', checked: true }).waitFor()
    await page
      .getByRole('textbox', { name: 'Reason' })
      .fill('Void the ledger entries behind the 318 duplicate charges.')
    await page
      .getByRole('textbox', { name: 'Try a statement' })
      .fill("UPDATE entries SET state = 'void' WHERE batch_id = 1")
    await page.getByRole('button', { name: 'Check' }).click()
    await page.getByText('would run at once').waitFor()
  },
  review: async (page) => {
    await page.getByRole('button', { name: /approvals? waiting for you/ }).click()
    await page
      .getByRole('button', { name: /Ada Brandt/ })
      .first()
      .click()
    await page.getByRole('button', { name: 'Deny' }).waitFor()
  },
  bulk: async (page) => {
    await page.getByRole('button', { name: /approvals? waiting for you/ }).click()
    await page.getByRole('checkbox', { name: /^Pick/ }).first().waitFor()
    for (const box of await page.getByRole('checkbox', { name: /^Pick/ }).all()) await box.click()
    await page.getByRole('button', { name: /^Approve 2/ }).waitFor()
  },
  'review-grant': async (page) => {
    await page.getByRole('button', { name: /approvals? waiting for you/ }).click()
    await page.getByRole('button', { name: /Ada Brandt.*Commands/ }).click()
    await page.getByRole('radiogroup', { name: 'How long' }).waitFor()
  },
  history: async (page) => {
    await page.getByRole('button', { name: 'Requests' }).click()
    await page.getByRole('radio', { name: 'History' }).click()
    await page.getByRole('list', { name: 'History' }).getByRole('button').first().click()
    await page.getByRole('heading', { name: 'Approvals' }).waitFor()
  },
  metrics: async (page) => {
    await page.getByRole('button', { name: 'Requests' }).click()
    await page.getByRole('button', { name: 'Metrics' }).click()
    await page.locator('.recharts-bar-rectangle').first().waitFor()
  },
  sessions: async (page) => {
    await page.getByRole('button', { name: 'Sessions' }).click()
    await page.getByRole('table', { name: 'Sessions' }).waitFor()
  },
  'replay-sql': async (page) => {
    await page.getByRole('button', { name: 'Sessions' }).click()
    await page.getByRole('button', { name: /Replay orders-db/ }).click()
    await page.getByText('Integrity verified').waitFor()
  },
  'replay-ssh': async (page) => {
    await page.getByRole('button', { name: 'Sessions' }).click()
    await page.getByRole('button', { name: /Replay web-1/ }).click()
    await page.getByRole('button', { name: /Blocked at/ }).click()
    await page.getByRole('group', { name: /Blocked by/ }).waitFor()
  },
  'replay-desktop': async (page) => {
    await page.getByRole('button', { name: 'Sessions' }).click()
    await page.getByRole('button', { name: /Replay fin-desk-01/ }).click()
    await page.getByText('Integrity verified').waitFor()
    await page.getByRole('button', { name: /Blocked at/ }).click()
    await page.getByRole('img', { name: /at 00:27/ }).waitFor()
  },
  palette: async (page) => {
    await openSql(page)
    await page.keyboard.press('Meta+k')
    await page.getByRole('textbox', { name: 'Search' }).fill('ord')
    await page.getByText('New tab on').waitFor()
  },
  settings: async (page) => {
    await page.getByRole('button', { name: 'Settings', exact: true }).click()
    await page.getByRole('table', { name: 'Native tools' }).waitFor()
  },
  'settings-endpoint': async (page) => {
    await page.getByRole('button', { name: 'Settings', exact: true }).click()
    await page.getByRole('button', { name: 'Port and snippets of analytics-db' }).click()
    await page.getByRole('radio', { name: 'DataGrip' }).click()
    await page.getByRole('button', { name: 'Create…' }).click()
    await page.getByRole('button', { name: 'Save to downloads' }).click()
    await page.getByText('Saved as').waitFor()
  },
  shortcuts: async (page) => {
    await page.getByRole('treeitem', { name: 'orders-db' }).waitFor()
    await page.keyboard.press('?')
    await page.getByRole('button', { name: /^Change the keys of Side bar/ }).click()
    await page.keyboard.press('Meta+k')
    await page.getByText('is Command palette').waitFor()
  },
  'terminal-find': async (page) => {
    await openTerminal(page)
    await page.keyboard.press('Meta+f')
    await page.getByRole('textbox', { name: 'Find in the terminal' }).fill('systemctl')
    await page.getByText('2 of 2').waitFor()
  },
  queries: async (page) => {
    await page.getByRole('treeitem', { name: 'orders-db' }).first().click()
    await page.locator('.monaco-editor').first().waitFor()
    await page.keyboard.press('Meta+Shift+h')
    await page.getByRole('complementary', { name: 'Queries' }).getByRole('button').nth(1).waitFor()
  },
  value: async (page) => {
    await openSql(page)
    await page.locator('.ag-cell').nth(3).dblclick()
    await page.getByRole('complementary', { name: /^Value of/ }).waitFor()
  },
  'palette-commands': async (page) => {
    await page.getByRole('treeitem', { name: 'orders-db' }).first().waitFor()
    await page.keyboard.press('Meta+k')
    await page.getByRole('textbox', { name: 'Search' }).fill('>')
    await page.getByText('Theme: dark').waitFor()
  },
  person: async (page) => {
    await page.getByRole('button', { name: /^Linus Falk/ }).click()
    await page.getByRole('menuitem', { name: 'Sign out' }).waitFor()
  },
  'gateway-down': async (page, { fixture }) => {
    await openSql(page)
    const [first] = fixture.requests.get()
    if (first !== undefined)
      fixture.addRequest({ ...first, id: 'req-toast', text: 'UPDATE settlements SET state = 1 WHERE id = 7' })
    await page.getByText('asks for approval', { exact: false }).last().waitFor()
    fixture.link.set({ state: 'down', since: new Date().toISOString() })
    await page.getByText('is not answering.').first().waitFor()
  },
  expired: async (page, { fixture }) => {
    await openSql(page)
    fixture.expire()
    await page.getByText('Sign in again to see these results').waitFor()
  },
}
