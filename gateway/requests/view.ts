import type { Kysely } from 'kysely'
import type { AccessRequest, AfterReview, EarlierRequest, Review } from '../../shared/api/models.ts'
import type { ConnectionRef } from '../../shared/connection.ts'
import type { Decision } from '../../shared/decision.ts'
import type { Principal } from '../../shared/principal.ts'
import type { Caller } from '../api/context.ts'
import { everyConnection } from '../connections/connections.ts'
import { type GrantRow, toGrant } from '../grants/grants.ts'
import type { Connections, LocalAgent } from '../services.ts'
import type { Database } from '../store/database.ts'
import type { Sealer } from '../store/seal.ts'
import { type Reviewer, whyNotAfterReview, whyNotReview, whyStepUp } from './eligible.ts'
import { type Known, knownAmong, ownersOf } from './persons.ts'
import { remindableFrom } from './remind.ts'
import {
  factsOf,
  groupsOf,
  isReasonMissing,
  isRule,
  nextEscalation,
  type RequestRow,
  type ReviewRow,
  redactedContext,
  textContext,
} from './rows.ts'
import { readReviews } from './store.ts'
import type { Onlooker } from './visible.ts'

export interface RequestViewOptions {
  db: Kysely<Database>
  sealer: Sealer
  agent: Pick<LocalAgent, 'decide' | 'access'>
  connections: Connections
  clock: { now(): Date }
}

const earlierLimit = 8

/** Of whom policy is asked, and how they are signed in. */
type Asked = Pick<Caller, 'principal' | 'sourceIp' | 'mfa'>

export interface Material {
  /** By request, in the order in which they were given. */
  reviews: ReadonlyMap<string, readonly ReviewRow[]>
  known: ReadonlyMap<string, Known>
  /** The persons behind machines. */
  owners: ReadonlyMap<string, string>
  grants: ReadonlyMap<string, GrantRow>
}

interface Surroundings extends Material {
  caller: Caller
  /** The person who looks. */
  person: string
  /** Whether the caller sees a data class in the clear on a connection. */
  clear(row: RequestRow, dataClass: string): boolean
}

/** Requests as one caller may see them. */
export class RequestView {
  readonly #options: RequestViewOptions

  constructor(options: RequestViewOptions) {
    this.#options = options
  }

  /** By whom it was asked, and by whom it may be decided: members of a group that is asked, whom policy lets review. */
  maySee(caller: Caller, row: RequestRow): boolean {
    const { principal } = caller
    if (row.requester_id === principal.id) return true
    return groupsOf(row).some((group) => principal.groups.includes(group)) && this.#reviews(caller, row.connection)
  }

  /** The caller, with where policy lets them review. */
  async onlooker(caller: Caller): Promise<Onlooker> {
    const { db, connections } = this.#options
    const { id, groups } = caller.principal
    const places = groups.length === 0 ? [] : await everyConnection(db, connections)
    return { id, groups, reviewing: places.filter((ref) => this.#reviews(caller, ref)).map(({ name }) => name) }
  }

  /** Whoever lacks nothing but a second factor sees what waits for them, and is told when they decide. */
  #reviews(caller: Caller, connection: ConnectionRef): boolean {
    const { principal, mfa } = caller
    if (this.mayReview(caller, connection).verdict === 'allow') return true
    return principal.kind === 'user' && !mfa && this.mayReview({ ...caller, mfa: true }, connection).verdict === 'allow'
  }

  mayReview({ principal, sourceIp, mfa }: Asked, connection: ConnectionRef): Decision {
    return this.#options.agent.decide(principal, 'review', connection, { sourceIp, mfa })
  }

  async show(caller: Caller, rows: readonly RequestRow[]): Promise<AccessRequest[]> {
    return rows.length === 0 ? [] : this.draw(caller, rows, await this.load(rows))
  }

  /** What requests are shown from, whoever looks. */
  async load(rows: readonly RequestRow[]): Promise<Material> {
    const { db } = this.#options
    const ids = rows.map((row) => row.id)
    const reviews = Map.groupBy(await readReviews(db, ids), (review) => review.request_id)
    const named = [...reviews.values()].flat().map((review) => review.reviewer_id)
    const [known, owners, grants] = await Promise.all([
      knownAmong(db, [...named, ...rows.map((row) => row.requester_id)]),
      ownersOf(db),
      db.selectFrom('grants').selectAll().where('request_id', 'in', ids).execute(),
    ])
    return { reviews, known, owners, grants: new Map(grants.map((grant) => [grant.request_id, grant])) }
  }

  draw(caller: Caller, rows: readonly RequestRow[], material: Material): AccessRequest[] {
    const person = material.owners.get(caller.principal.id) ?? caller.principal.id
    const surroundings = { ...material, caller, person, clear: this.#clearFor(caller) }
    return rows.map((row) => this.#one(row, material.reviews.get(row.id) ?? [], surroundings))
  }

  /** What the same person asked for before, newest first, as far as the caller may see it. */
  async earlier(caller: Caller, row: RequestRow): Promise<EarlierRequest[]> {
    const { db } = this.#options
    const rows = await db
      .selectFrom('requests')
      .selectAll()
      .where('requester_id', '=', row.requester_id)
      .where('id', '<>', row.id)
      .where('created_at', '<=', row.created_at)
      .orderBy('created_at', 'desc')
      .limit(earlierLimit)
      .execute()
    const seen = rows.filter((each) => this.maySee(caller, each))
    const reviews = Map.groupBy(
      await readReviews(
        db,
        seen.map((each) => each.id),
      ),
      (review) => review.request_id,
    )
    const deciders = (id: string) => (reviews.get(id) ?? []).map((review) => review.reviewer_id)
    const known = await knownAmong(
      db,
      seen.flatMap(({ id }) => deciders(id)),
    )
    return seen.map((each) => ({
      id: each.id,
      kind: each.kind,
      state: each.state,
      connection: each.connection_name,
      policy: each.policy.id,
      action: each.action ?? each.actions.join(', '),
      createdAt: each.created_at.toISOString(),
      by: deciders(each.id),
      names: deciders(each.id).map((id) => known.get(id)?.name ?? id),
    }))
  }

  /** Why the reviewer may not decide, in words for them; undefined when they may. */
  whyNot(
    reviewer: Reviewer & Asked,
    row: RequestRow,
    requester: string,
    decidedBy: readonly string[],
  ): string | undefined {
    return whyNotReview(
      reviewer,
      { state: row.state, requester, groups: groupsOf(row), expiresAt: row.expires_at, decidedBy },
      () => this.mayReview(reviewer, row.connection),
      this.#options.clock.now(),
    )
  }

  whyNotAfter(reviewer: Reviewer & Asked, row: RequestRow, requester: string): string | undefined {
    return whyNotAfterReview(reviewer, { open: row.after_state === 'open', requester, groups: groupsOf(row) }, () =>
      this.mayReview(reviewer, row.connection),
    )
  }

  /** See `counting`. How those who approved were signed in is not kept: they are asked about as if from where the caller is. */
  counting(
    { sourceIp }: Pick<Caller, 'sourceIp'>,
    row: RequestRow,
    reviews: readonly Pick<ReviewRow, 'reviewer_id' | 'verdict'>[],
    known: ReadonlyMap<string, Known>,
  ): string[] {
    return counting(row, reviews, known, ({ kind, id, name, groups }) => {
      const asked = { principal: { kind, id, name, groups }, sourceIp, mfa: kind === 'user' }
      return this.mayReview(asked, row.connection).verdict === 'allow'
    })
  }

  #one(row: RequestRow, reviews: readonly ReviewRow[], surroundings: Surroundings): AccessRequest {
    const { caller, person, known, owners, grants } = surroundings
    const { principal } = caller
    const requester = owners.get(row.requester_id) ?? row.requester_id
    const reviewer = { ...caller, person, groups: principal.groups }
    const decidedBy = reviews.map((review) => known.get(review.reviewer_id)?.person ?? review.reviewer_id)
    const whyNot = this.whyNot(reviewer, row, requester, decidedBy)
    const now = this.#options.clock.now()
    const pending = row.state === 'pending'
    const own = row.requester_id === principal.id
    const grant = grants.get(row.id)
    const remindFrom = own ? remindableFrom(row) : undefined
    const escalatesAt = pending ? nextEscalation(row) : undefined
    const { breakGlass, stepUpSeconds } = row.approval
    return {
      ...factsOf(row),
      ...this.#text(row, own, surroundings),
      reviews: reviews.map((review) => toReview(review, known)),
      progress: {
        given: this.counting(caller, row, reviews, known).length,
        needed: row.approval.count,
        groups: groupsOf(row),
      },
      ...(escalatesAt === undefined ? {} : { escalatesAt: escalatesAt.toISOString() }),
      origin: {
        sourceIp: row.source_ip,
        mfa: row.mfa ?? false,
        ...(row.client === null ? {} : { client: row.client }),
        ...(row.device === null ? {} : { device: row.device }),
        onCall: (known.get(row.requester_id) ?? row.requester).groups.includes('on-call'),
      },
      ...(pending && isReasonMissing(row) ? { reasonMissing: true } : {}),
      ...(row.reminded_at === null ? {} : { remindedAt: row.reminded_at.toISOString() }),
      ...(remindFrom === undefined ? {} : { remindFrom: remindFrom.toISOString() }),
      ...(pending && own && breakGlass !== undefined && principal.groups.includes(breakGlass)
        ? { canBreakGlass: true }
        : {}),
      ...(row.after_state === null ? {} : { afterReview: this.#after(row, reviewer, requester, row.after_state) }),
      ...(grant === undefined ? {} : { grant: toGrant(grant) }),
      canReview: whyNot === undefined,
      ...(whyNot === undefined ? {} : { whyNot }),
      ...(whyNot === undefined && whyStepUp(caller, stepUpSeconds, now)?.stepUp !== undefined ? { stepUp: true } : {}),
    }
  }

  #after(
    row: RequestRow,
    reviewer: Parameters<RequestView['whyNotAfter']>[0],
    requester: string,
    state: AfterReview['state'],
  ): AfterReview {
    return {
      state,
      ...(row.after_by === null ? {} : { by: row.after_by }),
      ...(row.after_reason === null ? {} : { reason: row.after_reason }),
      ...(row.after_at === null ? {} : { at: row.after_at.toISOString() }),
      canReview: this.whyNotAfter(reviewer, row, requester) === undefined,
    }
  }

  #text(
    row: RequestRow,
    own: boolean,
    { clear }: Surroundings,
  ): Pick<AccessRequest, 'text' | 'textHidden' | 'textSha256'> {
    const { sealer } = this.#options
    if (row.text_sealed === null) return {}
    const whole = own || row.hidden_classes.every((dataClass) => clear(row, dataClass))
    if (whole || row.redacted_sealed === null) {
      const text = sealer.open(row.text_sealed, textContext(row.id))
      return { text, ...(row.text_sha256 === null ? {} : { textSha256: row.text_sha256 }) }
    }
    // Without its hash: who knows all but nine digits of a text finds them by trying.
    return { text: sealer.open(row.redacted_sealed, redactedContext(row.id)), textHidden: true }
  }

  /** Asks policy once per connection. */
  #clearFor({ principal, sourceIp, mfa }: Caller): Surroundings['clear'] {
    const clear = new Map<string, ReadonlySet<string>>()
    return (row, dataClass) => {
      let classes = clear.get(row.connection_name)
      if (classes === undefined) {
        const { dataClasses } = this.#options.agent.access({
          sessionId: 'review',
          principal,
          connection: row.connection,
          annotations: 'text',
          context: { sourceIp, mfa },
          grants: [],
        })
        classes = new Set(dataClasses.filter(({ unmask }) => unmask.verdict === 'clear').map(({ name }) => name))
        clear.set(row.connection_name, classes)
      }
      return classes.has(dataClass)
    }
  }
}

/** Approvals that count right now: of distinct people who are still there, still in a group that decides, and still may. */
function counting(
  row: RequestRow,
  reviews: readonly Pick<ReviewRow, 'reviewer_id' | 'verdict'>[],
  known: ReadonlyMap<string, Known>,
  mayReview: (reviewer: Principal) => boolean,
): string[] {
  const people = new Map<string, string>()
  for (const { reviewer_id: id, verdict } of reviews) {
    if (verdict !== 'approve') continue
    if (isRule(id)) people.set(id, id)
    const reviewer = known.get(id)
    if (reviewer === undefined || people.has(reviewer.person)) continue
    const asked = groupsOf(row).some((group) => reviewer.groups.includes(group))
    if (asked && mayReview(reviewer)) people.set(reviewer.person, id)
  }
  return [...people.values()]
}

function toReview(review: ReviewRow, known: ReadonlyMap<string, Known>): Review {
  const name = known.get(review.reviewer_id)?.name
  return {
    by: review.reviewer_id,
    ...(name === undefined ? {} : { name }),
    verdict: review.verdict,
    reason: review.reason,
    at: review.at.toISOString(),
  }
}
