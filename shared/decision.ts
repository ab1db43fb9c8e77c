import { z } from 'zod'

/** A policy as shown to people: its `@id` as written, and its `@reason`. */
export const PolicyRef = z.object({ id: z.string(), reason: z.string() })
export type PolicyRef = z.infer<typeof PolicyRef>

/** Who must approve a held request, `count` distinct people of `group` and never the requester, and by which rules. */
export const Approval = z.object({
  group: z.string(),
  count: z.number().int().min(1),
  /** `@window`: seconds a grant lasts at most and a request waits, where `maxSeconds` and `expirySeconds` don't say. */
  windowSeconds: z.number().int().min(1),
  notify: z.array(z.string()),
  /** `@max`: seconds that a grant lasts at most. */
  maxSeconds: z.number().int().min(1).optional(),
  /** `@expires`: seconds after which a request that nobody answered expires. */
  expirySeconds: z.number().int().min(1).optional(),
  /** `@reason_pattern`: nothing is approved without a reason in which this pattern (RE2) is found. */
  reasonPattern: z.string().optional(),
  /** `@escalate`: groups that may decide as well once a request has waited so long. */
  escalate: z.array(z.object({ group: z.string(), afterSeconds: z.number().int().min(1) })).optional(),
  /** `@breakglass`: members of this group may go on without an approval; others review it afterwards. */
  breakGlass: z.string().optional(),
  /** `@stepup`: who approves has signed in with a second factor, at most so many seconds ago. */
  stepUpSeconds: z.number().int().min(1).optional(),
  /** `@auto`: a rule that approves this very request, without people. */
  auto: PolicyRef.optional(),
})
export type Approval = z.infer<typeof Approval>

/** What policy says of one request. Masks are a separate question, asked per data class. */
export const Decision = z.discriminatedUnion('verdict', [
  z.object({ verdict: z.literal('allow'), policies: z.array(PolicyRef), grantId: z.string().optional() }),
  /** `stepUp`: a sign-in with a second factor would lift it. */
  z.object({ verdict: z.literal('block'), policy: PolicyRef, stepUp: z.literal(true).optional() }),
  z.object({ verdict: z.literal('hold'), policy: PolicyRef, approval: Approval }),
])
export type Decision = z.infer<typeof Decision>

/** Whether this principal sees a data class in the clear on this connection. */
export const Unmask = z.discriminatedUnion('verdict', [
  z.object({ verdict: z.literal('clear'), grantId: z.string().optional() }),
  /** Masked. `approval` is set where a permit with `@approve` exists, so that the client can offer to ask. */
  z.object({ verdict: z.literal('masked'), policy: PolicyRef, approval: Approval.optional() }),
])
export type Unmask = z.infer<typeof Unmask>

/** A time-boxed grant, in force. Times are ISO 8601 in UTC. */
export const Grant = z.object({
  id: z.string(),
  principalId: z.string(),
  connection: z.string(),
  /** Actions (`sql:write`, `connect`, `unmask`…); a parent action covers its children. */
  actions: z.array(z.string()),
  /** Data classes that `unmask` covers. Empty: all of them. */
  dataClasses: z.array(z.string()),
  startsAt: z.iso.datetime(),
  endsAt: z.iso.datetime(),
  requestId: z.string(),
  /** Who approved: people, or `policy:ID` for a rule. Empty after break-glass. */
  approvedBy: z.array(z.string()),
  /** Set when it ended before its time: who ended it. Their own id when it was given back. */
  endedBy: z.string().optional(),
  /** The grant that it goes on from. */
  extends: z.string().optional(),
})
export type Grant = z.infer<typeof Grant>

/** A masked result column or text class, as told to people. */
export const Masked = z.object({
  /** `schema.table.column` for SQL, empty for text streams. */
  source: z.string(),
  /** Name in the result, and its 0-based place; -1 where there is none (text streams). */
  label: z.string(),
  position: z.number().int(),
  dataClass: z.string(),
  policy: PolicyRef,
  requestable: z.boolean(),
})
export type Masked = z.infer<typeof Masked>
