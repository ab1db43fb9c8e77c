import { randomInt } from 'node:crypto'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { type Client, chromiumPath, launchChromium, openClient, secondTry, signIn } from '../support/client.ts'
import { type PersonCli, personCli } from '../support/person-cli.ts'

/** Nobody answers, and it can't wait: linus, on call, goes on in the page; grace is told, and says what she thinks of it. */
const demo = inject('demo')

let browser: Browser
let linus: Client
let grace: Client
let terminal: PersonCli

const decision = ({ page }: Client) => page.getByRole('complementary', { name: 'Decision', exact: true })

describe.skipIf(chromiumPath === undefined)('break-glass', secondTry, () => {
  beforeAll(async () => {
    browser = await launchChromium()
    ;[linus, grace] = [await openClient(browser, demo), await openClient(browser, demo)]
    await signIn(linus, demo, 'linus')
    await signIn(grace, demo, 'grace')
    terminal = await personCli(browser, demo, 'linus')
  })

  afterAll(async () => {
    await terminal?.close()
    for (const client of [linus, grace]) await client?.close()
    await browser?.close()
  })

  test('goes on at once with a reason, is told to who reviews, and stays open until somebody else has a word on it', async () => {
    const command = `systemctl restart checkout-${randomInt(1e9)}`
    const held = terminal.run(['exec', 'web-1'], { input: command })
    const { page } = linus
    await page.keyboard.press('Control+2')
    await page.getByRole('radio', { name: /^Mine/ }).click()
    await page
      .getByRole('region', { name: 'Waiting' })
      .getByRole('button', { name: /systemctl restart checkout/ })
      .click()
    await page.getByText(command).first().waitFor()
    // A step of its own, with a reason.
    await decision(linus).getByRole('button', { name: 'Break glass…' }).click()
    const field = decision(linus).getByRole('textbox', { name: 'Break glass: why can it not wait?' })
    await decision(linus).getByRole('button', { name: 'Go on without approval' }).click()
    await decision(linus)
      .getByRole('alert')
      .getByText(/Say why/)
      .waitFor()
    await field.fill('Checkout is down, nobody of dba answers.')
    expect((await field.boundingBox())?.width).toBeGreaterThan(180)
    const told = grace.page.locator('.toast').filter({ hasText: 'went on without an approval' })
    await decision(linus).getByRole('button', { name: 'Go on without approval' }).click()
    expect((await held).stderr).toMatch(/linus \(break-glass\)/)
    await decision(linus).getByText('Somebody else has to review it.').waitFor()
    // Nobody has approved it, and nothing says so.
    await page.locator('main:visible header').getByText('Break-glass', { exact: true }).waitFor()
    expect(await page.locator('main:visible header').getByText('Approved', { exact: true }).count()).toBe(0)
    expect(await decision(linus).getByRole('button', { name: 'Accept' }).count()).toBe(0)

    await told.first().waitFor()
    expect(await grace.page.title()).toMatch(/^\(\d+\) Sallyport$/)
    await told.first().getByRole('button', { name: 'Review' }).click()
    await grace.page.getByText(command).first().waitFor()
    await grace.page.getByRole('region', { name: 'To review afterwards' }).getByText('Linus').first().waitFor()
    await decision(grace).getByRole('button', { name: 'Dispute' }).click()
    await decision(grace).getByRole('alert').getByText('Say what you found.').waitFor()
    await decision(grace).getByRole('textbox', { name: 'Your word on it' }).fill('The alert had cleared by then.')
    const heard = page.locator('.toast').filter({ hasText: /disputed afterwards by grace/ })
    await page.keyboard.press('Control+1')
    await decision(grace).getByRole('button', { name: 'Dispute' }).click()
    await decision(grace).getByText('Disputed afterwards by grace.').waitFor()
    await heard.getByText('The alert had cleared by then.').waitFor()
    expect(await decision(grace).getByRole('button', { name: 'Dispute' }).count()).toBe(0)
  })

  test('is found in the history', async () => {
    const { page } = grace
    await page.getByRole('radio', { name: 'History' }).click()
    await page.getByRole('textbox', { name: 'Person' }).fill('linus')
    await page.getByRole('list', { name: 'History' }).getByRole('button', { name: /Linus/ }).first().waitFor()
    expect([...linus.errors, ...grace.errors]).toEqual([])
  })
})
