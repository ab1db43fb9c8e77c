import { actionParents, isAction } from '../../shared/actions.ts'
import type { Connection } from '../../shared/api/models.ts'
import type { Approval, PolicyRef } from '../../shared/decision.ts'

export interface Offer {
  action: string
  /** `have`: allowed already. `ask`: needs approval. `never`: no grant gives it. */
  state: 'have' | 'ask' | 'never'
  policy?: PolicyRef
  approval?: Approval
}

export interface Askable {
  actions: readonly Offer[]
  classes: readonly { name: string; ask: boolean; policy?: PolicyRef; approval?: Approval }[]
  /** Which approvals the chosen actions need, one for each group. */
  approvals(chosen: readonly string[]): readonly Approval[]
}

/** What a person may ask for on a connection, from the verdicts that the gateway gave. */
export function askable(connection: Connection): Askable {
  const actions = grouped(connection)
  const classes = connection.dataClasses.map(({ name, unmask }) =>
    unmask.verdict === 'clear'
      ? { name, ask: false }
      : {
          name,
          ask: unmask.approval !== undefined,
          policy: unmask.policy,
          ...(unmask.approval === undefined ? {} : { approval: unmask.approval }),
        },
  )
  return {
    actions,
    classes: classes.filter((c) => c.ask),
    approvals: (chosen) => {
      const all = [
        ...actions.filter((offer) => chosen.includes(offer.action)).map((offer) => offer.approval),
        ...(chosen.includes('unmask') ? classes.map((c) => ('approval' in c ? c.approval : undefined)) : []),
      ].filter((approval) => approval !== undefined)
      return [...new Map(all.map((approval) => [approval.group, approval])).values()]
    },
  }
}

/** What no grant gives, by the policy that says so. */
export function neverGiven({ actions }: Pick<Askable, 'actions'>): { policy: PolicyRef; actions: string[] }[] {
  const byPolicy = new Map<string, { policy: PolicyRef; actions: string[] }>()
  for (const { action, state, policy } of actions) {
    if (state !== 'never' || policy === undefined) continue
    const entry = byPolicy.get(policy.id) ?? { policy, actions: [] }
    entry.actions.push(action)
    byPolicy.set(policy.id, entry)
  }
  return [...byPolicy.values()]
}

/** What is ticked when a request starts from a connection alone: what opens it, where it is locked. */
export function preselected(connection: Connection): readonly string[] {
  if (connection.access !== 'locked') return []
  const asks = askable(connection).actions.filter((offer) => offer.state === 'ask')
  const connect = asks.find((offer) => offer.action === 'connect')
  if (connect === undefined) return asks.slice(0, 1).map((offer) => offer.action)
  // Open, but with a shell that asks once more, nobody would call it open.
  const use = asks.find((offer) => uses.includes(offer.action) && offer.approval?.group === connect.approval?.group)
  return [connect.action, ...(use === undefined ? [] : [use.action])]
}

/** What is done with a connection as soon as it is open. */
const uses: readonly string[] = ['sql:read', 'ssh:shell', 'rdp:connect']

/** Seconds that access lasts at most, with all of these approvals. */
export function longest(approvals: readonly Approval[]): number {
  if (approvals.length === 0) return unchosen
  return Math.min(...approvals.map((approval) => approval.maxSeconds ?? approval.windowSeconds), maxAsked)
}

/** What the gateway takes at most. */
const maxAsked = 24 * 3600
/** What is offered before anything is chosen. */
const unchosen = 4 * 3600

/** One offer for each class of actions (`sql:write`): what its children need most decides. */
function grouped(connection: Connection): Offer[] {
  const groups = new Map<string, Offer>()
  for (const { action, decision } of connection.actions) {
    if (action === 'unmask' || action === 'review' || action === 'replay' || action === 'kill') continue
    const parent = isAction(action) ? (actionParents[action] ?? action) : action
    const offer: Offer =
      decision.verdict === 'allow'
        ? { action: parent, state: 'have' }
        : decision.verdict === 'hold'
          ? { action: parent, state: 'ask', policy: decision.policy, approval: decision.approval }
          : { action: parent, state: 'never', policy: decision.policy }
    const before = groups.get(parent)
    if (before === undefined || rank(offer) > rank(before)) groups.set(parent, offer)
  }
  return [...groups.values()]
}

/** One that can be asked for outweighs the rest of its class; one that is had outweighs what never is. */
function rank(offer: Offer): number {
  return { never: 0, have: 1, ask: 2 }[offer.state]
}
