import type { Kysely } from 'kysely'
import { api, type Caller } from '../api/context.ts'
import type { Connections, LocalAgent } from '../services.ts'
import type { Database } from '../store/database.ts'
import { type GrantBook, type GrantRow, toGrant } from './grants.ts'

export interface GrantsRouterDeps {
  db: Kysely<Database>
  grants: GrantBook
  agent: Pick<LocalAgent, 'decide'>
  connections: Connections
}

/** Grants are seen by whom they are for, and by the group that approves such. Both may end them. */
export function mayEnd(deps: Pick<GrantsRouterDeps, 'agent' | 'connections'>, caller: Caller, grant: Seen): boolean {
  const { principal, sourceIp, mfa } = caller
  if (grant.principal_id === principal.id) return true
  if (!principal.groups.includes(grant.group)) return false
  const ref = deps.connections.get(grant.connection_name)?.ref
  // A connection that was removed: nothing is left to weigh, and an end takes away only.
  return ref === undefined || deps.agent.decide(principal, 'review', ref, { sourceIp, mfa }).verdict === 'allow'
}

export type Seen = Pick<GrantRow, 'principal_id' | 'connection_name'> & { group: string }

export function grantsRouter(deps: GrantsRouterDeps) {
  const { db, grants } = deps
  const rows = () =>
    db
      .selectFrom('grants')
      .innerJoin('requests', 'requests.id', 'grants.request_id')
      .selectAll('grants')
      .select((eb) => eb.ref('requests.approval', '->>').key('group').as('group'))

  return {
    list: api.grants.list.handler(async ({ context: { caller } }) => {
      const found = await rows()
        .where('grants.ended_at', 'is', null)
        .where('grants.ends_at', '>', new Date())
        .orderBy('grants.ends_at')
        .execute()
      return found.filter((row) => mayEnd(deps, caller, row)).map(toGrant)
    }),

    revoke: api.grants.revoke.handler(async ({ context: { caller }, input, errors }) => {
      const found = await rows().where('grants.id', '=', input.id).executeTakeFirst()
      if (found === undefined || !mayEnd(deps, caller, found)) {
        throw errors.NOT_FOUND({ message: `There is no grant ${input.id}, or it is not yours to end.` })
      }
      const grant = await grants.revoke(input.id, caller.principal.id)
      if (grant === undefined) throw errors.CONFLICT({ message: 'This grant has ended already.' })
      return grant
    }),

    giveBack: api.grants.giveBack.handler(async ({ context: { caller }, input, errors }) => {
      const found = await rows().where('grants.id', '=', input.id).executeTakeFirst()
      if (found === undefined || found.principal_id !== caller.principal.id) {
        throw errors.NOT_FOUND({ message: `There is no grant ${input.id} of yours.` })
      }
      const grant = await grants.revoke(input.id, caller.principal.id)
      if (grant === undefined) throw errors.CONFLICT({ message: 'This grant has ended already.' })
      return grant
    }),
  }
}
