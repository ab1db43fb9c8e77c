import { z } from 'zod'
import { Approval, PolicyRef } from '../decision.ts'

export const Refusal = z.object({ policy: PolicyRef, requestable: z.boolean(), approval: Approval.optional() })
export type Refusal = z.infer<typeof Refusal>

/**
 * What a sign-in lacks for what was asked: a second factor, and that it is no older than `maxAgeSeconds` where that is set. The
 * client signs the same person in again (`acr_values=mfa`, `max_age`), then asks again. With it goes the challenge of RFC 9470.
 */
export const StepUp = z.object({ maxAgeSeconds: z.number().int().min(1).optional() })
export type StepUp = z.infer<typeof StepUp>

/** The `acr_values` of a sign-in with a second factor. */
export const mfaAcr = 'mfa'

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
  /** With `STEP_UP`. */
  stepUp: StepUp.optional(),
})
export type ProblemDocument = z.infer<typeof ProblemDocument>

export const problemMediaType = 'application/problem+json'
