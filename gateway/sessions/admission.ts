import type { Approval, Grant, PolicyRef } from '../../shared/decision.ts'
import type { RequestContext } from '../../shared/link.ts'
import type { Principal } from '../../shared/principal.ts'
import { liftedByMfa } from '../api/step-up.ts'
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
  /** Policy lets them in who signed in with a second factor. */
  | { ok: false; kind: 'step-up'; policy: PolicyRef; message: string; hint: string }

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
    case 'block': {
      const { policy } = decision
      const message = `Blocked by ${policy.id}: ${policy.reason} ${name} was not opened.`
      const withMfa = () => agent.decide(principal, 'connect', connection.ref, { ...context, mfa: true })
      if (liftedByMfa(entrant, withMfa)) {
        return {
          ok: false,
          kind: 'step-up',
          policy,
          message,
          hint: 'Sign in with a second factor, then open it again.',
        }
      }
      return {
        ok: false,
        kind: 'blocked',
        policy,
        message,
        hint: 'Nobody can approve this. Whoever keeps the policy can change it.',
      }
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
