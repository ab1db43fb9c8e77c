import { z } from 'zod'
import { StepUp } from '../api/problem.ts'

/** A failure that a person can act on. `action` names the button that helps. */
export const Problem = z.object({
  code: z.enum([
    'not-signed-in',
    'step-up',
    'gateway-unreachable',
    'target-unreachable',
    'forbidden',
    'not-found',
    'conflict',
    'session-ended',
    'sign-in-failed',
    'bad-input',
    'failed',
  ]),
  message: z.string(),
  hint: z.string().optional(),
  action: z.enum(['sign-in', 'step-up', 'retry', 'reconnect', 'none']).default('none'),
  /** With `step-up`: what the sign-in lacks. */
  stepUp: StepUp.optional(),
})
export type Problem = z.infer<typeof Problem>
