import { actionParents, isAction } from '../../shared/actions.ts'
import type { NewRequest } from '../../shared/api/models.ts'
import type { Approval, Decision, PolicyRef, Unmask } from '../../shared/decision.ts'
import type { ConnectionAccess } from '../../shared/link.ts'

/** What can be asked for, of what somebody asked for: the actions that policy holds, with whom to ask. */
export type Ask =
  | { ok: true; actions: string[]; dataClasses: string[]; policy: PolicyRef; approval: Approval }
  | { ok: false; code: 'FORBIDDEN' | 'CONFLICT'; message: string }

interface Held {
  policy: PolicyRef
  approval: Approval
}

type Answer =
  | { kind: 'held'; held: Held }
  | { kind: 'allowed' }
  | { kind: 'blocked'; policy: PolicyRef }
  | { kind: 'none' }

/**
 * Weighs a new request against what policy says without any grant. What is allowed anyway is left out, what is blocked
 * can't be asked for. Everything asked for at once must be decided by the same group.
 */
export function weighAsk(access: ConnectionAccess, input: NewRequest): Ask {
  const held: Held[] = []
  const actions: string[] = []
  const dataClasses: string[] = []
  for (const action of new Set(input.actions)) {
    if (action === 'unmask') {
      const asked = input.dataClasses.length === 0 ? namesToAsk(access) : [...new Set(input.dataClasses)]
      for (const name of asked) {
        const answer = ofDataClass(access, name)
        if (answer.kind === 'held') {
          held.push(answer.held)
          dataClasses.push(name)
        } else if (answer.kind !== 'allowed') return refuse(`data class ${name}`, answer, input.connection)
      }
      if (dataClasses.length > 0) actions.push(action)
      continue
    }
    const answer = ofAction(access, action)
    if (answer.kind === 'held') {
      held.push(answer.held)
      actions.push(action)
    } else if (answer.kind !== 'allowed') return refuse(action, answer, input.connection)
  }
  const [first] = held
  if (first === undefined) {
    return {
      ok: false,
      code: 'CONFLICT',
      message: `Policy already allows you this on ${input.connection}. There is nothing to approve.`,
    }
  }
  const other = held.find(({ approval }) => approval.group !== first.approval.group)
  if (other !== undefined) {
    return {
      ok: false,
      code: 'CONFLICT',
      message: `${first.approval.group} and ${other.approval.group} decide different parts of this. Ask for each part by itself.`,
    }
  }
  const patterns = new Set(held.flatMap(({ approval }) => approval.reasonPattern ?? []))
  if (patterns.size > 1) {
    const message = 'Different parts of this want different reasons. Ask for each part by itself.'
    return { ok: false, code: 'CONFLICT', message }
  }
  const strictest = held.reduce((a, b) => (b.approval.count > a.approval.count ? b : a))
  return { ok: true, actions, dataClasses, policy: strictest.policy, approval: together(strictest, held) }
}

/** One approval for all: the shortest times, and only such ways around people as every part has. */
function together({ approval }: Held, held: readonly Held[]): Approval {
  const all = held.map((each) => each.approval)
  const { auto, breakGlass, maxSeconds: _, expirySeconds: __, stepUpSeconds: ___, ...strictest } = approval
  const shortest = (times: readonly (number | undefined)[]) => {
    const given = times.filter((time) => time !== undefined)
    return given.length === 0 ? undefined : Math.min(...given)
  }
  const maxSeconds = Math.min(...all.map((each) => each.maxSeconds ?? each.windowSeconds))
  const expirySeconds = shortest(all.map((each) => each.expirySeconds))
  const stepUpSeconds = shortest(all.map((each) => each.stepUpSeconds))
  const reasonPattern = all.find((each) => each.reasonPattern !== undefined)?.reasonPattern
  return {
    ...strictest,
    windowSeconds: Math.min(...all.map((each) => each.windowSeconds)),
    notify: [...new Set(all.flatMap((each) => each.notify))],
    maxSeconds,
    ...(expirySeconds === undefined ? {} : { expirySeconds }),
    ...(stepUpSeconds === undefined ? {} : { stepUpSeconds }),
    ...(reasonPattern === undefined ? {} : { reasonPattern }),
    ...(auto !== undefined && all.every((each) => each.auto !== undefined) ? { auto } : {}),
    ...(breakGlass !== undefined && all.every((each) => each.breakGlass === breakGlass) ? { breakGlass } : {}),
  }
}

function ofAction(access: ConnectionAccess, action: string): Answer {
  if (action === 'connect') return fromDecision(access.connect)
  // More than one: an action that is decided for each direction.
  const exact = access.actions.filter((entry) => entry.action === action).map((entry) => fromDecision(entry.decision))
  const [first] = exact
  if (first !== undefined) return exact.find((answer) => answer.kind === 'held') ?? first
  // A class of actions that the connection lists only the members of.
  const members = access.actions.filter((entry) => isAction(entry.action) && actionParents[entry.action] === action)
  const answers = members.map((entry) => fromDecision(entry.decision))
  return answers.find((answer) => answer.kind === 'held') ?? answers[0] ?? { kind: 'none' }
}

function ofDataClass(access: ConnectionAccess, name: string): Answer {
  const entry = access.dataClasses.find((dataClass) => dataClass.name === name)
  return entry === undefined ? { kind: 'none' } : fromUnmask(entry.unmask)
}

/** Those that somebody can be asked about: whoever names none means these. */
function namesToAsk(access: ConnectionAccess): string[] {
  const open = access.dataClasses.filter(({ unmask }) => fromUnmask(unmask).kind === 'held')
  return (open.length > 0 ? open : access.dataClasses).map(({ name }) => name)
}

function fromDecision(decision: Decision): Answer {
  switch (decision.verdict) {
    case 'allow':
      return { kind: 'allowed' }
    case 'block':
      return { kind: 'blocked', policy: decision.policy }
    case 'hold':
      return { kind: 'held', held: { policy: decision.policy, approval: decision.approval } }
  }
}

function fromUnmask(unmask: Unmask): Answer {
  if (unmask.verdict === 'clear') return { kind: 'allowed' }
  const { policy, approval } = unmask
  return approval === undefined ? { kind: 'blocked', policy } : { kind: 'held', held: { policy, approval } }
}

function refuse(what: string, answer: Exclude<Answer, { kind: 'held' | 'allowed' }>, connection: string): Ask {
  const message =
    answer.kind === 'none'
      ? `${connection} has no ${what} that could be asked for.`
      : `Blocked by ${answer.policy.id}: ${answer.policy.reason} Nobody can approve ${what} on ${connection}.`
  return { ok: false, code: 'FORBIDDEN', message }
}
