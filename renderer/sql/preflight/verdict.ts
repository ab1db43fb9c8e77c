import type { Approval, Masked, PolicyRef } from '../../../shared/decision.ts'
import type { SyntaxProblem } from '../../../shared/rpc/editor.ts'
import { capitalise, type LookName, sentence } from '../../decisions/words.ts'
import type { RpcClient } from '../../rpc/client.ts'
import { unknownName } from '../unknown.ts'

type Explanation = Awaited<ReturnType<RpcClient['gateway']['explain']>>

/** What would happen to a statement if it were run now. */
export type Verdict =
  | { kind: 'invalid'; problem: SyntaxProblem }
  | { kind: 'allowed' }
  | { kind: 'granted' }
  /** Only the session can tell, when it is run: what the statement names is made in it. */
  | { kind: 'later'; what: string }
  | { kind: 'masked'; masks: readonly Masked[] }
  | { kind: 'held'; policy: PolicyRef; approval: Approval; masks: readonly Masked[]; detail?: string }
  | { kind: 'blocked'; policy: PolicyRef; masks: readonly Masked[]; unknown: boolean; stepUp: boolean; detail?: string }

export type Decided = Exclude<Verdict, { kind: 'invalid' | 'later' }>

/** From least to most in the way. */
const weights = { allowed: 0, granted: 1, later: 2, masked: 3, held: 4, blocked: 5, invalid: 6 } as const

export function heavier(a: Verdict, b: Verdict): Verdict {
  return weights[b.kind] > weights[a.kind] ? b : a
}

/** The gateway's answer for one statement; the heaviest, should it have seen several in it. */
export function verdictOf(explanation: Explanation): Decided {
  return explanation.statements.map(decided).reduce<Decided>((a, b) => (weights[b.kind] > weights[a.kind] ? b : a), {
    kind: 'allowed',
  })
}

function decided({ decision, masks, action, detail }: Explanation['statements'][number]): Decided {
  const more = detail === undefined ? {} : { detail }
  switch (decision.verdict) {
    case 'block':
      return {
        kind: 'blocked',
        policy: decision.policy,
        masks,
        unknown: action === 'sql:unknown',
        stepUp: decision.stepUp === true,
        ...more,
      }
    case 'hold':
      return { kind: 'held', policy: decision.policy, approval: decision.approval, masks, ...more }
    case 'allow':
      if (masks.length > 0) return { kind: 'masked', masks }
      return { kind: decision.grantId === undefined ? 'allowed' : 'granted' }
    default:
      return decision satisfies never
  }
}

/** How a verdict looks: the same icon and colour as the decision that it foretells. */
export function lookOf(verdict: Verdict): LookName {
  return verdict.kind === 'invalid' ? 'failed' : verdict.kind
}

/** Beside the statement, in parts: what will be, of what, by which policy. Nothing where it will just run. */
export function hintOf(verdict: Verdict): { word: string; what: string; policy: string } | undefined {
  switch (verdict.kind) {
    case 'invalid':
    case 'allowed':
    case 'granted':
      return undefined
    case 'later':
      return { word: 'Decided when run', what: verdict.what, policy: '' }
    case 'masked':
      return { word: 'Will be masked', what: maskedNames(verdict.masks), policy: verdict.masks[0]?.policy.id ?? '' }
    case 'held': {
      const { group, count } = verdict.approval
      return { word: 'Will be held', what: `for ${count} of ${group}`, policy: verdict.policy.id }
    }
    case 'blocked': {
      if (verdict.stepUp) return { word: 'Will be blocked', what: 'without a second factor', policy: verdict.policy.id }
      const word = verdict.unknown ? 'Not understood, will be blocked' : 'Will be blocked'
      const unknown = verdict.detail === undefined ? undefined : unknownName(verdict.detail)
      return { word, what: unknown?.short ?? maskedNames(verdict.masks), policy: verdict.policy.id }
    }
    default:
      return verdict satisfies never
  }
}

/** For the hover and for people who hear it: what happened to nobody yet, and why. */
export function sentencesOf(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'invalid':
      return `PostgreSQL does not take this: ${verdict.problem.message}.`
    case 'allowed':
      return 'Will be allowed.'
    case 'granted':
      return 'Will be allowed, by your grant.'
    case 'later':
      return `Decided when it is run, by what the session has by then: ${verdict.what}.`
    case 'masked':
      return `Will run with ${maskedNames(verdict.masks)} masked. ${reasons(verdict.masks.map((m) => m.policy))}`
    case 'held': {
      const { group, count } = verdict.approval
      const masks = verdict.masks.length === 0 ? '' : ` Masked: ${maskedNames(verdict.masks)}.`
      const who = `${count} ${count === 1 ? 'approval' : 'approvals'} of ${group}`
      return `Will be held until ${who}. ${reasons([verdict.policy])}${masks}`
    }
    case 'blocked': {
      const why = verdict.detail === undefined ? '' : ` ${capitalise(sentence(verdict.detail))}`
      const way = verdict.stepUp ? ' A sign-in with a second factor lifts it.' : ''
      return `Will be blocked. ${reasons([verdict.policy])}${why}${way}`
    }
    default:
      return verdict satisfies never
  }
}

function maskedNames(masks: readonly Masked[]): string {
  return [...new Set(masks.map((mask) => mask.label))].join(', ')
}

function reasons(policies: readonly PolicyRef[]): string {
  const once = new Map(policies.map((policy) => [policy.id, policy.reason]))
  return [...once].map(([id, reason]) => `${id}: ${sentence(reason)}`).join(' ')
}
