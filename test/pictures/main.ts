import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Client, launchChromium, openClient, signIn } from '../support/client.ts'
import { startDemo } from '../support/demo.ts'

/** Takes the pictures of README and docs with the real client on the real demo: `node test/pictures/main.ts [FOLDER]`. */
const out = process.argv[2] ?? join(import.meta.dirname, '..', '..', 'docs', 'pictures')
await mkdir(out, { recursive: true })

const sql = `-- INC-4821: what did this customer order, and was it charged twice?
SELECT id, status, total, placed_at FROM orders WHERE customer_id = 42 ORDER BY placed_at;

SELECT c.id, c.name, c.email, c.card_number, o.id AS order_id, o.status, o.total
FROM customers c JOIN orders o ON o.customer_id = c.id
WHERE o.status = 'captured' ORDER BY o.placed_at DESC LIMIT 200;

UPDATE payments SET method = 'void';

DELETE FROM audit_log WHERE actor = 'billing-job' AND id < 500;
`

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

const shot = (client: Client, name: string) => client.page.screenshot({ path: join(out, `${name}.png`) })

const demo = await startDemo()
const browser = await launchChromium()
try {
  for (const theme of ['dark', 'light'] as const) {
    const linus = await openClient(browser, demo.ready, { theme })
    const grace = await openClient(browser, demo.ready, { theme })
    await linus.page.getByText('Verified').waitFor()
    await shot(linus, `sign-in-${theme}`)
    await signIn(linus, demo.ready, 'linus')
    await signIn(grace, demo.ready, 'grace')

    await linus.page.getByRole('treeitem', { name: 'orders-db, Database' }).dblclick()
    await linus.page.locator('.monaco-editor').first().click()
    await linus.page.keyboard.insertText(sql)
    await runLine(linus, 2, 1)
    await runLine(linus, 8, 2)
    await runLine(linus, 10, 3)
    await linus.page.getByRole('group', { name: /^Held by/ }).waitFor()
    await grace.page.getByRole('button', { name: 'Requests' }).first().click()
    await grace.page.getByRole('radio', { name: /^To review/ }).click()
    await grace.page.getByRole('region', { name: 'Needs you' }).getByRole('button', { name: /Linus/ }).click()
    await grace.page.getByRole('button', { name: 'Approve and run' }).last().waitFor()
    // Its toast leaves by itself once the request is open.
    await grace.page.getByRole('button', { name: 'Dismiss' }).last().waitFor({ state: 'hidden' })
    await shot(grace, `review-${theme}`)
    await shot(linus, `held-${theme}`)
    await grace.page.getByRole('button', { name: 'Approve and run' }).last().click()
    await decisions(linus)
      .getByRole('button', { name: /^Approved/ })
      .waitFor()

    await runLine(linus, 4, 4)
    await linus.page.locator('.ag-root').getByText('captured').first().waitFor()
    // It lies over the results.
    const toast = linus.page.locator('.toast-root').getByRole('button', { name: 'Dismiss' }).last()
    await toast.click()
    await toast.waitFor({ state: 'hidden' })
    await linus.page.getByRole('button', { name: 'Run', exact: true }).hover()
    await shot(linus, `sql-${theme}`)

    await linus.page.getByRole('treeitem', { name: 'web-1, SSH host' }).dblclick()
    await linus.page.getByRole('complementary', { name: 'Decisions' }).getByText(/^ses_/).waitFor()
    for (const [i, command] of ['tail -n 8 logs/checkout.log', 'cat .env'].entries()) {
      await linus.page.keyboard.type(command, { delay: 30 })
      await linus.page.waitForTimeout(400)
      await linus.page.keyboard.press('Enter')
      await linus.page
        .getByRole('complementary', { name: 'Decisions' })
        .getByRole('button', { name: /^Masked/ })
        .nth(i)
        .waitFor()
    }
    await linus.page.waitForTimeout(500)
    await shot(linus, `terminal-${theme}`)
    await linus.close()

    const audrey = await openClient(browser, demo.ready, { theme })
    await signIn(audrey, demo.ready, 'audrey')
    await audrey.page.getByRole('button', { name: 'Sessions' }).click()
    await audrey.page.getByRole('button', { name: 'Replay orders-db of Linus Benedict' }).first().click()
    await audrey.page
      .getByText(/Integrity verified/)
      .first()
      .waitFor()
    await shot(audrey, `replay-sql-${theme}`)
    await audrey.page.getByRole('tab', { name: 'Sessions' }).click()
    await audrey.page.getByRole('button', { name: 'Replay web-1 of Linus Benedict' }).first().click()
    await audrey.page.locator('main:visible .xterm').first().waitFor()
    await audrey.page.getByRole('button', { name: 'Next decision' }).click()
    await audrey.page.getByRole('button', { name: 'Next decision' }).click()
    // The button's tooltip goes.
    await audrey.page.mouse.move(700, 500)
    await audrey.page.waitForTimeout(500)
    await shot(audrey, `replay-ssh-${theme}`)
    await grace.close()
    await audrey.close()
  }
} finally {
  await browser.close()
  await demo.stop()
}
