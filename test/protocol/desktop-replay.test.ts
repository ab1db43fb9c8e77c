import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PNG } from 'pngjs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { mcsData, u16 } from '../../agent/inspect/rdp/frames.ts'
import { type PainterClock, painters } from '../../agent/inspect/rdp/picture/painter.ts'
import { createStudio } from '../../agent/inspect/rdp/picture/studio.ts'
import { makeIdentity, openDoor, TestPort } from '../../agent/inspect/rdp/testing/door.ts'
import { demandActive, startClient, startTarget, until } from '../../agent/inspect/rdp/testing/peers.ts'
import { Recordings } from '../../gateway/recordings/recordings.ts'
import { extend, type Outline, stretchAt } from '../../renderer/sessions/desktop/keyframes.ts'
import type { RecordingPage } from '../../shared/api/models.ts'
import type { RecordingEvent } from '../../shared/recording.ts'

/**
 * A desktop that moves for half a minute and changes its size in the middle: drawn by a target, through the inspector, onto a recording of
 * the gateway's, and sought in as the client does. Only the clock is the test's.
 */
class Clock implements PainterClock {
  #now = 0
  #due: { at: number; run: () => void }[] = []

  now(): number {
    return this.#now
  }

  later(ms: number, run: () => void): () => void {
    const each = { at: this.#now + ms, run }
    this.#due.push(each)
    return () => {
      this.#due = this.#due.filter((other) => other !== each)
    }
  }

  advance(ms: number): void {
    this.#now += ms
    const due = this.#due.filter(({ at }) => at <= this.#now)
    this.#due = this.#due.filter(({ at }) => at > this.#now)
    for (const { run } of due) run()
  }
}

const before = { width: 128, height: 96 }
const after = { width: 160, height: 64 }
const square = 16
const stepMs = 500
const steps = 60
const started = new Date('2026-07-09T10:00:00Z')
const session = 'ses_replay001'

/** A square of one colour, where and in which one the step says. */
function squareOf(step: number, { width, height }: { width: number; height: number }) {
  const [columns, rows] = [width / square, height / square]
  const place = { x: (step % columns) * square, y: (Math.floor(step / columns) % rows) * square }
  return { ...place, colour: [(step * 37) % 256, (step * 91) % 256, (step * 151) % 256] as const }
}

/** A fast-path PDU with one bitmap of 24 bits. */
function drawing({ x, y, colour: [red, green, blue] }: ReturnType<typeof squareOf>): Buffer {
  const pixels = Buffer.alloc(square * square * 3, Buffer.from([blue, green, red]))
  const fields = [x, y, x + square - 1, y + square - 1, square, square, 24, 0, pixels.length]
  const update = Buffer.concat([u16(1), u16(1), ...fields.map(u16), pixels])
  const body = Buffer.concat([Buffer.from([1]), u16(update.length), update])
  const length = body.length + 3
  return Buffer.concat([Buffer.from([0, 0x80 | (length >> 8), length & 0xff]), body])
}

function paint(on: PNG, { x, y, colour }: ReturnType<typeof squareOf>): void {
  for (let row = y; row < y + square; row++) {
    for (let column = x; column < x + square; column++) on.data.set([...colour, 255], (row * on.width + column) * 4)
  }
}

function black({ width, height }: { width: number; height: number }): PNG {
  const made = new PNG({ width, height })
  for (let i = 3; i < made.data.length; i += 4) made.data[i] = 255
  return made
}

/** As the client's player does: the events of a stretch up to a moment, drawn over each other. */
function played(events: readonly RecordingEvent[], at: number): PNG | undefined {
  let screen: PNG | undefined
  for (const event of events) {
    if (event.at > at) break
    if (event.type === 'desktop') screen = black(event)
    if (event.type !== 'frame') continue
    if (event.key) {
      screen = black({
        width: Math.max(...event.tiles.map((tile) => tile.x + tile.width)),
        height: Math.max(...event.tiles.map((tile) => tile.y + tile.height)),
      })
    }
    for (const { png, x, y, width, height } of event.tiles) {
      if (screen !== undefined) PNG.bitblt(PNG.sync.read(Buffer.from(png, 'base64')), screen, 0, 0, width, height, x, y)
    }
  }
  return screen
}

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-replay-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('a desktop that moves and is resized has a keyframe every ten seconds, and any moment of it looks as it did', async () => {
  const clock = new Clock()
  const recordings = new Recordings({ dataDir: folder, log: { info() {}, warn() {}, error() {} } })
  const port = new TestPort()
  const writer = recordings.start({
    session,
    principal: port.principal,
    connection: port.connection,
    startedAt: started,
  })
  port.elapsed = () => clock.now()
  port.onRecord = (event) => {
    writer.record(event)
    return undefined
  }
  const [ours, theirs] = await Promise.all([makeIdentity('Sallyport'), makeIdentity('desk')])
  const target = await startTarget(theirs, 'tls', before)
  let drawn = 0
  const studio = createStudio((tell) => {
    const order = painters((answer) => {
      if (answer.kind === 'drawn') drawn++
      tell(answer)
    }, clock)
    return { order, close: () => Promise.resolve() }
  })
  const door = await openDoor(target.address, ours, () => port, studio)
  const client = await startClient(door.port)
  const desktops = () => port.events.filter((event) => event.type === 'desktop').length
  const frames = () => port.events.filter((event) => event.type === 'frame').length
  await until(() => desktops() === 1)
  const desk = target.streams[0]
  if (desk === undefined) throw new Error('nobody came to the target')

  const truth: { at: number; screen: PNG }[] = []
  let screen = black(before)
  let size = before
  for (let step = 0; step < steps; step++) {
    if (step === steps / 2) {
      clock.advance(stepMs / 5)
      desk.write(mcsData('server', 1002, 1003, Buffer.from('06001600ea03', 'hex')))
      desk.write(mcsData('server', 1002, 1003, demandActive(after)))
      await until(() => desktops() === 2)
      size = after
      screen = black(after)
    }
    const each = squareOf(step, size)
    const [known, had] = [drawn, frames()]
    desk.write(drawing(each))
    await until(() => drawn > known)
    paint(screen, each)
    clock.advance(stepMs)
    await until(() => frames() > had)
    truth.push({ at: clock.now(), screen: PNG.sync.read(PNG.sync.write(screen)) })
  }
  client.stream.destroy()
  await door.ends[0]
  await door.close()
  await target.close()
  await recordings.finish(session, new Date(started.getTime() + clock.now()))

  const read = async (from: number, limit: number): Promise<RecordingPage> => {
    const page = await recordings.read({ session, startedAt: started, live: false }, from, limit)
    if (page === undefined) throw new Error('there is no recording')
    return page
  }
  const first = await read(0, 1_000)
  const outline: Outline = extend(undefined, first)
  // The index is of the whole recording, and what was seen on the way is nothing else.
  expect(first.manifest.keyframes).toEqual(outline.keyframes)
  const times = outline.keyframes.map(({ at }) => at)
  expect(times.length).toBeGreaterThan(3)
  expect(Math.max(...times.slice(1).map((at, i) => at - (times[i] ?? 0)))).toBeLessThanOrEqual(10_000)

  for (const { at, screen: wanted } of truth) {
    const stretch = stretchAt(outline.keyframes, at)
    if (stretch === undefined) throw new Error('no stretch to play')
    expect(at - stretch.start.at).toBeLessThanOrEqual(10_000)
    const end = stretch.end ?? outline.read
    const { events } = await read(stretch.start.after, end - stretch.start.after)
    const shown = played(events, at)
    expect([at, shown?.width, shown?.height]).toEqual([at, wanted.width, wanted.height])
    expect([at, shown?.data.equals(wanted.data)]).toEqual([at, true])
  }
  recordings.close()
})
