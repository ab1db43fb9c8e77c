import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  allow,
  block,
  credential,
  type Door,
  makeIdentity,
  openDoor,
  TestPort,
} from '../../agent/inspect/rdp/testing/door.ts'
import type { RdpTarget } from '../../agent/inspect/rdp/tls.ts'
import { secondTry } from '../support/client.ts'
import { desktopTools, difference, openScreen, type Screen, xfreerdp } from '../support/desktop.ts'
import { whiteness } from '../support/display.ts'
import { hasShadow, type Shadow, startShadow } from '../support/shadow.ts'

/** A real server that takes nobody without Network Level Authentication, behind the inspector; FreeRDP in front of it. */
const account = { user: 'clerk', password: 'only the gateway knows' }

describe.skipIf(!desktopTools || !hasShadow)('a desktop that insists on NLA', secondTry, () => {
  let theirs: Screen
  let ours: Screen
  let shadow: Shadow
  const open: { close(): unknown }[] = []

  beforeAll(async () => {
    ;[theirs, ours] = await Promise.all([openScreen(), openScreen()])
    shadow = await startShadow(theirs.display, account)
  })
  afterEach(async () => {
    for (const each of open.splice(0)) await each.close()
  })
  afterAll(async () => {
    await shadow?.close()
    await Promise.all([theirs?.close(), ours?.close()])
  })

  async function start(change: Partial<RdpTarget> = {}) {
    const target: RdpTarget = {
      kind: 'rdp',
      host: '127.0.0.1',
      port: shadow.port,
      domain: '',
      ...account,
      tls: { mode: 'pinned', certificates: [shadow.certificate] },
      ...change,
    }
    const port = new TestPort()
    const door: Door = await openDoor(target, await makeIdentity('Sallyport'), () => port)
    const native = xfreerdp(
      ours,
      { port: door.port, user: credential.username, password: credential.password, certificate: undefined },
      ['/size:1280x900'],
    )
    open.push(native, door)
    return { port, door, native }
  }

  test('opens signed in, and the program shows what is on it', async () => {
    const { port } = await start()
    // Its window is white: two black screens would be the same too.
    await expect.poll(async () => whiteness(await theirs.picture())).toBeGreaterThan(0.1)
    await expect
      .poll(async () => difference(await ours.picture(), await theirs.picture()), { interval: 500 })
      .toBeLessThan(0.02)
    await expect.poll(() => port.events.some((event) => event.type === 'frame')).toBe(true)
  })

  test('a grant that is taken back ends it, and the program says so', async () => {
    const { port, door, native } = await start()
    await expect.poll(() => port.events.some((event) => event.type === 'frame')).toBe(true)
    port.rule = ({ action }) => (action === 'rdp:connect' ? block : allow)
    port.epoch++
    await native.exited
    expect(native.said.join('\n')).toContain('ERRINFO_RPC_INITIATED_DISCONNECT')
    expect((await door.ends[0])?.reason).toBe('Blocked by closed: No.')
  })

  test('with another password it is refused in words, and the program sees nothing of it', async () => {
    const { door, native } = await start({ password: 'guessed' })
    await native.exited
    expect((await door.ends[0])?.reason).toMatch(/the user and password that this connection has for it/)
  })

  test('with a certificate that changed, nothing is sent to it', async () => {
    const before = shadow.certificate
    await shadow.changeCertificate()
    const { door, native } = await start()
    await native.exited
    const reason = (await door.ends[0])?.reason ?? ''
    expect(reason).toMatch(/the target showed the certificate ([0-9A-F]{2}:){31}[0-9A-F]{2}, which is not one that/)
    expect(reason).not.toContain(before)
  })
})
