import type { RecordingEvent, RecordingManifest } from '../shared/recording.ts'

/**
 * A recording as asciicast v3, line by line: a header, then events with the seconds since the one before. What was asked and decided
 * becomes markers. Source: docs.asciinema.org, asciicast v3.
 */
export function* asciicast(manifest: RecordingManifest, events: readonly RecordingEvent[]): Generator<string> {
  const size = events.find((e) => e.type === 'resize')
  yield JSON.stringify({
    version: 3,
    term: { cols: manifest.cols ?? size?.cols ?? 80, rows: manifest.rows ?? size?.rows ?? 24 },
    timestamp: Math.floor(Date.parse(manifest.startedAt) / 1000),
    title: `${manifest.principal.id} on ${manifest.connection.name}`,
  })
  let last = 0
  for (const event of events) {
    const line = entry(event)
    if (line === undefined) continue
    const interval = Math.max(0, event.at - last) / 1000
    last = Math.max(last, event.at)
    yield JSON.stringify([Number(interval.toFixed(3)), ...line])
  }
}

function entry(event: RecordingEvent): [string, string] | undefined {
  switch (event.type) {
    case 'output':
      return ['o', event.data]
    case 'resize':
      return ['r', `${event.cols}x${event.rows}`]
    case 'request':
      return ['m', `${event.outcome}: ${event.text}`]
    case 'decided':
      return ['m', `${event.outcome}${event.by.length > 0 ? ` by ${event.by.join(', ')}` : ''}`]
    case 'masked':
      return ['m', `masked: ${Object.keys(event.classes).join(', ')}`]
    case 'end':
      return ['m', `end: ${event.reason}`]
    case 'complete':
    case 'desktop':
    case 'frame':
    case 'input':
    case 'clipboard':
      return undefined
    default:
      return event satisfies never
  }
}
