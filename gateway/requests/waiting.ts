import type { HoldOutcome } from '../../shared/link.ts'
import type { RequestRow, ReviewRow } from './rows.ts'

/** A timer may fire a moment early by the wall clock; then nothing would be due yet. */
const timerSlackMs = 10

/** Held requests of this process: somebody at the other end of a session waits for each. */
export class WaitingHolds {
  readonly #holds = new Map<string, { settle(outcome: HoldOutcome): void; timer: NodeJS.Timeout }>()

  /** Resolves once, with the first outcome that `settle` is called with. `onExpiry` is called after `leftMs`. */
  wait(id: string, leftMs: number, onExpiry: () => void): Promise<HoldOutcome> {
    return new Promise((settle) => {
      const timer = setTimeout(onExpiry, Math.max(leftMs, 0) + timerSlackMs)
      this.#holds.set(id, { settle, timer })
    })
  }

  settle(id: string, outcome: HoldOutcome): void {
    const hold = this.#holds.get(id)
    if (hold === undefined) return
    this.#holds.delete(id)
    clearTimeout(hold.timer)
    hold.settle(outcome)
  }

  ids(): string[] {
    return [...this.#holds.keys()]
  }
}

/** What a decided request means for whoever waits; undefined while it is pending. */
export function outcomeOf(row: RequestRow, reviews: readonly ReviewRow[]): HoldOutcome | undefined {
  switch (row.state) {
    case 'pending':
      return undefined
    case 'approved':
      return {
        kind: 'approved',
        by:
          row.broken_at !== null
            ? [`${row.requester_id} (break-glass)`]
            : reviews.filter((review) => review.verdict === 'approve').map((review) => review.reviewer_id),
      }
    case 'denied': {
      const denial = reviews.find((review) => review.verdict === 'deny')
      return { kind: 'denied', by: denial?.reviewer_id ?? '', reason: denial?.reason ?? '' }
    }
    case 'expired':
      return { kind: 'expired' }
    case 'cancelled':
    case 'revoked':
      return { kind: 'cancelled' }
  }
}
