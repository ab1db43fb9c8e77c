import type { Selectable } from 'kysely'
import type { AccessRequest } from '../../shared/api/models.ts'
import { type GrantRow, toGrant } from '../grants/grants.ts'
import type { Database } from '../store/database.ts'
import type { Sealer } from '../store/seal.ts'
import type { Reviewed } from './eligible.ts'

export type RequestRow = Selectable<Database['requests']>
export type ReviewRow = Selectable<Database['reviews']>

/** Where the text of a held request is sealed to. */
export function textContext(id: string): string {
  return `requests/${id}`
}

export function toReviewed(row: RequestRow, reviews: readonly ReviewRow[]): Reviewed {
  return {
    state: row.state,
    requesterId: row.requester_id,
    approval: row.approval,
    expiresAt: row.expires_at,
    reviews: reviews.map((review) => ({ by: review.reviewer_id, verdict: review.verdict })),
  }
}

/** A request as one caller sees it. */
export function toAccessRequest(
  row: RequestRow,
  reviews: readonly ReviewRow[],
  grant: GrantRow | undefined,
  whyNot: string | undefined,
  sealer: Sealer,
): AccessRequest {
  return {
    id: row.id,
    kind: row.kind,
    state: row.state,
    requester: row.requester,
    connection: row.connection,
    reason: row.reason,
    createdAt: row.created_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
    ...(row.decided_at === null ? {} : { decidedAt: row.decided_at.toISOString() }),
    policy: row.policy,
    approval: row.approval,
    reviews: reviews.map((review) => ({
      by: review.reviewer_id,
      verdict: review.verdict,
      reason: review.reason,
      at: review.at.toISOString(),
    })),
    ...(row.session_id === null ? {} : { sessionId: row.session_id }),
    ...(row.action === null ? {} : { action: row.action }),
    ...(row.text_sealed === null ? {} : { text: sealer.open(row.text_sealed, textContext(row.id)) }),
    ...(row.text_sha256 === null ? {} : { textSha256: row.text_sha256 }),
    tables: row.tables,
    actions: row.actions,
    dataClasses: row.data_classes,
    ...(row.duration_seconds === null ? {} : { durationSeconds: row.duration_seconds }),
    ...(grant === undefined ? {} : { grant: toGrant(grant) }),
    sourceIp: row.source_ip,
    canReview: whyNot === undefined,
    ...(whyNot === undefined ? {} : { whyNot }),
  }
}
