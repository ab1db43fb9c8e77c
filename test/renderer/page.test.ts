import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Page, Response } from 'playwright-core'
import { beforeEach, describe, expect, test } from 'vitest'
import { chromiumPath } from '../support/client.ts'
import { type Given, inChromium } from './harness/chromium.ts'
import { grant } from './harness/fixtures.ts'

/** The page alone, in real Chromium under its content security policy, against fixtures: what end to end tests can't bring about. */
let harness: Given['harness']
let page: Page
let dist: string

describe.skipIf(chromiumPath === undefined)('the page', () => {
  const given = inChromium()
  beforeEach(() => {
    ;({ dist, harness, page } = given())
  })

  async function openSql(text: string): Promise<void> {
    await page.goto(harness.url)
    await page.getByRole('treeitem', { name: 'orders-db' }).click()
    await page.locator('.monaco-editor').first().waitFor()
    await page.keyboard.insertText(text)
  }

  /** Compressed bytes of the script that was asked for until `ready`. */
  async function scriptUntil(ready: () => Promise<unknown>): Promise<number> {
    const scripts: Promise<Buffer>[] = []
    const count = (response: Response) => {
      if (response.url().endsWith('.js')) scripts.push(response.body())
    }
    page.on('response', count)
    await page.goto(harness.url)
    await ready()
    page.off('response', count)
    return (await Promise.all(scripts)).reduce((sum, body) => sum + gzipSync(body).length, 0)
  }

  test('sign-in and the signed-in page need at most 250 KiB of compressed script each', async () => {
    harness.fixture.auth.set({ state: 'signed-out' })
    const most = 250 * 1024
    const signIn = await scriptUntil(() => page.getByRole('button', { name: 'Continue with SSO' }).waitFor())
    expect(signIn).toBeGreaterThan(20 * 1024)
    expect(signIn).toBeLessThan(most)
    await page.goto('about:blank')
    const { person } = harness.fixture
    harness.fixture.auth.set({ state: 'signed-in', gateway: 'https://g.example', gatewayName: 'G', person })
    const signedIn = await scriptUntil(async () => {
      await page.getByRole('treeitem', { name: 'orders-db' }).waitFor()
      await page.getByText('Open a connection').waitFor()
    })
    // What both need loads beside the first questions to the core: who is signed in finds it there.
    expect(signedIn).toBeGreaterThanOrEqual(signIn)
    expect(signedIn).toBeLessThan(most)
  })

  test('the page asks no other server for anything, and holds no inline script', async () => {
    const html = await readFile(join(dist, 'index.html'), 'utf8')
    expect(html).not.toMatch(/<script(?![^>]*src=)/)
    expect(html).not.toMatch(/https?:/)
    const assets = await readdir(join(dist, 'assets'))
    expect(assets.some((name) => name.endsWith('.woff2'))).toBe(true)
  })

  test('a held statement can be cancelled by key, and the tree moves by keys', async () => {
    await openSql('DELETE FROM payments WHERE id = 3;')
    await page.keyboard.press('Meta+Enter')
    const zone = page.getByRole('group', { name: 'Held by prod-write-approval' })
    await zone.waitFor()
    await page.keyboard.press('Meta+.')
    await page.getByRole('button', { name: /^Cancelled DELETE payments/ }).waitFor()
    expect(await zone.count()).toBe(0)
    await page.keyboard.press('Meta+1')
    await page.getByRole('treeitem', { name: 'orders-db' }).focus()
    await page.keyboard.press('ArrowRight')
    await page.getByRole('treeitem', { name: 'customers, 2 masked columns' }).waitFor()
  })

  test('who goes on writing where a statement is held still reads which one it is', async () => {
    await openSql('DELETE FROM payments WHERE id = 3')
    await page.keyboard.press('Meta+Enter')
    const zone = page.getByRole('group', { name: 'Held by prod-write-approval' })
    const sent = zone.getByRole('region', { name: 'The statement that was sent' })
    await zone.getByText('exactly as written here').waitFor()
    expect(await sent.count()).toBe(0)
    await page.locator('.monaco-editor .view-line').first().click()
    await page.keyboard.press('Control+A')
    await page.keyboard.press('Delete')
    await page.keyboard.insertText('SELECT 1')
    expect(await sent.innerText()).toBe('DELETE FROM payments WHERE id = 3')
  })

  test('ending somebody’s session is asked first, in a dialog that looks like the rest; a no is read there', async () => {
    await page.goto(harness.url)
    await page.getByRole('button', { name: 'Sessions', exact: true }).click()
    await page.getByRole('button', { name: /^End session of .* on analytics-db$/ }).click()
    const dialog = page.getByRole('dialog', { name: /^End the session of/ })
    await dialog.getByRole('textbox', { name: /^Reason/ }).fill('Wrong database.')
    const cross = await dialog.getByRole('button', { name: 'Keep the session' }).boundingBox()
    expect(cross?.height).toBeLessThan(40)
    const surface = await dialog.evaluate(
      (node) => node.ownerDocument.defaultView?.getComputedStyle(node).backgroundColor,
    )
    expect(surface).not.toBe('rgba(0, 0, 0, 0)')
    await dialog.getByRole('button', { name: 'End the session' }).click()
    await dialog.getByText('Only on-call may end a session.').waitFor()
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
  })

  test('a grant says that it ends five minutes before, and that it has ended', async () => {
    await page.clock.install()
    await page.goto(harness.url)
    await page.getByRole('treeitem', { name: 'orders-db' }).first().waitFor()
    const toast = page.locator('.toast-root', { hasText: 'Write on orders-db' })
    // However long it took to get here.
    await page.clock.fastForward(Date.parse(grant.endsAt) - Date.now() - 6 * 60_000)
    expect(await toast.count()).toBe(0)
    await page.clock.fastForward('02:00')
    await toast.getByText(/ends in 0[34]:/).waitFor()
    await toast.getByRole('button', { name: 'Extend…' }).waitFor()
    await page.clock.fastForward('05:00')
    await toast.getByText('Write on orders-db ended').waitFor()
    expect(await toast.getByRole('button', { name: 'Give back now' }).count()).toBe(0)
  })

  test('what fails, or is no longer to be had, takes no more with it than its own part', async () => {
    await page.addInitScript('console.error = console.info')
    const broken = (file: RegExp, body: string) =>
      page.route(file, (route) => route.fulfill({ contentType: 'text/javascript', body }))
    await broken(/\/sessions-[^/]*\.js$/, 'throw new Error("gone")')
    await broken(
      /\/settings-[^/]*\.js$/,
      'export default () => { throw new Error("a fault") }; export { Bundle }; const Bundle = null',
    )
    await openSql('SELECT 1 -- kept')
    await page.keyboard.press('Meta+3')
    await page.getByRole('alert').getByText('This part could not be loaded').waitFor()
    await page.keyboard.press('Meta+,')
    await page.getByRole('alert').getByText('This part stopped working').waitFor()
    await page.keyboard.press('Meta+1')
    await page.locator('.view-line:visible', { hasText: 'kept' }).waitFor()
    expect(await page.locator('.main--lost').count()).toBe(0)
  })

  test('F8 leads to the next decision, Escape back to the line', async () => {
    await openSql("SELECT 1;\n\nUPDATE payments SET status = 'void';")
    await page.getByRole('button', { name: 'Run all' }).click()
    const zone = page.getByRole('group', { name: 'Blocked by no-unbounded-write' })
    await zone.waitFor()
    await page.locator('.monaco-editor textarea, .monaco-editor .native-edit-context').first().focus()
    const inZone = () => zone.evaluate((node) => node.matches(':focus'))
    // From the refused statement into its own block, on to the first, which is allowed and has none, and to the refused one again.
    await page.keyboard.press('F8')
    await expect.poll(inZone).toBe(true)
    await page.keyboard.press('F8')
    await expect.poll(inZone).toBe(false)
    await page.keyboard.press('F8')
    await expect.poll(inZone).toBe(true)
    await page.keyboard.press('Escape')
    await expect.poll(inZone).toBe(false)
  })

  test('drafts survive a reload, and saving them changes no other setting', async () => {
    await openSql('SELECT 1 -- not run yet')
    await expect.poll(() => JSON.stringify(harness.fixture.settings.get().workspace)).toContain('not run yet')
    expect(harness.fixture.settings.get()).toMatchObject({ theme: 'dark', pinned: ['web-1'] })
    await page.reload()
    await page.locator('.view-lines').getByText('not run yet').waitFor()
  })

  test('when the sign-in ends, the text stays and the rows go; signing in again brings them back', async () => {
    await openSql('SELECT c.email FROM customers c;')
    await page.keyboard.press('Meta+Enter')
    await page.locator('.ag-cell').first().waitFor()
    harness.fixture.expire()
    const gate = page.getByRole('region', { name: 'Sign in again to see these results' })
    await gate.waitFor()
    expect(await page.locator('.ag-cell').count()).toBe(0)
    await gate.getByRole('button', { name: 'Continue with SSO' }).click()
    await gate.getByText('Finish in your browser').waitFor()
    await page.locator('.view-lines').getByText('customers').waitFor()
    const { person } = harness.fixture
    harness.fixture.auth.set({ state: 'signed-in', gateway: 'https://g.example', gatewayName: 'G', person })
    await page.locator('.ag-cell').first().waitFor()
  })

  test('while the gateway is away nothing can be sent, and the text stays', async () => {
    await openSql('SELECT 1;')
    harness.fixture.link.set({ state: 'down', since: new Date().toISOString() })
    await page.getByText('is not answering.').first().waitFor()
    await page.keyboard.press('Meta+Enter')
    const run = page.getByRole('button', { name: 'Run', exact: true })
    await expect.poll(() => run.getAttribute('aria-disabled')).toBe('true')
    harness.fixture.link.set({ state: 'up', latencyMs: 3, since: new Date().toISOString() })
    await expect.poll(() => run.getAttribute('aria-disabled')).not.toBe('true')
    await page.keyboard.press('Meta+Enter')
    await page.getByRole('button', { name: /^Allowed/ }).waitFor()
  })

  test('a denial says why; nothing is decided by where the focus happens to be', async () => {
    await page.goto(harness.url)
    await page.getByRole('button', { name: /waiting for you/ }).click()
    await page.getByRole('button', { name: /Ada Brandt.*UPDATE settlements/ }).click()
    const approve = page.getByRole('button', { name: 'Approve and run' })
    await approve.waitFor()
    expect(await approve.evaluate((node) => node.matches(':focus'))).toBe(false)
    await page.getByRole('button', { name: 'Deny' }).click()
    await page.getByText('Say why').waitFor()
    const comment = page.getByRole('textbox', { name: 'Comment' })
    expect(await comment.evaluate((node) => node.matches(':focus'))).toBe(true)
    await comment.fill('Not during the payout run.')
    await page.getByRole('button', { name: 'Deny' }).click()
    await expect.poll(() => harness.fixture.requests.get().find((r) => r.id === 'req-1')?.state).toBe('denied')
  })

  test('several that could not be decided at all: it is said, and goes on where a second factor was all that was missing', async () => {
    await page.goto(harness.url)
    await page.getByRole('button', { name: /approvals? waiting for you/ }).click()
    await page.getByRole('checkbox', { name: /^Pick/ }).first().waitFor()
    for (const box of await page.getByRole('checkbox', { name: /^Pick/ }).all()) await box.click()
    await page.getByRole('textbox', { name: 'Comment' }).fill('unproven')
    await page.getByRole('button', { name: /^Approve 2/ }).click()
    const alert = page.getByRole('alert').filter({ hasText: 'This takes a sign-in with a second factor.' })
    await page.getByText('Whether any of them was decided is not known').waitFor()
    const states = () => harness.fixture.requests.get().filter((r) => r.reviews.some((v) => v.reason === 'unproven'))
    expect(states()).toEqual([])
    await alert.getByRole('button', { name: 'Confirm that it is you' }).click()
    await expect.poll(() => states().length).toBe(2)
    await alert.waitFor({ state: 'detached' })
  })

  test('the last of 50,000 rows is a scroll away, and few are on the page', async () => {
    await openSql('SELECT c.email FROM customers c;')
    await page.keyboard.press('Meta+Enter')
    // The end of what has come so far is another one.
    await page.getByText('50,000 rows', { exact: true }).waitFor()
    await page.getByRole('gridcell', { name: '1', exact: true }).first().waitFor()
    await page.locator('.ag-cell').nth(2).click()
    await page.keyboard.press('Meta+End')
    await page.keyboard.press('Control+End')
    await page.getByText('50000', { exact: true }).first().waitFor()
    expect(await page.locator('.ag-row').count()).toBeLessThan(400)
  })
})
