import type { Annotation } from '../../../shared/annotation.ts'
import type { Decision } from '../../../shared/decision.ts'
import type { RecordingEvent } from '../../../shared/recording.ts'
import type { InspectorPort } from '../port.ts'
import { actionOf, decisionRequest, type Program, textOf } from './command.ts'
import { blocked } from './words.ts'

/** Whether a program may run, and what its channel ends with when it may not. */
export type Admission =
  | { go: true; n: number; gatewayMs: number; recheck(): string | undefined }
  | { go: false; exitCode: number }

export interface AdmitOptions {
  port: InspectorPort
  program: Program
  /** Number of the request within the session. */
  n: number
  /** The account on the target: what a command means depends on it. */
  account: string
  say(annotation: Annotation): void
  /** Aborted when the person gives up waiting. */
  cancelled: AbortSignal
}

/** As a shell has it: found, but may not be run. */
export const exitBlocked = 126
/** As a shell has it: ended by SIGINT. */
export const exitCancelled = 130

/**
 * Decides about a program, puts it on the recording and, if policy holds it, waits for people. Resolves with `go` only once
 * the request is stored. Rejects when it can't be stored; then nothing may be forwarded.
 */
export async function admit(options: AdmitOptions): Promise<Admission> {
  const { port, program, n, say } = options
  const command = program.kind === 'exec' ? program.command : undefined
  const begun = port.elapsed()
  const decision = port.decide(decisionRequest(program))
  const event = (extra: Pick<RequestEvent, 'outcome'> & Partial<RequestEvent>): RequestEvent => ({
    type: 'request',
    at: port.elapsed(),
    n,
    action: actionOf(program),
    text: port.redact(textOf(program)),
    ...extra,
  })
  switch (decision.verdict) {
    case 'block':
      await port.record(event({ outcome: 'blocked', policy: decision.policy }))
      say(blocked(decision, command))
      return { go: false, exitCode: exitBlocked }
    case 'allow': {
      const { policies, grantId } = decision
      const policy = policies[0]
      const grant = grantId === undefined ? undefined : port.grant(grantId)
      await port.record(
        event({
          outcome: grantId === undefined ? 'allowed' : 'granted',
          ...(policy === undefined ? {} : { policy }),
          ...(grantId === undefined ? {} : { grantId }),
        }),
      )
      if (grant !== undefined && policy !== undefined) {
        const { id, endsAt, approvedBy } = grant
        say({ kind: 'granted', policy, grantId: id, endsAt, approvedBy, ...(command === undefined ? {} : { command }) })
      } else if (command !== undefined) say({ kind: 'allowed', command, ...(policy === undefined ? {} : { policy }) })
      return { go: true, n, gatewayMs: port.elapsed() - begun, recheck: () => recheck(port, program, false) }
    }
    case 'hold':
      return hold(options, decision, event, begun)
    default:
      return decision satisfies never
  }
}

type RequestEvent = Extract<RecordingEvent, { type: 'request' }>
type Hold = Extract<Decision, { verdict: 'hold' }>

async function hold(
  options: AdmitOptions,
  decision: Hold,
  event: (extra: Pick<RequestEvent, 'outcome'> & Partial<RequestEvent>) => RequestEvent,
  begun: number,
): Promise<Admission> {
  const { port, program, n, say, cancelled } = options
  const { policy, approval } = decision
  const text = textOf(program)
  const hiddenClasses = port.classesIn(text)
  const held = await port.hold({
    action: actionOf(program),
    text,
    hiddenClasses,
    ...(hiddenClasses.length === 0 ? {} : { redacted: port.redact(text) }),
    policy,
    approval,
    tables: [],
    binding: { account: options.account },
  })
  const { requestId, expiresAt } = held
  const giveUp = (): void => held.cancel()
  cancelled.addEventListener('abort', giveUp, { once: true })
  try {
    await port.record(event({ outcome: 'held', policy, requestId }))
    const command = program.kind === 'exec' ? program.command : undefined
    say({ kind: 'held', policy, requestId, approval, expiresAt, ...(command === undefined ? {} : { command }) })
    if (cancelled.aborted) held.cancel()
    const outcome = await held.outcome
    const decided = { type: 'decided', at: port.elapsed(), n, requestId } as const
    switch (outcome.kind) {
      case 'approved': {
        await port.record({ ...decided, outcome: 'approved', by: [...outcome.by] })
        if (cancelled.aborted) return { go: false, exitCode: exitCancelled }
        // Policy may have changed while people thought: what it forbids now does not run.
        const now = port.decide(decisionRequest(program))
        if (now.verdict === 'block') {
          say(blocked(now, command))
          return { go: false, exitCode: exitBlocked }
        }
        say({ kind: 'approved', requestId, by: [...outcome.by] })
        return { go: true, n, gatewayMs: port.elapsed() - begun, recheck: () => recheck(port, program, true) }
      }
      case 'denied':
        await port.record({ ...decided, outcome: 'denied', by: [outcome.by], reason: outcome.reason })
        say({ kind: 'denied', requestId, by: outcome.by, reason: outcome.reason })
        return { go: false, exitCode: exitBlocked }
      case 'expired':
        await port.record({ ...decided, outcome: 'expired', by: [] })
        say({ kind: 'expired', requestId })
        return { go: false, exitCode: exitBlocked }
      case 'cancelled':
        await port.record({ ...decided, outcome: 'cancelled', by: [] })
        say({ kind: 'ended', reason: `Request ${requestId} was cancelled. Nothing ran.` })
        return { go: false, exitCode: exitCancelled }
      default:
        return outcome satisfies never
    }
  } catch (error) {
    held.cancel()
    throw error
  } finally {
    cancelled.removeEventListener('abort', giveUp)
  }
}

/** Why a program that runs may run no longer; undefined while it may. An approved one has its approval for as long as it runs. */
function recheck(port: InspectorPort, program: Program, approved: boolean): string | undefined {
  const now = port.decide(decisionRequest(program))
  switch (now.verdict) {
    case 'allow':
      return undefined
    case 'block':
      return `Blocked by ${now.policy.id} since it began: ${now.policy.reason}`
    case 'hold':
      return approved ? undefined : `The grant that allowed it has ended. ${now.policy.id} asks for approval again.`
    default:
      return now satisfies never
  }
}
