import type { Page } from 'playwright-core'
import { beforeEach, describe, expect, test } from 'vitest'
import type { RecordingEvent } from '../../shared/recording.ts'
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

  test('the palette: Enter takes the first line before anything is typed, too', async () => {
    await page.keyboard.press('Meta+k')
    await palette().waitFor()
    const first = page.locator('.pal .pi').first()
    await expect.poll(() => first.getAttribute('data-selected')).toBe('true')
    const name = (await first.innerText()).split('\n')[0] ?? ''
    await page.keyboard.press('Enter')
    await palette().waitFor({ state: 'detached' })
    await page.locator('.dv-tab', { hasText: name }).waitFor()
  })

  test('what is typed while the palette comes is for the palette, and nothing of it for what had the focus', async () => {
    const gate = Promise.withResolvers<void>()
    await page.route(/\/palette-[^/]*\.js$/, async (route) => {
      await gate.promise
      await route.continue()
    })
    await page.reload()
    await tree('orders-db').first().click()
    await page.locator('.monaco-editor').first().waitFor()
    await page.keyboard.type('SELECT 1')
    await page.keyboard.press('Meta+k')
    await page.keyboard.type('anax')
    await page.keyboard.press('Backspace')
    await page.keyboard.press('Enter')
    gate.resolve()
    await expect.poll(() => palette().inputValue()).toBe('ana')
    await page.keyboard.type('lytics')
    await expect.poll(() => palette().inputValue()).toBe('analytics')
    await page.keyboard.press('Escape')
    await palette().waitFor({ state: 'detached' })
    await page.keyboard.press('End')
    await page.keyboard.type(';')
    await expect.poll(() => page.locator('.view-line').first().innerText()).toMatch(/^SELECT.1;$/)
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

  test('the arrows choose among a few, and the focus goes with what is chosen; what an icon does is read by key as well', async () => {
    await page.keyboard.press('Meta+2')
    const lists = page.getByRole('radiogroup', { name: 'Which requests' })
    await lists.getByRole('radio', { name: /^Mine/ }).focus()
    await page.keyboard.press('ArrowRight')
    await lists.getByRole('radio', { name: /^To review/, checked: true }).waitFor()
    await expect.poll(() => focused('[data-value="review"]')).toBe(true)
    await page.keyboard.press('Shift+Tab')
    await page.keyboard.press('Shift+Tab')
    await page.getByRole('tooltip', { name: 'Metrics' }).waitFor()
  })

  test('who may ask for nothing is told so, and not led to an empty list', async () => {
    harness.fixture.connections.set([])
    await page.reload()
    await page.getByText('Nothing is open to you yet').waitFor()
    await page.keyboard.press('Alt+n')
    await page.getByText('There is nothing to ask for').waitFor()
    expect(await page.getByRole('button', { name: 'Connection', exact: true }).count()).toBe(0)
  })

  test('a line of the tree has a menu, by key and by pointer', async () => {
    const item = (name: string) => page.getByRole('menuitem', { name, exact: true })
    await page.keyboard.press('/')
    await page.keyboard.type('orders-db')
    await page.keyboard.press('Escape')
    await tree('orders-db').first().focus()
    await page.keyboard.press('Shift+F10')
    await item('Open').waitFor()
    // It is shown a moment before it takes the keys.
    await page.locator('[role=menu]:focus-within').waitFor()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await page.locator('.tab.is-on', { hasText: 'orders-db' }).waitFor()
    await tree('analytics-db').click({ button: 'right' })
    await item('Open in split').click()
    await expect.poll(() => page.locator('.monaco-editor').count()).toBeGreaterThan(1)
    await tree('analytics-db').first().click({ button: 'right' })
    await item('Pin').click()
    await expect.poll(() => harness.fixture.settings.get().pinned).toContain('analytics-db')
    await tree('ledger-main').click({ button: 'right' })
    await item('Request access…').waitFor()
    expect(await item('Open').count()).toBe(0)
  })

  test('tabs are opened, gone through and closed', async () => {
    await tree('orders-db').first().click()
    await page.locator('.monaco-editor').first().waitFor()
    await page.keyboard.press('Alt+t')
    await page.locator('.tab.is-on', { hasText: 'query 2' }).waitFor()
    await page.keyboard.press('Alt+PageUp')
    await page.locator('.tab.is-on', { hasText: 'query 1' }).waitFor()
    await page.locator('.monaco-editor:visible').first().click()
    await page.keyboard.type('SELECT 42')
    await page.keyboard.press('Alt+w')
    await expect.poll(() => page.locator('.tab').count()).toBe(1)
    await page.keyboard.press('Alt+Shift+T')
    await page.locator('.tab.is-on', { hasText: 'query 1' }).waitFor()
    await page.locator('.view-line:visible', { hasText: /SELECT.42/ }).waitFor()
    await page.locator('.tab', { hasText: 'query 1' }).click({ button: 'middle' })
    await expect.poll(() => page.locator('.tab').count()).toBe(1)
    // Beside one that is alone another is opened.
    await page.keyboard.press('Meta+\\')
    await expect.poll(() => page.locator('.monaco-editor:visible').count()).toBe(2)
    expect(await page.locator('.tab').count()).toBe(2)
  })

  test('a grant is extended; a request is sent, denied with a comment, approved', async () => {
    await tree('orders-db').first().click()
    await page.keyboard.press('Meta+Shift+e')
    await page.getByRole('heading', { name: 'Extend access' }).waitFor()
    await page.getByRole('textbox', { name: 'Reason' }).fill('The incident goes on.')
    await page.keyboard.press('Meta+Enter')
    await page.getByRole('heading', { name: 'Extend access' }).waitFor({ state: 'detached' })
    // The form is gone: Tab goes on from the request that it became, which says how that stands.
    await expect.poll(() => focused('[aria-label^="Request "][aria-describedby]')).toBe(true)
    await page.getByRole('button', { name: 'Cancel request' }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Cancel request' }).waitFor({ state: 'detached' })
    await expect.poll(() => focused('[aria-label^="Request "][aria-describedby]')).toBe(true)
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
    // The button that led here is gone: Tab goes on from the recording.
    await expect.poll(() => focused('[aria-label="Recording of web-1"]')).toBe(true)
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
    // A recording takes no text: who comes to it by Tab leaves it by Tab.
    await page.locator('.xterm-helper-textarea').last().focus()
    await page.keyboard.press('Tab')
    await expect.poll(() => focused('.xterm-helper-textarea')).toBe(false)
  })

  test('a recording of twenty thousand statements is gone through like one of seven: what is chosen is in view', async () => {
    const many = Array.from({ length: 20_000 }, (_, i): RecordingEvent[] => {
      const outcome = i % 3 === 2 ? 'masked' : i === 15_001 ? 'blocked' : 'allowed'
      const n = i + 1
      return [
        {
          type: 'request',
          at: i * 100,
          n,
          action: 'sql:read',
          text: `SELECT ${n}`,
          outcome,
          tables: ['public.orders'],
        },
        { type: 'complete', at: i * 100 + 20, n, ok: true, rows: 1, dbMs: 3, gatewayMs: 0.4 },
      ]
    })
    harness.fixture.sqlRecording.set(many.flat())
    await page.keyboard.press('Meta+3')
    await page.getByRole('button', { name: /Replay orders-db/ }).click()
    const chosen = page.locator('tr.is-sel')
    const isChosen = async (n: number) => {
      await expect.poll(() => chosen.getAttribute('aria-rowindex')).toBe(String(n + 1))
      // Below the header, above the end.
      const [row, table] = await Promise.all([chosen.boundingBox(), page.locator('.sqt__s').boundingBox()])
      if (row === null || table === null) throw new Error('it is not drawn')
      expect(row.y).toBeGreaterThanOrEqual(table.y + 27)
      expect(row.y + row.height).toBeLessThanOrEqual(table.y + table.height + 1)
    }
    await isChosen(3)
    expect(await page.locator('.sqt tbody tr').count()).toBeLessThan(80)
    expect(await page.locator('.lane button').count()).toBeLessThan(60)
    await page.keyboard.press('End')
    await isChosen(20_000)
    await page.keyboard.press('ArrowUp')
    await isChosen(19_999)
    await page.keyboard.press('PageUp')
    await page.keyboard.press('Home')
    await isChosen(1)
    await page.keyboard.press('/')
    await page.keyboard.type('select 15002')
    await page.keyboard.press('Enter')
    await isChosen(15_002)
    await page.getByRole('complementary', { name: 'Statement 15002' }).waitFor()
    // Among many that have no room beside each other, the one that matters gives the look.
    await page.getByRole('button', { name: /decisions: .*1 Blocked/ }).waitFor()
    await page.getByRole('button', { name: 'Blocked 1' }).click()
    await isChosen(1)
    expect(await page.locator('.sqt tbody tr').count()).toBe(1)
  })

  test('whoever chooses a tab types into it, by pointer, by key, and when the one before it is closed', async () => {
    await tree('orders-db').first().dblclick()
    await page.locator('.monaco-editor').first().waitFor()
    await tree('web-1').first().dblclick()
    await expect.poll(() => focused('.xterm-helper-textarea')).toBe(true)
    const inEditor = () => focused('.monaco-editor *')
    await page.locator('.tab', { hasText: 'orders-db' }).click()
    await expect.poll(inEditor).toBe(true)
    await page.keyboard.press('Alt+PageDown')
    await expect.poll(() => focused('.xterm-helper-textarea')).toBe(true)
    await page.locator('.tab', { hasText: 'orders-db' }).click()
    await page.locator('.tab', { hasText: 'web-1' }).click()
    await expect.poll(() => focused('.xterm-helper-textarea')).toBe(true)
    await page.keyboard.press('Alt+w')
    await page.locator('.tab', { hasText: 'web-1' }).waitFor({ state: 'detached' })
    await expect.poll(inEditor).toBe(true)
    // From the statement, which keeps Tab for itself, to its rows and back.
    await page.keyboard.insertText('SELECT id FROM orders')
    await page.keyboard.press('Meta+Enter')
    await page.locator('.ag-row[row-index="0"] .ag-cell[col-id="0"]').waitFor()
    await page.keyboard.press('Alt+r')
    await expect.poll(() => focused('.ag-cell')).toBe(true)
    await page.keyboard.press('Alt+r')
    await expect.poll(inEditor).toBe(true)
    await page.keyboard.press('F6')
    await expect.poll(() => focused('.sqltab__res *')).toBe(true)
  })
})
