import { accessOf, bareSpec, type ConnectionsDeps } from '../connections/router.ts'
import type { AuditLog, Identities } from '../services.ts'
import { api } from './context.ts'
import { liftedByMfa, stepUpError } from './step-up.ts'

export interface ExplainDeps extends Pick<ConnectionsDeps, 'agent' | 'connections' | 'grants' | 'log'> {
  audit: AuditLog
  identities: Identities
}

/**
 * What would be decided for a text, without running it: for the caller, or for somebody else (with the grants that they have, from
 * where the caller is). For others it is open to those whom policy lets review on that connection, and goes into the audit log.
 */
export function explainRouter(deps: ExplainDeps) {
  const { agent, audit, connections, grants, identities, log } = deps
  return api.explain.handler(async ({ context: { caller }, input, errors }) => {
    const connection = connections.get(input.connection)
    const own = bareSpec(caller)
    const other = input.as === caller.principal.id ? undefined : input.as
    const access =
      connection === undefined || other !== undefined ? undefined : await accessOf(deps, caller, connection)
    const review = (mfa: boolean) =>
      connection === undefined
        ? undefined
        : agent.decide(caller.principal, 'review', connection.ref, { ...own.context, mfa })
    const reviews = other === undefined ? undefined : review(own.context.mfa)
    const may = connection !== undefined && (other !== undefined ? reviews?.verdict === 'allow' : access !== undefined)
    if (reviews?.verdict === 'block') {
      const lifted = liftedByMfa({ principal: caller.principal, context: own.context }, () => review(true) ?? reviews)
      if (lifted) throw stepUpError(`Sign in with a second factor to ask about ${input.connection} for others.`, {})
    }
    if (connection === undefined || !may) {
      const who =
        other !== undefined
          ? 'you may not review on it, which is what explaining for others takes'
          : 'it is not open to you'
      throw errors.NOT_FOUND({ message: `There is no connection ${input.connection}, or ${who}.` })
    }
    if (access?.stepUp) throw stepUpError(`Sign in with a second factor to ask about ${input.connection}.`, {})
    const { ref, target } = connection
    const principal = other === undefined ? caller.principal : await identities.get(other)
    if (principal === undefined) {
      throw errors.NOT_FOUND({
        message: `There is nobody called ${other} here. Who never signed in is not known yet.`,
      })
    }
    if (other !== undefined) {
      const detail = { as: principal.id, connection: ref.name }
      await audit.append({ actor: caller.principal.id, action: 'explain', subject: principal.id, detail })
    }
    const spec = { ...own, principal, connection: ref, target, grants: await grants.inForce(principal.id, ref.name) }
    try {
      const { statements } = await agent.explain(spec, input.text)
      return {
        statements: statements.map((statement) => ({
          ...statement,
          masks: [...statement.masks],
          tables: [...statement.tables],
        })),
      }
    } catch (error) {
      log.warn({ err: error, connection: ref.name }, 'a text could not be explained')
      throw errors.UNREACHABLE({
        message: `${ref.name} does not answer, and without its tables nothing can be said about this. Try again once it does.`,
      })
    }
  })
}
