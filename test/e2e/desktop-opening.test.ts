import { spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Browser, Locator } from 'playwright-core'
import { PNG } from 'pngjs'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import { makeIdentity } from '../../agent/inspect/rdp/testing/door.ts'
import type { Role } from '../support/access.ts'
import { machineEnv, sallyport } from '../support/cli.ts'
import { type Client, chromiumPath, launchPages, openClient, secondTry, signIn } from '../support/client.ts'
import { type RunningDemo, startDemo } from '../support/demo.ts'
import { deskMs, desktopTools, letGo, openDesktop, xfreerdp } from '../support/desktop.ts'
import { canShowDesktops, type Display, openDisplay, whiteness } from '../support/display.ts'
import { end } from '../support/run.ts'

/**
 * What stands before a desktop is open: an approval, and the target's certificate. Through gateway, page and command line, with a target of
 * its own under a policy that asks.
 */
const root = join(import.meta.dirname, '..', '..')
const main = join(root, 'cli', 'main.ts')
const possible = canShowDesktops && desktopTools && inject('demo').targets?.['desk-1'] !== undefined

/** DBAs need nobody, engineers wait for one of them; who is on call has three seconds, after which nobody decided. */
const asks = `
@id("desk-dba")
@reason("DBAs may open desk-1.")
permit (principal in Group::"dba", action == Action::"rdp:connect", resource == Connection::"desk-1");

@id("desk-asks")
@reason("A desktop in production needs an approval from dba.")
@approve("dba")
@window("30m")
permit (principal in Group::"engineers", action == Action::"rdp:connect", resource == Connection::"desk-1")
unless { principal in Group::"on-call" };

@id("desk-asks-briefly")
@reason("On call, the approval has to come at once.")
@approve("dba")
@window("30m")
@expires("3s")
permit (principal in Group::"on-call", action == Action::"rdp:connect", resource == Connection::"desk-1");
`

describe.skipIf(!possible || chromiumPath === undefined)('a desktop is opened', secondTry, () => {
  let folder: string
  let running: RunningDemo
  let display: Display
  let browser: Browser
  let ada: Client
  let grace: Client
  const children: ReturnType<typeof spawn>[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sallyport-held-'))
    await cp(join(root, 'demo', 'policy'), folder, { recursive: true })
    const file = join(folder, 'demo.cedar')
    const policy = await readFile(file, 'utf8')
    const changed = policy.replace(
      'action in [Action::"rdp:connect", Action::"rdp:audio"',
      'action in [Action::"rdp:audio"',
    )
    expect(changed).not.toBe(policy)
    await writeFile(file, changed + asks)
    ;[running, display, browser] = await Promise.all([startDemo({ policy: folder }), openDisplay(), launchPages()])
    ;[ada, grace] = await Promise.all([enter('ada'), enter('grace')])
  }, deskMs)

  afterEach(async () => {
    for (const child of children.splice(0)) await end(child)
    await letGo(running.ready)
  })

  afterAll(async () => {
    for (const child of children.splice(0)) await end(child)
    await ada?.close()
    await grace?.close()
    await browser?.close()
    await display?.close()
    await running?.stop()
    if (folder !== undefined) await rm(folder, { recursive: true, force: true })
  })

  async function enter(person: string): Promise<Client> {
    const client = await openClient(browser, running.ready, { env: { DISPLAY: display.name } })
    await signIn(client, running.ready, person)
    return client
  }

  const shown = async () => whiteness(await display.shot())
  const held = () => ada.page.getByRole('heading', { name: 'Held until it is approved' })

  /** How often somebody was at the target, by its own log. */
  async function visits(): Promise<number> {
    const log = await readFile(join(running.ready.dataDir, 'world', 'desk-1', 'xrdp.log'), 'utf8')
    return log.split('Connected client computer name').length - 1
  }

  async function launch(): Promise<void> {
    const { page } = ada
    const again = page.getByRole('button', { name: 'Launch', exact: true })
    if (await again.isVisible()) await again.click()
    else await page.getByRole('treeitem', { name: 'desk-1' }).first().click()
    await held().waitFor()
  }

  /** In grace's window, at the request of ada's that waits for her. */
  async function decide(verdict: 'Approve' | 'Deny', comment = ''): Promise<void> {
    const { page } = grace
    await page.getByRole('button', { name: 'Requests' }).first().click()
    await page.getByRole('radio', { name: /^To review/ }).click()
    const needed = page.getByRole('region', { name: 'Needs you' })
    await needed
      .getByRole('button', { name: /Ada.*desk-1/ })
      .first()
      .click()
    if (comment !== '') await page.getByRole('textbox', { name: /^Comment/ }).fill(comment)
    await page
      .getByRole('main')
      .getByRole('button', { name: new RegExp(`^${verdict}`) })
      .click()
  }

  async function over({ page } = ada): Promise<void> {
    await page.getByRole('button', { name: 'End session' }).click()
    await page.getByRole('heading', { name: 'The session is over' }).waitFor()
  }

  /** `sallyport rdp desk-1` as a job: its lines, and its end. */
  async function command(role: Role) {
    const env = { ...process.env, ...(await machineEnv(running.ready, role)), DISPLAY: display.name }
    const child = spawn(process.execPath, [main, 'rdp', 'desk-1', '--json'], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    children.push(child)
    const said: string[] = []
    const told: string[] = []
    createInterface({ input: child.stderr }).on('line', (line) => said.push(line))
    createInterface({ input: child.stdout }).on('line', (line) => told.push(line))
    const ended = once(child, 'close').then(([code]) => Number(code))
    return { child, said: () => said.join('\n'), told: () => told.join('\n'), ended }
  }

  const requestIn = (text: string) => /req_[A-Za-z0-9]+/.exec(text)?.[0]

  test('waits in the tab, and opens by itself when a reviewer approves', async () => {
    const before = await visits()
    await launch()
    const state = await ada.page.getByRole('region', { name: 'State' }).innerText()
    expect(state).toContain('desk-asks')
    expect(state).toContain('A desktop in production needs an approval from dba.')
    // Nothing was started, nor reached.
    expect(await shown()).toBeLessThan(0.01)
    expect(await visits()).toBe(before)
    await decide('Approve')
    await ada.page.getByRole('heading', { name: 'Live in FreeRDP' }).waitFor()
    await expect.poll(shown).toBeGreaterThan(0.1)
    expect(await visits()).toBe(before + 1)
    await over()
  })

  test('denied, the tab says by whom and why, and the target hears nothing', async () => {
    const before = await visits()
    await launch()
    await decide('Deny', 'Not during the stocktaking.')
    await ada.page.getByRole('heading', { name: 'The session ended' }).waitFor()
    const state = ada.page.getByRole('region', { name: 'State' })
    await expect.poll(() => state.innerText()).toContain('grace denied it: Not during the stocktaking.')
    expect(await visits()).toBe(before)
  })

  test('in this window, too, it waits and opens by itself', async () => {
    await ada.page.getByRole('button', { name: 'Change program' }).click()
    await ada.page.getByRole('menuitem', { name: 'this window' }).click()
    await held().waitFor()
    await decide('Approve')
    const canvas = ada.page.getByRole('img', { name: 'Screen of desk-1' })
    await canvas.waitFor()
    await expect.poll(async () => whiteness(await pixelsOf(canvas))).toBeGreaterThan(0.1)
    await over()
  })

  test('on the command line it waits, too; approved there, the program opens', async () => {
    const { child, said, told, ended } = await command('engineer')
    await expect.poll(() => requestIn(said())).toBeDefined()
    expect(said()).toContain('desk-asks')
    expect(told()).toBe('')
    expect((await sallyport(running.ready, 'dba', ['approve', requestIn(said()) ?? ''])).code).toBe(0)
    await expect.poll(told).toContain('"state":"open"')
    child.kill('SIGINT')
    await ended
  })

  test('denied, and expired, it says so, with the exit code of what was not approved', async () => {
    const before = await visits()
    const [denied, expired] = await Promise.all([command('engineer'), command('oncall')])
    await expect.poll(() => requestIn(denied.said())).toBeDefined()
    await sallyport(running.ready, 'dba', ['deny', requestIn(denied.said()) ?? '', '--reason', 'use the replica'])
    expect(await denied.ended).toBe(5)
    expect(denied.said()).toMatch(/[Dd]enied.*use the replica/)
    expect(await expired.ended).toBe(5)
    expect(expired.said()).toContain('desk-asks-briefly')
    expect(expired.said()).toMatch(/expired|in time/)
    for (const { told } of [denied, expired]) expect(told()).toBe('')
    expect(await visits()).toBe(before)
  })

  test('by a grant it is opened at once; taken back, it is over, and the native program says so', async () => {
    const demo = running.ready
    const ask = ['request', 'desk-1', '--for', '30m', '--action', 'rdp:connect', '--reason', 'stocktaking']
    const request = requestIn(Object.values(await sallyport(demo, 'engineer', ask)).join(' ')) ?? ''
    expect((await sallyport(demo, 'dba', ['approve', request])).code).toBe(0)
    const desktop = await openDesktop(demo, 'engineer')
    await expect.poll(() => desktop.annotations[0]).toMatchObject({ kind: 'granted', command: 'rdp:connect' })
    const native = xfreerdp({ display: display.name }, desktop)
    children.push(native.child)
    await expect.poll(shown).toBeGreaterThan(0.1)
    expect((await sallyport(demo, 'dba', ['revoke', request])).code).toBe(0)
    // FreeRDP's own code for a session that an administrator ended.
    expect(await native.exited).toBe(2)
    expect(native.said.join('\n')).toContain('ERRINFO_RPC_INITIATED_DISCONNECT')
    expect(await desktop.closed).toMatch(/desk-asks|grant/i)
    expect(await shown()).toBeLessThan(0.01)
  })

  test('expired in the tab, it says that nobody decided in time', async () => {
    const linus = await enter('linus')
    try {
      await linus.page.getByRole('treeitem', { name: 'desk-1' }).first().click()
      await linus.page.getByRole('heading', { name: 'Held until it is approved' }).waitFor()
      await linus.page.getByText('Nobody decided on the request in time.').first().waitFor()
      expect(await shown()).toBeLessThan(0.01)
    } finally {
      await linus.close()
    }
  })

  test('with another certificate than the one that was pinned, it is not, and both say what to do', async () => {
    const desk = join(running.ready.dataDir, 'world', 'desk-1')
    const files = [join(desk, 'cert.pem'), join(desk, 'key.pem')] as const
    const before = await Promise.all(files.map((file) => readFile(file)))
    const visited = await visits()
    const other = await makeIdentity('desk-1')
    const words = [
      `the target showed the certificate ${new X509Certificate(other.certificate).fingerprint256}`,
      'nothing was sent to it',
      'whoever keeps this connection checks it and adds it to tls.certificates of its target',
    ]
    const { page } = grace
    const again = page.getByRole('button', { name: 'Launch', exact: true })
    try {
      await Promise.all([writeFile(files[0], other.certificate), writeFile(files[1], other.key)])
      await page.getByRole('navigation', { name: 'Areas' }).getByRole('button', { name: 'Connections' }).click()
      if (await again.isVisible()) await again.click()
      else await page.getByRole('treeitem', { name: 'desk-1' }).first().click()
      const state = page.getByRole('region', { name: 'State' })
      for (const each of words) await expect.poll(() => state.innerText()).toContain(each)
      await page.getByRole('heading', { name: 'The session ended' }).waitFor()
      const { ended, said } = await command('dba')
      expect(await ended).toBe(1)
      for (const each of words) expect(said()).toContain(each)
      expect(await shown()).toBeLessThan(0.01)
      expect(await visits()).toBe(visited)
    } finally {
      await Promise.all(files.map((file, i) => writeFile(file, before[i] ?? '')))
    }
    // With the one that is pinned, it is opened again.
    await again.click()
    await expect.poll(shown).toBeGreaterThan(0.1)
    expect(await visits()).toBe(visited + 1)
    await over(grace)
  })
})

/** The pixels of a canvas, whatever its size in the page. */
async function pixelsOf(canvas: Locator): Promise<PNG> {
  const url = String(await canvas.evaluate((element) => element.toDataURL()))
  return PNG.sync.read(Buffer.from(url.split(',')[1] ?? '', 'base64'))
}
