import { ORPCError } from '@orpc/server'
import type { Transaction } from 'kysely'
import { reasonFits } from '../../policy/reason.ts'
import type { PolicyRef } from '../../shared/decision.ts'
import type { Caller } from '../api/context.ts'
import { stepUpError } from '../api/step-up.ts'
import type { Audit } from '../audit/audit.ts'
import type { Events } from '../events/events.ts'
import type { GrantBook } from '../grants/grants.ts'
import { type Database, json } from '../store/database.ts'
import { reasonOf } from '../text.ts'
import { whyStepUp } from './eligible.ts'
import { type Known, knownAmong, personBehind } from './persons.ts'
import { whyNotRemind } from './remind.ts'
import { isReasonMissing, isRule, longestSeconds, type RequestRow, ruleName } from './rows.ts'
import { type Append, auditDetail, type RequestStore, readReviews } from './store.ts'
import type { RequestView } from './view.ts'

export interface DeciderOptions {
  audit: Audit
  events: Events
  grants: GrantBook
  stored: RequestStore
  view: RequestView
  clock: { now(): Date }
}

export type Verdict =
  | { verdict: 'approve'; reason: string; durationSeconds?: number | undefined }
  | { verdict: 'deny'; reason: string }

/** Decides requests, each in one transaction that holds its row: of several who decide at once, one does. */
export class Decider {
  readonly #options: DeciderOptions

  constructor(options: DeciderOptions) {
    this.#options = options
  }

  /**
   * One verdict of one person; resolves with the state that it led to, undefined while more are needed.
   * @throws NOT_FOUND, FORBIDDEN or CONFLICT, in words
   */
  async review(caller: Caller, id: string, said: Verdict): Promise<'approved' | 'denied' | undefined> {
    const given = { ...said, reason: reasonOf(said.reason) }
    return this.#options.audit.within(async (trx, append) => {
      const { row, reviewer, reviews, known, requester } = await this.#open(trx, caller, id)
      const decidedBy = reviews.map((review) => known.get(review.reviewer_id)?.person ?? review.reviewer_id)
      const now = this.#options.clock.now()
      const late = row.state !== 'pending' || row.expires_at <= now
      const whyNot = this.#options.view.whyNot(reviewer, row, requester, decidedBy)
      if (whyNot !== undefined) throw new ORPCError(late ? 'CONFLICT' : 'FORBIDDEN', { message: whyNot })
      if (given.verdict === 'deny') {
        await this.#insertReview(trx, id, reviewer.principal.id, given)
        return this.#deny(trx, append, row, reviewer.principal.id, given.reason)
      }
      checkStepUp(caller, row, now)
      if (!known.has(row.requester_id)) {
        const message = `The account of ${row.requester.name} was turned off. Nothing is given to it; deny it.`
        throw new ORPCError('CONFLICT', { message })
      }
      if (isReasonMissing(row)) {
        const message = `${row.requester.name} has to say why before anybody can approve this. Ask them, or deny it.`
        throw new ORPCError('CONFLICT', { message })
      }
      const seconds = shortened(row, given.durationSeconds)
      await this.#insertReview(trx, id, reviewer.principal.id, given)
      if (seconds !== null && seconds !== row.duration_seconds) {
        await trx.updateTable('requests').set({ duration_seconds: seconds }).where('id', '=', id).execute()
      }
      const all = [...reviews, { reviewer_id: reviewer.principal.id, verdict: 'approve' } as const]
      const approvers = this.#options.view.counting(caller, row, all, known)
      const whole = { ...row, duration_seconds: seconds }
      if (approvers.length >= row.approval.count) {
        return this.#approve(trx, append, whole, approvers, { by: reviewer.principal.id, reason: given.reason })
      }
      const detail = { ...auditDetail(whole), reason: given.reason, state: 'pending' }
      await append({ actor: reviewer.principal.id, action: 'request.approve', subject: id, detail })
      await this.#options.stored.publish(trx, whole, {
        kind: 'approval',
        by: reviewer.principal.id,
        given: approvers.length,
      })
      return undefined
    })
  }

  /** A rule approves it, in the transaction in which it was asked. */
  async byRule(trx: Transaction<Database>, append: Append, row: RequestRow, rule: PolicyRef): Promise<void> {
    const by = ruleName(rule.id)
    await this.#insertReview(trx, row.id, by, { verdict: 'approve', reason: rule.reason })
    await this.#approve(trx, append, row, [by], { by, reason: rule.reason })
  }

  /** The requester goes on without an approval; somebody else has to review it afterwards. */
  async breakGlass(caller: Caller, id: string, said: string): Promise<void> {
    const reason = reasonOf(said)
    const { audit, clock, stored } = this.#options
    await audit.within(async (trx, append) => {
      const { row, reviewer } = await this.#open(trx, caller, id)
      const { breakGlass, reasonPattern, escalate } = row.approval
      if (row.requester_id !== caller.principal.id) throw forbidden('Only who asked can break the glass for it.')
      if (breakGlass === undefined)
        throw forbidden(`Policy ${row.policy.id} has no break-glass: somebody has to approve this.`)
      if (!reviewer.groups.includes(breakGlass)) {
        throw forbidden(`Break-glass on ${row.policy.id} is for ${breakGlass}, and you are not in it.`)
      }
      if (row.state !== 'pending' || row.expires_at <= clock.now()) {
        throw new ORPCError('CONFLICT', {
          message: `It is already ${row.state === 'pending' ? 'expired' : row.state}.`,
        })
      }
      if (reasonPattern !== undefined && !reasonFits(reasonPattern, reason)) throw badReason(reasonPattern)
      const now = clock.now()
      // Whoever goes on in place of an approval proves as much as an approver would.
      checkStepUp(caller, row, now)
      const escalated = [...new Set([...row.escalated, ...(escalate ?? []).map(({ group }) => group)])]
      const why = row.reason === '' ? reason : `${row.reason}\n${reason}`
      const broken = await trx
        .updateTable('requests')
        .set({ broken_at: now, after_state: 'open', reason: why, escalated: json(escalated) })
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirstOrThrow()
      await this.#approve(trx, append, broken, [], { by: row.requester_id, reason, breakGlass: true })
      await stored.publish(trx, broken, { kind: 'broken', by: row.requester_id })
    })
  }

  /** Somebody else's word on it. */
  async afterReview(caller: Caller, id: string, verdict: 'accepted' | 'disputed', said: string): Promise<void> {
    const reason = reasonOf(said)
    const { audit, clock, stored, view } = this.#options
    await audit.within(async (trx, append) => {
      const { row, reviewer, requester } = await this.#open(trx, caller, id)
      const whyNot = view.whyNotAfter(reviewer, row, requester)
      if (whyNot !== undefined) {
        throw new ORPCError(row.after_state === 'open' ? 'FORBIDDEN' : 'CONFLICT', { message: whyNot })
      }
      const by = caller.principal.id
      await trx
        .updateTable('requests')
        .set({ after_state: verdict, after_by: by, after_reason: reason, after_at: clock.now() })
        .where('id', '=', id)
        .execute()
      const detail = { ...auditDetail(row), verdict, reason }
      await append({ actor: by, action: 'request.after-review', subject: id, detail })
      await stored.publish(trx, row, { kind: 'reviewed-after', by, verdict, reason })
    })
  }

  /** The requester says why. */
  async explain(caller: Caller, id: string, text: string): Promise<void> {
    const reason = reasonOf(text)
    const { audit, stored } = this.#options
    await audit.within(async (trx, append) => {
      const { row } = await this.#open(trx, caller, id)
      if (row.requester_id !== caller.principal.id) throw forbidden('Only who asked can say why.')
      if (row.state !== 'pending') throw new ORPCError('CONFLICT', { message: `It is already ${row.state}.` })
      const { reasonPattern } = row.approval
      if (reasonPattern !== undefined && !reasonFits(reasonPattern, reason)) throw badReason(reasonPattern)
      const said = { ...row, reason }
      await trx.updateTable('requests').set({ reason: said.reason }).where('id', '=', id).execute()
      await append({
        actor: row.requester_id,
        action: 'request.reason',
        subject: id,
        detail: { ...auditDetail(row), reason },
      })
      await stored.publish(trx, said, { kind: 'reason' })
    })
  }

  /** The requester asks those who decide once more. */
  async remind(caller: Caller, id: string): Promise<void> {
    const { audit, clock, stored } = this.#options
    await audit.within(async (trx, append) => {
      const { row } = await this.#open(trx, caller, id)
      if (row.requester_id !== caller.principal.id) throw forbidden('Only who asked can remind the reviewers.')
      const now = clock.now()
      const whyNot = whyNotRemind(row, now)
      if (whyNot !== undefined) throw new ORPCError('CONFLICT', { message: whyNot })
      const reminded = { ...row, reminded_at: now, reminders: row.reminders + 1 }
      await trx
        .updateTable('requests')
        .set({ reminded_at: now, reminders: reminded.reminders })
        .where('id', '=', id)
        .execute()
      await append({
        actor: row.requester_id,
        action: 'request.remind',
        subject: id,
        detail: { ...auditDetail(row), time: reminded.reminders },
      })
      await stored.publish(trx, reminded, { kind: 'reminded' })
    })
  }

  /** The row, held until the end of the transaction, and everybody concerned as they are now. */
  async #open(trx: Transaction<Database>, caller: Caller, id: string) {
    const row = await trx.selectFrom('requests').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()
    if (row === undefined || !this.#options.view.maySee(caller, row)) throw notFound(id)
    const reviews = await readReviews(trx, [id])
    const ids = [caller.principal.id, row.requester_id, ...reviews.map((review) => review.reviewer_id)]
    const known: ReadonlyMap<string, Known> = await knownAmong(trx, ids)
    const self = known.get(caller.principal.id)
    if (self === undefined) throw forbidden('Your account was turned off at this gateway.')
    const { person, ...principal } = self
    const reviewer = { ...caller, principal, person, groups: principal.groups }
    const requester = known.get(row.requester_id)?.person ?? (await personBehind(trx, row.requester_id))
    return { row, reviews, known, reviewer, requester }
  }

  async #insertReview(
    trx: Transaction<Database>,
    id: string,
    by: string,
    { verdict, reason }: Pick<Verdict, 'verdict' | 'reason'>,
  ): Promise<void> {
    await trx
      .insertInto('reviews')
      .values({ request_id: id, reviewer_id: by, verdict, reason, at: this.#options.clock.now() })
      .execute()
  }

  async #deny(trx: Transaction<Database>, append: Append, row: RequestRow, by: string, reason: string) {
    const { clock, stored } = this.#options
    await trx
      .updateTable('requests')
      .set({ state: 'denied', decided_at: clock.now() })
      .where('id', '=', row.id)
      .execute()
    const detail = { ...auditDetail(row), reason, state: 'denied' }
    await append({ actor: by, action: 'request.deny', subject: row.id, detail })
    await stored.publish(trx, row, { kind: 'denied', by, reason })
    return 'denied' as const
  }

  async #approve(
    trx: Transaction<Database>,
    append: Append,
    row: RequestRow,
    approvers: readonly string[],
    decided: { by: string; reason: string; breakGlass?: true },
  ) {
    const { clock, events, grants, stored } = this.#options
    const { by, reason, breakGlass } = decided
    await trx
      .updateTable('requests')
      .set({ state: 'approved', decided_at: clock.now() })
      .where('id', '=', row.id)
      .execute()
    const grant =
      row.kind === 'grant'
        ? await grants.create(trx, {
            requestId: row.id,
            principalId: row.requester_id,
            connection: row.connection_name,
            actions: row.actions,
            dataClasses: row.data_classes,
            durationSeconds: row.duration_seconds ?? longestSeconds(row.approval),
            startsAt: row.starts_at ?? undefined,
            extends: row.extends_grant ?? undefined,
            approvedBy: approvers,
          })
        : undefined
    const action = breakGlass === true ? 'request.break-glass' : isRule(by) ? 'request.auto-approve' : 'request.approve'
    const detail = { ...auditDetail(row), reason, state: 'approved' }
    await append({ actor: by, action, subject: row.id, detail })
    if (grant !== undefined) await append({ actor: by, action: 'grant.start', subject: grant.id, detail: { ...grant } })
    if (breakGlass !== true) await stored.publish(trx, row, { kind: 'approved', by: approvers })
    if (grant !== undefined) {
      const concerned = [grant.principalId, ...approvers.filter((each) => !isRule(each))]
      await events.publish(trx, { type: 'grant', id: grant.id, state: 'active' }, { principals: concerned })
    }
    return 'approved' as const
  }
}

/** @throws STEP_UP, or FORBIDDEN for a machine, where policy wants a better sign-in than the caller has */
function checkStepUp(caller: Caller, { approval, policy }: RequestRow, now: Date): void {
  const lack = whyStepUp(caller, approval.stepUpSeconds, now)
  if (lack === undefined) return
  const message = `${policy.id}: ${lack.message}`
  throw lack.stepUp === undefined ? forbidden(message) : stepUpError(message, lack.stepUp)
}

/** The shorter of what was asked for and what the reviewer gives. */
function shortened(row: RequestRow, durationSeconds: number | undefined): number | null {
  if (durationSeconds === undefined) return row.duration_seconds
  if (row.kind === 'once') {
    throw new ORPCError('CONFLICT', { message: 'This runs once. There is no time to shorten; approve it as it is.' })
  }
  return Math.min(row.duration_seconds ?? longestSeconds(row.approval), durationSeconds)
}

export function badReason(pattern: string): ORPCError<'CONFLICT', undefined> {
  return new ORPCError('CONFLICT', { message: `The reason must name what policy asks for: it has to match ${pattern}` })
}

export function notFound(id: string): ORPCError<'NOT_FOUND', undefined> {
  return new ORPCError('NOT_FOUND', { message: `There is no request ${id}, or it is not yours to see.` })
}

function forbidden(message: string): ORPCError<'FORBIDDEN', undefined> {
  return new ORPCError('FORBIDDEN', { message })
}
