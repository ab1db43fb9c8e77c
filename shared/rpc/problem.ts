import { z } from 'zod'

/** A failure that a person can act on. `action` names the button that helps. */
export const Problem = z.object({
  code: z.enum([
    'not-signed-in',
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
  action: z.enum(['sign-in', 'retry', 'reconnect', 'none']).default('none'),
})
export type Problem = z.infer<typeof Problem>
