import type { Annotation } from '../../shared/annotation.ts'
import type { RecordingPage } from '../../shared/api/models.ts'
import type { PolicyRef } from '../../shared/decision.ts'
import type { Outcome, RecordingEvent } from '../../shared/recording.ts'
import { counted } from '../decisions/words.ts'

/** A recording, read to its end. */
export type Recording = Omit<RecordingPage, 'next'>

/** One request of a recording with everything that was recorded of it. Times are milliseconds since the session began. */
export interface Entry {
  n: number
  at: number
  text: string
  action: string
  outcome: Outcome | 'held'
  policy?: PolicyRef
  masked: readonly string[]
  tables: readonly string[]
  decided?: { at: number; by: readonly string[]; reason?: string; outcome: Outcome }
  ok?: boolean
  rows?: number
  exitCode?: number
  error?: string
  dbMs?: number
  gatewayMs?: number
}

/** The requests of a recording, in order. */
export function entries(events: readonly RecordingEvent[]): Entry[] {
  const byNumber = new Map<number, Entry>()
  for (const event of events) {
    if (event.type === 'request') {
      const { n, at, text, action, outcome, policy, masks, tables } = event
      byNumber.set(n, {
        n,
        at,
        text,
        action,
        outcome,
        ...(policy === undefined ? {} : { policy }),
        masked: [...new Set((masks ?? []).map((mask) => mask.label || mask.dataClass))],
        tables: tables ?? [],
      })
      continue
    }
    if (event.type !== 'decided' && event.type !== 'complete') continue
    const entry = byNumber.get(event.n)
    if (entry === undefined) continue
    if (event.type === 'decided') {
      const { at, by, reason, outcome } = event
      byNumber.set(event.n, {
        ...entry,
        outcome,
        decided: { at, by, outcome, ...(reason === undefined ? {} : { reason }) },
      })
    } else {
      const { ok, rows, exitCode, error, dbMs, gatewayMs } = event
      byNumber.set(event.n, {
        ...entry,
        ok,
        ...(rows === undefined ? {} : { rows }),
        ...(exitCode === undefined ? {} : { exitCode }),
        ...(error === undefined ? {} : { error }),
        ...(dbMs === undefined ? {} : { dbMs }),
        ...(gatewayMs === undefined ? {} : { gatewayMs }),
      })
    }
  }
  return [...byNumber.values()].sort((a, b) => a.n - b.n)
}

/** A mark on the timeline of a terminal. */
export interface TimelineItem {
  key: string
  at: number
  outcome: Outcome | 'held'
  text: string
}

export function timeline(events: readonly RecordingEvent[]): TimelineItem[] {
  return events.flatMap((event, i): TimelineItem[] => {
    const key = String(i)
    switch (event.type) {
      case 'request':
        return [{ key, at: event.at, outcome: event.outcome, text: event.text || event.action }]
      case 'decided':
        return [{ key, at: event.at, outcome: event.outcome, text: `by ${event.by.join(', ')}` }]
      case 'masked':
        return [{ key, at: event.at, outcome: 'masked', text: classWords(event.classes) }]
      case 'clipboard':
        return [{ key, at: event.at, outcome: 'allowed', text: clipboardWords(event) }]
      case 'complete':
      case 'output':
      case 'resize':
      case 'desktop':
      case 'frame':
      case 'input':
      case 'end':
        return []
      default:
        return event satisfies never
    }
  })
}

const formats = { text: 'text', image: 'an image', files: 'files', other: 'data' } as const

/** `Copied 1,204 bytes of text from the desktop`. */
function clipboardWords({ direction, format, bytes }: Extract<RecordingEvent, { type: 'clipboard' }>): string {
  const size = `${bytes.toLocaleString('en-GB')} bytes of ${formats[format]}`
  return direction === 'out' ? `Copied ${size} from the desktop` : `Pasted ${size} into the desktop`
}

/** `7 values: card_number, secret, phone`, as the terminal said it. */
function classWords(classes: Readonly<Record<string, number>>): string {
  const count = Object.values(classes).reduce((sum, n) => sum + n, 0)
  return `${counted(count, 'value')}: ${Object.keys(classes).join(', ')}`
}

/** What the terminal showed in place at a recorded event; undefined where it showed nothing. */
export function annotationOf(event: RecordingEvent): Annotation | undefined {
  if (event.type === 'masked') {
    const policy = event.policy ?? { id: '', reason: '' }
    const columns = Object.keys(event.classes).map((dataClass) => ({
      source: '',
      label: dataClass,
      position: -1,
      dataClass,
      policy,
      requestable: false,
    }))
    return { kind: 'masked', columns, count: Object.values(event.classes).reduce((sum, n) => sum + n, 0) }
  }
  if (event.type === 'request' && event.outcome === 'blocked') {
    const policy = event.policy ?? { id: 'unknown', reason: '' }
    return { kind: 'blocked', policy, message: policy.reason, hint: '', command: event.text, requestable: false }
  }
  if (event.type !== 'decided') return undefined
  const { requestId, by, reason } = event
  if (event.outcome === 'approved') return { kind: 'approved', requestId, by: [...by] }
  if (event.outcome === 'denied') return { kind: 'denied', requestId, by: by.join(', '), reason: reason ?? '' }
  return event.outcome === 'expired' ? { kind: 'expired', requestId } : undefined
}

export function duration(events: readonly RecordingEvent[]): number {
  return events.at(-1)?.at ?? 0
}

/** Pauses of more than this are idle; playing with `skip idle` takes this long for each. */
export const idleMs = 2_000

export function idleGaps(events: readonly RecordingEvent[]): { from: number; to: number }[] {
  const gaps: { from: number; to: number }[] = []
  let last = 0
  for (const { at } of events) {
    if (at - last > idleMs) gaps.push({ from: last, to: at })
    last = at
  }
  return gaps
}

/** How much an event counts as activity: what was written, or how much of the screen changed. */
function weightOf(event: RecordingEvent): number {
  if (event.type === 'output') return event.data.length
  // A keyframe repeats what was there; it is no activity.
  if (event.type === 'frame') return event.key ? 0 : event.tiles.reduce((sum, t) => sum + t.width * t.height, 0) / 1000
  return event.type === 'input' ? 0 : 1
}

/** How much was typed and clicked in each of `buckets` equal parts, from 0 to 1. */
export function inputActivity(events: readonly RecordingEvent[], buckets: number): number[] {
  const total = Math.max(1, duration(events))
  const sums = new Array<number>(buckets).fill(0)
  for (const event of events) {
    if (event.type !== 'input') continue
    const i = Math.min(buckets - 1, Math.floor((event.at / total) * buckets))
    sums[i] = (sums[i] ?? 0) + event.keys + event.clicks + Math.min(1, event.moves)
  }
  const most = Math.max(1, ...sums)
  return sums.map((sum) => (sum === 0 ? 0 : Math.max(0.2, Math.sqrt(sum / most))))
}

/** How much was written in each of `buckets` equal parts, from 0 to 1. */
export function activity(events: readonly RecordingEvent[], buckets: number): number[] {
  const total = Math.max(1, duration(events))
  const sums = new Array<number>(buckets).fill(0)
  for (const event of events) {
    const i = Math.min(buckets - 1, Math.floor((event.at / total) * buckets))
    sums[i] = (sums[i] ?? 0) + weightOf(event)
  }
  const most = Math.max(1, ...sums)
  return sums.map((sum) => (sum === 0 ? 0 : Math.max(0.12, Math.sqrt(sum / most))))
}
