import type { Page } from 'playwright-core'
import { beforeEach, describe, expect, test } from 'vitest'
import { chromiumPath } from '../support/client.ts'
import { type Given, inChromium } from './harness/chromium.ts'

/** The keys of the design, each where it is shown. Those of the palette, of splits and of running have tests beside their screens. */
let harness: Given['harness']
let page: Page

describe.skipIf(chromiumPath === undefined)('keys', () => {
  const given = inChromium()
  beforeEach(async () => {
    ;({ harness, page } = given())
    await page.goto(harness.url)
    await tree('orders-db').first().waitFor()
  })

  const tree = (name: string | RegExp) => page.getByRole('treeitem', { name })
  const focused = (selector: string) => page.evaluate(`document.activeElement?.matches(${JSON.stringify(selector)})`)
  const palette = () => page.getByRole('textbox', { name: 'Search', exact: true })

  test('the palette: Enter takes the first line, Escape closes it and gives the focus back, a click beside it closes it', async () => {
    await page.keyboard.press('/')
    await page.keyboard.press('Meta+k')
    await palette().fill('ord')
    await page.keyboard.press('Escape')
    await palette().waitFor({ state: 'detached' })
    await expect.poll(() => focused('[type=search]')).toBe(true)
    await page.keyboard.press('Meta+k')
    await palette().waitFor()
    await page.mouse.click(40, 800)
    await palette().waitFor({ state: 'detached' })
    await page.keyboard.press('Meta+k')
    await palette().fill('analytics')
    await page.keyboard.press('Enter')
    await page.locator('.tab.is-on', { hasText: 'analytics-db' }).waitFor()
  })

  test('areas, the side bar, the filter, a new request, all shortcuts', async () => {
    await page.keyboard.press('Meta+b')
    await tree('orders-db').first().waitFor({ state: 'detached' })
    await expect.poll(() => harness.fixture.settings.get().workspace).toMatchObject({ sidebar: false })
    await page.reload()
    await page.getByText('Open a connection').waitFor()
    expect(await tree('orders-db').count()).toBe(0)
    await page.keyboard.press('Meta+b')
    await tree('orders-db').first().waitFor()
    await page.keyboard.press('/')
    await page.keyboard.type('web')
    await tree('orders-db').first().waitFor({ state: 'detached' })
    await page.keyboard.press('Escape')
    await page.keyboard.press('Meta+2')
    await page.getByRole('radio', { name: /^Mine/ }).waitFor()
    await page.keyboard.press('Meta+3')
    await page.getByRole('table', { name: 'Sessions' }).waitFor()
    await page.keyboard.press('Meta+,')
    await page.getByRole('searchbox', { name: 'Search settings' }).waitFor()
    await page.keyboard.press('Meta+1')
    await tree('orders-db').first().waitFor()
    await page.keyboard.press('?')
    const sheet = page.getByRole('dialog', { name: 'Keyboard shortcuts' })
    for (const part of [
      'Everywhere',
      'Tabs',
      'SQL',
      'Terminals',
      'Requests',
      'Asking for access',
      'Desktops',
      'Replay',
    ])
      await sheet.getByRole('region', { name: part, exact: true }).waitFor()
    await page.keyboard.press('Escape')
    await sheet.waitFor({ state: 'detached' })
    await page.keyboard.press('Alt+n')
    await page.getByRole('region', { name: 'Request access' }).waitFor()
  })

  test('tabs are opened, gone through and closed', async () => {
    await tree('orders-db').first().click()
    await page.locator('.monaco-editor').first().waitFor()
    await page.keyboard.press('Alt+t')
    await page.locator('.tab.is-on', { hasText: 'query 2' }).waitFor()
    await page.keyboard.press('Alt+PageUp')
    await page.locator('.tab.is-on', { hasText: 'query 1' }).waitFor()
    await page.keyboard.press('Alt+w')
    await expect.poll(() => page.locator('.tab').count()).toBe(1)
  })

  test('a grant is extended; a request is sent, denied with a comment, approved', async () => {
    await tree('orders-db').first().click()
    await page.keyboard.press('Meta+Shift+e')
    await page.getByRole('heading', { name: 'Extend access' }).waitFor()
    await page.getByRole('textbox', { name: 'Reason' }).fill('The incident goes on.')
    await page.keyboard.press('Meta+Enter')
    await page.getByRole('heading', { name: 'Extend access' }).waitFor({ state: 'detached' })
    expect(harness.fixture.requests.get().some((r) => r.reason === 'The incident goes on.')).toBe(true)
    await page.getByRole('button', { name: /approvals? waiting for you/ }).click()
    await page.getByRole('button', { name: /Ada Brandt.*Commands/ }).click()
    await page.getByRole('button', { name: 'Deny' }).waitFor()
    await page.keyboard.press('Meta+Backspace')
    await expect.poll(() => focused('textarea')).toBe(true)
    await page.keyboard.type('Not now.')
    await page.keyboard.press('Meta+Backspace')
    const denied = () => harness.fixture.requests.get().find((r) => r.state === 'denied' && r.reason !== undefined)
    await expect.poll(denied).toBeDefined()
    await page.getByRole('button', { name: /Ada Brandt.*UPDATE settlements/ }).click()
    await page.getByRole('button', { name: 'Approve and run' }).waitFor()
    await page.keyboard.press('Meta+Enter')
    await expect.poll(() => harness.fixture.requests.get().find((r) => r.id === 'req-1')?.state).toBe('approved')
  })

  test('a refused statement is changed where that helps; else it leads to the composer', async () => {
    await tree('orders-db').first().click()
    await page.locator('.monaco-editor').first().waitFor()
    await page.keyboard.insertText("SELECT 1;\n\nUPDATE payments SET status = 'void';")
    await page.getByRole('button', { name: 'Run all' }).click()
    const zone = page.getByRole('group', { name: 'Blocked by no-unbounded-write' })
    await zone.getByRole('button', { name: 'Add WHERE…' }).getByText('⌥↩').waitFor()
    await page
      .locator('.monaco-editor')
      .first()
      .click({ position: { x: 300, y: 50 } })
    await page.keyboard.press('Alt+Enter')
    const text = async () => (await page.locator('.view-lines').first().textContent())?.replaceAll('\u00a0', ' ')
    await expect.poll(text).toContain("status = 'void' WHERE ;")
    // Its block is of a statement that is no longer there.
    await zone.waitFor({ state: 'detached' })
    await page.keyboard.type('id = 7')
    await page.keyboard.press('Escape')
    await page.keyboard.press('Meta+Enter')
    await zone.getByRole('button', { name: 'Request access…' }).getByText('⌥↩').waitFor()
    await page.keyboard.press('Alt+Enter')
    const composer = page.getByRole('region', { name: 'Request access' })
    await composer.getByText('orders-db').first().waitFor()
    await expect
      .poll(() => page.getByRole('textbox', { name: 'Try a statement' }).inputValue())
      .toContain('UPDATE payments')
  })

  test('a terminal: from decision to decision and back to the prompt, what was refused, and text that was shown', async () => {
    await tree('web-1').first().click()
    const block = page.getByRole('group', { name: 'Blocked by no-unbounded-write' })
    const held = page.getByRole('group', { name: /^Held by/ })
    await held.waitFor()
    const has = (group: typeof held) => group.evaluate((node) => node.matches(':focus'))
    await page.keyboard.press('Shift+F8')
    await expect.poll(() => has(held)).toBe(true)
    await page.keyboard.press('F8')
    await page.keyboard.press('F8')
    await expect.poll(() => has(block)).toBe(true)
    await page.keyboard.press('Escape')
    await expect.poll(() => focused('.xterm-helper-textarea')).toBe(true)
    await page.keyboard.press('Meta+f')
    await page.getByRole('textbox', { name: 'Find in the terminal' }).fill('systemctl')
    const found = page.getByRole('status').filter({ hasText: 'of 2' })
    await found.getByText('2 of 2').waitFor()
    await page.keyboard.press('Enter')
    await found.getByText('1 of 2').waitFor()
    await page.keyboard.press('Escape')
    await expect.poll(() => focused('.xterm-helper-textarea')).toBe(true)
  })

  test('a replay plays, goes from decision to decision and by five seconds, and is searched', async () => {
    await page.keyboard.press('Meta+3')
    await page.getByRole('button', { name: /Replay web-1/ }).click()
    const at = page.getByRole('slider', { name: 'Position' })
    await at.waitFor()
    const says = (text: string) => expect.poll(() => at.getAttribute('aria-valuetext')).toContain(text)
    await page.keyboard.press(']')
    await says('00:30')
    await page.keyboard.press('ArrowRight')
    await says('00:35')
    await page.keyboard.press('ArrowLeft')
    await says('00:30')
    await page.keyboard.press(']')
    await says('00:52')
    await page.keyboard.press('[')
    await says('00:30')
    await page.keyboard.press('Space')
    await page.getByRole('button', { name: 'Pause' }).waitFor()
    await page.keyboard.press('Space')
    await page.keyboard.press('/')
    await page.keyboard.type('iptables')
    await page.keyboard.press('Enter')
    await says('00:52')
    await page.locator('mark', { hasText: 'iptables' }).waitFor()
  })
})
