import { performance } from 'node:perf_hooks'
import type { Annotation } from '../shared/annotation.ts'
import type { ConnectionRef } from '../shared/connection.ts'
import type { Decision, Grant } from '../shared/decision.ts'
import type { AgentSession, Held, HoldRequest, SessionPort, SessionSpec } from '../shared/link.ts'
import type { Principal } from '../shared/principal.ts'
import type { RecordingEvent } from '../shared/recording.ts'
import type { SessionPolicy } from './decide.ts'
import type { DecisionRequest, InspectorPort, Sensitivity, TextMask } from './inspect/port.ts'
import type { InspectorSession } from './inspect/session.ts'
import { catalogOnly, readsStructure } from './structure.ts'

/** The port that an inspector works with: decisions from the policy in memory, the rest from the gateway. */
export function inspectorPort(spec: SessionSpec, policy: SessionPolicy, gateway: SessionPort): InspectorPort {
  return new Port(spec, policy, gateway)
}

/** A class: a getter in an object made per session would make each of them a kind of its own to the engine, and slow all that reads it. */
class Port implements InspectorPort {
  readonly sessionId: string
  readonly principal: Principal
  readonly connection: ConnectionRef
  readonly annotations: SessionSpec['annotations']
  readonly #catalogOnly: boolean
  readonly #policy: SessionPolicy
  readonly #gateway: SessionPort
  readonly #began = performance.now()

  constructor(spec: SessionSpec, policy: SessionPolicy, gateway: SessionPort) {
    this.sessionId = spec.sessionId
    this.principal = spec.principal
    this.connection = spec.connection
    this.annotations = spec.annotations
    this.#catalogOnly = spec.purpose === 'catalog'
    this.#policy = policy
    this.#gateway = gateway
  }

  get epoch(): number {
    return this.#policy.epoch
  }

  decide(request: DecisionRequest): Decision {
    if (this.#catalogOnly && !readsStructure(request)) return { verdict: 'block', policy: catalogOnly }
    return this.#policy.decide(request)
  }

  sensitivity(schema: string, table: string, column: string): Sensitivity | undefined {
    return this.#policy.sensitivity(schema, table, column)
  }

  classOf(schema: string, table: string, column: string): string | undefined {
    return this.#policy.classOf(schema, table, column)
  }

  classesIn(text: string): readonly string[] {
    return this.#policy.classesIn(text)
  }

  redact(text: string): string {
    return this.#policy.redact(text)
  }

  textMasks(): readonly TextMask[] {
    return this.#policy.textMasks()
  }

  recordMasks(): readonly TextMask[] {
    return this.#policy.recordMasks()
  }

  grant(id: string): Grant | undefined {
    return this.#policy.grant(id)
  }

  elapsed(now: number = performance.now()): number {
    return now - this.#began
  }

  record(event: RecordingEvent): Promise<void> | undefined {
    return this.#gateway.record(event)
  }

  hold(request: HoldRequest): Promise<Held> {
    return this.#gateway.hold(request)
  }

  annotate(annotation: Annotation): void {
    this.#gateway.annotate?.(annotation)
  }

  started(info: Parameters<SessionPort['started']>[0]): void {
    this.#gateway.started(info)
  }

  cancelElsewhere(processId: number, digest: Uint8Array): void {
    this.#gateway.cancelElsewhere?.(processId, digest)
  }

  changing(): Promise<void> | undefined {
    return this.#gateway.changing?.()
  }

  changed(): void {
    this.#gateway.changed?.()
  }
}

/** Timers take at most 2^31 ms, and a clock may be set meanwhile: longer waits are looked at again. */
const longestWaitMs = 60_000
const timeCheckMs = 1_000

export interface WatchedSession extends AgentSession {
  /** The policy set changed. */
  review(): void
}

/**
 * Keeps an inspector's session only for as long as its principal may be connected: looked at when grants or the policy change,
 * at the moment a grant begins or ends, and every second where the time of day decides.
 */
export function watch(
  inspector: InspectorSession,
  policy: SessionPolicy,
  connectDependsOnTime: () => boolean,
): WatchedSession {
  let timer: NodeJS.Timeout | undefined
  let over = false
  const review = (): void => {
    clearTimeout(timer)
    if (over) return
    const refusal = connectRefusal(policy.decide({ action: 'connect' }))
    if (refusal !== undefined) {
      over = true
      inspector.end(refusal)
      return
    }
    inspector.reconsider?.()
    const wait = connectDependsOnTime() ? timeCheckMs : policy.nextChange - Date.now()
    if (wait === Number.POSITIVE_INFINITY) return
    timer = setTimeout(review, Math.min(longestWaitMs, Math.max(1, wait))).unref()
  }
  void inspector.done.then(() => {
    over = true
    clearTimeout(timer)
  })
  review()
  return {
    end: (reason) => inspector.end(reason),
    setGrants(grants) {
      policy.setGrants(grants)
      review()
    },
    done: inspector.done,
    review,
  }
}

/** Why a decision on `connect` does not let anybody in; undefined when it does. */
export function connectRefusal(decision: Decision): string | undefined {
  switch (decision.verdict) {
    case 'allow':
      return undefined
    case 'block':
      return `Blocked by ${decision.policy.id}: ${decision.policy.reason}`
    case 'hold':
      return `Your access to this connection is not granted, or has ended (${decision.policy.id}: ${decision.policy.reason}) Request access to open it.`
  }
}
