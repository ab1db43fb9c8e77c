import type { DecisionRequest } from '../../agent/inspect/port.ts'
import { TestPort } from '../../agent/inspect/postgres/testing/door.ts'
import type { Decision } from '../../shared/decision.ts'
import type { RecordingEvent } from '../../shared/recording.ts'

const policy = { id: 'fuzz', reason: 'Because.' }

/** Allows, blocks DELETE, holds UPDATE; masks what the tests mask. */
export class FuzzPort extends TestPort {
  override rule = ({ action }: DecisionRequest): Decision => {
    if (action === 'sql:delete') return { verdict: 'block', policy }
    if (action === 'sql:update') {
      return { verdict: 'hold', policy, approval: { group: 'dba', count: 1, windowSeconds: 600, notify: [] } }
    }
    return { verdict: 'allow', policies: [policy] }
  }

  /** What is on the record can be compared with what runs. */
  override redact(text: string): string {
    return text
  }

  #settled = 0

  /** Holds that people decided about. */
  get decided(): number {
    return this.#settled
  }

  /** People decide about what waits: yes, no, nobody, by turns. True when something waited. */
  decideHeld(): boolean {
    const waiting = this.holds.slice(this.#settled)
    for (const { settle } of waiting) {
      const turn = this.#settled++ % 4
      if (turn === 1) settle({ kind: 'denied', by: 'grace', reason: 'No.' })
      else if (turn === 3) settle({ kind: 'expired' })
      else settle({ kind: 'approved', by: ['grace'] })
    }
    return waiting.length > 0
  }

  /** Requests that may run, in order. */
  get admitted(): { n: number; text: string }[] {
    const held = new Map<number, string>()
    const out: { n: number; text: string }[] = []
    for (const event of this.events) {
      if (event.type === 'request' && event.outcome === 'held') held.set(event.n, event.text)
      else if (event.type === 'request' && event.outcome !== 'blocked') out.push({ n: event.n, text: event.text })
      else if (event.type === 'decided' && event.outcome === 'approved') {
        out.push({ n: event.n, text: held.get(event.n) ?? '' })
      }
    }
    return out
  }
}

/** An event without what differs between two runs of the same. */
export function stable(event: RecordingEvent) {
  const { at: _at, ...rest } = event
  return 'dbMs' in rest ? { ...rest, dbMs: 0, gatewayMs: 0 } : rest
}
