import { accessOf, bareSpec, type ConnectionsDeps } from '../connections/router.ts'
import type { AuditLog, Identities } from '../services.ts'
import { api } from './context.ts'
import { liftedByMfa, stepUpError } from './step-up.ts'
import { Turns } from './turns.ts'

export interface ExplainDeps extends Pick<ConnectionsDeps, 'agent' | 'connections' | 'grants' | 'log'> {
  audit: AuditLog
  identities: Identities
}

/** Of one person, or machine: so many texts are looked at at once, and so many more wait for that. */
const mostAtOnce = 4
const mostWaiting = 12

/**
 * What would be decided for a text, without running it: for the caller, or for somebody else (with the grants that they have, from
 * where the caller is). For others it is open to those whom policy lets review on that connection, and goes into the audit log.
 */
export function explainRouter(deps: ExplainDeps) {
  const { agent, audit, connections, grants, identities, log } = deps
  const turns = new Turns({ atOnce: mostAtOnce, waiting: mostWaiting })
  return api.explain.handler(async ({ context: { caller }, input, errors, signal }) => {
    const connection = connections.get(input.connection)
    const own = bareSpec(caller)
    const other = input.as === caller.principal.id ? undefined : input.as
    const none = () => {
      const who =
        other !== undefined
          ? 'you may not review on it, which is what explaining for others takes'
          : 'it is not open to you'
      return errors.NOT_FOUND({ message: `There is no connection ${input.connection}, or ${who}.` })
    }
    if (connection === undefined) throw none()
    const { ref, target } = connection
    if (other === undefined) {
      const access = await accessOf(deps, caller, connection)
      if (access === undefined) throw none()
      if (access.stepUp) throw stepUpError(`Sign in with a second factor to ask about ${input.connection}.`, {})
    } else {
      const review = (mfa: boolean) => agent.decide(caller.principal, 'review', ref, { ...own.context, mfa })
      const { verdict } = review(own.context.mfa)
      if (verdict === 'block' && liftedByMfa({ ...own, principal: caller.principal }, () => review(true))) {
        throw stepUpError(`Sign in with a second factor to ask about ${input.connection} for others.`, {})
      }
      if (verdict !== 'allow') throw none()
    }
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
    const explanation = await turns.take(caller.principal.id, signal, async () => {
      try {
        return await agent.explain(spec, input.text)
      } catch (error) {
        log.warn({ err: error, connection: ref.name }, 'a text could not be explained')
        throw errors.UNREACHABLE({
          message: `${ref.name} does not answer, and without its tables nothing can be said about this. Try again once it does.`,
        })
      }
    })
    if (explanation === undefined) {
      throw errors.UNAVAILABLE({
        message: `${mostAtOnce + mostWaiting} texts of yours are being looked at already. Ask again in a moment.`,
      })
    }
    return {
      statements: explanation.statements.map((statement) => ({
        ...statement,
        masks: [...statement.masks],
        tables: [...statement.tables],
      })),
    }
  })
}
