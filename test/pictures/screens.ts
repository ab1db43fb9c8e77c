import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { endSignIn } from '../../main/client.ts'
import { fileSecrets } from '../../main/files.ts'
import { type Client, openClient, signIn } from '../support/client.ts'
import type { RunningDemo } from '../support/demo.ts'
import { canShowDesktops, openDisplay } from '../support/display.ts'

/** What screens are brought about with. `take`: in every look, under the design's number and name. */
export interface Stage {
  readonly demo: RunningDemo
  readonly browser: Browser
  take(client: Client, name: string): Promise<void>
}

const sql = `-- INC-4821: was this order charged twice?
SELECT id, method, amount, paid_at FROM payments WHERE order_id = 61539 ORDER BY paid_at;

SELECT c.id, c.name, c.email, c.card_number, o.id AS order_id, o.status, o.total
FROM customers c JOIN orders o ON o.customer_id = c.id
WHERE o.status = 'captured' ORDER BY o.placed_at DESC LIMIT 200;

UPDATE payments SET method = 'void';

DELETE FROM audit_log WHERE actor = 'billing-job' AND id < 500;
`

/** The one on call at work: what is asked, what comes back, and what each of the two failures leaves on the screen. */
export async function onCall(stage: Stage): Promise<void> {
  const { demo, browser, take } = stage
  // With the means to make its sign-in run out.
  const hook = `--import ${join(import.meta.dirname, '..', 'support', 'troubles.mjs')}`
  const env = { NODE_OPTIONS: hook, CUT_PORT: new URL(demo.ready.gateway).port }
  const linus = await openClient(browser, demo.ready, { env })
  const grace = await openClient(browser, demo.ready)
  try {
    await linus.page.getByText('Verified').waitFor()
    await take(linus, '01-signin')
    await linus.page.getByRole('button', { name: 'Sign in with a device code' }).click()
    await linus.page.getByText('Finish in your browser').waitFor()
    await take(linus, '01-signin-waiting')
    await linus.page.getByRole('button', { name: /^Cancel/ }).click()
    await signIn(linus, demo.ready, 'linus')
    await signIn(grace, demo.ready, 'grace')
    await linus.page.getByRole('treeitem', { name: 'orders-db, Database' }).waitFor()
    await take(linus, '00-welcome')

    await linus.page.getByRole('treeitem', { name: 'orders-db, Database' }).hover()
    await linus.page.getByRole('button', { name: 'Show tables of orders-db' }).click()
    await linus.page.getByRole('treeitem', { name: /^payments/ }).waitFor()
    await linus.page.getByRole('treeitem', { name: 'orders-db, Database' }).dblclick()
    await linus.page.locator('.monaco-editor').first().click()
    await linus.page.keyboard.insertText(sql)
    await runLine(linus, 2, 1)
    await runLine(linus, 8, 2)
    await runLine(linus, 10, 3)
    await linus.page.getByRole('group', { name: /^Held by/ }).waitFor()
    await grace.page.getByText('asks for approval').first().waitFor()
    await take(grace, '09-toast')
    await grace.page.getByRole('button', { name: 'Requests' }).first().click()
    await grace.page.getByRole('radio', { name: /^To review/ }).click()
    await grace.page.getByRole('region', { name: 'Needs you' }).getByRole('button', { name: /Linus/ }).click()
    await grace.page.getByRole('button', { name: 'Approve and run' }).last().waitFor()
    await grace.page.getByText('rows estimated').waitFor()
    // Its toast leaves by itself once the request is open.
    await grace.page.getByRole('button', { name: 'Dismiss' }).last().waitFor({ state: 'hidden' })
    await take(grace, '05-review')
    await take(linus, '02-sql-held')
    await grace.page.getByRole('button', { name: 'Approve and run' }).last().click()
    await decisions(linus)
      .getByRole('button', { name: /^Approved/ })
      .waitFor()

    await runLine(linus, 4, 4)
    await linus.page.locator('.ag-root').getByText('captured').first().waitFor()
    await dismiss(linus)
    await linus.page.getByRole('button', { name: 'Run', exact: true }).hover()
    await take(linus, '02-sql')
    await linus.page.keyboard.press('Control+k')
    await linus.page.getByRole('textbox', { name: 'Search', exact: true }).fill('ord')
    await linus.page.getByText('New tab on').waitFor()
    await take(linus, '08-palette')
    await linus.page.keyboard.press('Escape')
    await linus.page.locator('.pal').waitFor({ state: 'detached' })

    await lookCloser(stage, linus)
    await terminal(stage, linus)
    await compose(stage, linus)
    await grant(stage, linus, grace)
    await linus.page.keyboard.press('Control+,')
    await linus.page.getByRole('table', { name: 'Native tools' }).waitFor()
    await take(linus, '10-settings')
    await linus.page.getByRole('button', { name: 'Connections', exact: true }).click()
    await linus.page.locator('.tab', { hasText: 'orders-db' }).click()

    await gatewayDown(stage, linus)
    await expire(linus, demo)
    await linus.page.getByRole('region', { name: /^Sign in again/ }).waitFor()
    await take(linus, '12-session-expired')
  } finally {
    await linus.close()
    await grace.close()
  }
}

/** A value in the viewer, and a plan. */
async function lookCloser({ take }: Stage, client: Client): Promise<void> {
  const { page } = client
  await page.locator('.ag-cell.mask').first().dblclick()
  await page.getByRole('complementary', { name: /^Value of/ }).waitFor()
  await take(client, '02-value')
  await page.keyboard.press('Escape')
  await page
    .locator('.monaco-editor')
    .first()
    .click({ position: { x: 300, y: 80 } })
  await page.keyboard.press('Alt+Shift+E')
  await page.getByRole('treeitem', { name: /^Limit/ }).waitFor()
  await take(client, '02-plan')
  // The rows again, for what comes after.
  await runLine(client, 4, 6)
  await page.locator('.ag-root').getByText('captured').first().waitFor()
}

/** What was asked for is given for a time, and shows wherever the connection does. */
async function grant({ take }: Stage, client: Client, reviewer: Client): Promise<void> {
  await client.page.keyboard.press('Control+Enter')
  await client.page.getByRole('heading', { name: /^Write on orders-db/ }).waitFor()
  const needed = reviewer.page.getByRole('region', { name: 'Needs you' })
  await needed.getByRole('button', { name: /Linus.*Write/ }).click()
  await reviewer.page.getByRole('radiogroup', { name: 'How long' }).waitFor()
  await take(reviewer, '05-review-grant')
  await reviewer.page
    .getByRole('button', { name: /^Approve/ })
    .last()
    .click()
  await client.page
    .locator('main')
    .getByText(/^Granted/)
    .first()
    .waitFor()
  await take(client, '09-granted')
}

async function terminal({ take }: Stage, client: Client): Promise<void> {
  const { page } = client
  await page.getByRole('treeitem', { name: 'web-1, SSH host' }).dblclick()
  const rail = page.getByRole('complementary', { name: 'Decisions' })
  await rail.getByText(/^ses_/).waitFor()
  // The prompt is drawn, and nothing in the page tells of it; what is typed before stands there twice, as in every terminal.
  await page.waitForTimeout(1500)
  for (const [i, command] of ['tail -n 8 logs/checkout.log', 'cat .env'].entries()) {
    await page.keyboard.type(command, { delay: 30 })
    await page.waitForTimeout(400)
    await page.keyboard.press('Enter')
    await rail
      .getByRole('button', { name: /^Masked/ })
      .nth(i)
      .waitFor()
  }
  await take(client, '03-terminal')
}

async function compose({ take }: Stage, client: Client): Promise<void> {
  const { page } = client
  await page.getByRole('button', { name: 'Request access' }).first().click()
  await page.getByRole('button', { name: 'Connection', exact: true }).click()
  await page.getByRole('option', { name: 'orders-db' }).click()
  await page.getByRole('checkbox', { name: 'Write' }).check()
  await page
    .getByRole('textbox', { name: 'Reason' })
    .fill('INC-4821: mark the duplicate charges, then check that the totals match.')
  await page
    .getByRole('textbox', { name: 'Try a statement' })
    .fill("UPDATE payments SET method = 'void' WHERE order_id = 42")
  await page.getByRole('button', { name: 'Check' }).click()
  await page.getByText('would run at once').waitFor()
  await take(client, '04-request')
}

/** The gateway stands still, and goes on. */
async function gatewayDown({ demo, take }: Stage, client: Client): Promise<void> {
  process.kill(demo.pid, 'SIGSTOP')
  try {
    await client.page.getByText('is not answering.').first().waitFor({ timeout: 60_000 })
    await take(client, '11-gateway-down')
  } finally {
    process.kill(demo.pid, 'SIGCONT')
  }
  await client.page.locator('.banner--app').waitFor({ state: 'detached', timeout: 60_000 })
}

/** As from another window of theirs: at the gateway, and in the store that they share. */
async function expire(client: Client, demo: RunningDemo): Promise<void> {
  const [profile = ''] = await readdir(join(client.home, 'app'))
  await endSignIn(demo.ready.gateway, fileSecrets(join(client.home, 'app', profile, 'secrets')))
  // Nobody notices before the token runs out.
  process.kill(client.pid, 'SIGALRM')
  await client.page.getByRole('button', { name: 'Sessions', exact: true }).click()
  await client.page.getByRole('button', { name: 'Connections', exact: true }).click()
  // The button's tooltip goes.
  await client.page.mouse.move(700, 500)
}

/** A desktop in a program of its own, then in the page. */
export async function desktop(stage: Stage): Promise<void> {
  if (!canShowDesktops || stage.demo.ready.targets?.['desk-1'] === undefined) return
  const display = await openDisplay()
  try {
    await openDesk(stage, '07-rdp', { DISPLAY: display.name })
    await openDesk(stage, '07-rdp-in-page', { DISPLAY: '' })
  } finally {
    await display.close()
  }
}

async function openDesk({ demo, browser, take }: Stage, name: string, env: Record<string, string>): Promise<void> {
  const ada = await openClient(browser, demo.ready, { env })
  try {
    await signIn(ada, demo.ready, 'ada')
    const { page } = ada
    await page.getByRole('treeitem', { name: 'desk-1' }).first().dblclick()
    // Without a display of its own it is said what to install, and that this window will do.
    if (env.DISPLAY === '') await page.getByRole('button', { name: 'Open in this window' }).click()
    await page.getByRole('button', { name: 'End session' }).waitFor()
    await page.getByText(/^REC/).first().waitFor()
    // The desktop's own programs start.
    await page.waitForTimeout(4_000)
    await take(ada, name)
    await page.getByRole('button', { name: 'End session' }).click()
    await page.getByRole('heading', { name: 'The session is over' }).waitFor()
  } finally {
    await ada.close()
  }
}

/** The auditor, with what the others left. */
export async function audit({ demo, browser, take }: Stage): Promise<void> {
  const audrey = await openClient(browser, demo.ready)
  const { page } = audrey
  try {
    await signIn(audrey, demo.ready, 'audrey')
    await page.keyboard.press('Control+3')
    await page.getByRole('button', { name: 'Replay orders-db of Linus Benedict' }).first().waitFor()
    await take(audrey, '06-sessions')
    await page.getByRole('button', { name: 'Replay orders-db of Linus Benedict' }).first().click()
    await page
      .getByText(/Integrity verified/)
      .first()
      .waitFor()
    await take(audrey, '06-replay-sql')
    await page.getByRole('tab', { name: 'Sessions' }).click()
    await page.getByRole('button', { name: 'Replay web-1 of Linus Benedict' }).first().click()
    await page.locator('main:visible .xterm').first().waitFor()
    await page.getByRole('button', { name: 'Next decision' }).click()
    await page.getByRole('button', { name: 'Next decision' }).click()
    // The button's tooltip goes.
    await page.mouse.move(700, 500)
    await take(audrey, '06-replay-ssh')
  } finally {
    await audrey.close()
  }
}

const decisions = (client: Client) => client.page.getByRole('complementary', { name: 'Decision log' })

/** Runs the statement on this line, and waits until the decision log has `count` entries. */
async function runLine(client: Client, line: number, count: number): Promise<void> {
  const { page } = client
  await page
    .locator('.monaco-editor')
    .first()
    .click({ position: { x: 300, y: 20 } })
  await page.keyboard.press('Control+Home')
  for (let i = 1; i < line; i += 1) await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Control+Enter')
  await decisions(client)
    .getByRole('button', { name: /^(Allowed|Masked|Blocked|Held|Approved)/ })
    .nth(count - 1)
    .waitFor()
}

/** Takes the toast away, which lies over the results. */
async function dismiss(client: Client): Promise<void> {
  const toast = client.page.locator('.toast-root').getByRole('button', { name: 'Dismiss' }).last()
  await toast.click()
  await toast.waitFor({ state: 'hidden' })
}
