import { z } from 'zod'

/** A policy as shown to people: its `@id` as written, and its `@reason`. */
export const PolicyRef = z.object({ id: z.string(), reason: z.string() })
export type PolicyRef = z.infer<typeof PolicyRef>

/** Who must approve a held request: `count` distinct people of `group`, never the requester. */
export const Approval = z.object({
  group: z.string(),
  count: z.number().int().min(1),
  /** Seconds an approved time-boxed grant lasts at most, and a held request waits before it expires. */
  windowSeconds: z.number().int().min(1),
  notify: z.array(z.string()),
})
export type Approval = z.infer<typeof Approval>

/** What policy says of one request. Masks are a separate question, asked per data class. */
export const Decision = z.discriminatedUnion('verdict', [
  z.object({ verdict: z.literal('allow'), policies: z.array(PolicyRef), grantId: z.string().optional() }),
  z.object({ verdict: z.literal('block'), policy: PolicyRef }),
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
  approvedBy: z.array(z.string()),
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
