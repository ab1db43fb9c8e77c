import type { Session } from '../../shared/api/models.ts'

/** What a session asked for, by outcome. */
export type Counts = Session['counts']

export function noCounts(): Counts {
  return { allowed: 0, masked: 0, granted: 0, blocked: 0, held: 0 }
}
