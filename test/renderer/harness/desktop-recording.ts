import { PNG } from 'pngjs'
import type { RecordingPage } from '../../../shared/api/models.ts'
import type { RecordingEvent } from '../../../shared/recording.ts'
import * as data from './fixtures.ts'

/** A minute of a desktop: a keyframe each ten seconds, a window that moves twice a second, a resize, a refused copy. */
export const size = { width: 800, height: 500 }
const larger = { width: 1000, height: 620 }
const resizedAt = 40_000

type Tile = Extract<RecordingEvent, { type: 'frame' }>['tiles'][number]
type Color = readonly [number, number, number]

/** What one sees at a second: the window's place says when it is. */
export const windowAt = (second: number): number => 40 + second * 8
export const colors: Record<'desk' | 'window' | 'bar', Color> = {
  desk: [22, 52, 92],
  window: [236, 239, 244],
  bar: [66, 99, 235],
}

function picture(width: number, height: number, colorOf: (x: number, y: number) => Color): string {
  const png = new PNG({ width, height })
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) png.data.set([...colorOf(x, y), 255], (y * width + x) * 4)
  }
  return PNG.sync.write(png).toString('base64')
}

function whole(second: number, { width, height }: typeof size): Tile {
  const left = windowAt(second)
  const png = picture(width, height, (x, y) => {
    const inside = x >= left && x < left + 240 && y >= 120 && y < 300
    return inside ? (y < 144 ? colors.bar : colors.window) : colors.desk
  })
  return { x: 0, y: 0, width, height, png }
}

/** The part that changes when the window moves from one second to the next. */
function moved(second: number): Tile {
  const from = windowAt(second - 1)
  const png = picture(248, 180, (x, y) => (x < 8 ? colors.desk : y < 24 ? colors.bar : colors.window))
  return { x: from, y: 120, width: 248, height: 180, png }
}

function make(): RecordingEvent[] {
  const events: RecordingEvent[] = [{ type: 'desktop', at: 0, ...size }]
  events.push({ type: 'request', at: 0, n: 1, action: 'rdp:connect', text: 'fin-desk-01', outcome: 'allowed' })
  for (let second = 0; second <= 60; second += 1) {
    const at = second * 1000
    const now = at < resizedAt ? size : larger
    if (at === resizedAt) events.push({ type: 'desktop', at, ...larger })
    const key = second % 10 === 0
    events.push({ type: 'frame', at, key, tiles: [key ? whole(second, now) : moved(second)] })
    if (second % 3 === 1) {
      const pointer = { x: windowAt(second) + 60, y: 132 }
      events.push({ type: 'input', at: at + 100, keys: second % 9 === 1 ? 12 : 0, clicks: 1, moves: 4, pointer })
    }
    if (second === 15) {
      events.push({ type: 'clipboard', at: at + 200, direction: 'in', format: 'text', bytes: 1204 })
    }
    if (second === 27) {
      const policy = data.desktopPolicies.copyOut
      events.push({ type: 'request', at, n: 2, action: 'rdp:clipboard', text: 'copy out', outcome: 'blocked', policy })
    }
  }
  events.push({ type: 'end', at: 60_500, reason: 'closed by the client' })
  return events
}

const events = make()

const keyframes = events.flatMap((event, after) =>
  event.type === 'frame' && event.key ? [{ at: event.at, after }] : [],
)

export function desktopPage({ id, after, limit }: { id: string; after: number; limit: number }): RecordingPage {
  const page = events.slice(after, after + limit)
  const next = after + page.length
  return {
    manifest: {
      version: 1,
      session: id,
      principal: { ...data.people.linus, groups: ['engineers'] },
      connection: { name: 'fin-desk-01', kind: 'rdp', environment: 'production', tags: [] },
      startedAt: data.at(-3600_000),
      endedAt: data.at(-3600_000 + 60_500),
      chunks: [1, 2].map((chunk) => ({ chunk, sha256: 'a'.repeat(64), bytes: 1000, events: 5 })),
      keyframes,
    },
    events: page,
    ...(next < events.length ? { next } : {}),
    live: false,
  }
}
