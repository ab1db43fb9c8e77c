import type { AuthorizationAnswer } from '@cedar-policy/cedar-wasm/nodejs'
import { type Action, covers } from '../shared/actions.ts'
import type { Approval, Decision, Grant, PolicyRef, Unmask } from '../shared/decision.ts'
import type { PolicyMeta } from './annotations.ts'

/** From Cedar's answer to a verdict (INTERFACES.md, Policy, Meaning). Pure; what is not understood is a block. */

/** Cedar's answer without approvals and grants. */
export type Ruling =
  | { kind: 'none' }
  | { kind: 'forbidden'; policy: PolicyRef }
  | { kind: 'failed'; policy: PolicyRef }
  | { kind: 'permitted'; policies: readonly PolicyRef[] }
  | { kind: 'approval'; policy: PolicyRef; approval: Approval }

/** A policy as rulings need it. */
export interface RulingPolicy {
  meta: PolicyMeta
  /** Attributes of the context that it looks at. */
  reads: ReadonlySet<string>
}

/**
 * Any policy that fails to evaluate makes the whole ruling fail: it might have been the forbid that mattered.
 * `given`: the attributes of the context that the request itself has; a rule approves by itself on these alone.
 */
export function ruling(
  answer: AuthorizationAnswer,
  policies: ReadonlyMap<string, RulingPolicy>,
  given: ReadonlySet<string>,
): Ruling {
  if (answer.type === 'failure') return failed(answer.errors.map((error) => error.message).join('; '))
  const { decision, diagnostics } = answer.response
  const error = diagnostics.errors[0]
  if (error) return failed(`${error.policyId}: ${error.error.message}`)
  const determining: RulingPolicy[] = []
  for (const id of [...diagnostics.reason].sort()) {
    const policy = policies.get(id)
    if (!policy) return failed(`the policy ${id} is not of this set`)
    determining.push(policy)
  }
  const first = determining[0]
  if (decision === 'deny') return first ? { kind: 'forbidden', policy: first.meta.ref } : { kind: 'none' }
  if (!first) return failed('allowed, but no policy says so')
  const permits = determining.filter(({ meta }) => meta.auto === undefined).map(({ meta }) => meta)
  // A rule that approves permits nothing by itself.
  if (permits.length === 0) return { kind: 'none' }
  const free = permits.filter((meta) => meta.approval === undefined)
  if (free.length > 0) return { kind: 'permitted', policies: free.map((meta) => meta.ref) }
  return withRule(strictest(permits), determining, given)
}

/** The same approval, given by a rule where one applies to it and everything that the rule looks at is known. */
function withRule(rule: Ruling, determining: readonly RulingPolicy[], given: ReadonlySet<string>): Ruling {
  if (rule.kind !== 'approval') return rule
  const auto = determining.find(
    ({ meta, reads }) => meta.auto === rule.policy.id && [...reads].every((attribute) => given.has(attribute)),
  )
  return auto === undefined ? rule : { ...rule, approval: { ...rule.approval, auto: auto.meta.ref } }
}

/** Several permits that need approval: the one with the most reviewers, then the shortest window, then the first by id. */
function strictest(metas: readonly PolicyMeta[]): Ruling {
  let best: { policy: PolicyRef; approval: Approval } | undefined
  for (const { ref, approval } of metas) {
    if (!approval) continue
    const stricter =
      !best ||
      approval.count > best.approval.count ||
      (approval.count === best.approval.count && approval.windowSeconds < best.approval.windowSeconds)
    if (stricter) best = { policy: ref, approval }
  }
  return best ? { kind: 'approval', ...best } : failed('no approval to ask for')
}

function failed(detail: string): Ruling {
  return {
    kind: 'failed',
    policy: { id: 'policy-error', reason: `The policy could not be evaluated, so nothing is allowed: ${detail}` },
  }
}

/** `grants` are those in force for this principal and connection. A grant turns a hold into an allow, never a block. */
export function decisionOf(rule: Ruling, action: Action, connection: string, grants: readonly Grant[]): Decision {
  switch (rule.kind) {
    case 'none':
      return { verdict: 'block', policy: defaultDeny(`No policy permits ${action} on ${connection} for you.`) }
    case 'forbidden':
    case 'failed':
      return { verdict: 'block', policy: rule.policy }
    case 'permitted':
      return { verdict: 'allow', policies: [...rule.policies] }
    case 'approval': {
      const grant = grants.find((each) => each.actions.some((granted) => covers(granted, action)))
      if (grant) return { verdict: 'allow', policies: [rule.policy], grantId: grant.id }
      return { verdict: 'hold', policy: rule.policy, approval: rule.approval }
    }
  }
}

/** `grants` as above. An empty `dataClasses` of a grant means all of them. */
export function unmaskOf(rule: Ruling, dataClass: string, grants: readonly Grant[]): Unmask {
  switch (rule.kind) {
    case 'none':
      return { verdict: 'masked', policy: defaultDeny(`No policy lets you see ${dataClass} in the clear here.`) }
    case 'forbidden':
    case 'failed':
      return { verdict: 'masked', policy: rule.policy }
    case 'permitted':
      return { verdict: 'clear' }
    case 'approval': {
      const grant = grants.find(
        (each) =>
          each.actions.includes('unmask') && (each.dataClasses.length === 0 || each.dataClasses.includes(dataClass)),
      )
      if (grant) return { verdict: 'clear', grantId: grant.id }
      return { verdict: 'masked', policy: rule.policy, approval: rule.approval }
    }
  }
}

export const defaultDenyId = 'default-deny'

function defaultDeny(reason: string): PolicyRef {
  return { id: defaultDenyId, reason }
}
