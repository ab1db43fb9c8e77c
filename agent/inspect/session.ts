import type { SessionEnd } from '../../shared/link.ts'

/** A session that an inspector serves, whatever its protocol. */
export interface InspectorSession {
  /** Ends it now, and tells the person why where the protocol can. Idempotent: the first reason stays. */
  end(reason: string): void
  /** Grants or the policy have changed: what runs by what they were may have to end. */
  reconsider?(): void
  /** Resolves, never rejects, when both sides are closed and the last event is recorded. */
  readonly done: Promise<SessionEnd>
}
