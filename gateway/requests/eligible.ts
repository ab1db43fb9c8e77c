import type { StepUp } from '../../shared/api/problem.ts'
import type { Decision } from '../../shared/decision.ts'
import type { Caller } from '../api/context.ts'

export interface Reviewed {
  state: string
  /** The person who asked, also when a machine of theirs did. */
  requester: string
  /** Groups that may decide by now, the one that policy names first. */
  groups: readonly string[]
  expiresAt: Date
  /** The persons who have decided already. */
  decidedBy: readonly string[]
}

export interface Reviewer {
  /** The person who decides, also through a machine of theirs. */
  person: string
  groups: readonly string[]
}

/** Whether this person may decide this request now, and if not, why not, in words for them. `mayReview` is policy's answer. */
export function whyNotReview(
  reviewer: Reviewer,
  request: Reviewed,
  mayReview: () => Decision,
  now: Date,
): string | undefined {
  const [group = 'the reviewers'] = request.groups
  if (request.state !== 'pending') return `It is already ${request.state}.`
  if (request.expiresAt <= now) return 'It expired before anybody decided.'
  if (reviewer.person === request.requester) {
    return `You asked for this yourself. Somebody else in ${group} has to decide.`
  }
  if (!request.groups.some((each) => reviewer.groups.includes(each))) {
    return `Only members of ${request.groups.join(' or ')} decide this, and you are not one.`
  }
  if (request.decidedBy.includes(reviewer.person)) return 'You have decided already. It waits for others.'
  return policyKeeps(mayReview())
}

/** As above, for a word on something that somebody did without an approval. */
export function whyNotAfterReview(
  reviewer: Reviewer,
  request: Pick<Reviewed, 'requester' | 'groups'> & { open: boolean },
  mayReview: () => Decision,
): string | undefined {
  if (!request.open) return 'Nothing here waits for a review afterwards.'
  if (reviewer.person === request.requester) return 'You did this yourself. Somebody else has to review it.'
  if (!request.groups.some((each) => reviewer.groups.includes(each))) {
    return `Only members of ${request.groups.join(' or ')} review this, and you are not one.`
  }
  return policyKeeps(mayReview())
}

function policyKeeps(decision: Decision): string | undefined {
  switch (decision.verdict) {
    case 'allow':
      return undefined
    case 'block':
    case 'hold':
      return `Policy ${decision.policy.id} keeps you from deciding this: ${decision.policy.reason}`
  }
}

/** What a sign-in lacks to approve with, in words for whoever signed in; undefined when it is good enough. */
export function whyStepUp(
  signIn: Pick<Caller, 'mfa' | 'signedInAt' | 'client'>,
  stepUpSeconds: number | undefined,
  now: Date,
): { message: string; stepUp: StepUp | undefined } | undefined {
  if (stepUpSeconds === undefined) return undefined
  if (signIn.client === 'machine') {
    const message = 'Policy wants a second factor for this, and a machine has none. A person has to do it.'
    return { message, stepUp: undefined }
  }
  const stepUp = { maxAgeSeconds: stepUpSeconds }
  if (!signIn.mfa) return { message: 'This takes a sign-in with a second factor.', stepUp }
  const age = signIn.signedInAt === undefined ? Number.POSITIVE_INFINITY : now.getTime() - Date.parse(signIn.signedInAt)
  if (age <= stepUpSeconds * 1000) return undefined
  return { message: `This takes a sign-in that is at most ${spoken(stepUpSeconds)} old.`, stepUp }
}

function spoken(seconds: number): string {
  return seconds < 60 ? `${seconds} s` : `${Math.round(seconds / 60)} min`
}
