import type { RecordingPage } from '../../../shared/api/models.ts'
import type { RecordingEvent } from '../../../shared/recording.ts'

/** Where playing can begin: a keyframe's time, and how many events lie before it. */
export interface Keyframe {
  at: number
  after: number
}

/** What is known of a desktop's recording: everything but the pictures, which are read where they are shown. */
export interface Outline {
  manifest: RecordingPage['manifest']
  live: boolean
  /** Events so far, without their pictures. */
  events: readonly RecordingEvent[]
  /** In order; those that the manifest names, and those that were seen since. */
  keyframes: readonly Keyframe[]
  /** How many events have been read: pass it as `after` to go on. */
  read: number
}

/** Adds a page, read from `outline.read` on. */
export function extend(outline: Outline | undefined, page: RecordingPage): Outline {
  const before = outline?.read ?? 0
  const seen = page.events.flatMap((event, i): Keyframe[] =>
    event.type === 'frame' && event.key ? [{ at: event.at, after: before + i }] : [],
  )
  return {
    manifest: page.manifest,
    live: page.live,
    events: [...(outline?.events ?? []), ...page.events.map(withoutPictures)],
    keyframes: merged(outline?.keyframes ?? [], [...(page.manifest.keyframes ?? []), ...seen]),
    read: before + page.events.length,
  }
}

function withoutPictures(event: RecordingEvent): RecordingEvent {
  return event.type === 'frame' ? { ...event, tiles: event.tiles.map((tile) => ({ ...tile, png: '' })) } : event
}

function merged(known: readonly Keyframe[], more: readonly Keyframe[]): Keyframe[] {
  const all = new Map(known.map((keyframe) => [keyframe.after, keyframe]))
  for (const keyframe of more) all.set(keyframe.after, keyframe)
  return [...all.values()].sort((a, b) => a.after - b.after)
}

/** A stretch of events that begins with a keyframe. `end` is where the next one begins; undefined: not known, or the last. */
export interface Stretch {
  start: Keyframe
  end: number | undefined
}

/** The stretch to be played for a moment: the last that begins by then, else the first. */
export function stretchAt(keyframes: readonly Keyframe[], at: number): Stretch | undefined {
  let i = keyframes.findLastIndex((keyframe) => keyframe.at <= at)
  if (i < 0) i = 0
  const start = keyframes[i]
  return start === undefined ? undefined : { start, end: keyframes[i + 1]?.after }
}

/** How long the recording is, in milliseconds: to its last event, or its end where that is known before it is read. */
export function lengthOf({ manifest, events, keyframes, live }: Outline): number {
  const ended =
    manifest.endedAt === undefined || live ? 0 : Date.parse(manifest.endedAt) - Date.parse(manifest.startedAt)
  return Math.max(events.at(-1)?.at ?? 0, keyframes.at(-1)?.at ?? 0, ended)
}
