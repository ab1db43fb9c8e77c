import type { Decision } from '../../shared/decision.ts'
import type { Principal } from '../../shared/principal.ts'

export interface Reviewed {
  state: string
  requesterId: string
  approval: { group: string }
  expiresAt: Date
  reviews: readonly { by: string; verdict: 'approve' | 'deny' }[]
}

/** Whether this person may decide this request now, and if not, why not, in words for them. `mayReview` is policy's answer. */
export function whyNotReview(
  reviewer: Principal,
  request: Reviewed,
  mayReview: () => Decision,
  now: Date,
): string | undefined {
  if (request.state !== 'pending') return `It is already ${request.state}.`
  if (request.expiresAt <= now) return 'It expired before anybody decided.'
  if (reviewer.id === request.requesterId) {
    return `You asked for this yourself. Somebody else in ${request.approval.group} has to decide.`
  }
  if (!reviewer.groups.includes(request.approval.group)) {
    return `Only members of ${request.approval.group} decide this, and you are not one.`
  }
  const mine = request.reviews.find((review) => review.by === reviewer.id)
  if (mine !== undefined) return 'You have decided already. It waits for others.'
  const decision = mayReview()
  switch (decision.verdict) {
    case 'allow':
      return undefined
    case 'block':
    case 'hold':
      return `Policy ${decision.policy.id} keeps you from deciding this: ${decision.policy.reason}`
  }
}
