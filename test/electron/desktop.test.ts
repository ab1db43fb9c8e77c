import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { _electron, type ElectronApplication, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

/** The desktop app as it runs, wherever the Electron runtime and a screen are present. */
const root = join(import.meta.dirname, '..', '..')
const hasRuntime = existsSync(join(root, 'node_modules', 'electron', 'path.txt'))
const hasScreen =
  process.platform !== 'linux' || process.env.DISPLAY !== undefined || process.env.WAYLAND_DISPLAY !== undefined
/** Chromium's sandbox refuses root; a container that runs as root has no other way. */
const asRoot = process.getuid?.() === 0

describe.skipIf(!hasRuntime || !hasScreen)('the desktop app', () => {
  let app: ElectronApplication
  let page: Page
  let data = ''

  beforeAll(async () => {
    for (const config of ['renderer/vite.config.ts', 'electron/vite.config.ts', 'electron/vite.preload.config.ts']) {
      const built = spawnSync('npx', ['vite', 'build', '--config', config, '--logLevel', 'error'], {
        cwd: root,
        shell: process.platform === 'win32',
      })
      if (built.status !== 0) throw new Error(`${config}: ${built.stderr}`)
    }
    data = await mkdtemp(join(tmpdir(), 'sallyport-desktop-'))
    app = await _electron.launch({
      args: [join(root, 'electron', 'dist', 'main.js'), `--data=${data}`, ...(asRoot ? ['--no-sandbox'] : [])],
      cwd: root,
    })
    page = await app.firstWindow()
    await page.waitForLoadState('domcontentloaded')
  }, 180_000)
  afterAll(async () => {
    await app?.close()
    if (data !== '') await rm(data, { recursive: true, force: true })
  })

  test('shows the sign-in, which came over the port from the core', async () => {
    expect(page.url()).toBe('app://sallyport/index.html')
    await page.getByRole('textbox').first().waitFor()
  })

  test('has no Node in the page', async () => {
    const found = await page.evaluate(() =>
      ['require', 'process', 'module', 'Buffer', 'global', 'electron'].filter((name) => name in globalThis),
    )
    expect(found).toEqual([])
  })

  test('runs no script that is not its own, and reaches no network', async () => {
    const evaluated = await page.evaluate(() => {
      try {
        return Reflect.construct(Function, ['return 1'])() === 1
      } catch {
        return false
      }
    })
    expect(evaluated).toBe(false)
    const fetched = await page.evaluate(() =>
      fetch('https://example.com/').then(
        () => true,
        () => false,
      ),
    )
    expect(fetched).toBe(false)
  })

  test('opens no window and goes nowhere', async () => {
    expect(await page.evaluate("open('https://example.com/') === null")).toBe(true)
    await page.evaluate("location.href = 'https://example.com/'")
    await page.getByRole('textbox').first().waitFor()
    expect(page.url()).toBe('app://sallyport/index.html')
    expect(app.windows()).toHaveLength(1)
  })

  test('is denied what it asks of the system', async () => {
    const asked = "navigator.permissions.query({ name: 'geolocation' }).then((status) => status.state)"
    expect(await page.evaluate(asked)).toBe('denied')
    const camera = 'navigator.mediaDevices.getUserMedia({ video: true }).then(() => true, () => false)'
    expect(await page.evaluate(camera)).toBe(false)
  })
})
