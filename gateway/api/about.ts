import { accessOf } from '../connections/router.ts'
import type { Connections, Grants, LocalAgent, PolicyInForce } from '../services.ts'
import { api } from './context.ts'

export interface AboutDeps {
  gateway: { name: string; version: string; url: string }
  policy: { current(): PolicyInForce }
  connections: Connections
  agent: LocalAgent
  grants: Grants
}

/** Who am I, which policy and agents are in force. */
export function aboutRouters(deps: AboutDeps) {
  const { gateway, policy, connections } = deps
  return {
    me: api.me.handler(({ context: { caller } }) => ({
      principal: caller.principal,
      gateway,
      signInEndsAt: caller.signInEndsAt,
      mfa: caller.mfa,
      ...(caller.signedInAt === undefined ? {} : { signedInAt: caller.signedInAt }),
    })),
    policies: {
      get: api.policies.get.handler(() => {
        const { version, files } = policy.current()
        return { version, files: files.map(({ path, text }) => ({ path, text })) }
      }),
    },
    agents: {
      list: api.agents.list.handler(async ({ context: { caller } }) => {
        const visible = await Promise.all(
          connections
            .list()
            .map(async (connection) =>
              (await accessOf(deps, caller, connection)) === undefined ? undefined : connection.ref.name,
            ),
        )
        const names = visible.filter((name) => name !== undefined)
        return [{ id: 'local', name: 'In the gateway', connections: names, state: 'connected' as const }]
      }),
    },
  }
}
