import type { Decision } from '../shared/decision.ts'
import type { AgentSession, SessionPort, SessionSpec } from '../shared/link.ts'
import type { SessionPolicy } from './decide.ts'
import type { InspectorPort } from './inspect/port.ts'
import type { InspectorSession } from './inspect/session.ts'

/** The port that an inspector works with: decisions from the policy in memory, the rest from the gateway. */
export function inspectorPort(spec: SessionSpec, policy: SessionPolicy, gateway: SessionPort): InspectorPort {
  const began = performance.now()
  return {
    sessionId: spec.sessionId,
    principal: spec.principal,
    connection: spec.connection,
    annotations: spec.annotations,
    get epoch() {
      return policy.epoch
    },
    decide: (request) => policy.decide(request),
    sensitivity: (schema, table, column) => policy.sensitivity(schema, table, column),
    redact: (text) => policy.redact(text),
    textMasks: () => policy.textMasks(),
    grant: (id) => policy.grant(id),
    elapsed: () => performance.now() - began,
    record: (event) => gateway.record(event),
    hold: (request) => gateway.hold(request),
    annotate: (annotation) => gateway.annotate?.(annotation),
    started: (info) => gateway.started(info),
    cancelElsewhere: (processId, digest) => gateway.cancelElsewhere?.(processId, digest),
    changing: () => gateway.changing?.(),
    changed: () => gateway.changed?.(),
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
