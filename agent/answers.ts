import { BoundedCache, type Tally } from '../policy/cache.ts'
import type { KeyedHash } from '../policy/masks.ts'
import type { Decision, Unmask } from '../shared/decision.ts'
import type { Sensitivity, TextMask } from './inspect/port.ts'
import type { Redact } from './redaction.ts'

/** Of one subject. Keys are what its statements and commands touch, so whoever writes them decides how long they are. */
const decisionBounds = { entries: 2_000, bytes: 2 << 20 }
const columnBounds = { entries: 20_000, bytes: 16 << 20 }
/** A decision, or what is known of a column: policy's own words, whoever asks. */
const sizeOf = (): number => 512

/**
 * What policy answered for one subject: who, where to, under which circumstances, with which grants. Good for as long as none of
 * these changes, and shared by all sessions for which they are the same: a pool's next session asks nothing anew.
 */
export class Answers {
  readonly hash: KeyedHash
  readonly decisions: BoundedCache<Decision>
  readonly columns: BoundedCache<{ sensitivity: Sensitivity | undefined }>
  /** The class of a column, whoever asks. */
  readonly classes: BoundedCache<{ dataClass: string | undefined }>
  readonly unmasks = new Map<string, Unmask>()
  textMasks: readonly TextMask[] | undefined
  recordMasks: readonly TextMask[] | undefined
  /** Masks what this principal may not see. */
  scan: Redact | undefined

  /** `hash`: what masks are made with. `tally`: counts the bytes of all subjects' answers. */
  constructor(hash: KeyedHash, tally: Tally) {
    this.hash = hash
    this.decisions = new BoundedCache({ ...decisionBounds, sizeOf, tally })
    this.columns = new BoundedCache({ ...columnBounds, sizeOf, tally })
    this.classes = new BoundedCache({ ...columnBounds, sizeOf, tally })
  }

  /** Forgets what was answered. */
  clear(): void {
    this.decisions.clear()
    this.columns.clear()
    this.classes.clear()
  }
}
