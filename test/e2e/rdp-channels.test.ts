import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { allow, block, credential, makeIdentity, openDoor, TestPort } from '../../agent/inspect/rdp/testing/door.ts'
import { type FakeTarget, startTarget } from '../../agent/inspect/rdp/testing/peers.ts'
import type { Identity } from '../../agent/inspect/rdp/tls.ts'
import { secondTry } from '../support/client.ts'
import { desktopTools, openScreen, type Screen, xfreerdp } from '../support/desktop.ts'

/** FreeRDP asks for all that it has; what a target hears of it, on the wire, is what policy allows. */
const everything = [
  '+clipboard',
  '/drive:local,/etc',
  '/printer',
  '/sound:sys:fake',
  '/microphone:sys:fake',
  '/smartcard',
  '/serial:x,/dev/null',
]

describe.skipIf(!desktopTools)('what FreeRDP asks for', secondTry, () => {
  let screen: Screen
  let ours: Identity
  let target: FakeTarget
  const open: { close(): unknown }[] = []

  beforeAll(async () => {
    screen = await openScreen()
    ours = await makeIdentity('Sallyport')
    target = await startTarget(await makeIdentity('desk'))
  })
  afterEach(async () => {
    for (const each of open.splice(0)) await each.close()
  })
  afterAll(async () => {
    await target?.close()
    await screen?.close()
  })

  /** What the target was asked for where policy allows these actions. */
  async function heard(...actions: readonly string[]): Promise<string[] | undefined> {
    const port = new TestPort()
    port.rule = ({ action, direction }) =>
      action === 'rdp:connect' || actions.includes(direction === undefined ? action : `${action} ${direction}`)
        ? allow
        : block
    const door = await openDoor(target.address, ours, () => port)
    open.push(door)
    const before = target.settings.length
    const native = xfreerdp(
      screen,
      { port: door.port, user: credential.username, password: credential.password, certificate: undefined },
      everything,
    )
    open.push(native)
    await expect.poll(() => target.settings.length).toBeGreaterThan(before)
    return target.settings
      .at(-1)
      ?.channels.map(({ name }) => name)
      .sort()
  }

  test.each([
    { allowed: [], channels: ['drdynvc'] },
    { allowed: ['rdp:clipboard in'], channels: ['cliprdr', 'drdynvc'] },
    { allowed: ['rdp:clipboard out'], channels: ['cliprdr', 'drdynvc'] },
    { allowed: ['rdp:drive'], channels: ['drdynvc', 'rdpdr'] },
    { allowed: ['rdp:printer'], channels: ['drdynvc', 'rdpdr'] },
    { allowed: ['rdp:audio'], channels: ['drdynvc', 'rdpsnd'] },
    {
      allowed: ['rdp:clipboard in', 'rdp:clipboard out', 'rdp:drive', 'rdp:printer', 'rdp:audio', 'rdp:usb'],
      channels: ['cliprdr', 'drdynvc', 'rdpdr', 'rdpsnd'],
    },
  ])('where policy allows $allowed, the target hears of $channels', async ({ allowed, channels }) => {
    expect(await heard(...allowed)).toEqual(channels)
  })
})
