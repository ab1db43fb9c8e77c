import type { Execution } from './expected.ts'
import type { Judged } from './statements.ts'

/** A request as it came: what it says, and how it is shown to people and the record. */
export interface Asked {
  statements: readonly Judged[]
  /** Exactly what runs, parameters included. */
  shown(): string
  /** `shown`, with sensitive values masked; by statement where there are several. */
  redacted(index: number): string
  startedAt: number
  /** Its statements as they read now, once people were asked; undefined: it can't be read any more. */
  again?(): Promise<readonly Judged[] | undefined>
}

/** `executions` are on the recording, and their statements may be forwarded; or `error` is said in their place. */
export type Admission = { ok: true; executions: readonly Execution[] } | { ok: false; error: Buffer }
