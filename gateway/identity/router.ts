import { api, type Caller } from '../api/context.ts'
import type { Identities } from '../services.ts'
import type { Identity } from './identity.ts'

export interface IdentitiesRouterDeps {
  identities: Identities
  identity: Pick<Identity, 'offboard' | 'reinstate'>
  /** Groups of the configuration. */
  operators: readonly string[]
}

/** Who else is there; and, for the gateway's operators, turning people's accounts off and on. */
export function identitiesRouter({ identities, identity, operators }: IdentitiesRouterDeps) {
  const refusal = ({ principal }: Caller): string | undefined => {
    if (operators.length === 0)
      return 'Nobody may turn accounts off or on: the gateway’s configuration names no group under operators. Ask whoever runs the gateway.'
    if (!principal.groups.some((group) => operators.includes(group)))
      return `Turning accounts off and on is for members of ${operators.join(', ')}. Ask one of them.`
    return undefined
  }
  return {
    list: api.identities.list.handler(async () =>
      (await identities.list()).map(({ id, name, kind, groups }) => ({ id, name, kind, groups })),
    ),
    disable: api.identities.disable.handler(async ({ context: { caller }, input: { id }, errors }) => {
      const refused = refusal(caller)
      if (refused !== undefined) throw errors.FORBIDDEN({ message: refused })
      if (id === caller.principal.id)
        throw errors.CONFLICT({ message: 'This is your own account. Ask another operator to turn it off.' })
      if (!(await identity.offboard(id, caller.principal.id)))
        throw errors.NOT_FOUND({
          message: `There is no person ${id} whose account is on. A machine is turned off by taking it out of the configuration.`,
        })
      return { id, disabled: true }
    }),
    enable: api.identities.enable.handler(async ({ context: { caller }, input: { id }, errors }) => {
      const refused = refusal(caller)
      if (refused !== undefined) throw errors.FORBIDDEN({ message: refused })
      if (!(await identity.reinstate(id, caller.principal.id)))
        throw errors.NOT_FOUND({ message: `There is no person ${id} whose account is off.` })
      return { id, disabled: false }
    }),
  }
}
