import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import { z } from 'zod'
import { call } from '../support/access.ts'
import { machineEnv, sallyport } from '../support/cli.ts'
import { chromiumPath, launchPages, openClient, secondTry, signIn } from '../support/client.ts'
import { deskMs, holdDesk, letGo } from '../support/desktop.ts'
import { canShowDesktops, type Display, openDisplay, whiteness } from '../support/display.ts'
import { end, run, which } from '../support/run.ts'

/** Desktops as people open them: the native program, started by the client, through the gateway to a real xrdp. */
const demo = inject('demo')
const main = join(import.meta.dirname, '..', '..', 'cli', 'main.ts')

const Told = z.object({
  state: z.string(),
  program: z.string().optional(),
  sessionId: z.string(),
  host: z.string().optional(),
  port: z.number().optional(),
})
const Printed = z.object({
  host: z.string(),
  port: z.number(),
  user: z.string(),
  password: z.string(),
  certificate: z.string(),
})

describe.skipIf(!canShowDesktops || demo.targets?.['desk-1'] === undefined)('desktops', secondTry, () => {
  let display: Display
  let env: Record<string, string>
  const running: ChildProcess[] = []

  let release = async (): Promise<void> => {}

  beforeAll(async () => {
    release = await holdDesk(demo)
    display = await openDisplay()
    env = { ...(await machineEnv(demo, 'engineer')), DISPLAY: display.name }
  }, deskMs)

  afterEach(async () => {
    for (const child of running.splice(0)) await end(child)
    await letGo(demo)
  })

  afterAll(async () => {
    await release()
    await display?.close()
  })

  /** `sallyport rdp desk-1`, with its lines as they come. */
  function start(args: readonly string[]): { child: ChildProcess; lines: Interface; said: () => string } {
    const child = spawn(process.execPath, [main, 'rdp', 'desk-1', '--json', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    })
    running.push(child)
    let text = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    if (child.stdout === null) throw new Error('no stdout')
    return { child, lines: createInterface({ input: child.stdout }), said: () => text }
  }

  async function opened(lines: Interface): Promise<z.infer<typeof Told>> {
    for await (const line of lines) {
      const told = Told.parse(JSON.parse(line))
      if (told.state === 'open') return told
    }
    throw new Error('it never opened')
  }

  const desktopShown = () => expect.poll(async () => whiteness(await display.shot())).toBeGreaterThan(0.1)

  test('opens in FreeRDP, leaves nothing behind, lets nobody else in, and ends when it is ended', async () => {
    const { child, lines, said } = start([])
    const { port, sessionId } = await opened(lines)
    await desktopShown()
    await expect.poll(() => readdir(join(env.SALLYPORT_HOME ?? '', 'cli', 'desktops'))).toEqual([])
    await expect(once(connect(port ?? 0, '127.0.0.1'), 'connect')).rejects.toThrow('ECONNREFUSED')
    const command = await commandLineOf('xfreerdp', child.pid ?? 0)
    expect(command.join(' ')).toMatch(/\/from-stdin:force/)
    expect(command.join(' ')).not.toMatch(/\/p:|password/i)
    const exited = once(child, 'close')
    expect((await call(demo, 'oncall', 'POST', `/sessions/${sessionId}/kill`, { reason: 'maintenance' })).status).toBe(
      200,
    )
    expect((await exited)[0]).toBe(1)
    expect(said()).toContain('maintenance')
  })

  test('printed for a program of one’s own: one connection, with the right name, and no other', async () => {
    const { lines } = start(['--print'])
    const [line] = await once(lines, 'line')
    const { host, port, user, password, certificate } = Printed.parse(JSON.parse(String(line)))
    const other = connect(port, host)
    other.write(
      Buffer.from('0300002b26e00000000000436f6f6b69653a206d737473686173683d726f6f740d0a0100080001000000', 'hex'),
    )
    await once(
      other.on('error', () => {}),
      'close',
    )
    const own = spawn(
      'xfreerdp',
      [
        `/v:${host}:${port}`,
        `/u:${user}`,
        '/from-stdin:force',
        '/sec:tls',
        `/cert:fingerprint:sha256:${certificate.toLowerCase()}`,
      ],
      { stdio: ['pipe', 'ignore', 'ignore'], env: { ...process.env, DISPLAY: display.name } },
    )
    running.push(own)
    own.stdin?.end(`${password}\n`)
    await desktopShown()
  })

  test.skipIf(which('remmina') === undefined)('another program, once chosen, is the one from then on', async () => {
    for (const args of [['--program', 'remmina'], []]) {
      const { child, lines } = start(args)
      expect(await opened(lines)).toMatchObject({ program: 'remmina' })
      // In a window of its own that is smaller than the desktop.
      await expect.poll(async () => whiteness(await display.shot())).toBeGreaterThan(0.02)
      await expect.poll(() => readdir(join(env.SALLYPORT_HOME ?? '', 'cli', 'desktops'))).toEqual([])
      child.kill('SIGINT')
      await once(child, 'close')
      await expect.poll(async () => whiteness(await display.shot())).toBeLessThan(0.01)
      await letGo(demo)
    }
  })

  test('a contractor opens no desktop', async () => {
    const { code, stdout } = await run(process.execPath, [main, 'rdp', 'desk-1', '--json'], {
      env: { ...(await machineEnv(demo, 'contractor')), DISPLAY: display.name },
    })
    expect([1, 4]).toContain(code)
    expect(stdout).not.toContain('open')
  })

  test('without a program or a screen it says what to install, and opens nothing', async () => {
    const { code, stderr } = await run(process.execPath, [main, 'rdp', 'desk-1'], { env: { ...env, DISPLAY: '' } })
    expect(code).toBe(1)
    expect(stderr).toContain('Install FreeRDP')
  })

  test('connect has no endpoint for a desktop, and says what has', async () => {
    expect((await sallyport(demo, 'engineer', ['connect', 'desk-1', '--port', '0'])).stderr).toContain(
      'sallyport rdp desk-1',
    )
  })

  test.skipIf(chromiumPath === undefined)('in the client: a tab while it runs, and its recording after', async () => {
    const browser = await launchPages()
    const client = await openClient(browser, demo, { env: { DISPLAY: display.name } })
    try {
      await signIn(client, demo, 'ada')
      const { page } = client
      await page.getByRole('treeitem', { name: 'desk-1' }).first().click()
      await page.getByRole('heading', { name: 'Live in FreeRDP' }).waitFor()
      await desktopShown()
      const row = page.getByRole('row', { name: /Clipboard, from desktop/ })
      await expect.poll(() => row.innerText()).toContain('desk-copy-out')
      await page.getByRole('button', { name: 'End session' }).click()
      await page.getByRole('heading', { name: 'The session is over' }).waitFor()
      await expect.poll(async () => whiteness(await display.shot())).toBeLessThan(0.01)
    } finally {
      await client.close()
      await browser.close()
    }
    expect(client.errors).toEqual([])
  })
})

/** The arguments of a program that a process has started, as anybody on the machine can read them. */
async function commandLineOf(program: string, parent: number): Promise<string[]> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
    if (!status.includes(`(${program})`) || Number(status.split(') ')[1]?.split(' ')[1]) !== parent) continue
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0')
  }
  throw new Error(`${program} is not running`)
}
