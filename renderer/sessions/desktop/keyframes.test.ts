import { expect, test } from 'vitest'
import type { RecordingPage } from '../../../shared/api/models.ts'
import type { RecordingEvent } from '../../../shared/recording.ts'
import { extend, lengthOf, stretchAt } from './keyframes.ts'

const tile = { x: 0, y: 0, width: 8, height: 8, png: 'cGljdHVyZQ==' }
const frame = (at: number, key: boolean): RecordingEvent => ({ type: 'frame', at, key, tiles: [tile] })

function page(
  events: RecordingEvent[],
  change: Partial<RecordingPage> = {},
  keyframes = [{ at: 0, after: 1 }],
): RecordingPage {
  return {
    manifest: {
      version: 1,
      session: 's',
      principal: { kind: 'user', id: 'ada', name: 'Ada', groups: [] },
      connection: { name: 'desk-1', kind: 'rdp', environment: 'production', tags: [] },
      startedAt: '2026-03-01T10:00:00.000Z',
      chunks: [],
      keyframes,
    },
    events,
    live: true,
    ...change,
  }
}

test('keyframes come from the manifest and from what was read since, each once', () => {
  const first = extend(
    undefined,
    page([{ type: 'desktop', at: 0, width: 8, height: 8 }, frame(0, true), frame(900, false)]),
  )
  expect(first).toMatchObject({ read: 3, keyframes: [{ at: 0, after: 1 }] })
  const second = extend(first, page([frame(5_000, false), frame(10_000, true)]))
  expect(second.keyframes).toEqual([
    { at: 0, after: 1 },
    { at: 10_000, after: 4 },
  ])
  expect(second.events).toHaveLength(5)
})

test('pictures are not kept with the outline', () => {
  const { events } = extend(undefined, page([frame(0, true)]))
  expect(JSON.stringify(events)).not.toContain(tile.png)
})

test('a moment is played from the last keyframe before it', () => {
  const keyframes = [
    { at: 100, after: 1 },
    { at: 10_000, after: 40 },
    { at: 20_000, after: 90 },
  ]
  expect(stretchAt(keyframes, 0)).toEqual({ start: keyframes[0], end: 40 })
  expect(stretchAt(keyframes, 9_999)).toEqual({ start: keyframes[0], end: 40 })
  expect(stretchAt(keyframes, 10_000)).toEqual({ start: keyframes[1], end: 90 })
  expect(stretchAt(keyframes, 99_000)).toEqual({ start: keyframes[2], end: undefined })
  expect(stretchAt([], 5)).toBeUndefined()
})

test('its length is to its end, known before it is read; a live one’s to what came last', () => {
  const ended = page([frame(0, true)], { live: false })
  ended.manifest.endedAt = '2026-03-01T10:01:00.000Z'
  expect(lengthOf(extend(undefined, ended))).toBe(60_000)
  expect(lengthOf(extend(undefined, page([frame(0, true), frame(1_500, false)])))).toBe(1_500)
})
