import type { Page } from 'playwright-core'
import { beforeEach, describe, expect, test } from 'vitest'
import { chromiumPath } from '../support/client.ts'
import { type Given, inChromium } from './harness/chromium.ts'

/** The frame around the work: palette, keys, layout, tree, endpoints, settings. In Chromium, against fixtures. */
let harness: Given['harness']
let page: Page

describe.skipIf(chromiumPath === undefined)('the app', () => {
  const given = inChromium()
  beforeEach(async () => {
    ;({ harness, page } = given())
    await page.goto(harness.url)
    await tree('orders-db').first().waitFor()
  })

  const tree = (name: string | RegExp) => page.getByRole('treeitem', { name })
  const palette = () => page.getByRole('textbox', { name: 'Search', exact: true })

  async function openTwo(): Promise<void> {
    await tree('orders-db').first().click()
    await page.locator('.monaco-editor').first().waitFor()
    await tree('analytics-db').click()
    await page.locator('.tab', { hasText: 'analytics-db' }).waitFor()
  }

  test('a split is where it was after a restart', async () => {
    await openTwo()
    await page.keyboard.press('Meta+\\')
    await expect.poll(() => page.locator('.dv-groupview').count()).toBe(2)
    const boxes = async () => {
      const all = await page.locator('.dv-groupview').all()
      return Promise.all(all.map(async (group) => Math.round((await group.boundingBox())?.x ?? 0)))
    }
    const before = await boxes()
    const leaves = () => JSON.stringify(harness.fixture.settings.get().workspace).match(/"type":"leaf"/g)?.length
    await expect.poll(leaves).toBe(2)
    await page.reload()
    await expect.poll(() => page.locator('.dv-groupview').count()).toBe(2)
    expect(await boxes()).toEqual(before)
    await page.locator('.tab', { hasText: 'analytics-db' }).waitFor()
  })

  test('the palette does everything by name, and its prefixes narrow it', async () => {
    await openTwo()
    await page.keyboard.press('Meta+k')
    await palette().fill('>')
    const names = await page.locator('.pi__n').allInnerTexts()
    for (const name of ['Split with analytics-db', 'Run statement', 'Next tab', 'High contrast, on or off', 'Sign out'])
      expect(names).toContain(name)
    await palette().fill('@cust')
    await page.locator('.pi__n', { hasText: 'customers' }).first().waitFor()
    await palette().fill('#')
    await page.getByRole('region', { name: 'Requests' }).waitFor()
    await palette().fill('> previous tab')
    await page.keyboard.press('Enter')
    await page.locator('.tab.is-on', { hasText: 'orders-db' }).waitFor()
  })

  test('a session is found by who was in it, and replayed from the palette; who may open nothing is told so', async () => {
    harness.fixture.connections.set([])
    await page.goto(harness.url)
    await page.getByText('No connections yet').waitFor()
    await page.keyboard.press('Meta+k')
    await page.getByPlaceholder('Search sessions, people and commands').waitFor()
    await palette().fill('ada web-1')
    await page.locator('.pal__d').getByText('Ada Brandt').waitFor()
    await page.keyboard.press('Enter')
    await page.getByRole('region', { name: 'Recording of web-1' }).waitFor()
  })

  test('the arrows lead the detail column; a connection opens in a split, or leads to the composer', async () => {
    const detail = page.locator('.pal__d')
    // A pointer that rests where a line comes to lie points at nothing.
    await page.mouse.move(600, 300)
    await page.keyboard.press('Meta+k')
    await palette().fill('>')
    await page.locator('.pi:hover').waitFor()
    await detail.getByText(await page.locator('.pi[data-selected] .pi__n').innerText(), { exact: true }).waitFor()
    await palette().fill('app-stg')
    await detail.getByText('app-stg-01').waitFor()
    await palette().fill('d')
    await page.keyboard.press('ArrowDown')
    const line = await page.locator('.pi[data-selected] .pi__n').innerText()
    await detail.getByText(line, { exact: true }).waitFor()
    await palette().fill('ledger')
    await detail.getByText('Ask first').waitFor()
    await page.keyboard.press('Alt+Enter')
    await page.getByRole('region', { name: 'Request access' }).waitFor()
  })

  test('what the editor brings leaves the look of other screens alone', async () => {
    await tree('orders-db').first().click()
    await page.locator('.monaco-editor').first().waitFor()
    await page.getByRole('button', { name: /approvals? waiting for you/ }).click()
    await page
      .getByRole('button', { name: /Ada Brandt/ })
      .first()
      .click()
    await page.getByText('Expires in').waitFor()
    expect((await page.locator('.dec__exp .bar').boundingBox())?.width).toBeGreaterThan(200)
  })

  test('a plan by button, key and palette: as picture, moved through by arrows, and as text; no literal beside a masked column', async () => {
    await tree('orders-db').first().click()
    await page.locator('.monaco-editor').first().waitFor()
    await page.keyboard.insertText('SELECT c.id FROM customers c;')
    await page.getByRole('button', { name: 'Explain' }).click()
    await page.getByRole('menuitem', { name: /^Plan ⌘E/ }).click()
    await page.getByText('Planned, not run', { exact: true }).waitFor()
    const step = (name: RegExp) => page.getByRole('tree', { name: 'Steps of the plan' }).getByRole('treeitem', { name })
    expect(await step(/fewer rows/).count()).toBe(0)
    await page.keyboard.press('Meta+k')
    await palette().fill('> measure')
    await page.keyboard.press('Enter')
    await page.getByText('Ran to be measured, and was rolled back').waitFor()
    const heaviest = step(/^Parallel Seq Scan orders/)
    await expect.poll(() => heaviest.getAttribute('aria-selected')).toBe('true')
    await heaviest.focus()
    await page.keyboard.press('Home')
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('ArrowLeft')
    await expect.poll(() => step(/^Limit/).evaluate((node) => node.matches(':focus'))).toBe(true)
    await step(/^Seq Scan customers c/).click()
    const about = page.getByRole('complementary', { name: 'About the step' })
    await about.getByText("((email = '•••'::text) OR (country = '•••'::text))").waitFor()
    await page.getByRole('radio', { name: 'Text' }).click()
    const text = page.getByRole('region', { name: 'Plan as text' })
    await text.getByText('Rows Removed by Filter: 4899').waitFor()
    await page.getByRole('button', { name: 'Copy', exact: true }).click()
    await page.getByText('Copied the plan as text.').waitFor()
    const copied = String(await page.evaluate('navigator.clipboard.readText()'))
    expect(copied).toContain("Filter: ((status = 'captured'::text) AND (batch_id = 'rt-3'::text))")
    expect(copied).not.toContain('e42@x.example')
    await page.getByRole('radio', { name: 'JSON' }).click()
    const json = page.getByRole('region', { name: 'Plan as JSON' })
    await json.getByText('"Node Type": "Limit"').waitFor()
    expect(await json.innerText()).not.toContain('e42@x.example')
    await page.locator('.monaco-editor').first().click()
    await page.keyboard.press('Meta+e')
    await page.getByText('Planned, not run', { exact: true }).waitFor()
  })

  test('keys can be changed, taken from another action, and given back; it lasts', async () => {
    await page.keyboard.press('?')
    const change = (name: string) => page.getByRole('button', { name: new RegExp(`^Change the keys of ${name},`) })
    await change('Settings').click()
    await page.keyboard.press('F4')
    await expect.poll(() => harness.fixture.settings.get().keys).toEqual({ 'go.settings': 'F4' })
    await change('Side bar').click()
    await page.keyboard.press('Meta+k')
    await page.getByText('is Command palette.').waitFor()
    expect(await page.locator('.pal').count()).toBe(0)
    await page.getByRole('button', { name: 'Use here' }).click()
    await expect
      .poll(() => harness.fixture.settings.get().keys)
      .toEqual({ 'go.settings': 'F4', 'view.sidebar': 'Mod+K', 'app.palette': '' })
    await page.keyboard.press('Escape')
    await page.reload()
    await tree('orders-db').first().waitFor()
    await page.keyboard.press('Meta+k')
    await expect.poll(() => tree('orders-db').count()).toBe(0)
    await page.keyboard.press('F4')
    await page.getByRole('heading', { name: 'Native tools' }).waitFor()
    await page.getByRole('button', { name: 'Default keys for Side bar' }).click()
    await expect.poll(() => harness.fixture.settings.get().keys).toEqual({ 'go.settings': 'F4', 'app.palette': '' })
    await page.keyboard.press('Meta+1')
    await page.keyboard.press('?')
    await change('Saved queries').click()
    await page.keyboard.press('Meta+c')
    await page.getByText('copies, everywhere.').waitFor()
    await page.getByRole('button', { name: 'Leave it' }).click()
    await change('Saved queries').click()
    await page.keyboard.press('Meta+k')
    await expect.poll(() => harness.fixture.settings.get().keys['go.saved']).toBe('Mod+K')
    // The default that is to come back is somebody else's by now.
    await page.getByRole('button', { name: 'Default keys for Command palette' }).click()
    await page.getByText('is Saved queries.').waitFor()
    await page.getByRole('button', { name: 'Use here' }).click()
    await expect.poll(() => harness.fixture.settings.get().keys).toEqual({ 'go.settings': 'F4', 'go.saved': '' })
    await page.getByRole('button', { name: 'Default keys for all' }).click()
    await expect.poll(() => harness.fixture.settings.get().keys).toEqual({})
  })

  test('every part of the window is reached by F6, and every list by arrows', async () => {
    const seen = new Set<string>()
    for (let i = 0; i < 8; i += 1) {
      await page.keyboard.press('F6')
      seen.add(String(await page.evaluate("document.activeElement?.closest('.title, .act, .side, .main')?.className")))
    }
    expect([...seen].map((name) => name.split(' ')[0]).sort()).toEqual(['act', 'main', 'side', 'title'])
  })

  test('the tree: by tag, pinned, what may be done, and what must be asked for', async () => {
    const orders = tree('orders-db').first()
    // However many lines there are, buttons are made for the one under the pointer or the focus.
    await page.mouse.move(700, 500)
    expect(await page.getByRole('button', { name: /^Pin / }).count()).toBeLessThanOrEqual(1)
    expect(await orders.getAttribute('aria-description')).toContain('With approval: write')
    await tree(/^ledger-main, Database, locked/).hover()
    await tree(/^ledger-main/)
      .getByRole('button', { name: 'Request access' })
      .click()
    await page.getByRole('region', { name: 'Request access' }).waitFor()
    await page.keyboard.press('Meta+1')
    await page.getByRole('button', { name: 'Group by tag' }).click()
    await tree(/^payments, \d connections/).waitFor()
    await orders.hover()
    await page.getByRole('button', { name: 'Pin orders-db' }).first().click()
    await expect.poll(() => harness.fixture.settings.get().pinned).toEqual(['web-1', 'orders-db'])
  })

  test('the tree is as it was when another area was in front', async () => {
    await tree('orders-db').first().focus()
    await page.keyboard.press('ArrowRight')
    await tree(/^customers/).waitFor()
    const filter = page.getByRole('searchbox', { name: 'Filter connections' })
    await filter.fill('prod public.cust')
    await tree('web-1').first().waitFor({ state: 'detached' })
    await page.keyboard.press('Meta+2')
    await page.keyboard.press('Meta+1')
    await tree(/^customers/).waitFor()
    expect(await filter.inputValue()).toBe('prod public.cust')
    expect(await tree(/^payments/).count()).toBe(0)
  })

  test('where there is no room beside the work, the side bar comes over it, and goes when something is done', async () => {
    await tree('web-1').first().waitFor()
    await page.setViewportSize({ width: 720, height: 450 })
    await tree('web-1').first().waitFor({ state: 'detached' })
    const side = page.getByRole('complementary', { name: 'Connections' })
    const areas = page.getByRole('navigation', { name: 'Areas' })
    await page.keyboard.press('Meta+b')
    await side.waitFor()
    await page.keyboard.press('Escape')
    await side.waitFor({ state: 'detached' })
    await areas.getByRole('button', { name: 'Connections' }).click()
    await side.waitFor()
    await page.mouse.click(600, 300)
    await side.waitFor({ state: 'detached' })
    await page.keyboard.press('/')
    await page.keyboard.type('analytics')
    await page.keyboard.press('Enter')
    await page.locator('.tab.is-on', { hasText: 'analytics-db' }).waitFor()
    await side.waitFor({ state: 'detached' })
    // What was kept for a window with room is as it was.
    await page.setViewportSize({ width: 1440, height: 900 })
    await side.waitFor()
  })

  test('what was written in a request stays when another connection is chosen, and the focus where it was chosen', async () => {
    await page.keyboard.press('Alt+n')
    const reason = page.getByRole('textbox', { name: 'Reason' })
    await reason.fill('INC-4821: void the duplicates')
    const choose = page.getByRole('main').getByRole('button', { name: /^Connection/ })
    for (const name of ['orders-db', 'ledger-main']) {
      await choose.click()
      await page.getByRole('option', { name }).click()
      await page.getByRole('button', { name: new RegExp(`^Connection ${name}`) }).waitFor()
      await expect
        .poll(() => page.evaluate('document.activeElement?.ariaLabel'))
        .toMatch(new RegExp(`^Connection ${name}`))
    }
    // What opens a locked connection is ticked by itself, also where another was chosen before.
    await page.getByRole('checkbox', { name: 'Write', checked: true }).waitFor()
    expect(await reason.inputValue()).toBe('INC-4821: void the duplicates')
  })

  test('every menu opens beside what opens it', async () => {
    const menu = page.locator('.menu')
    const opensBeside = async (target: ReturnType<typeof page.locator>, how: { button?: 'right' } = {}) => {
      await target.click(how)
      await menu.waitFor()
      const [a, b] = [await target.boundingBox(), await menu.boundingBox()]
      if (a === null || b === null) throw new Error('nothing to see')
      const apart = Math.max(
        b.x - (a.x + a.width),
        a.x - (b.x + b.width),
        b.y - (a.y + a.height),
        a.y - (b.y + b.height),
      )
      expect(apart).toBeLessThan(16)
      expect(b.y).toBeGreaterThanOrEqual(0)
      expect(b.y + b.height).toBeLessThanOrEqual(900)
      await page.keyboard.press('Escape')
      await menu.waitFor({ state: 'hidden' })
    }
    await opensBeside(page.getByRole('button', { name: /^Linus Falk/ }))
    await opensBeside(tree('orders-db').first(), { button: 'right' })
    await tree('fin-desk-01').first().click()
    await opensBeside(page.getByRole('button', { name: 'Change program' }))
    await page.keyboard.press('Meta+2')
    await page.keyboard.press('Alt+n')
    await opensBeside(page.getByRole('button', { name: 'Connection', exact: true }))
    await page.keyboard.press('Meta+1')
    await tree('orders-db').first().click()
    await opensBeside(page.getByRole('button', { name: /granted on orders-db/ }).first())
  })

  test('a link to what is not there says so, as often as it comes; a toast is read out once, and not with its clock', async () => {
    const words = 'gone-db, which a link named, is not among your connections.'
    for (const times of [1, 2]) {
      harness.fixture.deepLinks.set({ to: 'connection', name: 'gone-db' })
      await expect.poll(() => page.getByTestId('announcements').getByText(words).count()).toBe(times)
    }
    await page.locator('.toast', { hasText: words }).waitFor()
    expect(await page.locator('.toast-root').getByRole('alert').count()).toBe(0)
    expect(await page.locator('.toast-root').getByRole('status').count()).toBe(0)
    harness.fixture.deepLinks.set({ to: 'connection', name: 'analytics-db' })
    await page.locator('.tab.is-on', { hasText: 'analytics-db' }).waitFor()
  })

  test('native tools: state as it changes, a taken port has a way out, snippets are copied', async () => {
    await page.keyboard.press('Meta+,')
    const table = page.getByRole('table', { name: 'Native tools' })
    const row = (name: string) => table.getByRole('row', { name: new RegExp(name) }).first()
    await row('orders-db').getByText('In use · 2').waitFor()
    harness.fixture.setEndpoint('orders-db', { clients: 0 })
    await row('orders-db').getByText('Open', { exact: true }).waitFor()
    await row('edge-fra-03').getByText('Taken by another app').waitFor()
    await table.getByText('Opens by itself once port 12023 is free.').waitFor()
    await page.getByRole('button', { name: 'Use 12024 instead' }).click()
    await row('edge-fra-03').getByText('127.0.0.1:12024').waitFor()
    await page.getByRole('button', { name: 'Port and snippets of analytics-db' }).click()
    await page.getByRole('checkbox', { name: 'Open when Sallyport starts' }).click()
    await expect
      .poll(() => harness.fixture.endpoints.get().find((e) => e.connection === 'analytics-db')?.atStart)
      .toBe(true)
    await page.getByRole('radio', { name: 'JDBC' }).click()
    await page.getByRole('button', { name: 'Copy for JDBC' }).click()
    await page.getByText('Copied.').waitFor()
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(
      'jdbc:postgresql://127.0.0.1:15434/orders?sslmode=disable&user=linus',
    )
  })

  test('saved queries: in the side bar and the palette, searched by what they hold, renamed and deleted', async () => {
    await page.keyboard.press('Meta+k')
    await palette().fill('> saved queries')
    await page.keyboard.press('Enter')
    const saved = page.getByRole('region', { name: 'Saved queries' })
    const row = (name: string) => saved.getByRole('button', { name: new RegExp(`^${name}`) })
    await expect.poll(() => row('incidents/Duplicate charges').evaluate((node) => node.matches(':focus'))).toBe(true)
    await page.keyboard.press('F2')
    await saved.getByRole('textbox', { name: 'Folder and name' }).fill('Twice charged')
    await page.keyboard.press('Enter')
    await row('Twice charged').waitFor()
    // By a word of the statement, and without unfolding.
    await saved.getByRole('button', { name: /^Saved queries/ }).click()
    await page.getByRole('searchbox', { name: 'Filter connections' }).fill('having count')
    await row('Twice charged').click()
    await page.locator('.tab.is-on', { hasText: 'orders-db' }).waitFor()
    await page.locator('.view-lines').getByText('HAVING').waitFor()
    await page.keyboard.press('Meta+k')
    await palette().fill('twice')
    await page.getByRole('region', { name: 'Saved queries' }).locator('.pi__n').waitFor()
    await page.keyboard.press('Enter')
    await expect.poll(() => page.locator('.tab').count()).toBe(2)
    await row('Twice charged').hover()
    await saved.getByRole('button', { name: 'Delete Twice charged…' }).click()
    await saved.getByRole('button', { name: 'Keep' }).click()
    await row('Twice charged').press('Delete')
    await saved.getByRole('button', { name: 'Delete', exact: true }).click()
    await saved.waitFor({ state: 'detached' })
  })

  test('the size of the code is the editor’s, at once and in every tab', async () => {
    await openTwo()
    const size = () =>
      page.evaluate(
        "getComputedStyle([...document.querySelectorAll('.view-lines')].find((l) => l.checkVisibility())).fontSize",
      )
    await expect.poll(size).toBe('12.5px')
    await page.keyboard.press('Meta+,')
    for (const px of ['13 px', '13.5 px', '14 px']) {
      await page.getByRole('button', { name: 'Editor font: larger' }).click()
      await page.getByRole('group', { name: 'Editor font' }).getByText(px, { exact: true }).waitFor()
    }
    await page.keyboard.press('Meta+1')
    await expect.poll(size).toBe('14px')
    await page.locator('.tab', { hasText: 'orders-db' }).click()
    await expect.poll(size).toBe('14px')
    await page.reload()
    await expect.poll(size).toBe('14px')
  })

  test('settings are found by what they hold; contrast, motion and theme hold at once', async () => {
    await page.keyboard.press('Meta+,')
    const search = page.getByRole('searchbox', { name: 'Search settings' })
    await search.fill('dbeaver')
    await expect.poll(() => page.locator('.stg section[id]').count()).toBe(1)
    await search.fill('high contrast')
    await page.getByRole('switch', { name: 'High contrast, always' }).click()
    await expect.poll(() => page.evaluate('document.documentElement.dataset.contrast')).toBe('high')
    await page.getByRole('switch', { name: 'Reduce motion, always' }).click()
    await expect.poll(() => page.evaluate('document.documentElement.dataset.motion')).toBe('reduced')
    await page.getByText('Light', { exact: true }).click()
    await expect.poll(() => page.evaluate('document.documentElement.dataset.theme')).toBe('light')
    // Which part is marked goes with what is in view.
    await search.fill('')
    await page.setViewportSize({ width: 1024, height: 700 })
    await page.getByRole('heading', { name: 'Native tools' }).waitFor()
    await page.locator('.stg').evaluate((node) => node.scrollTo(0, node.scrollHeight))
    const marked = page.getByRole('navigation', { name: 'Sections' }).locator('[aria-current="true"]')
    await expect.poll(() => marked.innerText()).toBe('Shortcuts')
    await search.fill('nothing like it')
    await page.getByText('No setting is called that').waitFor()
  })
})
