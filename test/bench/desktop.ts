import { gzipSync } from 'node:zlib'
import type { Browser, Page } from 'playwright-core'
import { type Client, launchChromium, openClient, signIn } from '../support/client.ts'
import type { Ready } from '../support/demo.ts'
import { meterOf, privateBytes, rendererPids } from '../support/page-metrics.ts'
import { closeTab, newTab, openTab, panel, runFor, write } from '../support/sql-page.ts'
import { mainThread } from './main-thread.ts'
import { firstRows, frames, keyDelays, percentile, watchPage } from './page-probes.ts'
import { median, type Row } from './stats.ts'

const mib = 1024 * 1024

/** The client in real Chromium, on the real demo: how soon, how smooth, and how much memory. Ratios are of the promise: ≤ 1 keeps it. */
export async function benchDesktop(demo: Ready): Promise<Row[]> {
  const browser = await launchChromium()
  const rows: Row[] = []
  try {
    const client = await openClient(browser, demo)
    await watchPage(client.page)
    await client.page.reload()
    rows.push(...(await coldStart(client, 'sign-in', () => signInShown(client.page))))
    await signIn(client, demo, 'linus')
    rows.push(...(await coldStart(client, 'signed in', () => treeShown(client.page))))
    // Staging commits by itself: a tab closes without asking what becomes of a transaction.
    await openTab(client.page, 'analytics-db')
    rows.push(...(await typing(browser, client.page)))
    rows.push(...(await rowsOnScreen(client.page)))
    rows.push(...(await scrolling(browser, client)))
    rows.push(...(await manyTabs(browser, client)))
    rows.push(...(await soak(client.page)))
    await client.close()
  } finally {
    await browser.close()
  }
  return rows
}

/** `most` is what is promised: the ratio says how much of it is used. */
function row(what: string, way: string, value: number, unit: string, most?: number): Row {
  return { what, way, value, unit, ...(most === undefined ? {} : { ratio: value / most, against: `${most} ${unit}` }) }
}

const signInShown = (page: Page) => page.getByRole('button', { name: 'Continue with SSO' }).waitFor()
const treeShown = (page: Page) => page.getByRole('treeitem', { name: 'orders-db, Database' }).waitFor()

/** Loads the page without cache, as on the first start, until it can be used, and counts the script it needed for that. */
async function coldStart({ page, context }: Client, way: string, shown: () => Promise<void>): Promise<Row[]> {
  const cdp = await context.newCDPSession(page)
  await cdp.send('Network.setCacheDisabled', { cacheDisabled: true })
  const times: number[] = []
  let script = 0
  for (let i = 0; i < 5; i += 1) {
    const bodies: Promise<number>[] = []
    const count = (response: { url(): string; body(): Promise<Buffer> }): void => {
      if (response.url().endsWith('.js')) bodies.push(response.body().then((body) => gzipSync(body).length))
    }
    page.on('response', count)
    const from = performance.now()
    await page.goto(new URL('/', page.url()).href, { waitUntil: 'commit' })
    await shown()
    times.push(performance.now() - from)
    page.off('response', count)
    script = (await Promise.all(bodies)).reduce((sum, bytes) => sum + bytes, 0)
  }
  await cdp.send('Network.setCacheDisabled', { cacheDisabled: false })
  await cdp.detach()
  return [
    row('cold start, can be used', way, median(times), 'ms', 1000),
    row('compressed script until then', way, script / 1024, 'KiB', 250),
  ]
}

/** Types into a long statement list, as fast as people do, with pre-flight and completion on. */
async function typing(browser: Browser, page: Page): Promise<Row[]> {
  const lines = Array.from({ length: 120 }, (_, i) => `SELECT id, status, total FROM orders WHERE id = ${i};`)
  await write(page, lines.join('\n'))
  await page.keyboard.press('Control+End')
  await page.keyboard.press('Enter')
  const type = async (): Promise<void> => {
    await page.keyboard.type(
      "SELECT c.name, o.total FROM customers c JOIN orders o ON o.customer_id = c.id WHERE o.status = 'paid' ",
      { delay: 45 },
    )
    await page.keyboard.type('AND c.country IN (SELECT country FROM order_totals WHERE orders > 100);', { delay: 45 })
    await page.keyboard.press('Enter')
  }
  const delays = await keyDelays(page, type)
  // By itself: to be traced takes time, too.
  const { longestPerKey } = await mainThread(browser, page, type)
  return [
    row('longest task between two keys, processor time', 'p50', percentile(longestPerKey, 0.5), 'ms'),
    row('longest task between two keys, processor time', 'p99', percentile(longestPerKey, 0.99), 'ms', 16),
    row('a key waits for the page', 'p99', delays.waits, 'ms', 16),
    row('a key is handled', 'p50', delays.handledMedian, 'ms'),
    row('a key is handled', 'p99', delays.handled, 'ms', 16),
  ]
}

/** What a hand needs between pasting a statement and running it. */
const handMs = 500
const tabs = 7

/** The first run of a new tab, in several of them, and runs in a tab that has a result. */
async function rowsOnScreen(page: Page): Promise<Row[]> {
  const first: number[] = []
  const later: number[] = []
  for (let i = 0; i < tabs; i += 1) {
    if (i > 0) await closeTab(page)
    await newTab(page)
    first.push(await shownAfter(page, i))
  }
  for (let i = 0; i < tabs; i += 1) later.push(await shownAfter(page, tabs + i))
  await closeTab(page)
  const what = 'first rows on screen after their arrival'
  return [
    row(what, `first run of a tab, median of ${tabs}`, median(first), 'ms', 100),
    row(what, `first run of a tab, worst of ${tabs}`, Math.max(...first), 'ms', 100),
    row(what, `later runs, median of ${tabs}`, median(later), 'ms', 100),
  ]
}

async function shownAfter(page: Page, run: number): Promise<number> {
  await write(page, `SELECT ${run} AS run, id, name, email FROM customers ORDER BY id LIMIT 5000;`)
  await page.keyboard.press('Control+Home')
  await page.waitForTimeout(handMs)
  const ms = await firstRows(page, () => page.keyboard.press('Control+Enter'), String(run))
  await panel(page).locator('.res__ft').getByText('5,000 rows', { exact: true }).waitFor()
  return ms
}

/** As fast as one can still read along, and as fast as a wheel turns: at about 30,000 pixels a second each frame is a new screen. */
const scrolls = [
  { speed: 'read along', step: 60, pause: 8 },
  { speed: 'wheel', step: 240, pause: 8 },
] as const

/** Scrolls through a million rows with the wheel. */
async function scrolling(browser: Browser, { page, pid }: Client): Promise<Row[]> {
  const before = await privateBytes(pid)
  await runFor(
    page,
    'SELECT i, md5(i::text) AS a, md5((i + 1)::text) AS b FROM generate_series(1, 1000000) i;',
    1_000_000,
  )
  const after = await privateBytes(pid)
  const cell = panel(page).locator('.ag-row[row-index="5"] .ag-cell[col-id="1"]')
  await cell.hover()
  const rows: Row[] = []
  for (const { speed, step, pause } of scrolls) {
    const scroll = async (): Promise<void> => {
      for (let i = 0; i < 150; i += 1) {
        await page.mouse.wheel(0, step)
        await page.waitForTimeout(pause)
      }
    }
    const rate = await frames(page, scroll)
    const { perFrame } = await mainThread(browser, page, scroll)
    rows.push(
      row(`a million rows, ${speed}: main thread for a frame`, 'p50', percentile(perFrame, 0.5), 'ms', 16.7),
      row(`a million rows, ${speed}: main thread for a frame`, 'p95', percentile(perFrame, 0.95), 'ms', 16.7),
      row(`a million rows, ${speed}: frames`, 'mean', rate.perSecond, 'fps'),
      row(`a million rows, ${speed}: frames`, 'p95', rate.p95, 'ms'),
    )
  }
  return [
    ...rows,
    ...(before === undefined || after === undefined
      ? []
      : [row('client core, for a million rows', 'growth', (after - before) / mib, 'MiB')]),
  ]
}

async function manyTabs(browser: Browser, { page, pid }: Client): Promise<Row[]> {
  for (let i = 1; i < 20; i += 1) {
    await newTab(page)
    await runFor(page, `SELECT id, name, email FROM customers WHERE id > ${i} ORDER BY id LIMIT 10000;`, 10_000)
  }
  const meter = await meterOf(page)
  const { heap } = await meter()
  const own = await Promise.all((await rendererPids(browser)).map(privateBytes))
  const core = await privateBytes(pid)
  for (let i = 1; i < 20; i += 1) await closeTab(page)
  return [
    row('20 tabs with a result each', 'page’s heap', heap / mib, 'MiB'),
    ...(core === undefined
      ? []
      : [
          row('20 tabs with a result each', 'page', Math.max(...own.map((bytes) => bytes ?? 0)) / mib, 'MiB', 400),
          row('20 tabs with a result each', 'client core', core / mib, 'MiB'),
        ]),
  ]
}

/** Opens, runs and closes a tab again and again: what stays of each. */
async function soak(page: Page): Promise<Row[]> {
  const meter = await meterOf(page)
  const round = async (): Promise<void> => {
    await newTab(page)
    await runFor(page, 'SELECT id, name, email FROM customers LIMIT 2000;', 2_000)
    await closeTab(page)
  }
  for (let i = 0; i < 5; i += 1) await round()
  const start = await meter()
  const rounds = 20
  for (let i = 0; i < rounds; i += 1) await round()
  const end = await meter()
  return [
    row('left by a tab that was closed', 'heap', (end.heap - start.heap) / rounds / 1024, 'KiB'),
    row('left by a tab that was closed', 'listeners', (end.listeners - start.listeners) / rounds, ''),
    row('left by a tab that was closed', 'elements', (end.nodes - start.nodes) / rounds, ''),
  ]
}
