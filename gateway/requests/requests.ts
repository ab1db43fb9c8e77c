import { createHash } from 'node:crypto'
import { ORPCError } from '@orpc/server'
import type { Kysely, Transaction } from 'kysely'
import type { AccessRequest, NewRequest } from '../../shared/api/models.ts'
import type { ConnectionRef } from '../../shared/connection.ts'
import type { Held, HoldRequest } from '../../shared/link.ts'
import type { Principal } from '../../shared/principal.ts'
import type { Caller } from '../api/context.ts'
import type { Audit, AuditEntry } from '../audit/audit.ts'
import type { Events } from '../events/events.ts'
import type { GrantBook, GrantRow } from '../grants/grants.ts'
import { newId } from '../secrets.ts'
import type { Connections, Identities, LocalAgent, Log } from '../services.ts'
import { type Database, json } from '../store/database.ts'
import type { Sealer } from '../store/seal.ts'
import { storable } from '../text.ts'
import { weighAsk } from './ask.ts'
import { whyNotReview } from './eligible.ts'
import { type RequestRow, type ReviewRow, textContext, toAccessRequest, toReviewed } from './rows.ts'
import { audience, auditDetail, RequestStore, readReviews } from './store.ts'
import { outcomeOf, WaitingHolds } from './waiting.ts'

export interface RequestsOptions {
  db: Kysely<Database>
  sealer: Sealer
  events: Events
  audit: Audit
  grants: GrantBook
  agent: Pick<LocalAgent, 'decide' | 'access'>
  connections: Connections
  /** Identities as a transaction sees them: who decides is looked up in the same one. */
  identities(db: Kysely<Database>): Identities
  log: Log
  /** Seconds that a held request waits at most, whatever policy says. */
  holdSeconds?: number
}

/** Where a held request comes from. */
export interface HoldOrigin {
  sessionId: string
  principal: Principal
  connection: ConnectionRef
  sourceIp: string
}

type Append = (entry: AuditEntry) => Promise<void>

const sweepMs = 5_000
const defaultHoldSeconds = 1_800
const grantWait = { least: 1_800, most: 86_400 }
/** Requests of one person that may wait at once. */
const pendingLimit = 50
const listLimit = 500

/** Approvals: what is asked for, who decides, and that one decision wins. */
export class Requests {
  readonly #options: RequestsOptions
  readonly #stored: RequestStore
  readonly #waiting = new WaitingHolds()
  #sweep: NodeJS.Timeout | undefined
  #forget: () => void = () => {}

  constructor(options: RequestsOptions) {
    this.#options = options
    this.#stored = new RequestStore(options)
  }

  start(): void {
    this.#sweep = setInterval(() => this.#quietly(this.#expireDue().then(() => this.settle())), sweepMs)
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
    const id = newId('req')
    const limit = this.#options.holdSeconds ?? defaultHoldSeconds
    const expiresAt = after(Math.min(request.approval.windowSeconds, limit))
    // Before it is stored: somebody may decide the moment it is.
    const outcome = this.#waiting.wait(id, expiresAt, () => this.#quietly(this.#expireDue()))
    const stored = this.#stored.insert(origin.principal, origin.connection, {
      id,
      kind: 'once',
      reason: '',
      policy: json(request.policy),
      approval: json(request.approval),
      session_id: origin.sessionId,
      action: request.action,
      text_sealed: sealer.seal(request.text, textContext(id)),
      text_sha256: createHash('sha256').update(request.text).digest('hex'),
      tables: json(request.tables),
      binding: json(request.binding),
      actions: json([]),
      data_classes: json([]),
      duration_seconds: null,
      source_ip: origin.sourceIp,
      expires_at: expiresAt,
    })
    try {
      await stored
    } catch (error) {
      this.#waiting.settle(id, { kind: 'cancelled' })
      throw error
    }
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
    const { agent, connections } = this.#options
    const { principal, sourceIp, mfa } = caller
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
    const count = await this.#stored.pendingOf(principal.id)
    if (count >= pendingLimit) {
      throw new ORPCError('CONFLICT', {
        message: `${count} of your requests wait for a decision already. Cancel those that you no longer need.`,
      })
    }
    const id = newId('req')
    const { windowSeconds } = ask.approval
    await this.#stored.insert(principal, connection, {
      id,
      kind: 'grant',
      reason: storable(input.reason),
      policy: json(ask.policy),
      approval: json(ask.approval),
      session_id: null,
      action: null,
      text_sealed: null,
      text_sha256: null,
      tables: json([]),
      binding: json({}),
      actions: json(ask.actions),
      data_classes: json(ask.dataClasses),
      // Policy bounds how long an approval may last; whoever asks for more is asking for that.
      duration_seconds: Math.min(input.durationSeconds, windowSeconds),
      source_ip: sourceIp,
      expires_at: after(Math.min(Math.max(windowSeconds, grantWait.least), grantWait.most)),
    })
    return this.get(caller, id)
  }

  /** What the caller asked for, and what they may see as a reviewer. Newest first. */
  async list(
    caller: Caller,
    filter: { scope: 'mine' | 'review' | 'all'; state?: 'pending' | 'decided' | undefined },
  ): Promise<AccessRequest[]> {
    const { id, groups } = caller.principal
    const rows = await this.#options.db
      .selectFrom('requests')
      .selectAll()
      .where((eb) => {
        const mine = eb('requester_id', '=', id)
        const review = groups.length === 0 ? eb.lit(false) : eb(eb.ref('approval', '->>').key('group'), 'in', groups)
        if (filter.scope === 'mine') return mine
        if (filter.scope === 'review') return eb.and([review, eb.not(mine)])
        return eb.or([mine, review])
      })
      .$if(filter.state === 'pending', (query) => query.where('state', '=', 'pending'))
      .$if(filter.state === 'decided', (query) => query.where('state', '<>', 'pending'))
      .orderBy('created_at', 'desc')
      .limit(listLimit)
      .execute()
    return this.#show(
      caller,
      rows.filter((row) => this.#maySee(caller, row)),
    )
  }

  /** Throws NOT_FOUND for what does not exist and for what is not the caller's to see alike. */
  async get(caller: Caller, id: string): Promise<AccessRequest> {
    const shown = await this.peek(caller, id)
    if (shown === undefined) throw notFound(id)
    return shown
  }

  /** As `get`; undefined instead of an error. */
  async peek(caller: Caller, id: string): Promise<AccessRequest | undefined> {
    const row = await this.#options.db.selectFrom('requests').selectAll().where('id', '=', id).executeTakeFirst()
    if (row === undefined || !this.#maySee(caller, row)) return undefined
    return (await this.#show(caller, [row]))[0]
  }

  /** One verdict of one person. Of several that would decide, the first to commit does; the others get CONFLICT. */
  async review(caller: Caller, id: string, verdict: 'approve' | 'deny', reason: string): Promise<AccessRequest> {
    const { audit, identities, grants } = this.#options
    const decided = await audit.within(async (trx, append) => {
      const row = await trx.selectFrom('requests').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()
      if (row === undefined || !this.#maySee(caller, row)) throw notFound(id)
      const reviews = await readReviews(trx, [id])
      const directory = identities(trx)
      const reviewer = await directory.get(caller.principal.id)
      if (reviewer === undefined) {
        throw new ORPCError('FORBIDDEN', { message: 'Your account was turned off at this gateway.' })
      }
      this.#mustBeEligible(caller, reviewer, row, reviews)
      await trx
        .insertInto('reviews')
        .values({ request_id: id, reviewer_id: reviewer.id, verdict, reason: storable(reason) })
        .execute()
      const approvers = verdict === 'deny' ? [] : await stillIn(directory, row, reviews, reviewer.id)
      const state =
        verdict === 'deny' ? 'denied' : approvers.length >= row.approval.count ? ('approved' as const) : undefined
      if (state !== undefined) {
        await trx.updateTable('requests').set({ state, decided_at: new Date() }).where('id', '=', id).execute()
      }
      await this.#tellReview(trx, append, row, { by: reviewer.id, verdict, reason, state, approvers })
      return state
    })
    if (decided === 'approved') await grants.refresh()
    if (decided !== undefined) await this.settle([id])
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

  async #tellReview(
    trx: Transaction<Database>,
    append: Append,
    row: RequestRow,
    review: {
      by: string
      verdict: 'approve' | 'deny'
      reason: string
      state: 'approved' | 'denied' | undefined
      approvers: readonly string[]
    },
  ): Promise<void> {
    const { events, grants } = this.#options
    const { by, verdict, reason, state, approvers } = review
    const grant =
      state === 'approved' && row.kind === 'grant'
        ? await grants.create(trx, {
            requestId: row.id,
            principalId: row.requester_id,
            connection: row.connection_name,
            actions: row.actions,
            dataClasses: row.data_classes,
            durationSeconds: row.duration_seconds ?? row.approval.windowSeconds,
            approvedBy: approvers,
          })
        : undefined
    await append({
      actor: by,
      action: `request.${verdict}`,
      subject: row.id,
      detail: { ...auditDetail(row), reason, state: state ?? 'pending' },
    })
    if (grant !== undefined) {
      await append({ actor: by, action: 'grant.start', subject: grant.id, detail: { ...grant } })
    }
    await events.publish(trx, { type: 'request', id: row.id }, audience(row))
    if (grant !== undefined) {
      await events.publish(
        trx,
        { type: 'grant', id: grant.id, state: 'active' },
        { principals: [grant.principalId, ...grant.approvedBy] },
      )
    }
  }

  #mustBeEligible(caller: Caller, reviewer: Principal, row: RequestRow, reviews: readonly ReviewRow[]): void {
    const whyNot = this.#whyNot({ ...caller, principal: reviewer }, row, reviews)
    if (whyNot === undefined) return
    const late = row.state !== 'pending' || row.expires_at <= new Date()
    throw new ORPCError(late ? 'CONFLICT' : 'FORBIDDEN', { message: whyNot })
  }

  #whyNot(caller: Caller, row: RequestRow, reviews: readonly ReviewRow[]): string | undefined {
    const { principal, sourceIp, mfa } = caller
    return whyNotReview(
      principal,
      toReviewed(row, reviews),
      () => this.#options.agent.decide(principal, 'review', row.connection, { sourceIp, mfa }),
      new Date(),
    )
  }

  #maySee(caller: Caller, row: RequestRow): boolean {
    return row.requester_id === caller.principal.id || caller.principal.groups.includes(row.approval.group)
  }

  async #show(caller: Caller, rows: readonly RequestRow[]): Promise<AccessRequest[]> {
    if (rows.length === 0) return []
    const { db, sealer } = this.#options
    const ids = rows.map((row) => row.id)
    const reviews = Map.groupBy(await readReviews(db, ids), (review) => review.request_id)
    const grants = new Map<string, GrantRow>()
    for (const grant of await db.selectFrom('grants').selectAll().where('request_id', 'in', ids).execute()) {
      grants.set(grant.request_id, grant)
    }
    return rows.map((row) => {
      const own = reviews.get(row.id) ?? []
      return toAccessRequest(row, own, grants.get(row.id), this.#whyNot(caller, row, own), sealer)
    })
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

/** Everybody whose approval counts right now: this reviewer, and those before who are still there and in the group. */
async function stillIn(
  directory: Identities,
  row: RequestRow,
  reviews: readonly ReviewRow[],
  reviewer: string,
): Promise<string[]> {
  const approvers = [reviewer]
  for (const review of reviews) {
    if (review.verdict !== 'approve' || approvers.includes(review.reviewer_id)) continue
    const before = await directory.get(review.reviewer_id)
    if (before?.groups.includes(row.approval.group)) approvers.push(before.id)
  }
  return approvers
}

function after(seconds: number): Date {
  return new Date(Date.now() + seconds * 1000)
}

function notFound(id: string): ORPCError<'NOT_FOUND', undefined> {
  return new ORPCError('NOT_FOUND', { message: `There is no request ${id}, or it is not yours to see.` })
}
