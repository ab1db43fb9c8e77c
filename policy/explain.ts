import type { Approval, Decision, Unmask } from '../shared/decision.ts'

/** Decisions in a sentence or two for people: the decision word, the policy, its reason. */

export function describeDecision(decision: Decision): string {
  switch (decision.verdict) {
    case 'allow': {
      const names = decision.policies.map((policy) => policy.id).join(', ')
      return decision.grantId === undefined
        ? `Allowed by ${names}.`
        : `Allowed by grant ${decision.grantId}, under ${names}.`
    }
    case 'block':
      return `Blocked by ${decision.policy.id}. ${decision.policy.reason}`
    case 'hold':
      return `Held by ${decision.policy.id}: ${describeApproval(decision.approval)}. ${decision.policy.reason}`
  }
}

export function describeUnmask(unmask: Unmask): string {
  if (unmask.verdict === 'clear') return unmask.grantId === undefined ? 'Clear.' : `Clear by grant ${unmask.grantId}.`
  const ask = unmask.approval ? ` To see it: ${describeApproval(unmask.approval)}.` : ''
  return `Masked by ${unmask.policy.id}. ${unmask.policy.reason}${ask}`
}

/** `1 approval from dba, within 30 min` */
export function describeApproval(approval: Approval): string {
  const { count, group, windowSeconds, auto } = approval
  if (auto !== undefined) return `approved by the rule ${auto.id}, without people`
  return `${count} ${count === 1 ? 'approval' : 'approvals'} from ${group}, within ${describeSeconds(windowSeconds)}`
}

function describeSeconds(seconds: number): string {
  if (seconds % 3600 === 0) return `${seconds / 3600} h`
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`
}
