import { z } from 'zod'
import { ConnectionName, Environment } from '../connection.ts'

/** What a button of a system notification does. `approve` is offered only where all that is asked for is in the notice. */
export const NoticeAction = z.enum(['review', 'later', 'approve', 'deny'])
export type NoticeAction = z.infer<typeof NoticeAction>

/**
 * What the system shows while nobody looks at the window. It may be read over a shoulder or on a lock screen, so it never holds the
 * text of a statement or a reason.
 */
export const Notice = z.object({
  /** One notice for each request: a later one replaces it. */
  id: z.string(),
  title: z.string(),
  body: z.string(),
  requestId: z.string(),
  actions: z.array(NoticeAction),
})
export type Notice = z.infer<typeof Notice>

/** A request that waits for this person's decision, as a tray menu shows it. */
export const WaitingRequest = z.object({
  id: z.string(),
  requester: z.string(),
  connection: ConnectionName,
  environment: Environment,
})
export type WaitingRequest = z.infer<typeof WaitingRequest>

export const NoticeEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('show'), notice: Notice }),
  /** It was decided, or is no longer this person's to decide. */
  z.object({ type: z.literal('withdraw'), id: z.string() }),
  /** All that waits for this person now: at once, then whenever that changes. */
  z.object({ type: z.literal('waiting'), requests: z.array(WaitingRequest) }),
])
export type NoticeEvent = z.infer<typeof NoticeEvent>
