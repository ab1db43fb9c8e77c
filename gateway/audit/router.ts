import { api, type Caller } from '../api/context.ts'
import { Turns } from '../api/turns.ts'
import type { Connections, LocalAgent } from '../services.ts'
import type { Audit } from './audit.ts'

export interface AuditRouterDeps {
  audit: Audit
  agent: Pick<LocalAgent, 'decide'>
  connections: Connections
}

/**
 * The audit log is for those whom policy lets replay every connection: it tells of all of them. Everybody may verify the
 * chain, because a result names record numbers only.
 */
export function auditRouter({ audit, agent, connections }: AuditRouterDeps) {
  const mayRead = ({ principal, sourceIp, mfa }: Caller) =>
    connections.list().length > 0 &&
    connections.list().every(({ ref }) => agent.decide(principal, 'replay', ref, { sourceIp, mfa }).verdict === 'allow')
  const checks = new Turns({ atOnce: 1, waiting: 1 })
  return {
    list: api.audit.list.handler(async ({ context: { caller }, input, errors }) => {
      if (!mayRead(caller)) {
        throw errors.FORBIDDEN({
          message: 'The audit log is for those who may replay every session. Ask an auditor for what you need.',
        })
      }
      return audit.list(input.after, input.limit)
    }),
    verify: api.audit.verify.handler(async ({ context: { caller }, input, errors, signal }) => {
      const checked = await checks.take(caller.principal.id, signal, () => audit.verify(input.from))
      if (checked !== undefined) return checked
      throw errors.UNAVAILABLE({ message: 'The log is being checked for you already. Ask again once that is done.' })
    }),
  }
}
