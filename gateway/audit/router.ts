import { api, type Caller } from '../api/context.ts'
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
  return {
    list: api.audit.list.handler(async ({ context: { caller }, input, errors }) => {
      if (!mayRead(caller)) {
        throw errors.FORBIDDEN({
          message: 'The audit log is for those who may replay every session. Ask an auditor for what you need.',
        })
      }
      return audit.list(input.after, input.limit)
    }),
    verify: api.audit.verify.handler(({ input }) => audit.verify(input.from)),
  }
}
