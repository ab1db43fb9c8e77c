import { existsSync } from 'node:fs'
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { databaseFolder, serverIn } from '../../demo/postgres/server.ts'
import { sessionToken } from '../support/access.ts'
import { sallyport } from '../support/cli.ts'
import {
  type Client,
  chromiumPath,
  fillIn,
  launchChromium,
  openClient,
  secondFactor,
  secondTry,
  signIn,
} from '../support/client.ts'
import { type RunningDemo, startDemo } from '../support/demo.ts'
import { run, which } from '../support/run.ts'
import { openTab, panel, runFor, write } from '../support/sql-page.ts'

/**
 * What needs a demo of its own: a disk that fills, a gateway that is killed, a target that goes away, and rules that want a second factor.
 * Nothing runs unrecorded, nothing recorded is lost, and nothing that was written is.
 */
const mib = 1024 * 1024
let dataDir: string
let demo: RunningDemo | undefined
let mounted = false

/** On top of the demo's policy; tables of analytics-db are emptied, and orders-db is opened, with a second factor only. */
const rules = `
@id("empty-with-mfa") @reason("Emptying a table takes a second factor.")
forbid (principal, action == Action::"sql:truncate", resource) unless { context.mfa };
@id("orders-with-mfa") @reason("orders-db is opened with a second factor.")
forbid (principal is User, action == Action::"connect", resource == Connection::"orders-db") unless { context.mfa };
`

/** A disk of its own for the recordings, small enough to fill; only root can make one. */
async function smallDisk(folder: string): Promise<boolean> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || which('mount') === undefined) return false
  await mkdir(folder, { recursive: true, mode: 0o711 })
  return (await run('mount', ['-t', 'tmpfs', '-o', 'size=128m,mode=700', 'sallyport-test', folder])).code === 0
}

const policyDir = (): string => join(dataDir, 'policy')
const recordings = (): string => join(dataDir, 'gateway', 'recordings')

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'sallyport-survives-'))
  // As root, PostgreSQL runs as an account of its own, which must be able to pass through.
  await chmod(dataDir, 0o711)
  mounted = await smallDisk(recordings())
  const policy = policyDir()
  await cp(join(import.meta.dirname, '..', '..', 'demo', 'policy'), policy, { recursive: true })
  await writeFile(join(policy, 'mfa.cedar'), rules)
  demo = await startDemo({ dataDir, policy })
})

afterAll(async () => {
  await demo?.stop()
  if (mounted) await run('umount', [recordings()])
  await rm(dataDir, { recursive: true, force: true })
})

/** Why the server ended the session, where it said so between two statements. */
const farewells = new WeakMap<pg.Client, string>()

async function session(): Promise<pg.Client> {
  if (demo === undefined) throw new Error('no demo')
  const { host, port, user, database, token } = await sessionToken(demo.ready, 'engineer', 'analytics-db')
  const client = new pg.Client({ host, port, user, database: database ?? 'analytics', password: token, ssl: false })
  // A session that is cut says so twice: in the server's words first, and then for its socket.
  client.on('error', (error) => {
    if (!farewells.has(client)) farewells.set(client, error.message)
  })
  await client.connect()
  return client
}

/** `ran` or why not. */
async function tried(client: pg.Client, sql: string): Promise<string> {
  try {
    await client.query(sql)
    return 'ran'
  } catch (error) {
    return farewells.get(client) ?? (error instanceof Error ? error.message : String(error))
  }
}

/** Runs a statement again and again until it is refused; resolves with why. What was running just then is told so as well. */
async function refusal(client: pg.Client, sql: string): Promise<string> {
  let answer = 'ran'
  await expect
    .poll(async () => {
      answer = await tried(client, sql)
      return answer
    })
    .not.toBe('ran')
  return answer
}

/** Opens a session, runs one statement, and tells how that went. */
async function triedAnew(sql: string): Promise<string> {
  const client = await session()
  try {
    return await tried(client, sql)
  } finally {
    await client.end()
  }
}

test('a full disk: nothing more runs, people are told why, and all goes on when there is space', async ({ skip }) => {
  if (!mounted || demo === undefined) return skip('needs root, to mount a small disk')
  const change = "UPDATE orders SET status = 'shipped' WHERE id = 1"
  const status = "SELECT status FROM orders WHERE id = 1 AND status <> 'shipped'"
  const direct = new pg.Client({ connectionString: demo.ready.targets?.['analytics-db'] })
  await direct.connect()
  const client = await session()
  const ballast = join(recordings(), 'ballast')
  try {
    expect(await tried(client, change)).toBe('ran')
    await writeFile(ballast, Buffer.alloc(100 * mib))
    expect(await refusal(client, status)).toMatch(/recording of this session could not be written/)
    await direct.query("UPDATE orders SET status = 'captured' WHERE id = 1")
    expect(await triedAnew(change)).toMatch(/can’t be recorded, so nothing was forwarded/)
    expect((await direct.query(status)).rows).toEqual([{ status: 'captured' }])
    await rm(ballast)
    await expect.poll(() => triedAnew(change)).toBe('ran')
    expect((await direct.query(status)).rows).toEqual([])
  } finally {
    await rm(ballast, { force: true })
    await client.end()
    await direct.end()
  }
})

test('a killed gateway starts again in its folder, with what was recorded up to the kill', async () => {
  if (demo === undefined) throw new Error('no demo')
  const client = await session()
  const lost = new Promise((resolve) => client.once('end', resolve))
  expect(await tried(client, "SELECT id FROM orders WHERE id = 42 AND status <> 'before the kill'")).toBe('ran')
  await demo.kill()
  await lost
  demo = await startDemo({ dataDir, policy: policyDir() })
  const { ready } = demo
  const verified = await sallyport(ready, 'auditor', ['audit', 'verify'])
  expect(verified.stderr).toBe('')
  expect(verified.code).toBe(0)
  const listed = JSON.parse((await sallyport(ready, 'auditor', ['sessions', '--json'])).stdout)
  const replayed = await Promise.all(
    listed.map(async ({ id }: { id: string }) => (await sallyport(ready, 'auditor', ['replay', id])).stdout),
  )
  expect(replayed.filter((text) => text.includes('before the kill'))).toHaveLength(1)
  const again = await session()
  expect(await tried(again, 'SELECT 1')).toBe('ran')
  await again.end()
})

/** Ends the demo's targets at once, as when their machine is gone; returns how to start them again, and how to stop them then. */
async function loseTargets(url: string): Promise<{ start(): Promise<void>; stop(): Promise<void> }> {
  const folder = databaseFolder(join(dataDir, 'world'))
  const pidFile = join(folder, 'postmaster.pid')
  const [pid] = (await readFile(pidFile, 'utf8')).split('\n')
  process.kill(Number(pid), 'SIGQUIT')
  await expect.poll(() => existsSync(pidFile)).toBe(false)
  const quiet = { debug() {}, info() {}, warn() {}, error() {} }
  const server = serverIn(folder, Number(new URL(url).port), '', quiet)
  let started = false
  return {
    start: async () => {
      started = true
      await server.start()
    },
    stop: async () => {
      if (started) await server.stop()
    },
  }
}

/** What linus does in his client, which is closed afterwards. */
async function asLinus(act: (linus: Client, ready: RunningDemo['ready']) => Promise<void>): Promise<void> {
  if (demo === undefined) throw new Error('no demo')
  const browser = await launchChromium()
  try {
    const linus = await openClient(browser, demo.ready)
    try {
      await signIn(linus, demo.ready, 'linus')
      await act(linus, demo.ready)
      expect(linus.errors).toEqual([])
    } catch (error) {
      await linus.page.screenshot({ path: 'test-results/survives.png' })
      throw error
    } finally {
      await linus.close()
    }
  } finally {
    await browser.close()
  }
}

const runs = async (page: Page, sql: string): Promise<void> => {
  await write(page, sql)
  await page.keyboard.press('Control+Home')
  await page.keyboard.press('Control+Enter')
}

const inPage = { skip: chromiumPath === undefined, ...secondTry }

test(
  'where a second factor is all that is missing, it is asked for in place, and what was stopped goes on',
  inPage,
  () =>
    asLinus(async ({ page, context }, ready) => {
      const dialog = page.getByRole('dialog', { name: 'Confirm that it is you' })
      await openTab(page, 'orders-db')
      let opened = context.waitForEvent('page')
      await runs(page, 'SELECT 1')
      await dialog.getByText('orders-with-mfa').waitFor()
      await (await opened).close()
      // The page that waited for it is gone: nobody is asked any more.
      await page.reload()
      await panel(page).locator('.monaco-editor').first().waitFor()
      await expect.poll(() => dialog.count()).toBe(0)

      const direct = new pg.Client({ connectionString: ready.targets?.['analytics-db'] })
      await direct.connect()
      try {
        await direct.query('CREATE TABLE emptied AS SELECT 1 AS id')
        const rows = async () => (await direct.query('SELECT id FROM emptied')).rows
        await openTab(page, 'analytics-db')
        await runs(page, 'TRUNCATE emptied')
        const block = page.getByRole('group', { name: 'Blocked by empty-with-mfa' })
        opened = context.waitForEvent('page')
        await block.getByRole('button', { name: 'Confirm and run' }).click()
        await dialog.getByText(/^empty-with-mfa/).waitFor()
        expect(await rows()).toHaveLength(1)
        const provider = await opened
        await fillIn(provider, ready, 'linus')
        await secondFactor(provider)
        await expect.poll(rows).toHaveLength(0)
        await block.waitFor({ state: 'detached' })
        await provider.close()
      } finally {
        await direct.query('DROP TABLE IF EXISTS emptied')
        await direct.end()
      }
    }),
)

test('a target that is away: it is said where it was asked, and in the tree; all goes on when it is back', inPage, () =>
  asLinus(async ({ page }, ready) => {
    const row = (state: string) => page.getByRole('treeitem', { name: `analytics-db, Database${state}`, exact: true })
    await openTab(page, 'analytics-db')
    await runFor(page, 'SELECT 1 AS before', 1)
    const targets = await loseTargets(ready.targets?.['analytics-db'] ?? '')
    try {
      await runs(page, 'SELECT 2 AS after -- kept')
      const said = panel(page).getByRole('list', { name: 'Messages' })
      await said.getByText(/^The target of analytics-db can't be reached: .* Nothing was sent\. Run it again/).waitFor()
      await row(', offline').waitFor()
      expect(await panel(page).locator('.view-lines').first().innerText()).toContain('kept')
      const { stderr, code } = await sallyport(ready, 'oncall', ['exec', 'analytics-db'], { input: 'SELECT 3' })
      expect([code, stderr]).toEqual([1, expect.stringContaining("can't be reached")])
      await targets.start()
      await page.locator('.monaco-editor:visible').first().click()
      await page.keyboard.press('Control+Enter')
      await panel(page).locator('.ag-cell').getByText('2', { exact: true }).waitFor()
      await row('').waitFor()
    } finally {
      await targets.stop()
    }
  }),
)
