import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { PNG } from 'pngjs'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { RecordingPage, Session } from '../../shared/api/models.ts'
import { call } from '../support/access.ts'
import { type Client, chromiumPath, launchChromium, openClient, secondTry, signIn } from '../support/client.ts'
import {
  copy,
  deskMs,
  desktopTools,
  difference,
  holdDesk,
  inside,
  keepSize,
  openScreen,
  paste,
  type Screen,
  sizeOf,
} from '../support/desktop.ts'
import { whiteness } from '../support/display.ts'
import { run, which } from '../support/run.ts'

/** The desktop in the tab, in a Chromium that has a real (Swiss) keyboard, through the gateway at a real xrdp. */
const demo = inject('demo')
const possible =
  desktopTools &&
  which('setxkbmap') !== undefined &&
  chromiumPath !== undefined &&
  demo.targets?.['desk-1'] !== undefined

const ownViewport = { width: 1240, height: 780 }

/** The desktop that fits into a pane: RDP takes multiples of four. */
function fitting(pane: { width: number; height: number } | null): { width: number; height: number } {
  if (pane === null) throw new Error('there is no pane')
  return { width: Math.floor(pane.width / 4) * 4, height: Math.floor(pane.height / 4) * 4 }
}

const sizeText = ({ width, height }: { width: number; height: number }): string => `${width}x${height}`

describe.skipIf(!possible)('a desktop in the tab', secondTry, () => {
  let release = async (): Promise<void> => {}
  let screen: Screen
  let browser: Browser
  let client: Client
  let page: Page

  beforeAll(async () => {
    release = await holdDesk(demo)
    screen = await openScreen()
    browser = await launchChromium(screen.display)
    await run('setxkbmap', ['ch'], { env: { DISPLAY: screen.display } })
    // No screen for other programs: nothing is installed that could show a desktop.
    client = await openClient(browser, demo, { env: { DISPLAY: '' }, viewport: ownViewport })
    page = client.page
    await client.context.grantPermissions(['clipboard-read', 'clipboard-write'])
    await signIn(client, demo, 'ada')
    // Nobody manages windows there: the keyboard may have gone with the provider's.
    await key('search', '--onlyvisible', '--class', 'chromium', 'windowfocus')
  }, deskMs)

  afterAll(async () => {
    await client?.close()
    await browser?.close()
    await screen?.close()
    await release()
  })

  /** What was shown when the pane was small. */
  let small: PNG | undefined

  const canvas = () => page.getByRole('img', { name: 'Screen of desk-1' })

  /** The pixels of a canvas, whatever its size in the page. */
  async function pixels(of = canvas()): Promise<PNG> {
    const url = String(await of.evaluate((canvas) => canvas.toDataURL()))
    return PNG.sync.read(Buffer.from(url.split(',')[1] ?? '', 'base64'))
  }

  /** What is shown when it has stopped changing. */
  async function still(): Promise<PNG> {
    let last = await pixels()
    await expect
      .poll(async () => {
        const now = await pixels()
        const same = difference(last, now)
        last = now
        return same
      })
      .toBe(0)
    return last
  }

  async function key(...args: string[]): Promise<void> {
    const { code, stderr } = await run('xdotool', args, { env: { DISPLAY: screen.display, LC_ALL: 'C.UTF-8' } })
    if (code !== 0) throw new Error(stderr)
  }

  /** Hers on this desktop, the last one first. */
  async function sessionsOfAda(): Promise<Session[]> {
    const { body } = await call(demo, 'auditor', 'GET', '/sessions?connection=desk-1&limit=100')
    const hers = Session.array()
      .parse(body)
      .filter(({ principal }) => principal.id === 'ada')
    return hers.sort((a, b) => b.startedAt.localeCompare(a.startedAt))
  }

  /** When the desktop changed its size in her last session, in milliseconds. */
  async function resizes(): Promise<number[]> {
    const [last] = await sessionsOfAda()
    const { body } = await call(demo, 'auditor', 'GET', `/recordings/${last?.id}?limit=1000`)
    return RecordingPage.parse(body).events.flatMap((event) => (event.type === 'desktop' ? [event.at] : []))
  }

  /** To the end of a recording, or its beginning, by five seconds. */
  async function steps(to: 'ArrowLeft' | 'ArrowRight'): Promise<void> {
    for (let i = 0; i < 60; i++) await page.keyboard.press(to)
  }

  async function opened(): Promise<void> {
    await page.getByRole('navigation', { name: 'Areas' }).getByRole('button', { name: 'Connections' }).click()
    if (await canvas().isVisible()) return
    const launch = page.getByRole('button', { name: 'Launch', exact: true })
    if (await launch.isVisible()) await launch.click()
    else {
      await page.getByRole('treeitem', { name: 'desk-1' }).first().click()
      // It is said what to install, and that this window will do.
      await page.getByText('Install FreeRDP').waitFor()
      await page.getByRole('button', { name: 'Open in this window' }).click()
    }
    await expect.poll(async () => whiteness(await pixels())).toBeGreaterThan(0.1)
  }

  async function endSession(): Promise<void> {
    const end = page.getByRole('button', { name: 'End session' })
    if (await end.isVisible()) await end.click()
    await page.getByRole('heading', { name: 'The session is over' }).waitFor()
  }

  test('shows what is there, and characters come as this keyboard makes them', async () => {
    await opened()
    const { home } = await inside(demo)
    await rm(join(home, 'said'), { force: true })
    await canvas().click({ position: { x: 200, y: 200 } })
    // Y and Z change places, AltGr, and a dead key.
    await key('type', '--delay', '60', 'echo "zyZY äöü @#[ ')
    await key('key', '--delay', '60', 'dead_acute', 'e')
    await key('type', '--delay', '60', '" > said')
    await key('key', 'Return')
    await expect.poll(() => readFile(join(home, 'said'), 'utf8').catch(() => 'not yet')).toBe('zyZY äöü @#[ é\n')
  })

  test('a key that is held when the keyboard turns elsewhere does not stay down', async () => {
    await opened()
    const { home } = await inside(demo)
    await canvas().click({ position: { x: 200, y: 200 } })
    await key('keydown', 'Control_L')
    await page.getByLabel('Filter connections').focus()
    await key('keyup', 'Control_L')
    await canvas().click({ position: { x: 200, y: 200 } })
    await key('type', '--delay', '60', 'echo released > held')
    await key('key', 'Return')
    await expect.poll(() => readFile(join(home, 'held'), 'utf8').catch(() => 'not yet')).toBe('released\n')
    // And back to the page by keyboard alone.
    await key('key', 'ctrl+alt+Home')
    await expect
      .poll(() => page.getByRole('button', { name: 'Ctrl+Alt+Del' }).evaluate((node) => node.matches(':focus')))
      .toBe(true)
  })

  test('the clipboard goes in, by a button, and not out', async () => {
    await opened()
    const desk = await inside(demo)
    await page.evaluate("navigator.clipboard.writeText('9 lamps, ä')")
    await page.getByRole('button', { name: 'Send the clipboard' }).click()
    await page.getByText('Sent: paste it on the desktop.').waitFor()
    await expect.poll(() => paste(desk.display, desk)).toBe('9 lamps, ä')
    await copy(desk.display, 'secret of production', desk)
    expect(await page.getByRole('button', { name: 'Take the clipboard' }).getAttribute('aria-disabled')).toBe('true')
    // Said as often as the desktop offers it.
    await page
      .getByText(/Clipboard from the desktop: refused/)
      .first()
      .waitFor()
  })

  test('a pane of another size gets a desktop of that size, smaller and larger', async () => {
    await opened()
    const desk = await inside(demo)
    const first = sizeText(await pixels())
    expect(await sizeOf(desk)).toBe(first)
    for (const viewport of [{ width: 1100, height: 700 }, ownViewport]) {
      await page.setViewportSize(viewport)
      const fits = async () => sizeText(fitting(await page.locator('.vwr__s').boundingBox()))
      await expect.poll(async () => (await sizeOf(desk)) === (await fits())).toBe(true)
      await expect.poll(async () => sizeText(await pixels())).toBe(await fits())
      // What was there is drawn anew, all of it.
      await expect.poll(async () => whiteness(await pixels())).toBeGreaterThan(0.1)
      small ??= await still()
    }
    expect(sizeText(await pixels())).toBe(first)
  })

  test('its recording shows the same, wherever one goes in it', async () => {
    await opened()
    await canvas().click({ position: { x: 600, y: 500 } })
    // The cursor of a terminal without the keyboard does not blink.
    const before = await still()
    await endSession()
    const replays = page.getByRole('button', { name: /^Replay the session of/ })
    await expect.poll(() => replays.count()).toBe(Math.min(4, (await sessionsOfAda()).length))
    await replays.first().click()
    const replayed = page.getByRole('img', { name: /^The screen of desk-1 at/ })
    await replayed.waitFor()
    await steps('ArrowRight')
    const looks = (picture: PNG) =>
      expect.poll(async () => difference(await pixels(replayed), picture)).toBeLessThan(0.001)
    await looks(before)
    // On the other side of a change of size, and back.
    const [, smaller = 0, larger = 0] = await resizes()
    expect(larger).toBeGreaterThan(smaller)
    const position = page.getByRole('slider', { name: 'Position' })
    await position.fill(String(Math.floor(larger) - 1))
    if (small === undefined) throw new Error('the pane never was small')
    await looks(small)
    await position.fill(String(Math.floor(Number(await position.getAttribute('max')))))
    await looks(before)
    await replayed.click()
    await steps('ArrowLeft')
    await expect.poll(async () => difference(await pixels(replayed), before)).toBeGreaterThan(0.001)
    expect(client.errors).toEqual([])
  })

  test('a desktop that keeps its size is shown smaller, whole, and says nothing of another size', async () => {
    const letGo = await keepSize(demo)
    try {
      await opened()
      const desk = await inside(demo)
      const before = await pixels()
      await page.setViewportSize({ width: 1000, height: 700 })
      const shown = await canvas().boundingBox()
      const pane = await page.locator('.vwr__s').boundingBox()
      if (shown === null || pane === null) throw new Error('nothing is shown')
      // All of it is in the pane, as large as that has room for, and in its own proportions.
      expect(shown.width).toBeLessThanOrEqual(pane.width)
      expect(shown.height).toBeLessThanOrEqual(pane.height)
      expect(Math.max(shown.width / pane.width, shown.height / pane.height)).toBeGreaterThan(0.98)
      expect(shown.width / shown.height).toBeCloseTo(before.width / before.height, 1)
      // What is clicked is what is under the pointer, at its own size: the terminal gets the keyboard.
      await canvas().click({ position: { x: shown.width * 0.3, y: shown.height * 0.3 } })
      await key('type', '--delay', '60', 'echo scaled > scaled')
      await key('key', 'Return')
      const { home } = desk
      await expect.poll(() => readFile(join(home, 'scaled'), 'utf8').catch(() => 'not yet')).toBe('scaled\n')
      expect(await sizeOf(desk)).toBe(sizeText(before))
      expect(sizeText(await pixels())).toBe(sizeText(before))
      expect(await page.getByRole('status').allInnerTexts()).not.toContainEqual(
        expect.stringMatching(/\d+ ?[x×] ?\d+|resiz/i),
      )
      await endSession()
    } finally {
      await letGo()
      await page.setViewportSize(ownViewport)
    }
  })
})
