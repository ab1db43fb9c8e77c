import type { Session } from '../../shared/api/models.ts'
import type { RecordingEvent } from '../../shared/recording.ts'

/** What a session asked for, by outcome. A terminal's output that was masked counts with the statements that were. */
export type Counts = Session['counts']

export function noCounts(): Counts {
  return { allowed: 0, masked: 0, granted: 0, blocked: 0, held: 0 }
}

/** Adds what was recorded; says whether that changed anything. */
export function countEvent(counts: Counts, event: RecordingEvent): boolean {
  switch (event.type) {
    case 'request':
      counts[event.outcome]++
      return true
    case 'masked':
      counts.masked++
      return true
    default:
      return false
  }
}
