import type { AccessRequest } from '../../shared/api/models.ts'
import type { Environment } from '../../shared/connection.ts'
import type { Notice } from '../../shared/rpc/notice.ts'

const environments: Readonly<Record<Environment, string>> = {
  production: 'Production',
  staging: 'Staging',
  development: 'Development',
}

/**
 * What the system shows of a request, if anything: to a reviewer that somebody asks, or went on without an approval; to who asked what
 * became of it, with the name of who decided. No statement text and no reason. Approve is offered for access for a time alone, where the notice says all that is
 * asked for.
 */
export function noticeOf(request: AccessRequest, me: string): Notice | undefined {
  const own = request.requester.id === me
  if (own) return outcomeNotice(request)
  const { connection, requester } = request
  const place = environments[connection.environment]
  if (isToReviewAfterwards(request)) {
    return {
      id: request.id,
      requestId: request.id,
      title: `Break-glass on ${connection.name}`,
      body: `${place} · ${requester.name} went on without an approval. Review it.`,
      actions: ['review', 'later'],
    }
  }
  if (request.state !== 'pending' || !request.canReview) return undefined
  const grant = request.kind === 'grant'
  return {
    id: request.id,
    requestId: request.id,
    title: `${request.remindedAt === undefined ? 'Approval' : 'Reminder: approval'} needed on ${connection.name}`,
    body: grant ? `${place} · ${requester.name} · ${access(request)}` : `${place} · ${requester.name}`,
    actions: grant ? ['approve', 'deny', 'review'] : ['review', 'later'],
  }
}

/** Somebody went on without an approval, and this person may say what they think of it. */
export function isToReviewAfterwards({ afterReview }: AccessRequest): boolean {
  return afterReview?.state === 'open' && afterReview.canReview
}

function outcomeNotice(request: AccessRequest): Notice | undefined {
  const said = outcome(request)
  if (said === undefined) return undefined
  const { connection } = request
  return {
    id: request.id,
    requestId: request.id,
    title: said.title,
    body: `${environments[connection.environment]} · ${connection.name}. ${said.effect}`,
    actions: [],
  }
}

function outcome(request: AccessRequest): { title: string; effect: string } | undefined {
  const { state, kind, approval, afterReview } = request
  if (afterReview !== undefined && afterReview.state !== 'open') {
    return {
      title: `Break-glass ${afterReview.state} by ${afterReview.by ?? 'a reviewer'}`,
      effect: 'Open it to read why.',
    }
  }
  const approvers = request.reviews.filter((review) => review.verdict === 'approve').map((review) => review.by)
  switch (state) {
    case 'pending':
      if (approvers.length === 0) return undefined
      return {
        title: `${approvers.at(-1)} approved, ${approvers.length} of ${approval.count}`,
        effect: `Waiting for ${approval.group}.`,
      }
    case 'approved':
      return {
        title: afterReview === undefined ? `Approved by ${listed(approvers)}` : 'Break-glass: you went on',
        effect: kind === 'once' ? 'It runs now, one time.' : `${access(request)}, from now.`,
      }
    case 'denied': {
      const by = request.reviews.findLast((review) => review.verdict === 'deny')?.by
      return { title: by === undefined ? 'Denied' : `Denied by ${by}`, effect: 'Nothing ran. Open it to read why.' }
    }
    case 'expired':
      return { title: 'Expired unanswered', effect: 'Nothing ran. You can ask again.' }
    case 'revoked':
      return { title: 'Access ended early', effect: 'Access is as it was before.' }
    case 'cancelled':
      return undefined
    default:
      return state satisfies never
  }
}

/** `write, unmask email for 30 min`: all that a request for a time asks for. */
function access({ actions, dataClasses, durationSeconds }: AccessRequest): string {
  const what = actions.map((action) =>
    action === 'unmask' && dataClasses.length > 0
      ? `unmask ${dataClasses.join(', ')}`
      : action.slice(action.indexOf(':') + 1),
  )
  const text = what.join(', ')
  return durationSeconds === undefined ? text : `${text} for ${duration(durationSeconds)}`
}

function duration(seconds: number): string {
  const minutes = Math.round(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? (names[0] ?? 'policy') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}
