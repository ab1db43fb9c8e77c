import { type Annotation, isDecisionSqlstate, sqlstates, type Timing } from '../../../shared/annotation.ts'
import type { Approval, Masked, PolicyRef } from '../../../shared/decision.ts'
import type { Held } from '../../../shared/link.ts'
import { backend, readFields, sqlstatesOf, writeFields } from './messages.ts'
import type { Letters } from './text/charsets/charset.ts'

/**
 * Decisions in PostgreSQL's own words: NOTICE and ERROR with an SP… SQLSTATE (shared/annotation).
 * M is for people, H says what to do next, D is the Annotation as JSON where the client can draw it.
 */
export interface Voice {
  /** `machine`: D carries the Annotation. */
  annotations: 'machine' | 'text'
  /** The connection's name, for the commands that hints spell out. */
  connection: string
}

type Severity = 'NOTICE' | 'ERROR' | 'FATAL'

export interface Words {
  severity: Severity
  sqlstate: string
  message: string
  hint?: string | undefined
  detail?: string | undefined
  /** 1-based place in the statement. */
  position?: number
}

export function write(words: Words): Buffer {
  const fields: [string, string][] = [
    ['S', words.severity],
    ['V', words.severity],
    ['C', words.sqlstate],
    ['M', words.message],
  ]
  if (words.detail !== undefined) fields.push(['D', words.detail])
  if (words.hint !== undefined) fields.push(['H', words.hint])
  if (words.position !== undefined) fields.push(['P', String(words.position)])
  return writeFields(words.severity === 'NOTICE' ? backend.notice : backend.error, fields)
}

function annotated(voice: Voice, words: Omit<Words, 'detail'>, annotation: Annotation): Buffer {
  return write(voice.annotations === 'machine' ? { ...words, detail: JSON.stringify(annotation) } : words)
}

/** A refusal, whoever's it is: a policy's, or a rule of the inspector under its own name. */
export interface Refusal {
  policy: PolicyRef
  /** Why, and that nothing ran. Who blocked it is said before it. */
  message: string
  hint: string
  columns?: readonly Masked[]
  requestable: boolean
  /** A sign-in with a second factor would lift it. */
  stepUp?: true
  /** A relation that it names and that is not there: nothing else keeps it from running. */
  missing?: string
}

export function maskedNotice(voice: Voice, masked: readonly Masked[]): Buffer {
  const policies = [...new Set(masked.map((m) => m.policy.id))].join(', ')
  const columns = [...new Set(masked.map((m) => (m.source === '' ? m.label : `${m.source} (${m.dataClass})`)))]
  const one = columns.length === 1
  const words = `Masked by ${policies}: ${columns.join(', ')}. ${one ? 'Its' : 'Their'} values are replaced in this result.`
  const requestable = masked.some((m) => m.requestable)
  return annotated(
    voice,
    {
      severity: 'NOTICE',
      sqlstate: sqlstates.masked,
      message: words,
      ...(requestable ? { hint: `To see the values, ask: ${ask(voice, 'unmask')}` } : {}),
    },
    { kind: 'masked', columns: [...masked] },
  )
}

export function blockedError(
  voice: Voice,
  refusal: Refusal,
  command: string,
  severity: 'ERROR' | 'FATAL' = 'ERROR',
): Buffer {
  if (refusal.missing !== undefined) return missingError(refusal.missing)
  return annotated(
    voice,
    {
      severity,
      sqlstate: sqlstates.blocked,
      message: `Blocked by ${refusal.policy.id}: ${refusal.message}`,
      hint: refusal.hint,
    },
    {
      kind: 'blocked',
      policy: refusal.policy,
      message: upperFirst(refusal.message),
      hint: refusal.hint,
      ...(refusal.columns === undefined ? {} : { columns: [...refusal.columns] }),
      command,
      requestable: refusal.requestable,
      ...(refusal.stepUp === undefined ? {} : { stepUp: refusal.stepUp }),
    },
  )
}

/** In the target's words, which programs act on: they make the table then, or go without. */
function missingError(name: string): Buffer {
  return write({
    severity: 'ERROR',
    sqlstate: '42P01',
    message: `relation "${name}" does not exist`,
    hint: 'The gateway looked it up at the target, and nothing ran.',
  })
}

/** The target's result is not the one that was decided on. */
export function withheldError(voice: Voice, reason: string): Buffer {
  const policy = { id: 'sallyport/changed-definitions', reason }
  return blockedError(
    voice,
    {
      policy,
      message: `${sentence(reason)} Nothing of it is shown. Definitions changed since they were read, and are read again now.`,
      hint: 'Run it again. Where that gives the same answer, tell the people who run the gateway.',
      requestable: false,
    },
    'sql:select',
  )
}

export function heldNotice(voice: Voice, held: Held, policy: PolicyRef, approval: Approval, command: string): Buffer {
  const people = approval.count === 1 ? 'one approval' : `${approval.count} approvals`
  return annotated(
    voice,
    {
      severity: 'NOTICE',
      sqlstate: sqlstates.held,
      message: `Held by ${policy.id}: ${sentence(policy.reason)} Nothing has run. It needs ${people} from ${approval.group}.`,
      hint: `Request ${held.requestId} expires at ${held.expiresAt}. Once approved it runs one time, exactly as written. Cancel to withdraw it.`,
    },
    { kind: 'held', policy, requestId: held.requestId, approval, expiresAt: held.expiresAt, command },
  )
}

export function approvedNotice(voice: Voice, requestId: string, by: readonly string[]): Buffer {
  return annotated(
    voice,
    {
      severity: 'NOTICE',
      sqlstate: sqlstates.approved,
      message: `Approved by ${by.join(', ')} (request ${requestId}). It runs now.`,
    },
    { kind: 'approved', requestId, by: [...by] },
  )
}

export function deniedError(voice: Voice, requestId: string, policy: PolicyRef, by: string, reason: string): Buffer {
  return annotated(
    voice,
    {
      severity: 'ERROR',
      sqlstate: sqlstates.denied,
      message: `Denied by ${by}: ${sentence(reason)} Nothing ran. It was held by ${policy.id}.`,
      hint: `Talk to ${by}, change the statement and run it again: that makes a new request.`,
    },
    { kind: 'denied', requestId, by, reason },
  )
}

export function expiredError(voice: Voice, requestId: string, policy: PolicyRef): Buffer {
  return annotated(
    voice,
    {
      severity: 'ERROR',
      sqlstate: sqlstates.expired,
      message: `Nobody decided in time: request ${requestId} expired. Nothing ran. It was held by ${policy.id}.`,
      hint: 'Run it again to ask again.',
    },
    { kind: 'expired', requestId },
  )
}

export function grantedNotice(
  voice: Voice,
  grant: { id: string; endsAt: string; approvedBy: readonly string[] },
  policy: PolicyRef,
  command: string,
): Buffer {
  const by = grant.approvedBy.length === 0 ? '' : ` from ${grant.approvedBy.join(', ')}`
  return annotated(
    voice,
    {
      severity: 'NOTICE',
      sqlstate: sqlstates.granted,
      message: `Allowed by grant ${grant.id}${by}, until ${grant.endsAt} (${policy.id}).`,
    },
    {
      kind: 'granted',
      policy,
      grantId: grant.id,
      endsAt: grant.endsAt,
      approvedBy: [...grant.approvedBy],
      command,
    },
  )
}

/** How long a command took: said before its CommandComplete, and only to a client that draws it. */
export function timedNotice(timing: Timing): Buffer {
  const { dbMs, gatewayMs } = timing
  return write({
    severity: 'NOTICE',
    sqlstate: sqlstates.timed,
    message: `Took ${dbMs.toFixed(1)} ms in the database, ${gatewayMs.toFixed(1)} ms to decide.`,
    detail: JSON.stringify(timing),
  })
}

export function endedError(voice: Voice, reason: string, severity: 'ERROR' | 'FATAL' = 'FATAL'): Buffer {
  return annotated(
    voice,
    { severity, sqlstate: sqlstates.ended, message: sentence(reason) },
    { kind: 'ended', reason: sentence(reason) },
  )
}

/** A command that asks for `action` on this connection. */
export function ask(voice: Pick<Voice, 'connection'>, action: string): string {
  return `sallyport request ${voice.connection} --for 30m --reason TEXT --action ${action}`
}

/** `text` as the beginning of a sentence. */
export function upperFirst(text: string): string {
  return text.replace(/^./u, (first) => first.toUpperCase())
}

export function sentence(text: string): string {
  const trimmed = text.trim()
  return /[.!?…]$/.test(trimmed) || trimmed === '' ? trimmed : `${trimmed}.`
}

/** A LOG or DEBUG message: about how the server works, not about what was asked. */
export function isLogged(buf: Buffer, start: number, end: number): boolean {
  const fields = readFields(buf, start, end)
  return /^(?:LOG|DEBUG)/.test(fields.get('V') ?? fields.get('S') ?? '')
}

/**
 * The target's error or notice, made safe to pass; undefined when it is safe as it is. An SP… code of the target's
 * is no decision of ours. `scrub`: the statement touched masked columns, and error text quotes values.
 */
export function neutralise(
  buf: Buffer,
  start: number,
  end: number,
  scrub: { redact(text: string): string } | undefined,
  letters?: Letters,
): Buffer | undefined {
  const forged = sqlstatesOf(buf, start, end).some(isDecisionSqlstate)
  if (!forged && scrub === undefined) return undefined
  const type = buf[start] === backend.notice ? backend.notice : backend.error
  const fields = readFields(buf, start, end, letters)
  if (forged) fields.set('C', type === backend.notice ? '01000' : 'XX000')
  if (scrub !== undefined) {
    // DETAIL, CONTEXT and the internal query quote rows and values.
    for (const code of ['D', 'W', 'q', 'p']) fields.delete(code)
    const text = fields.get('M')
    if (text !== undefined) {
      const report = fields.get('V') === 'INFO' ? withoutLog(text) : text
      fields.set('M', withoutValues(scrub.redact(report), fields.get('C') ?? ''))
    }
  }
  return writeFields(type, fields, letters)
}

/**
 * ANALYZE VERBOSE says how much log it wrote: as much as its statistics hold of the values, and so whether one that was just inserted was
 * there already. In every language the line says WAL.
 */
function withoutLog(report: string): string {
  return report
    .split('\n')
    .filter((line) => !line.includes('WAL'))
    .join('\n')
}

/** Error classes whose message itself quotes a value: `invalid input syntax for type integer: "123-45-6789"`. */
function withoutValues(text: string, sqlstate: string): string {
  return sqlstate.startsWith('22') || sqlstate === 'P0001' ? text.replace(/"[\s\S]*"/, '"…"') : text
}
