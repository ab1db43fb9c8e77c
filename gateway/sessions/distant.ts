import type { Session } from '../../shared/api/models.ts'
import type { Grant } from '../../shared/decision.ts'
import type { Held, HoldRequest, SessionEnd, SessionSpec } from '../../shared/link.ts'
import type { RecordingSeal } from '../recordings/writer.ts'
import { type Counts, noCounts } from './counts.ts'
import type { Live, SessionUpkeep } from './live.ts'

export interface DistantSessionOptions extends SessionUpkeep {
  spec: SessionSpec
  door: Session['door']
  accessTokenId: string
  /** To those who serve it. */
  orders: { end(id: string, reason: string): void; setGrants(id: string, grants: readonly Grant[]): void }
}

/** A live session that another process serves and records: what is known of it here, and what that process has to tell. */
export class DistantSession implements Live {
  readonly spec: SessionSpec
  readonly door: Session['door']
  readonly accessTokenId: string
  counts: Counts = noCounts()
  asked = false
  dirty = false
  startedAt: Date | undefined
  readonly closed: Promise<void>
  over = false
  /** Its end is being stored, or is. */
  ending: Promise<void> | undefined
  readonly #options: DistantSessionOptions
  #endReason: string | undefined
  /** Those that it was let in with have changed. */
  #grants: readonly Grant[] | undefined
  #taken = false
  #markClosed: () => void = () => {}

  constructor(options: DistantSessionOptions) {
    this.#options = options
    this.spec = options.spec
    this.door = options.door
    this.accessTokenId = options.accessTokenId
    this.closed = new Promise((done) => {
      this.#markClosed = done
    })
  }

  get id(): string {
    return this.spec.sessionId
  }

  end(reason: string): void {
    if (this.over || this.#endReason !== undefined) return
    this.#endReason = reason
    if (this.#taken) this.#options.orders.end(this.id, reason)
  }

  setGrants(grants: readonly Grant[]): void {
    this.#grants = grants
    if (this.#taken) this.#options.orders.setGrants(this.id, grants)
  }

  /** The other process has it, and takes orders from here on: those that came while it was on its way are given now. */
  taken(): void {
    this.#taken = true
    const { orders } = this.#options
    if (this.#grants !== undefined) orders.setGrants(this.id, this.#grants)
    if (this.#endReason !== undefined) orders.end(this.id, this.#endReason)
  }

  /** It is being recorded. Resolves once it is stored; nothing may be forwarded before. */
  begun(startedAt: Date): Promise<void> {
    this.startedAt = startedAt
    return this.#options.begun(this)
  }

  count(counts: Counts): void {
    this.counts = counts
    this.dirty = true
  }

  hold(request: HoldRequest): Promise<Held> {
    this.asked = true
    return this.#options.hold(request)
  }

  /** Its recording is closed. Resolves once its end is stored; the first end that is told is the one. */
  ended(end: SessionEnd, seal: RecordingSeal | undefined): Promise<void> {
    this.over = true
    this.ending ??= this.#options.ended(this, { ...end, reason: this.#endReason ?? end.reason }, seal)
    return this.ending
  }

  /** Whoever served it is gone: it takes no orders any more. */
  lose(): void {
    this.over = true
    this.#taken = false
  }

  /** Nothing more is to come from it. */
  close(): void {
    this.#markClosed()
  }
}
