import type { Action } from '../../../shared/actions.ts'
import type { InspectorPort } from '../port.ts'
import { ask, blockedError, sentence, type Voice } from './annotations.ts'

/** What a client asks for by its start-up parameters alone, and policy has a say in. */
export interface OpeningRequest {
  action: Action
  /** As it is recorded. */
  text: string
  /** Whether that is all there is to know of what it does. */
  complete: boolean
}

/**
 * Decides on what is asked for before there is a session: nothing can wait for people there, so what would be held is refused until
 * a grant is in force. Undefined: it is on the recording and may go on; otherwise what the client is told.
 */
export async function admitOpening(
  port: InspectorPort,
  voice: Voice,
  { action, text, complete }: OpeningRequest,
  n: number,
): Promise<Buffer | undefined> {
  const decision = port.decide({ action, complete })
  const request = { type: 'request', at: port.elapsed(), n, action, text: port.redact(text) } as const
  if (decision.verdict === 'allow') {
    const { policies, grantId } = decision
    const [policy] = policies
    await port.record({
      ...request,
      outcome: grantId === undefined ? 'allowed' : 'granted',
      ...(policy === undefined ? {} : { policy }),
      ...(grantId === undefined ? {} : { grantId }),
    })
    return undefined
  }
  const { policy } = decision
  await port.record({ ...request, outcome: 'blocked', policy })
  const held = decision.verdict === 'hold'
  return blockedError(
    voice,
    {
      policy,
      message: `${sentence(policy.reason)} The session was not opened.`,
      hint: held
        ? `Ask ${decision.approval.group} first: ${ask(voice, action)}`
        : 'Nobody can approve this. Whoever keeps the policy can change it.',
      requestable: held,
    },
    action,
    'FATAL',
  )
}
