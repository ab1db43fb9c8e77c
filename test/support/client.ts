import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Browser, type BrowserContext, chromium, type LaunchOptions, type Page } from 'playwright-core'
import type { Ready } from './demo.ts'
import { end, which } from './run.ts'

const main = join(import.meta.dirname, '..', '..', 'cli', 'main.ts')

export const chromiumPath = which('chromium') ?? which('google-chrome')

/** The same pages for two thirds of the work: it keeps no tab strip and toolbar around each. */
const windowless = which('chromium-headless-shell')

/**
 * For tests that drive a real page or desktop on a machine that is busy with all the others: a failure is tried once more, and
 * `npm test` names at its end what needed it. Never for a test of what must not get through: once would be a leak.
 */
export const secondTry = { retry: 1 } as const

/** `display`: an X server whose keyboard it has; without one it shows nothing. */
export function launchChromium(display?: string): Promise<Browser> {
  return launch(
    chromiumPath,
    display === undefined ? {} : { headless: false, env: { ...process.env, DISPLAY: display } },
  )
}

/** Where nothing but the page counts. What it has no part of: the system's notifications. */
export function launchPages(): Promise<Browser> {
  return launch(windowless ?? chromiumPath)
}

function launch(executablePath: string | undefined, options: LaunchOptions = {}): Promise<Browser> {
  if (executablePath === undefined) throw new Error('Chromium is not installed')
  const quiet = ['--disable-quic', '--disable-background-networking', '--disable-component-update', '--disable-sync']
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', ...quiet], ...options })
}

/** How long a page may take for one step: only what hangs takes that long. */
export const stepMs = 60_000

export interface Client {
  page: Page
  /** The process of the client core. */
  pid: number
  /** Its SALLYPORT_HOME: settings and secrets. */
  home: string
  context: BrowserContext
  /** What the page complained about, for the end of a test. */
  errors: readonly string[]
  close(): Promise<void>
}

/** `sallyport app`, opened in a browser of its own: one person's client. */
export async function openClient(
  browser: Browser,
  demo: Pick<Ready, 'gateway'>,
  options: {
    theme?: 'dark' | 'light'
    viewport?: { width: number; height: number }
    env?: Record<string, string>
    /** An earlier client's, to start it again; stays afterwards. */
    home?: string
  } = {},
): Promise<Client> {
  const home = options.home ?? (await mkdtemp(join(tmpdir(), 'sallyport-app-')))
  const child = spawn(process.execPath, [main, 'app', '--no-open', '--gateway', demo.gateway], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, ...options.env, SALLYPORT_HOME: home },
  })
  if (child.stdout === null) throw new Error('no stdout')
  const [url] = await once(createInterface({ input: child.stdout }), 'line')
  const context = await browser.newContext({
    viewport: options.viewport ?? { width: 1440, height: 900 },
    colorScheme: options.theme ?? 'dark',
  })
  context.setDefaultTimeout(stepMs)
  const page = await context.newPage()
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(error.message))
  await page.goto(String(url))
  return {
    page,
    pid: child.pid ?? 0,
    home,
    context,
    errors,
    close: async () => {
      if (browser.isConnected()) await context.close()
      await end(child)
      if (options.home === undefined) await rm(home, { recursive: true, force: true })
    },
  }
}

/** SSO as a person does it: the provider's page in another tab, the name, the password. */
export async function signIn(client: Client, demo: Pick<Ready, 'people'>, username: string): Promise<void> {
  const opened = client.context.waitForEvent('page')
  await client.page.getByRole('button', { name: 'Continue with SSO' }).click()
  const provider = await opened
  await fillIn(provider, demo, username)
  await client.page.getByRole('navigation', { name: 'Areas' }).waitFor()
  await provider.close()
}

/** Signing in again from where the work was. The provider may still know who it is, and then asks for nothing. */
export async function signInAgain(client: Client, demo: Pick<Ready, 'people'>, username: string): Promise<void> {
  const button = client.page.getByRole('button', { name: 'Continue with SSO' })
  const gate = client.page.getByRole('region', { name: /^Sign in again/ })
  const opened = client.context.waitForEvent('page')
  await button.click()
  const provider = await opened
  const form = provider.locator(`input[value="${username}"]`)
  const asked = form.waitFor().then(
    () => true,
    () => false,
  )
  const done = gate.waitFor({ state: 'detached' }).then(() => false)
  if (await Promise.race([asked, done])) await fillIn(provider, demo, username)
  await done
  await provider.close()
}

/** Name and password on the provider’s page. */
export async function fillIn(provider: Page, demo: Pick<Ready, 'people'>, username: string): Promise<void> {
  const person = demo.people.find((candidate) => candidate.username === username)
  if (person === undefined) throw new Error(`no ${username} in the demo`)
  await provider.locator(`input[value="${username}"]`).check()
  await provider.getByLabel('Password').fill(person.password)
  await provider.getByRole('button', { name: 'Sign in' }).click()
}

/** The provider's second page; in the demo it shows what a phone would. */
export async function secondFactor(provider: Page): Promise<void> {
  const code = await provider.locator('.phone').innerText()
  await provider.getByLabel('Code').fill(code)
  await provider.getByRole('button', { name: 'Confirm' }).click()
}
