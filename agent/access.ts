import { type Action, actions } from '../shared/actions.ts'
import type { ConnectionKind } from '../shared/connection.ts'
import type { ConnectionAccess } from '../shared/link.ts'
import type { Subject } from './decide.ts'
import { SessionPolicy } from './decide.ts'
import type { Policies } from './policies.ts'

const directions = ['in', 'out'] as const

/** Actions that fit a kind of connection, apart from connecting to it. */
function actionsOf(kind: ConnectionKind): readonly Exclude<Action, 'unmask'>[] {
  const prefix = { postgres: 'sql:', ssh: 'ssh:', http: 'http:', kubernetes: 'k8s:', rdp: 'rdp:' }[kind]
  return actions.filter((action): action is Exclude<Action, 'unmask'> => action.startsWith(prefix))
}

/** What a principal may do on a connection, with a bare context. Nothing is dialled. */
export function accessOf(subject: Subject, policies: Policies, clock: () => number): ConnectionAccess {
  const { principal, connection, context, grants } = subject
  const now = clock()
  const decide = (action: Exclude<Action, 'unmask'>) =>
    policies.decide(principal, action, connection, context, grants, now)
  const session = new SessionPolicy(subject, policies, () => '', clock)
  return {
    connect: decide('connect'),
    actions: actionsOf(connection.kind).flatMap((action): ConnectionAccess['actions'] =>
      action === 'rdp:clipboard'
        ? directions.map((direction) => ({ action, direction, decision: session.decide({ action, direction }) }))
        : [{ action, decision: decide(action) }],
    ),
    dataClasses: (policies.set?.dataClasses ?? []).map(({ name }) => ({ name, unmask: session.unmask(name) })),
  }
}
