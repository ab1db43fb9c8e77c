import { setTimeout as sleep } from 'node:timers/promises'
import type { RecordingEvent, RecordingManifest } from '../shared/recording.ts'
import { clock, exact, printable, say, write } from './output.ts'

/** Longest pause in a replay at real speed. */
const maxIdleMs = 2_000

/** Shows a recording: a terminal's output as it was, a database's statements one by one. */
export async function replayRecording(
  manifest: RecordingManifest,
  events: readonly RecordingEvent[],
  realtime: boolean,
): Promise<void> {
  say(`${manifest.principal.id} on ${manifest.connection.name}, ${clock(manifest.startedAt)} UTC`)
  let last = 0
  for (const event of events) {
    if (realtime) await sleep(Math.min(Math.max(0, event.at - last), maxIdleMs))
    last = event.at
    // Our own record of a terminal is output, which has to reach the terminal as it was; into a file it goes as it is too.
    if (event.type === 'output') await write(event.data)
    else {
      const line = describe(event)
      if (line !== undefined) await write(`${line}\n`)
    }
  }
}

function describe(event: Exclude<RecordingEvent, { type: 'output' }>): string | undefined {
  const at = `[${(event.at / 1000).toFixed(3)}]`
  switch (event.type) {
    case 'request': {
      const policy = event.policy === undefined ? '' : ` by ${event.policy.id}`
      return `${at} #${event.n} ${event.action} ${event.outcome}${policy}: ${exact(event.text)}`
    }
    case 'decided': {
      const who = event.by.length > 0 ? ` by ${event.by.join(', ')}` : ''
      return `${at} #${event.n} ${event.outcome}${who}${event.reason === undefined ? '' : `: ${printable(event.reason)}`}`
    }
    case 'complete': {
      const facts = [
        event.ok ? 'ok' : `failed${event.error === undefined ? '' : `: ${printable(event.error)}`}`,
        event.rows === undefined ? '' : `${event.rows} rows`,
        event.exitCode === undefined ? '' : `exit ${event.exitCode}`,
        event.dbMs === undefined ? '' : `${event.dbMs.toFixed(1)} ms`,
      ]
      return `${at} #${event.n} ${facts.filter((f) => f !== '').join(', ')}`
    }
    case 'masked': {
      const counts = Object.entries(event.classes).map(([name, count]) => `${count} × ${name}`)
      return `${at} masked ${counts.join(', ')}`
    }
    case 'desktop':
      return `${at} desktop ${event.width}x${event.height}`
    case 'clipboard': {
      const way = event.direction === 'in' ? 'to the target' : 'from the target'
      return `${at} clipboard ${way}: ${event.bytes} bytes of ${event.format}${event.text === undefined ? '' : `: ${printable(event.text)}`}`
    }
    case 'resize':
    case 'frame':
    case 'input':
      return undefined
    case 'end':
      return `${at} end: ${printable(event.reason)}`
    default:
      return event satisfies never
  }
}
