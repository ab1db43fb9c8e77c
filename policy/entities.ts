import type { CedarValueJson, EntityJson, StatefulAuthorizationCall, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs'
import { type Action, actionParents } from '../shared/actions.ts'
import type { ConnectionRef } from '../shared/connection.ts'
import type { Grant } from '../shared/decision.ts'
import type { Principal } from '../shared/principal.ts'
import type { RequestFacts, Surroundings } from './input.ts'

/** Turns requests into Cedar's terms: entities of the principal and the connection, and the context. */

export type CedarRequest = Pick<StatefulAuthorizationCall, 'principal' | 'action' | 'resource' | 'context' | 'entities'>

/** A request on a connection. */
export function connectionRequest(
  principal: Principal,
  connection: ConnectionRef,
  action: Action,
  facts: RequestFacts,
  context: Surroundings,
  grants: readonly Grant[],
): CedarRequest {
  return {
    principal: principalUid(principal),
    action: { type: 'Action', id: action },
    resource: uid('Connection', connection.name),
    context: contextOf(facts, context, grants),
    entities: entitiesOf(principal, connection, action),
  }
}

/** A request to see a data class in the clear on a connection. */
export function unmaskRequest(
  principal: Principal,
  connection: ConnectionRef,
  dataClass: string,
  context: Surroundings,
  grants: readonly Grant[],
): CedarRequest {
  return {
    principal: principalUid(principal),
    action: { type: 'Action', id: 'unmask' },
    resource: uid('DataClass', dataClass),
    context: {
      ...contextOf({}, context, grants),
      connection: reference('Connection', connection.name),
      environment: reference('Environment', connection.environment),
    },
    entities: entitiesOf(principal, connection, 'unmask'),
  }
}

function contextOf(
  facts: RequestFacts,
  context: Surroundings,
  grants: readonly Grant[],
): Record<string, CedarValueJson> {
  return {
    tables: [...(facts.tables ?? [])],
    columns: [...(facts.columns ?? [])],
    functions: [...(facts.functions ?? [])],
    hasWhere: facts.hasWhere ?? true,
    statementCount: facts.statementCount ?? 1,
    complete: facts.complete ?? true,
    command: facts.command ?? '',
    path: facts.path ?? '',
    direction: facts.direction ?? '',
    now: { __extn: { fn: 'datetime', arg: new Date(context.now).toISOString() } },
    sourceIp: { __extn: { fn: 'ip', arg: plainAddress(context.sourceIp) } },
    mfa: context.mfa,
    grants: [...new Set(grants.flatMap((grant) => grant.actions))],
    ...(context.ticket === undefined ? {} : { ticket: context.ticket }),
  }
}

/** Node names an IPv4 client of a dual-stack listener `::ffff:10.0.0.1`, and adds a zone to link-local ones; Cedar takes neither. */
function plainAddress(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  const zone = address.indexOf('%')
  return zone < 0 ? address : address.slice(0, zone)
}

/** The action's ancestors are said here too, so that Cedar need not read the schema for every request. */
function entitiesOf(principal: Principal, connection: ConnectionRef, action: Action): EntityJson[] {
  const environment = uid('Environment', connection.environment)
  return [
    { uid: uid('Action', action), attrs: {}, parents: ancestors(action).map((each) => uid('Action', each)) },
    { uid: principalUid(principal), attrs: {}, parents: principal.groups.map((group) => uid('Group', group)) },
    {
      uid: uid('Connection', connection.name),
      attrs: {
        kind: connection.kind,
        environment: reference('Environment', connection.environment),
        tags: [...connection.tags],
      },
      parents: [environment, ...connection.tags.map((tag) => uid('Tag', tag))],
    },
  ]
}

function ancestors(action: Action): readonly Action[] {
  const parent = actionParents[action]
  return parent === null ? [] : [parent, ...ancestors(parent)]
}

function principalUid(principal: Principal): TypeAndId {
  return uid(principal.kind === 'user' ? 'User' : 'Machine', principal.id)
}

function uid(type: string, id: string): TypeAndId {
  return { type, id }
}

function reference(type: string, id: string): { __entity: TypeAndId } {
  return { __entity: { type, id } }
}
