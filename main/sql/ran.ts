import type { RunEvent } from '../../shared/rpc/contract.ts'
import { explainLead, type RanOutcome } from '../../shared/rpc/editor.ts'

/** A statement that has ended: what was run and how it went, never what it returned. */
export interface Ran {
  text: string
  /** Milliseconds since 1970. */
  at: number
  outcome: RanOutcome
  rows?: number
  ms?: number
}

/** Follows the events of one run and tells of each statement once, when the next begins or the run is done. */
export class RunLog {
  private readonly tell: (ran: Ran) => void
  private readonly now: () => number
  private current: Ran | undefined

  constructor(tell: (ran: Ran) => void, now: () => number) {
    this.tell = tell
    this.now = now
  }

  hear(event: RunEvent): void {
    if (event.type === 'statement' || event.type === 'done') this.flush()
    if (event.type === 'statement') {
      const text = event.explain === undefined ? event.text : explainLead[event.explain] + event.text
      this.current = { text, at: this.now(), outcome: 'allowed' }
    }
    const { current } = this
    if (current === undefined) return
    if (event.type === 'annotation') {
      const { kind } = event.annotation
      if (kind !== 'held' && kind !== 'ended') current.outcome = kind
    } else if (event.type === 'complete') {
      current.rows = event.rows
      current.ms = event.ms
    } else if (event.type === 'error' && !stopped.has(current.outcome)) {
      current.outcome = event.sqlstate === canceled ? 'cancelled' : 'failed'
    }
  }

  private flush(): void {
    if (this.current !== undefined) this.tell(this.current)
    this.current = undefined
  }
}

/** Decisions that end in an error of their own. */
const stopped: ReadonlySet<RanOutcome> = new Set(['blocked', 'denied', 'expired'])

/** SQLSTATE query_canceled. */
const canceled = '57014'
