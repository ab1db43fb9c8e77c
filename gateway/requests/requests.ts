import { createHash } from 'node:crypto'
import { ORPCError } from '@orpc/server'
import type { Kysely } from 'kysely'
import { reasonFits } from '../../policy/reason.ts'
import type { AccessRequest, DecideOutcome, NewRequest, RequestMetrics, RequestPage } from '../../shared/api/models.ts'
import type { ConnectionRef } from '../../shared/connection.ts'
import type { Approval } from '../../shared/decision.ts'
import type { Held, HoldRequest } from '../../shared/link.ts'
import type { Principal } from '../../shared/principal.ts'
import type { Caller } from '../api/context.ts'
import type { Audit } from '../audit/audit.ts'
import type { Events } from '../events/events.ts'
import type { GrantBook } from '../grants/grants.ts'
import { newId } from '../secrets.ts'
import type { Connections, LocalAgent, Log } from '../services.ts'
import { type Database, json } from '../store/database.ts'
import type { Sealer } from '../store/seal.ts'
import { storable } from '../text.ts'
import { weighAsk } from './ask.ts'
import { badReason, Decider, notFound, type Verdict } from './decide.ts'
import { Escalation } from './escalate.ts'
import { type HistoryFilter, readHistory } from './history.ts'
import { readMetrics } from './metrics.ts'
import { longestSeconds, type RequestRow, redactedContext, textContext } from './rows.ts'
import { RowsAtTarget } from './rows-at-target.ts'
import { RequestStore, readReviews, type TellChange } from './store.ts'
import { RequestView } from './view.ts'
import { visibleTo } from './visible.ts'
import { outcomeOf, WaitingHolds } from './waiting.ts'

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
  /** Seconds that a held request waits at most, whatever policy says. */
  holdSeconds?: number
  /** Tells people outside the client. */
  tell?: TellChange
}

/** Where a held request comes from. */
export interface HoldOrigin {
  sessionId: string
  principal: Principal
  connection: ConnectionRef
  sourceIp: string
  mfa: boolean
  client: 'desktop' | 'cli' | 'endpoint' | 'native'
}

const sweepMs = 5_000
const defaultHoldSeconds = 1_800
const grantWait = { least: 1_800, most: 86_400 }
const furthestStartMs = 30 * 86_400_000
const metricsMs = 30 * 86_400_000
/** Requests of one person that may wait at once. */
const pendingLimit = 50
const listLimit = 500

/** Approvals: what is asked for, who decides, and that one decision wins. */
export class Requests {
  readonly #options: RequestsOptions
  readonly #stored: RequestStore
  readonly #view: RequestView
  readonly #decider: Decider
  readonly #escalation: Escalation
  readonly #rows: RowsAtTarget
  readonly #waiting = new WaitingHolds()
  #sweep: NodeJS.Timeout | undefined
  #forget: () => void = () => {}

  constructor(options: RequestsOptions) {
    this.#options = options
    this.#stored = new RequestStore(options)
    this.#view = new RequestView(options)
    this.#decider = new Decider({ ...options, stored: this.#stored, view: this.#view })
    this.#rows = new RowsAtTarget(options)
    this.#escalation = new Escalation({ ...options, stored: this.#stored })
  }

  start(): void {
    this.#sweep = setInterval(() => {
      this.#quietly(this.#expireDue().then(() => this.settle()))
      this.#quietly(this.#escalation.ask())
    }, sweepMs)
    this.#sweep.unref()
    this.#forget = this.#options.events.onHint((type) => {
      if (type === 'request' || type === '') this.#quietly(this.settle())
    })
  }

  close(): void {
    this.#forget()
    clearInterval(this.#sweep)
    for (const id of this.#waiting.ids()) this.#waiting.settle(id, { kind: 'cancelled' })
  }

  /** Holds one exact statement or command of a session. Rejects when it can't be stored: then it is not run. */
  async hold(origin: HoldOrigin, request: HoldRequest): Promise<Held> {
    const { sealer } = this.#options
    const { approval } = request
    const id = newId('req')
    const limit = this.#options.holdSeconds ?? defaultHoldSeconds
    const expiresAt = this.#after(Math.min(approval.expirySeconds ?? approval.windowSeconds, limit))
    const reason = storable(request.reason ?? '')
    // Before it is stored: somebody may decide the moment it is.
    const left = expiresAt.getTime() - this.#options.clock.now().getTime()
    const outcome = this.#waiting.wait(id, left, () => this.#quietly(this.#expireDue()))
    const stored = this.#stored.insert(
      origin.principal,
      origin.connection,
      {
        id,
        kind: 'once',
        reason,
        policy: json(request.policy),
        approval: json(approval),
        session_id: origin.sessionId,
        action: request.action,
        text_sealed: sealer.seal(request.text, textContext(id)),
        text_sha256: createHash('sha256').update(request.text).digest('hex'),
        tables: json(request.tables),
        columns: json(request.columns ?? []),
        hidden_classes: json(request.hiddenClasses ?? []),
        redacted_sealed: sealer.seal(request.redacted ?? '', redactedContext(id)),
        binding: json(request.binding),
        actions: json([]),
        data_classes: json([]),
        duration_seconds: null,
        source_ip: origin.sourceIp,
        mfa: origin.mfa,
        client: origin.client,
        expires_at: expiresAt,
      },
      this.#rule(approval, reason),
    )
    try {
      await stored
    } catch (error) {
      this.#waiting.settle(id, { kind: 'cancelled' })
      throw error
    }
    if (approval.auto !== undefined) await this.settle([id])
    else void this.#rows.plan(id, origin.connection.name, request.text, request.binding.search_path ?? '')
    return {
      requestId: id,
      expiresAt: expiresAt.toISOString(),
      outcome,
      cancel: () => {
        this.#waiting.settle(id, { kind: 'cancelled' })
        this.#quietly(this.#cancelPending([id], origin.principal.id))
      },
    }
  }

  /** Asks for access for a time. Throws FORBIDDEN or CONFLICT, in words, when there is nothing to ask for. */
  async create(caller: Caller, input: NewRequest): Promise<AccessRequest> {
    const { agent, connections, grants } = this.#options
    const { principal, sourceIp, mfa, client } = caller
    const connection = connections.get(input.connection)?.ref
    const access =
      connection &&
      agent.access({
        sessionId: 'ask',
        principal,
        connection,
        annotations: 'text',
        context: { sourceIp, mfa },
        // Without those in force: an extension is asked for while the grant still holds.
        grants: [],
      })
    if (connection === undefined || access === undefined || access.connect.verdict === 'block') {
      throw new ORPCError('NOT_FOUND', {
        message: `There is no connection ${input.connection}, or it is not open to you.`,
      })
    }
    const ask = weighAsk(access, input)
    if (!ask.ok) throw new ORPCError(ask.code, { message: ask.message })
    const { approval } = ask
    if (approval.reasonPattern !== undefined && !reasonFits(approval.reasonPattern, input.reason)) {
      throw badReason(approval.reasonPattern)
    }
    const count = await this.#stored.pendingOf(principal.id)
    if (count >= pendingLimit) {
      throw new ORPCError('CONFLICT', {
        message: `${count} of your requests wait for a decision already. Cancel those that you no longer need.`,
      })
    }
    if (
      input.extends !== undefined &&
      !grants.now(principal.id, connection.name).some(({ id }) => id === input.extends)
    ) {
      throw new ORPCError('CONFLICT', { message: 'That grant is not yours, or has ended. Ask without it.' })
    }
    const id = newId('req')
    const { windowSeconds, expirySeconds } = approval
    const wait = expirySeconds ?? Math.min(Math.max(windowSeconds, grantWait.least), grantWait.most)
    const reason = storable(input.reason)
    await this.#stored.insert(
      principal,
      connection,
      {
        id,
        kind: 'grant',
        reason,
        policy: json(ask.policy),
        approval: json(approval),
        session_id: null,
        action: null,
        text_sealed: null,
        text_sha256: null,
        tables: json([]),
        binding: json({}),
        actions: json(ask.actions),
        data_classes: json(ask.dataClasses),
        // Policy bounds how long an approval may last; whoever asks for more is asking for that.
        duration_seconds: Math.min(input.durationSeconds, longestSeconds(approval)),
        starts_at: this.#startOf(input),
        extends_grant: input.extends ?? null,
        source_ip: sourceIp,
        mfa,
        client: client ?? null,
        expires_at: this.#after(wait),
      },
      this.#rule(approval, reason),
    )
    if (approval.auto !== undefined) await grants.refresh()
    return this.get(caller, id)
  }

  /** What the caller asked for, and what they may see as a reviewer. Newest first. */
  async list(
    caller: Caller,
    filter: { scope: 'mine' | 'review' | 'all'; state?: 'pending' | 'decided' | undefined },
  ): Promise<AccessRequest[]> {
    const rows = await this.#options.db
      .selectFrom('requests')
      .selectAll()
      .where(visibleTo(caller.principal, filter.scope))
      .$if(filter.state === 'pending', (query) => query.where('state', '=', 'pending'))
      .$if(filter.state === 'decided', (query) => query.where('state', '<>', 'pending'))
      .orderBy('created_at', 'desc')
      .limit(listLimit)
      .execute()
    return this.#show(caller, rows)
  }

  async history(caller: Caller, filter: HistoryFilter): Promise<RequestPage> {
    const { rows, next } = await readHistory(this.#options.db, caller.principal, filter)
    return { requests: await this.#show(caller, rows), ...(next === undefined ? {} : { next }) }
  }

  metrics(caller: Caller, span: { from?: string | undefined; to?: string | undefined }): Promise<RequestMetrics> {
    const to = span.to === undefined ? this.#options.clock.now() : new Date(span.to)
    const from = span.from === undefined ? new Date(to.getTime() - metricsMs) : new Date(span.from)
    return readMetrics(this.#options.db, caller.principal, from, to)
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
    if (decided !== undefined) await this.settle([id])
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
        outcomes.push({ id, ok: false, code: error.code, message: error.message })
      }
    }
    return outcomes
  }

  /** Goes on without an approval, where policy lets the requester. */
  async breakGlass(caller: Caller, id: string, reason: string): Promise<AccessRequest> {
    await this.#decider.breakGlass(caller, id, reason)
    await this.#options.grants.refresh()
    await this.settle([id])
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
    if ((await this.#cancelPending([id], caller.principal.id)).length === 0) {
      throw new ORPCError('CONFLICT', { message: `It is already ${(await this.get(caller, id)).state}.` })
    }
    return this.get(caller, id)
  }

  /** Cancels what a session that has ended still waited for: approved later, it would run nowhere. */
  async sessionEnded(sessionId: string): Promise<void> {
    await this.#cancelPending(await this.#stored.waitingOf(sessionId), 'gateway')
  }

  /** Tells those who wait here what was decided, here or by another replica. */
  async settle(ids: readonly string[] = this.#waiting.ids()): Promise<void> {
    if (ids.length === 0) return
    const { db } = this.#options
    const rows = await db
      .selectFrom('requests')
      .selectAll()
      .where('id', 'in', ids)
      .where('state', '<>', 'pending')
      .execute()
    const reviews = await readReviews(
      db,
      rows.map((row) => row.id),
    )
    for (const row of rows) {
      const outcome = outcomeOf(
        row,
        reviews.filter((review) => review.request_id === row.id),
      )
      if (outcome !== undefined) this.#waiting.settle(row.id, outcome)
    }
  }

  /** What decides at once, where policy has a rule for it and the reason is the one that is wanted. */
  #rule({ auto, reasonPattern }: Approval, reason: string): Parameters<RequestStore['insert']>[3] {
    if (auto === undefined) return undefined
    if (reasonPattern !== undefined && !reasonFits(reasonPattern, reason)) return undefined
    return (trx, append, row) => this.#decider.byRule(trx, append, row, auto)
  }

  #startOf({ startsAt }: NewRequest): Date | null {
    if (startsAt === undefined) return null
    const start = new Date(startsAt)
    const now = this.#options.clock.now().getTime()
    if (start.getTime() > now + furthestStartMs) {
      throw new ORPCError('CONFLICT', { message: 'A start is at most 30 days ahead.' })
    }
    return start.getTime() <= now ? null : start
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

  #after(seconds: number): Date {
    return new Date(this.#options.clock.now().getTime() + seconds * 1000)
  }

  async #expireDue(): Promise<void> {
    await this.#end(await this.#stored.due(), 'expired', 'gateway')
  }

  #cancelPending(ids: readonly string[], by: string): Promise<readonly string[]> {
    return this.#end(ids, 'cancelled', by)
  }

  /** Ends those of them that are still pending, and tells who waits here; resolves with which. */
  async #end(ids: readonly string[], state: 'expired' | 'cancelled', by: string): Promise<readonly string[]> {
    const ended = await this.#stored.end(ids, state, by)
    for (const id of ended) this.#waiting.settle(id, { kind: state })
    return ended
  }

  /** For work that nobody waits for; the sweep does it again. */
  #quietly(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.#options.log.error({ err: error }, 'a request can’t be closed; trying again'))
  }
}
