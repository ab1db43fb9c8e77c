import type { Action } from '../../../../shared/actions.ts'
import type { InspectorPort } from '../../port.ts'
import { ask, blockedError, write as say, sentence, upperFirst, type Voice } from '../annotations.ts'
import { FrameError } from '../frames.ts'
import { isLate } from './in-time.ts'
import { SignInError } from './signin.ts'
import type { TargetParameters } from './startup.ts'

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

/** What start-up parameters ask for that policy has a say in. */
export function openingRequests({
  becomes,
  replication,
}: Extract<TargetParameters, { ok: true }>): readonly OpeningRequest[] {
  const roles = becomes.map((text): OpeningRequest => ({ action: 'sql:role', text, complete: true }))
  if (replication === 'none') return roles
  return [...roles, { action: 'sql:replication', text: `replication=${replication}`, complete: false }]
}

/** Why there is no session, for the record and for the client. */
export function openingFailure(error: unknown, connection: string): { reason: string; words: Buffer } {
  if (error instanceof SignInError) {
    const { message, sqlstate, more } = error
    return { reason: message, words: say({ severity: 'FATAL', sqlstate, message, ...more }) }
  }
  if (error instanceof FrameError) {
    const message = upperFirst(sentence(error.message))
    return { reason: error.message, words: say({ severity: 'FATAL', sqlstate: '08P01', message }) }
  }
  const reason = isLate(error) ? 'it did not answer in time' : error instanceof Error ? error.message : String(error)
  const message = `The target of ${connection} can't be reached: ${sentence(reason)}`
  return { reason: message, words: say({ severity: 'FATAL', sqlstate: '08001', message }) }
}
