import { randomUUID } from 'node:crypto'
import type { Connection } from '../../shared/api/models.ts'
import type { ConnectionAccess, SessionSpec } from '../../shared/link.ts'
import { api, type Caller } from '../api/context.ts'
import { liftedByMfa, stepUpError } from '../api/step-up.ts'
import type { Connections, GatewayConnection, Grants, LocalAgent, Log } from '../services.ts'
import type { Reach } from './reach.ts'

export interface ConnectionsDeps {
  connections: Connections
  agent: LocalAgent
  grants: Grants
  reach: Reach
  /** The native listeners' `host:port`. */
  native: { postgres: string; ssh: string }
  log: Log
}

/**
 * What a caller may do on one connection; undefined when it is not even theirs to know of. `stepUp`: once they have signed in with a
 * second factor.
 */
export async function accessOf(
  { agent, grants }: Pick<ConnectionsDeps, 'agent' | 'grants'>,
  caller: Caller,
  { ref }: GatewayConnection,
): Promise<(ConnectionAccess & { stepUp: boolean }) | undefined> {
  const bare = bareSpec(caller)
  const spec = { ...bare, connection: ref, grants: await grants.inForce(caller.principal.id, ref.name) }
  const access = agent.access(spec)
  if (access.connect.verdict !== 'block') return { ...access, stepUp: false }
  const better = agent.access({ ...spec, context: { ...bare.context, mfa: true } })
  return liftedByMfa(bare, () => better.connect) ? { ...better, stepUp: true } : undefined
}

/** A spec for asking the agent about a connection without a session. */
export function bareSpec(caller: Caller): Omit<SessionSpec, 'connection' | 'grants' | 'target'> {
  return {
    sessionId: `ask-${randomUUID()}`,
    principal: caller.principal,
    annotations: 'text',
    context: { sourceIp: caller.sourceIp, mfa: caller.mfa },
  }
}

export function connectionsRouter(deps: ConnectionsDeps) {
  const { connections, agent, grants, reach, log } = deps

  const show = async (caller: Caller, connection: GatewayConnection): Promise<Connection | undefined> => {
    const access = await accessOf(deps, caller, connection)
    if (access === undefined) return undefined
    const { ref, description, target } = connection
    const native = target.kind === 'rdp' ? '' : deps.native[target.kind]
    return {
      ...ref,
      description,
      access: access.connect.verdict === 'allow' ? 'open' : 'locked',
      ...(access.stepUp ? { stepUp: true } : {}),
      reachable: await reach.check(connection),
      // Where opening it takes an approval, that has to be among what can be asked for: nothing else opens it.
      actions: [
        ...(access.connect.verdict === 'hold' ? [{ action: 'connect', decision: access.connect }] : []),
        ...access.actions,
      ],
      dataClasses: [...access.dataClasses],
      ...(target.kind === 'postgres' ? { database: target.database } : {}),
      ...(native === '' ? {} : { native }),
    }
  }

  /** The same answer for what does not exist and for what the caller may not know of. */
  const unknown = (name: string) => `There is no connection ${name}, or it is not open to you.`

  return {
    list: api.connections.list.handler(async ({ context: { caller } }) => {
      const shown = await Promise.all(connections.list().map((connection) => show(caller, connection)))
      return shown.filter((connection) => connection !== undefined)
    }),

    get: api.connections.get.handler(async ({ context: { caller }, input, errors }) => {
      const connection = connections.get(input.name)
      const shown = connection === undefined ? undefined : await show(caller, connection)
      if (shown === undefined) throw errors.NOT_FOUND({ message: unknown(input.name) })
      return shown
    }),

    schema: api.connections.schema.handler(async ({ context: { caller }, input, errors }) => {
      const connection = connections.get(input.name)
      const access = connection === undefined ? undefined : await accessOf(deps, caller, connection)
      if (connection === undefined || access === undefined) throw errors.NOT_FOUND({ message: unknown(input.name) })
      if (access.connect.verdict === 'hold') {
        const { policy } = access.connect
        throw errors.FORBIDDEN({ message: `${policy.reason} (${policy.id}). Ask for access to see what is in it.` })
      }
      if (access.stepUp) {
        throw stepUpError(`Sign in with a second factor to see what is in ${input.name}.`, {})
      }
      const { ref, target } = connection
      try {
        const tables = await agent.schema({
          ...bareSpec(caller),
          connection: ref,
          target,
          grants: await grants.inForce(caller.principal.id, ref.name),
        })
        return tables.map((table) => ({ ...table, columns: [...table.columns] }))
      } catch (error) {
        log.warn({ err: error, connection: ref.name }, 'the schema could not be read')
        throw errors.UNREACHABLE({ message: `${ref.name} does not answer. Its tables can be shown once it does.` })
      }
    }),
  }
}
