import type { Approval, Grant, PolicyRef } from '../../shared/decision.ts'
import type { RequestContext } from '../../shared/link.ts'
import type { Principal } from '../../shared/principal.ts'
import type { GrantBook } from '../grants/grants.ts'
import type { Connections, GatewayConnection, LocalAgent } from '../services.ts'

export interface AdmissionDeps {
  agent: Pick<LocalAgent, 'decide'>
  connections: Connections
  grants: Pick<GrantBook, 'now' | 'covering'>
}

export interface Entrant {
  principal: Principal
  context: RequestContext
}

/** Whether somebody may open a session, and if not, why and what to do, in words for them. */
export type Admission =
  | { ok: true; connection: GatewayConnection; grants: readonly Grant[] }
  | { ok: false; kind: 'unknown'; message: string; hint: string }
  | { ok: false; kind: 'blocked'; policy: PolicyRef; message: string; hint: string }
  | { ok: false; kind: 'held'; policy: PolicyRef; approval: Approval; message: string; hint: string }

export type Refusal = Exclude<Admission, { ok: true }>

export function admit({ agent, connections, grants }: AdmissionDeps, entrant: Entrant, name: string): Admission {
  const connection = connections.get(name)
  if (connection === undefined) {
    return {
      ok: false,
      kind: 'unknown',
      message: `There is no connection ${name} here.`,
      hint: '`sallyport ls` lists those that are open to you.',
    }
  }
  const { principal, context } = entrant
  const decision = agent.decide(principal, 'connect', connection.ref, context)
  switch (decision.verdict) {
    case 'block':
      return {
        ok: false,
        kind: 'blocked',
        policy: decision.policy,
        message: `Blocked by ${decision.policy.id}: ${decision.policy.reason} ${name} was not opened.`,
        hint: 'Nobody can approve this. Whoever keeps the policy can change it.',
      }
    case 'hold': {
      const { policy, approval } = decision
      if (grants.covering(principal.id, name, 'connect') !== undefined) break
      return {
        ok: false,
        kind: 'held',
        policy,
        approval,
        message: `${policy.id}: ${policy.reason} ${name} was not opened.`,
        hint: `Ask ${approval.group} for access: sallyport request ${name} --action connect --for 30m --reason "…"`,
      }
    }
    case 'allow':
      break
  }
  return { ok: true, connection, grants: grants.now(principal.id, name) }
}
