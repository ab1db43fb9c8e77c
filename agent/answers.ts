import { BoundedCache } from '../policy/cache.ts'
import type { KeyedHash } from '../policy/masks.ts'
import type { Decision, Unmask } from '../shared/decision.ts'
import type { Sensitivity, TextMask } from './inspect/port.ts'
import type { Redact } from './redaction.ts'

const decisionLimit = 2_000
const columnLimit = 20_000

/**
 * What policy answered for one subject: who, where to, under which circumstances, with which grants. Good for as long as none of
 * these changes, and shared by all sessions for which they are the same: a pool's next session asks nothing anew.
 */
export class Answers {
  readonly hash: KeyedHash
  readonly decisions = new BoundedCache<Decision>(decisionLimit)
  readonly columns = new BoundedCache<{ sensitivity: Sensitivity | undefined }>(columnLimit)
  readonly unmasks = new Map<string, Unmask>()
  textMasks: readonly TextMask[] | undefined
  /** Masks what this principal may not see. */
  scan: Redact | undefined

  /** `hash`: what masks are made with. */
  constructor(hash: KeyedHash) {
    this.hash = hash
  }
}
