import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { PNG } from 'pngjs'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { connectionRequest } from '../../agent/inspect/rdp/frames.ts'
import { readPdu } from '../../agent/inspect/rdp/read-pdu.ts'
import { allow, block, credential, makeIdentity, openDoor, TestPort } from '../../agent/inspect/rdp/testing/door.ts'
import { RecordingPage } from '../../shared/api/models.ts'
import { call } from '../support/access.ts'
import { secondTry } from '../support/client.ts'
import {
  copy,
  deskMs,
  desktopTools,
  difference,
  directWay,
  holdDesk,
  inside,
  letGo,
  type Native,
  type OpenedDesktop,
  openDesktop,
  openScreen,
  paste,
  type Screen,
  size,
  xfreerdp,
} from '../support/desktop.ts'
import { run } from '../support/run.ts'

/** xfreerdp under Xvfb, through tunnel, gateway and inspector, at a real xrdp. */
const demo = inject('demo')
const possible = desktopTools && demo.targets?.['desk-1'] !== undefined

let screen: Screen
const open: { close(): unknown }[] = []

/** As on a desktop with text on a white window: not black, and the same three times. */
async function settled(): Promise<PNG> {
  let last = await screen.picture()
  let same = 0
  await expect
    .poll(
      async () => {
        const now = await screen.picture()
        same = difference(last, now) === 0 && brightness(now) > 0.1 ? same + 1 : 0
        last = now
        return same
      },
      { interval: 300 },
    )
    .toBeGreaterThanOrEqual(2)
  return last
}

/** What is on the screen becomes the same as `picture`. */
async function becomes(picture: PNG): Promise<void> {
  await expect.poll(async () => difference(await screen.picture(), picture), { interval: 300 }).toBeLessThan(0.002)
}

function brightness({ data }: PNG): number {
  let white = 0
  for (let i = 0; i < data.length; i += 4) if ((data[i] ?? 0) > 200) white++
  return white / (data.length / 4)
}

async function start(more: readonly string[] = []): Promise<{ desktop: OpenedDesktop; native: Native; seen: PNG }> {
  const desktop = await openDesktop(demo, 'engineer')
  await expect.poll(() => desktop.annotations[0]).toMatchObject({ kind: 'allowed', command: 'rdp:connect' })
  const native = xfreerdp(screen, desktop, more)
  open.push(native, desktop)
  return { desktop, native, seen: await settled() }
}

async function recording(id: string): Promise<RecordingPage> {
  const answer = await call(demo, 'auditor', 'GET', `/recordings/${id}?limit=1000`)
  return RecordingPage.parse(answer.body)
}

/** The recording of a session that is over, when all of it is there. */
async function finished(id: string): Promise<RecordingPage> {
  await expect.poll(async () => (await recording(id)).manifest.endedAt).toBeDefined()
  return recording(id)
}

describe.skipIf(!possible)('a desktop through the door', secondTry, () => {
  let release = async (): Promise<void> => {}
  beforeAll(async () => {
    release = await holdDesk(demo)
  }, deskMs)
  afterAll(() => release())

  // A screen for each test: nothing of another one is on it.
  beforeEach(async () => {
    screen = await openScreen()
  })
  afterEach(async () => {
    for (const each of open.splice(0)) await each.close()
    await screen.close()
    await letGo(demo)
  })

  test('opens signed in, looks as it does without the gateway, and the recording shows the same', async () => {
    const { desktop, native, seen } = await start()
    // What the person saw is in the first keyframe of the recording.
    await expect
      .poll(async () => (await recording(desktop.sessionId)).events.some((e) => e.type === 'frame'))
      .toBe(true)
    await native.close()
    await desktop.closed
    await letGo(demo)
    const direct = xfreerdp(screen, directWay(demo))
    open.push(direct)
    await becomes(seen)
    await direct.close()

    const { events, manifest } = await finished(desktop.sessionId)
    expect(events.find((event) => event.type === 'desktop')).toMatchObject(size)
    expect(difference(played(events), seen)).toBeLessThan(0.002)
    expect(manifest.keyframes?.[0]?.after).toBe(events.findIndex((event) => event.type === 'frame' && event.key))
    expect(events.filter((e) => e.type === 'request').map((e) => [e.action, e.outcome])).toEqual(
      expect.arrayContaining([
        ['rdp:connect', 'allowed'],
        ['rdp:drive', 'blocked'],
        ['rdp:printer', 'blocked'],
      ]),
    )
    const verified = await call(demo, 'auditor', 'GET', `/recordings/${desktop.sessionId}/verify`)
    expect(verified.body).toMatchObject({ ok: true })
  })

  test('keeps drives out of the negotiation, and the clipboard one way', async () => {
    const { desktop, native } = await start(['/drive:local,/etc', '+clipboard'])
    await expect
      .poll(() => desktop.annotations)
      .toContainEqual(expect.objectContaining({ kind: 'blocked', command: 'rdp:drive' }))
    const desk = await inside(demo)
    // In: the person copies, the desktop pastes.
    await copy(screen.display, 'ship 12 anchors, card 4111 1111 1111 1111')
    await expect.poll(() => paste(desk.display, desk)).toBe('ship 12 anchors, card 4111 1111 1111 1111')
    // Out: the desktop copies, and the person's clipboard stays as it was.
    await copy(desk.display, 'secret of production', desk)
    await expect
      .poll(() => desktop.annotations.map((a) => (a.kind === 'blocked' ? a.policy.id : '')))
      .toContain('desk-copy-out')
    expect(await paste(screen.display)).not.toContain('secret of production')
    await native.close()
    await desktop.closed
    const { events } = await finished(desktop.sessionId)
    const crossed = events.filter((event) => event.type === 'clipboard')
    expect(crossed.length).toBeGreaterThan(0)
    for (const event of crossed) {
      expect(event).toMatchObject({ direction: 'in', format: 'text' })
      expect(event.text).not.toContain('4111 1111 1111 1111')
      expect(event.text).toContain('ship 12 anchors')
    }
    expect(JSON.stringify(events)).not.toContain('secret of production')
  })

  /** The desktop behind an inspector of its own, under a policy that lets the clipboard go in these directions. */
  async function startWith(directions: readonly ('in' | 'out')[]) {
    const { port: targetPort, user, password } = directWay(demo)
    const port = new TestPort()
    port.rule = ({ action, direction }) =>
      action === 'rdp:connect' ||
      (action === 'rdp:clipboard' && direction !== undefined && directions.includes(direction))
        ? allow
        : block
    const certificates = [await certificateOf(targetPort)]
    const target = { kind: 'rdp', host: '127.0.0.1', port: targetPort, user, password, domain: '' } as const
    const door = await openDoor(
      { ...target, tls: { mode: 'pinned', certificates } },
      await makeIdentity('Sallyport'),
      () => port,
    )
    const way = { port: door.port, user: credential.username, password: credential.password, certificate: undefined }
    const native = xfreerdp(screen, way, ['+clipboard'])
    open.push(native, door)
    await settled()
    return { port, native }
  }

  test('the clipboard goes both ways where policy allows both, and sizes alone are kept where it keeps no text', async () => {
    const { port, native } = await startWith(['in', 'out'])
    const desk = await inside(demo)
    await copy(screen.display, 'twelve anchors')
    await expect.poll(() => paste(desk.display, desk)).toBe('twelve anchors')
    await copy(desk.display, 'nine lamps', desk)
    await expect.poll(() => paste(screen.display)).toBe('nine lamps')
    const crossed = port.events.filter((event) => event.type === 'clipboard')
    expect(new Set(crossed.map(({ direction, format }) => `${direction} ${format}`))).toEqual(
      new Set(['in text', 'out text']),
    )
    for (const event of crossed) expect(event.text).toBeUndefined()
    await native.close()
  })

  test('the clipboard comes out alone where policy allows that alone', async () => {
    const { port, native } = await startWith(['out'])
    const desk = await inside(demo)
    await copy(desk.display, 'six ropes', desk)
    await expect.poll(() => paste(screen.display)).toBe('six ropes')
    await copy(screen.display, 'not for production')
    await expect.poll(() => port.said.map((a) => (a.kind === 'blocked' ? a.command : ''))).toContain('rdp:clipboard in')
    expect(await paste(desk.display, desk)).not.toContain('not for production')
    const crossed = port.events.filter((event) => event.type === 'clipboard')
    expect(new Set(crossed.map(({ direction }) => direction))).toEqual(new Set(['out']))
    await native.close()
  })

  test('keeps its state for the next session; what is typed shows, and is recorded as a count alone', async () => {
    const typing = 'echo harbour-$((40+2)) | tee said'
    const first = await start()
    const env = { DISPLAY: screen.display }
    await run('xdotool', ['mousemove', '300', '200', 'click', '1', 'type', '--delay', '40', typing], { env })
    await run('xdotool', ['key', 'Return'], { env })
    await run('xdotool', ['mousemove', '900', '600'], { env })
    const { home } = await inside(demo)
    await expect.poll(() => readFile(join(home, 'said'), 'utf8').catch(() => 'not yet')).toBe('harbour-42\n')
    // The key that ran it shows as the last of all.
    await expect.poll(async () => difference(await screen.picture(), first.seen)).toBeGreaterThan(0)
    const typed = await settled()
    await first.native.close()
    await first.desktop.closed
    await letGo(demo)
    const again = await start()
    await becomes(typed)
    await again.native.close()
    const { events } = await finished(first.desktop.sessionId)
    const keys = events.reduce((sum, event) => sum + (event.type === 'input' ? event.keys : 0), 0)
    expect(keys).toBeGreaterThanOrEqual(typing.length)
    expect(JSON.stringify(events.map((event) => (event.type === 'frame' ? {} : event)))).not.toContain('harbour')
  })

  test('is ended by somebody else, and the native program says so', async () => {
    const { desktop, native } = await start()
    const killed = await call(demo, 'dba', 'POST', `/sessions/${desktop.sessionId}/kill`, { reason: 'end of shift' })
    expect(killed.status).toBeLessThan(300)
    // FreeRDP's own code for a session that an administrator ended.
    expect(await native.exited).toBe(2)
    expect(native.said.join('\n')).toMatch(/ERRINFO_RPC_INITIATED_DISCONNECT/)
    expect(await desktop.closed).toMatch(/end of shift/)
  })

  test.each([
    ['another password', (way: OpenedDesktop) => ({ ...way, password: 'guessed' })],
    ['another name', (way: OpenedDesktop) => ({ ...way, user: 'ada' })],
  ])('turns away a program with %s', async (_, change) => {
    const desktop = await openDesktop(demo, 'engineer')
    open.push(desktop)
    const native = xfreerdp(screen, change(desktop))
    open.push(native)
    expect(await native.exited).not.toBe(0)
    await desktop.closed
    await expect.poll(() => desktop.annotations.at(-1)).toMatchObject({ kind: 'ended' })
  })

  test('is not for contractors', async () => {
    await expect(openDesktop(demo, 'contractor')).rejects.toThrow(/FORBIDDEN|no connection|Blocked/)
  })
})

/** The target's own certificate, by its fingerprint. */
async function certificateOf(port: number): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port })
  socket.write(connectionRequest(1))
  await readPdu(socket, { signal: AbortSignal.timeout(10_000), limit: 1_000, more: false, who: 'target' })
  const secure = connectTls({ socket, rejectUnauthorized: false })
  await once(secure, 'secureConnect')
  const { fingerprint256 } = secure.getPeerCertificate()
  secure.destroy()
  return fingerprint256
}

/** The last picture of a recording. */
function played(events: RecordingPage['events']): PNG {
  const canvas = new PNG({ ...size })
  for (const event of events) {
    if (event.type !== 'frame') continue
    for (const { x, y, width, height, png } of event.tiles) {
      PNG.bitblt(PNG.sync.read(Buffer.from(png, 'base64')), canvas, 0, 0, width, height, x, y)
    }
  }
  return canvas
}
