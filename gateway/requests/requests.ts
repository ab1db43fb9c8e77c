import { ORPCError } from '@orpc/server'
import type { Kysely } from 'kysely'
import type { AccessRequest, DecideOutcome, NewRequest, RequestMetrics, RequestPage } from '../../shared/api/models.ts'
import { StepUp } from '../../shared/api/problem.ts'
import type { Held, HoldRequest } from '../../shared/link.ts'
import type { Caller } from '../api/context.ts'
import type { Audit } from '../audit/audit.ts'
import type { Events } from '../events/events.ts'
import type { GrantBook } from '../grants/grants.ts'
import type { Connections, LocalAgent, Log } from '../services.ts'
import type { Database } from '../store/database.ts'
import type { Sealer } from '../store/seal.ts'
import { Asking, type HoldOrigin } from './asking.ts'
import { Decider, notFound, type Verdict } from './decide.ts'
import { Endings } from './endings.ts'
import { Escalation } from './escalate.ts'
import { type HistoryFilter, readHistory } from './history.ts'
import { readMetrics } from './metrics.ts'
import type { RequestRow } from './rows.ts'
import { RowsAtTarget } from './rows-at-target.ts'
import { RequestStore, type TellChange } from './store.ts'
import { RequestView } from './view.ts'
import { visibleTo } from './visible.ts'

export interface RequestsOptions {
  db: Kysely<Database>
  sealer: Sealer
  events: Events
  audit: Audit
  grants: GrantBook
  agent: Pick<LocalAgent, 'decide' | 'access' | 'rows'>
  connections: Connections
  clock: { now(): Date }
  log: Log
  /** Seconds that a held request waits at most, where that is less than policy says. */
  holdSeconds?: number
  /** How often it is looked for what is due: what expires, is escalated, or has no estimate yet. Default: 5 s. */
  sweepMs?: number
  /** Tells people outside the client. */
  tell?: TellChange
}

const defaultSweepMs = 5_000
const metricsMs = 30 * 86_400_000
const listLimit = 500

/** Approvals: what is asked for, who decides, and that one decision wins. */
export class Requests {
  readonly #options: RequestsOptions
  readonly #stored: RequestStore
  readonly #view: RequestView
  readonly #decider: Decider
  readonly #escalation: Escalation
  readonly #rows: RowsAtTarget
  readonly #endings: Endings
  readonly #asking: Asking
  #sweep: NodeJS.Timeout | undefined
  #forget: () => void = () => {}

  constructor(options: RequestsOptions) {
    this.#options = options
    this.#stored = new RequestStore(options)
    this.#view = new RequestView(options)
    this.#decider = new Decider({ ...options, stored: this.#stored, view: this.#view })
    this.#rows = new RowsAtTarget(options)
    this.#escalation = new Escalation({ ...options, stored: this.#stored })
    this.#endings = new Endings({ ...options, stored: this.#stored })
    const parts = { stored: this.#stored, decider: this.#decider, endings: this.#endings, rows: this.#rows }
    this.#asking = new Asking({ ...options, ...parts })
  }

  start(): void {
    this.#sweep = setInterval(() => {
      this.#endings.quietly(this.#endings.expireDue().then(() => this.#endings.settle()))
      this.#endings.quietly(this.#escalation.ask())
      void this.#rows.planMissing()
    }, this.#options.sweepMs ?? defaultSweepMs)
    this.#sweep.unref()
    this.#forget = this.#options.events.onHint((type) => {
      if (type === 'request' || type === '') this.#endings.quietly(this.#endings.settle())
    })
  }

  close(): void {
    this.#forget()
    clearInterval(this.#sweep)
    const { waiting } = this.#endings
    for (const id of waiting.ids()) waiting.settle(id, { kind: 'cancelled' })
  }

  /** Holds one exact statement or command of a session; see `Asking`. */
  hold(origin: HoldOrigin, request: HoldRequest): Promise<Held> {
    return this.#asking.hold(origin, request)
  }

  /** Asks for access for a time. Throws FORBIDDEN or CONFLICT, in words, when there is nothing to ask for. */
  async create(caller: Caller, input: NewRequest): Promise<AccessRequest> {
    return this.get(caller, await this.#asking.create(caller, input))
  }

  /** What the caller asked for, and what they may see as a reviewer. Newest first. */
  async list(
    caller: Caller,
    filter: { scope: 'mine' | 'review' | 'all'; state?: 'pending' | 'decided' | undefined },
  ): Promise<AccessRequest[]> {
    const onlooker = await this.#view.onlooker(caller)
    const rows = await this.#options.db
      .selectFrom('requests')
      .selectAll()
      .where(visibleTo(onlooker, filter.scope))
      .$if(filter.state === 'pending', (query) => query.where('state', '=', 'pending'))
      .$if(filter.state === 'decided', (query) => query.where('state', '<>', 'pending'))
      .orderBy('created_at', 'desc')
      .limit(listLimit)
      .execute()
    return this.#show(caller, rows)
  }

  async history(caller: Caller, filter: HistoryFilter): Promise<RequestPage> {
    const { rows, next } = await readHistory(this.#options.db, await this.#view.onlooker(caller), filter)
    return { requests: await this.#show(caller, rows), ...(next === undefined ? {} : { next }) }
  }

  async metrics(caller: Caller, span: { from?: string | undefined; to?: string | undefined }): Promise<RequestMetrics> {
    const to = span.to === undefined ? this.#options.clock.now() : new Date(span.to)
    const from = span.from === undefined ? new Date(to.getTime() - metricsMs) : new Date(span.from)
    return readMetrics(this.#options.db, await this.#view.onlooker(caller), from, to)
  }

  /** Throws NOT_FOUND for what does not exist and for what is not the caller's to see alike. */
  async get(caller: Caller, id: string): Promise<AccessRequest> {
    const row = await this.#row(id)
    if (row === undefined || !this.#view.maySee(caller, row)) throw notFound(id)
    const [shown] = await this.#view.show(caller, [row])
    if (shown === undefined) throw notFound(id)
    return { ...shown, earlier: await this.#view.earlier(caller, row) }
  }

  /** Reads a request once, to be shown to many: what each may see of it is decided for each. */
  async snapshot(id: string): Promise<(caller: Caller) => AccessRequest | undefined> {
    const row = await this.#row(id)
    if (row === undefined) return () => undefined
    const material = await this.#view.load([row])
    return (caller) => (this.#view.maySee(caller, row) ? this.#view.draw(caller, [row], material)[0] : undefined)
  }

  /** One verdict of one person. Of several that would decide, the first to commit does; the others get CONFLICT. */
  async review(
    caller: Caller,
    id: string,
    verdict: Verdict['verdict'],
    reason: string,
    durationSeconds?: number,
  ): Promise<AccessRequest> {
    const decided = await this.#decider.review(caller, id, { verdict, reason, durationSeconds })
    if (decided === 'approved') await this.#options.grants.refresh()
    if (decided !== undefined) await this.#endings.settle([id])
    return this.get(caller, id)
  }

  /** Several, each by itself, in the order in which they were named. */
  async decide(
    caller: Caller,
    ids: readonly string[],
    verdict: Verdict['verdict'],
    reason: string,
  ): Promise<DecideOutcome[]> {
    const outcomes: DecideOutcome[] = []
    for (const id of new Set(ids)) {
      try {
        outcomes.push({ id, ok: true, request: await this.review(caller, id, verdict, reason) })
      } catch (error) {
        if (!(error instanceof ORPCError)) throw error
        const stepUp = error.code === 'STEP_UP' ? { stepUp: StepUp.parse(error.data) } : {}
        outcomes.push({ id, ok: false, code: error.code, message: error.message, ...stepUp })
      }
    }
    return outcomes
  }

  /** Goes on without an approval, where policy lets the requester. */
  async breakGlass(caller: Caller, id: string, reason: string): Promise<AccessRequest> {
    await this.#decider.breakGlass(caller, id, reason)
    await this.#options.grants.refresh()
    await this.#endings.settle([id])
    return this.get(caller, id)
  }

  async afterReview(
    caller: Caller,
    id: string,
    verdict: 'accepted' | 'disputed',
    reason: string,
  ): Promise<AccessRequest> {
    await this.#decider.afterReview(caller, id, verdict, reason)
    return this.get(caller, id)
  }

  /** Asks those who decide once more. Throws CONFLICT, in words, when it is too soon or no use. */
  async remind(caller: Caller, id: string): Promise<AccessRequest> {
    await this.#decider.remind(caller, id)
    return this.get(caller, id)
  }

  async explain(caller: Caller, id: string, reason: string): Promise<AccessRequest> {
    await this.#decider.explain(caller, id, reason)
    return this.get(caller, id)
  }

  /** Counts the rows that a held statement concerns, for somebody who may decide on it. */
  async count(caller: Caller, id: string): Promise<AccessRequest> {
    const row = await this.#row(id)
    const [shown] = row === undefined ? [] : await this.#show(caller, [row])
    if (row === undefined || shown === undefined) throw notFound(id)
    if (!shown.canReview)
      throw new ORPCError('FORBIDDEN', { message: shown.whyNot ?? 'Only who may decide can count.' })
    await this.#rows.count(caller, row)
    return this.get(caller, id)
  }

  /** Takes back what the caller asked for. */
  async cancel(caller: Caller, id: string): Promise<AccessRequest> {
    const before = await this.get(caller, id)
    if (before.requester.id !== caller.principal.id) {
      throw new ORPCError('FORBIDDEN', { message: 'Only who asked can take a request back. You can deny it.' })
    }
    if ((await this.#endings.cancel([id], caller.principal.id)).length === 0) {
      throw new ORPCError('CONFLICT', { message: `It is already ${(await this.get(caller, id)).state}.` })
    }
    return this.get(caller, id)
  }

  /** Cancels all that somebody who left still asks for. */
  async cancelAll(requesterId: string, by: string): Promise<void> {
    await this.#endings.cancel(await this.#stored.waitingFor(requesterId), by)
  }

  /** Cancels what a session that has ended still waited for: approved later, it would run nowhere. */
  async sessionEnded(sessionId: string): Promise<void> {
    await this.#endings.cancel(await this.#stored.waitingOf(sessionId), 'gateway')
  }

  #row(id: string): Promise<RequestRow | undefined> {
    return this.#options.db.selectFrom('requests').selectAll().where('id', '=', id).executeTakeFirst()
  }

  #show(caller: Caller, rows: readonly RequestRow[]): Promise<AccessRequest[]> {
    return this.#view.show(
      caller,
      rows.filter((row) => this.#view.maySee(caller, row)),
    )
  }
}
