import type { Selectable } from 'kysely'
import { reasonFits } from '../../policy/reason.ts'
import type { AccessRequest } from '../../shared/api/models.ts'
import type { Approval } from '../../shared/decision.ts'
import type { Database } from '../store/database.ts'

export type RequestRow = Selectable<Database['requests']>
export type ReviewRow = Selectable<Database['reviews']>

/** Where the text of a held request is sealed to, and the text that everybody who may see the request can read. */
export function textContext(id: string): string {
  return `requests/${id}`
}
export function redactedContext(id: string): string {
  return `requests/${id}/redacted`
}

/** Groups that may decide by now. */
export function groupsOf(row: Pick<RequestRow, 'approval' | 'escalated'>): string[] {
  return [row.approval.group, ...row.escalated]
}

/** A rule's name among those who decide. */
export function ruleName(policyId: string): string {
  return `policy:${policyId}`
}
export function isRule(reviewerId: string): boolean {
  return reviewerId.startsWith('policy:')
}

/** When the next group is asked as well; undefined when none will be. */
export function nextEscalation(row: Pick<RequestRow, 'approval' | 'escalated' | 'created_at'>): Date | undefined {
  const open = (row.approval.escalate ?? []).filter(({ group }) => !row.escalated.includes(group))
  if (open.length === 0) return undefined
  return new Date(row.created_at.getTime() + Math.min(...open.map(({ afterSeconds }) => afterSeconds)) * 1000)
}

/** Groups whose time to be asked has come. */
export function dueEscalations(row: Pick<RequestRow, 'approval' | 'escalated' | 'created_at'>, now: Date): string[] {
  const waited = (now.getTime() - row.created_at.getTime()) / 1000
  return (row.approval.escalate ?? [])
    .filter(({ group, afterSeconds }) => afterSeconds <= waited && !row.escalated.includes(group))
    .map(({ group }) => group)
}

/** Policy wants a reason that has not been given. */
export function isReasonMissing(row: Pick<RequestRow, 'approval' | 'reason'>): boolean {
  const { reasonPattern } = row.approval
  return reasonPattern !== undefined && !reasonFits(reasonPattern, row.reason)
}

/** How long a grant may last at most. */
export function longestSeconds(approval: Approval): number {
  return approval.maxSeconds ?? approval.windowSeconds
}

/** What of a request does not depend on who looks. */
export function factsOf(row: RequestRow): Omit<AccessRequest, 'reviews' | 'canReview'> {
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
    ...(row.session_id === null ? {} : { sessionId: row.session_id }),
    ...(row.action === null ? {} : { action: row.action }),
    tables: row.tables,
    ...(row.kind === 'once'
      ? {
          columns: row.columns,
          binding: row.binding,
          ...(row.connection.kind === 'postgres' ? { estimate: row.estimate ?? { state: 'pending' } } : {}),
        }
      : {}),
    ...(row.row_count === null ? {} : { rowCount: row.row_count }),
    actions: row.actions,
    dataClasses: row.data_classes,
    ...(row.duration_seconds === null ? {} : { durationSeconds: row.duration_seconds }),
    ...(row.starts_at === null ? {} : { startsAt: row.starts_at.toISOString() }),
    ...(row.extends_grant === null ? {} : { extends: row.extends_grant }),
    sourceIp: row.source_ip,
  }
}
