import {
  type AuthorizationAnswer,
  preparsePolicySet,
  statefulIsAuthorized,
  validate,
} from '@cedar-policy/cedar-wasm/nodejs'
import type { Action } from '../shared/actions.ts'
import type { CheckedPolicy } from './cedar.ts'
import type { CedarRequest } from './entities.ts'
import { schemaText } from './schema.ts'

export type Evaluate = (action: Action, request: CedarRequest) => AuthorizationAnswer

/**
 * Gives the policies to Cedar. Only the policies whose scope takes in an action are evaluated for it, which halves the cost.
 * Cedar keeps what it has parsed under a name, for the whole process: `version`, a hash of the policies, as the name makes that harmless.
 * Returns the reason when Cedar refuses them.
 */
export function prepare(version: string, policies: readonly CheckedPolicy[]): Evaluate | string {
  const texts = Object.fromEntries(policies.map((policy) => [policy.meta.ref.id, policy.source.text]))
  const whole = validate({
    schema: schemaText,
    policies: { staticPolicies: texts },
    validationSettings: { mode: 'strict' },
  })
  if (whole.type === 'failure') return whole.errors.map((error) => error.message).join('; ')

  const prepared = new Set<string>()
  const names = new Map<Action, string | undefined>()
  const nameFor = (action: Action): string | undefined => {
    if (names.has(action)) return names.get(action)
    const concerned = policies.filter((policy) => policy.mayConcern(action)).map((policy) => policy.meta.ref.id)
    const name = concerned.length === 0 ? undefined : `${version}/${concerned.join(',')}`
    if (name !== undefined && !prepared.has(name)) {
      const subset = Object.fromEntries(Object.entries(texts).filter(([id]) => concerned.includes(id)))
      const answer = preparsePolicySet(name, { staticPolicies: subset })
      if (answer.type === 'failure') throw new Error(answer.errors.map((error) => error.message).join('; '))
      prepared.add(name)
    }
    names.set(action, name)
    return name
  }
  return (action, request) => {
    try {
      const name = nameFor(action)
      return name === undefined
        ? { type: 'success', response: { decision: 'deny', diagnostics: { reason: [], errors: [] } }, warnings: [] }
        : statefulIsAuthorized({ ...request, preparsedPolicySetId: name })
    } catch (error) {
      // Fails closed: the caller makes a block of a failure, and tells its message.
      const message = error instanceof Error ? error.message : String(error)
      return { type: 'failure', errors: [{ message, help: null, code: null, url: null, severity: null }], warnings: [] }
    }
  }
}
