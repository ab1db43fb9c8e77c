import type { Annotation } from '../../../shared/annotation.ts'
import type { Decision, PolicyRef } from '../../../shared/decision.ts'
import type { RecordingEvent } from '../../../shared/recording.ts'
import type { DecisionRequest, InspectorPort } from '../port.ts'
import { textOf } from './classify.ts'

type RequestEvent = Extract<RecordingEvent, { type: 'request' }>

/** Numbers a session's requests, decides them, and puts them on the recording. */
export class Gate {
  readonly #port: InspectorPort
  readonly #account: string
  #n = 0
  #connectApproved = false

  /** `account`: who one is on the target. */
  constructor(port: InspectorPort, account: string) {
    this.#port = port
    this.#account = account
  }

  /** Whether policy lets something happen now, without a word about it. */
  allows(request: DecisionRequest): boolean {
    return this.#port.decide(request).verdict === 'allow'
  }

  /** Why the desktop may not stay open; undefined while it may. One that was approved stays. */
  whyNotConnected(): string | undefined {
    const decision = this.#port.decide({ action: 'rdp:connect' })
    if (decision.verdict === 'allow' || (decision.verdict === 'hold' && this.#connectApproved)) return undefined
    return `Blocked by ${decision.policy.id}: ${decision.policy.reason}`
  }

  /**
   * Decides something that either happens or does not. What would need approval does not: only opening the desktop waits.
   * Rejects when it can't be recorded.
   */
  async ask(request: DecisionRequest): Promise<boolean> {
    const decision = this.#port.decide(request)
    if (decision.verdict === 'allow') {
      await this.#record(request, decision)
      return true
    }
    await this.#record(request, { verdict: 'block', policy: decision.policy })
    this.#refused(request, decision)
    return false
  }

  /** Records and tells that something was refused that nobody waits for. Throws when it can't be recorded. */
  refuse(request: DecisionRequest, failed: (error: unknown) => void): void {
    const decision = this.#port.decide(request)
    if (decision.verdict === 'allow') return
    this.#record(request, { verdict: 'block', policy: decision.policy }).catch(failed)
    this.#refused(request, decision)
  }

  /** Opening the desktop: resolves with a refusal in words, or nothing; waits for people where policy asks for them. */
  async connect(cancelled: AbortSignal): Promise<string | undefined> {
    const request: DecisionRequest = { action: 'rdp:connect' }
    const decision = this.#port.decide(request)
    switch (decision.verdict) {
      case 'allow': {
        await this.#record(request, decision)
        this.#say(this.#allowed(decision))
        return undefined
      }
      case 'block':
        await this.#record(request, decision)
        this.#say(blocked(request, decision.policy, false))
        return `Blocked by ${decision.policy.id}: ${decision.policy.reason}`
      case 'hold':
        return this.#hold(request, decision, cancelled)
      default:
        return decision satisfies never
    }
  }

  #allowed(decision: Extract<Decision, { verdict: 'allow' }>): Annotation {
    const { policies, grantId } = decision
    const policy = policies[0]
    const grant = grantId === undefined ? undefined : this.#port.grant(grantId)
    if (grant !== undefined && policy !== undefined) {
      const { id, endsAt, approvedBy } = grant
      return { kind: 'granted', policy, grantId: id, endsAt, approvedBy, command: 'rdp:connect' }
    }
    return { kind: 'allowed', command: 'rdp:connect', ...(policy === undefined ? {} : { policy }) }
  }

  async #hold(
    request: DecisionRequest,
    { policy, approval }: Extract<Decision, { verdict: 'hold' }>,
    cancelled: AbortSignal,
  ): Promise<string | undefined> {
    const port = this.#port
    const held = await port.hold({
      action: 'rdp:connect',
      text: textOf(request),
      policy,
      approval,
      tables: [],
      binding: { account: this.#account },
    })
    const { requestId, expiresAt } = held
    const giveUp = (): void => held.cancel()
    cancelled.addEventListener('abort', giveUp, { once: true })
    try {
      const n = ++this.#n
      await port.record({ ...this.#event(request, n), outcome: 'held', policy, requestId })
      this.#say({ kind: 'held', policy, requestId, approval, expiresAt, command: 'rdp:connect' })
      if (cancelled.aborted) held.cancel()
      const outcome = await held.outcome
      const decided = { type: 'decided', at: port.elapsed(), n, requestId } as const
      switch (outcome.kind) {
        case 'approved': {
          await port.record({ ...decided, outcome: 'approved', by: [...outcome.by] })
          // Policy may have changed while people thought: what it forbids now is not opened.
          const now = port.decide(request)
          if (now.verdict === 'block') {
            this.#say(blocked(request, now.policy, false))
            return `Blocked by ${now.policy.id}: ${now.policy.reason}`
          }
          this.#connectApproved = true
          this.#say({ kind: 'approved', requestId, by: [...outcome.by] })
          return undefined
        }
        case 'denied':
          await port.record({ ...decided, outcome: 'denied', by: [outcome.by], reason: outcome.reason })
          this.#say({ kind: 'denied', requestId, by: outcome.by, reason: outcome.reason })
          return `Denied by ${outcome.by}: ${outcome.reason}`
        case 'expired':
          await port.record({ ...decided, outcome: 'expired', by: [] })
          this.#say({ kind: 'expired', requestId })
          return `Request ${requestId} expired before it was approved. Open the desktop again to ask again.`
        case 'cancelled':
          await port.record({ ...decided, outcome: 'cancelled', by: [] })
          return `Request ${requestId} was cancelled.`
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

  async #record(request: DecisionRequest, decision: Exclude<Decision, { verdict: 'hold' }>): Promise<void> {
    const event = this.#event(request, ++this.#n)
    if (decision.verdict === 'block') {
      await this.#port.record({ ...event, outcome: 'blocked', policy: decision.policy })
      return
    }
    const { policies, grantId } = decision
    const policy = policies[0]
    await this.#port.record({
      ...event,
      outcome: grantId === undefined ? 'allowed' : 'granted',
      ...(policy === undefined ? {} : { policy }),
      ...(grantId === undefined ? {} : { grantId }),
    })
  }

  #event(request: DecisionRequest, n: number): Omit<RequestEvent, 'outcome'> {
    return { type: 'request', at: this.#port.elapsed(), n, action: request.action, text: textOf(request) }
  }

  #refused(request: DecisionRequest, decision: Exclude<Decision, { verdict: 'allow' }>): void {
    this.#say(blocked(request, decision.policy, decision.verdict === 'hold'))
  }

  #say(annotation: Annotation): void {
    this.#port.annotate?.(annotation)
  }
}

function blocked(request: DecisionRequest, policy: PolicyRef, requestable: boolean): Annotation {
  return {
    kind: 'blocked',
    policy,
    message: `${textOf(request)}: refused. ${policy.reason}`,
    hint: requestable
      ? `Ask for it: sallyport request NAME --action ${request.action}. A grant counts from the next start.`
      : 'Whoever keeps the policy can change it.',
    // The clipboard goes two ways, and the client shows a refusal at the one that it is about.
    command: request.direction === undefined ? request.action : `${request.action} ${request.direction}`,
    requestable,
  }
}
