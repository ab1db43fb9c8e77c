import type { Catalog } from './analysis.ts'
import type { Bound } from './parameters.ts'
import type { Judged, Meaning } from './statements.ts'

/** A prepared statement at the target. `judged` is undefined for an empty text. */
export interface Prepared {
  text: string
  meaning: Meaning
  judged: Judged | undefined
  /** The text for the record, redacted once. */
  redacted: { judged: Judged; epoch: number; text: string } | undefined
  /** Made by PREPARE rather than by a Parse message. */
  bySql: boolean
  /** Types of people's own that Parse declared its parameters to be; undefined: none. */
  declared: readonly number[] | undefined
  /** As it was when it was last found that it may be bound; `judged` itself unless it changed since. */
  bindable: Judged | undefined
  /** Code ran that could not be followed, so that its name may stand for something else by now. */
  shaken: boolean
  /** The segment in which a Describe for it is on its way; -1 when none is. */
  describing: number
}

/** What PREPARE, DECLARE or code made, of which no message said anything. */
export function preparedBySql(text: string, meaning: Meaning, judged: Judged | undefined): Prepared {
  return {
    text,
    meaning,
    judged,
    redacted: undefined,
    bySql: true,
    declared: undefined,
    bindable: undefined,
    shaken: false,
    describing: -1,
  }
}

/** A portal: a prepared statement with parameters, or a cursor of DECLARE. */
export interface Portal {
  prepared: Prepared
  judged: Judged | undefined
  bind: Bound | undefined
  /** It outlives its transaction: a cursor WITH HOLD. */
  held: boolean
  /** As of a prepared statement. */
  shaken: boolean
  /** The search_path under which `judged` is right about code that runs; undefined: none that is known. */
  path: readonly string[] | undefined
  /** The definitions of that code. */
  catalog: Catalog | undefined
  /** As it is under any other path; undefined: not looked at yet. */
  moved: Judged | undefined
  /** As it is since that was defined anew. `isSame`: under its own path. */
  redefined: { catalog: Catalog; isSame: boolean; judged: Judged } | undefined
}

/** Estimated bytes; text and its redacted form. */
export function bytesOfPrepared({ text, judged }: Prepared): number {
  return 512 + 4 * text.length + (judged?.bytes ?? 0)
}

/** Of a portal that DECLARE made, its statement stands in it alone. */
export function bytesOfPortal({ prepared, bind, moved, redefined }: Portal): number {
  return (
    512 +
    (moved?.bytes ?? 0) +
    (redefined?.judged.bytes ?? 0) +
    (bind === undefined ? bytesOfPrepared(prepared) : bind.end - bind.at)
  )
}
