import { ORPCError } from '@orpc/server'
import { problems } from '../../shared/api/contract.ts'
import type { StepUp } from '../../shared/api/problem.ts'
import type { Decision } from '../../shared/decision.ts'
import type { Principal } from '../../shared/principal.ts'

/** Signed in, but not well enough for this; the client takes the person through it and asks again. */
export function stepUpError(message: string, stepUp: StepUp): ORPCError<'STEP_UP', StepUp> {
  return new ORPCError('STEP_UP', { status: problems.STEP_UP.status, message, data: stepUp })
}

/** Whether a second factor lifts what policy blocks. `withMfa` is policy's answer to the same with one; a machine has none. */
export function liftedByMfa(
  who: { principal: Pick<Principal, 'kind'>; context: { mfa: boolean } },
  withMfa: () => Decision,
): boolean {
  return who.principal.kind === 'user' && !who.context.mfa && withMfa().verdict !== 'block'
}
