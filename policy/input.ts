import type { Action } from '../shared/actions.ts'
import type { ConnectionRef } from '../shared/connection.ts'
import type { Grant } from '../shared/decision.ts'
import type { RequestContext } from '../shared/link.ts'
import type { Principal } from '../shared/principal.ts'

/** The surroundings of a request, and the moment it is decided at (milliseconds since 1970). */
export interface Surroundings extends RequestContext {
  now: number
}

/** What is known of the request itself. What is left out takes the value that says least: no tables, `hasWhere: true`. */
export interface RequestFacts {
  tables?: readonly string[]
  columns?: readonly string[]
  functions?: readonly string[]
  hasWhere?: boolean
  statementCount?: number
  complete?: boolean
  command?: string
  path?: string
  /** rdp:clipboard: `in` to the target, `out` to the person. */
  direction?: 'in' | 'out'
}

export interface PolicyInput {
  principal: Principal
  connection: ConnectionRef
  action: Exclude<Action, 'unmask'>
  request?: RequestFacts
  context: Surroundings
  /** Those in force are picked by `context.now`, principal and connection. */
  grants: readonly Grant[]
}

/**
 * The attributes of the context that are known of this very request. Those that only have the value that says least are not: a rule
 * must not approve on them. Of what can't be read whole, nothing is known.
 */
export function givenIn(facts: RequestFacts, context: Surroundings, ...more: string[]): ReadonlySet<string> {
  if (facts.complete === false) return new Set()
  const known = Object.entries(facts).flatMap(([name, value]) => (value === undefined ? [] : [name]))
  const ticket = context.ticket === undefined ? [] : ['ticket']
  return new Set(['now', 'sourceIp', 'mfa', 'grants', ...known, ...ticket, ...more])
}

/** Grants that are in force for a principal on a connection, the one that lasts longest first. */
export function grantsInForce(
  grants: readonly Grant[],
  principal: Principal,
  connection: ConnectionRef,
  now: number,
): readonly Grant[] {
  if (grants.length === 0) return grants
  return grants
    .filter(
      (grant) =>
        grant.principalId === principal.id &&
        grant.connection === connection.name &&
        Date.parse(grant.startsAt) <= now &&
        now < Date.parse(grant.endsAt),
    )
    .sort((a, b) => Date.parse(b.endsAt) - Date.parse(a.endsAt) || (a.id < b.id ? -1 : 1))
}
