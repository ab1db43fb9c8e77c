import type { Action } from '../../shared/actions.ts'
import type { Annotation } from '../../shared/annotation.ts'
import type { ConnectionRef } from '../../shared/connection.ts'
import type { Decision, Grant, Unmask } from '../../shared/decision.ts'
import type { Held, HoldRequest } from '../../shared/link.ts'
import type { Principal } from '../../shared/principal.ts'
import type { RecordingEvent } from '../../shared/recording.ts'

/**
 * All that an inspector knows of the world beyond its two streams. It knows no socket, policy or store,
 * so it is tested with bytes and an implementation of this in a few lines.
 */
export interface InspectorPort {
  readonly sessionId: string
  readonly principal: Principal
  readonly connection: ConnectionRef
  /** `machine`: decisions carry an Annotation; `text`: words alone. */
  readonly annotations: 'machine' | 'text'
  /**
   * Changes whenever an answer of `decide` or `sensitivity` may have (grants, policy, the passing of time):
   * a key for caches. Reading it is cheap.
   */
  readonly epoch: number
  /** Synchronous: the policy set is in memory. Never throws: what can't be evaluated is a block. */
  decide(request: DecisionRequest): Decision
  /** Undefined: the column is in no data class. Cheap; inspectors cache by `epoch` all the same. */
  sensitivity(schema: string, table: string, column: string): Sensitivity | undefined
  /** The data class of a column, whoever asks: what is stored, or shown to other people, goes by it. */
  classOf(schema: string, table: string, column: string): string | undefined
  /** Data classes of which something is found in a text, whoever asks. */
  classesIn(text: string): readonly string[]
  /** Masks sensitive values in free text (statements for the record, error text). */
  redact(text: string): string
  /** The value detectors that apply to this principal's text streams, with what a match becomes. */
  textMasks(): readonly TextMask[]
  /** Those that what is recorded of text streams is masked by: of all classes. The same array where these are no more. */
  recordMasks(): readonly TextMask[]
  grant(id: string): Grant | undefined
  /** Milliseconds since the session began, for `at` of events: at `now`, as `performance.now` has it, or at this moment. */
  elapsed(now?: number): number
  /** See SessionPort.record: undefined means stored; throws or rejects when it can't be, and then nothing is forwarded. */
  record(event: RecordingEvent): Promise<void> | undefined
  hold(request: HoldRequest): Promise<Held>
  /** See SessionPort.annotate. */
  annotate?(annotation: Annotation): void
  /** See SessionPort.cancelElsewhere. */
  cancelElsewhere?(processId: number, digest: Uint8Array): void
  /** See SessionPort.changing. */
  changing?(): Promise<void> | undefined
  changed?(): void
  started(info: { user: string; database?: string; cols?: number; rows?: number }): void
}

/** The context of a decision (INTERFACES.md, Policy). */
export interface DecisionRequest {
  action: Action
  /** `schema.table`, sorted, distinct. */
  tables?: readonly string[]
  /** `schema.table.column` */
  columns?: readonly string[]
  functions?: readonly string[]
  hasWhere?: boolean
  /** Statements in the same query message. */
  statementCount?: number
  /** ssh:exec: the command line. */
  command?: string
  path?: string
  /** rdp:clipboard: `in` to the target, `out` to the person. */
  direction?: 'in' | 'out'
  /** False: the inspector can't tell all that the request does. Policy sees `complete: false`. */
  complete?: boolean
}

export interface Sensitivity {
  dataClass: string
  unmask: Unmask
  /** What a masked column may still be used for: nothing, equality with a constant, anything. */
  use: 'none' | 'lookup' | 'any'
  /** What an expression derived from it becomes. */
  derived: 'null' | 'block'
  /**
   * The replacement of one value in PostgreSQL text format, for text types; null is SQL NULL.
   * Values of other types become NULL, or what `others` says.
   */
  mask(value: string): string | null
  /** The same on bytes, where values can be masked without making strings of them. */
  maskBytes?: ByteMask
  /** What values of other types become. */
  others?: 'null' | 'fixed'
  /**
   * The column is no secret itself, but its text is searched for values of these classes, which `mask` replaces where they stand.
   * `dataClass` and `unmask` are those of the first.
   */
  scanned?: readonly { dataClass: string; unmask: Unmask }[]
}

/**
 * Writes what the value `input[start, end)` (UTF-8) becomes to `output` at `at`, where three bytes for each of its own and 64 more
 * are free. Returns the bytes written; -1 for SQL NULL; -2 when the mask on strings has to say.
 */
export type ByteMask = (input: DataView, start: number, end: number, output: DataView, at: number) => number

export interface TextMask {
  dataClass: string
  unmask: Extract<Unmask, { verdict: 'masked' }>
  /** Every sensitive span of `text`, in order, not overlapping, in UTF-16 offsets. */
  find(text: string): readonly { start: number; end: number }[]
  mask(value: string): string
  /**
   * Any text with a match holds at least one of these; other text is not searched. Unset: that can't be said.
   * A shape is the ASCII characters that may stand at each of its places.
   */
  shapes?: readonly (readonly string[])[]
}
