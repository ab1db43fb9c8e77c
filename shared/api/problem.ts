import { z } from 'zod'
import { Approval, PolicyRef } from '../decision.ts'

export const Refusal = z.object({ policy: PolicyRef, requestable: z.boolean(), approval: Approval.optional() })
export type Refusal = z.infer<typeof Refusal>

/** How the gateway API says that something went wrong: an RFC 9457 problem document, `application/problem+json`. */
export const ProblemDocument = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  /** What happened and what to do, for people. */
  detail: z.string(),
  /** One of the contract's `problems`, or `BAD_REQUEST`, `INTERNAL`, `TOO_MANY_REQUESTS`, `PAYLOAD_TOO_LARGE`. */
  code: z.string(),
  /** What is wrong with the input, field by field. */
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  /** The policy that said no, and whether somebody can be asked for access all the same. */
  refusal: Refusal.optional(),
})
export type ProblemDocument = z.infer<typeof ProblemDocument>

export const problemMediaType = 'application/problem+json'
