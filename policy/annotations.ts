import type { Approval, PolicyRef } from '../shared/decision.ts'
import { patternProblem } from './reason.ts'

/** What a policy's annotations say, and what is wrong with them. */
export interface PolicyMeta {
  ref: PolicyRef
  effect: 'permit' | 'forbid'
  /** Set for a permit that people must approve. */
  approval?: Approval
  /** Set for a rule that approves instead of people: the id of the permit whose approval it gives. It permits nothing itself. */
  auto?: string
}

export interface AnnotationProblem {
  /** The annotation that the problem is about, to find its line; empty for the policy as a whole. */
  annotation: string
  reason: string
}

/** Those that say how an approval is given, and mean nothing without one. */
const ofApproval = [
  'reviewers',
  'window',
  'notify',
  'max',
  'expires',
  'reason_pattern',
  'escalate',
  'breakglass',
  'stepup',
] as const
const known = ['id', 'reason', 'approve', 'auto', ...ofApproval] as const
type Name = (typeof known)[number]

const defaultWindowSeconds = 30 * 60
const maxWindowSeconds = 24 * 3600
const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 }

/** Values of one policy, and where what is wrong with them is put. */
interface Reader {
  value(name: Name): string | undefined
  problem(name: Name | '', reason: string): void
}

/**
 * Reads annotations. An unknown name is refused rather than ignored: a misspelt `@approve` would turn a hold into an allow.
 */
export function readAnnotations(
  effect: 'permit' | 'forbid',
  annotations: Readonly<Record<string, string | null>>,
): { meta: PolicyMeta; problems: readonly AnnotationProblem[] } {
  const problems: AnnotationProblem[] = []
  const reader: Reader = {
    value: (name) => annotations[name] ?? undefined,
    problem: (annotation, reason) => problems.push({ annotation, reason }),
  }
  for (const name of Object.keys(annotations)) {
    if (!known.some((each) => each === name)) {
      const reason = `unknown annotation @${name}; known are ${known.map((n) => `@${n}`).join(', ')}`
      problems.push({ annotation: name, reason })
    } else if (annotations[name] === null || annotations[name]?.trim() === '') {
      problems.push({ annotation: name, reason: `@${name} needs a value: @${name}("…")` })
    }
  }
  const id = reader.value('id') ?? ''
  if (id === '') reader.problem('', 'policy without @id: people see the id in every decision')
  else if (!/^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$/.test(id)) {
    reader.problem('id', `@id("${id}") may have letters, digits, and . _ : - only`)
  }
  const ref = { id, reason: reader.value('reason') ?? defaultReason(effect, id) }
  const auto = reader.value('auto')
  const group = reader.value('approve')
  if (auto !== undefined) checkAuto(effect, group, auto, id, reader)
  if (group === undefined) {
    for (const name of ofApproval) {
      if (reader.value(name) !== undefined) reader.problem(name, `@${name} means nothing without @approve`)
    }
    return { meta: { ref, effect, ...(auto === undefined ? {} : { auto }) }, problems }
  }
  if (effect === 'forbid') {
    reader.problem('approve', '@approve on a forbid: what is forbidden nobody can approve. Put it on the permit')
  }
  return { meta: { ref, effect, approval: readApproval(group, reader) }, problems }
}

function checkAuto(effect: string, group: string | undefined, auto: string, id: string, { problem }: Reader): void {
  if (effect === 'forbid')
    problem('auto', '@auto on a forbid: what is forbidden no rule can approve. Put it on a permit')
  if (group !== undefined) {
    problem('auto', '@auto and @approve on one policy: a rule approves, or people do. Write two policies')
  }
  if (auto === id)
    problem('auto', `@auto("${auto}") names itself; it names the permit with @approve that it approves for`)
}

function readApproval(group: string, reader: Reader): Approval {
  const { value, problem } = reader
  const pattern = value('reason_pattern')
  const wrong = pattern === undefined ? undefined : patternProblem(pattern)
  if (wrong !== undefined) problem('reason_pattern', `@reason_pattern("${pattern}") is not an RE2 pattern: ${wrong}`)
  const windowSeconds = readTime('window', reader) ?? defaultWindowSeconds
  const maxSeconds = readTime('max', reader)
  const expirySeconds = readTime('expires', reader)
  const stepUpSeconds = readTime('stepup', reader)
  const escalate = readEscalations(reader, expirySeconds ?? windowSeconds)
  const breakGlass = value('breakglass')
  return {
    group,
    count: readCount(reader),
    windowSeconds,
    notify: split(value('notify')),
    ...(maxSeconds === undefined ? {} : { maxSeconds }),
    ...(expirySeconds === undefined ? {} : { expirySeconds }),
    ...(pattern === undefined ? {} : { reasonPattern: pattern }),
    ...(escalate.length === 0 ? {} : { escalate }),
    ...(breakGlass === undefined ? {} : { breakGlass }),
    ...(stepUpSeconds === undefined ? {} : { stepUpSeconds }),
  }
}

function defaultReason(effect: 'permit' | 'forbid', id: string): string {
  return effect === 'forbid' ? `The policy ${id} forbids this.` : `The policy ${id} covers this.`
}

function readCount({ value, problem }: Reader): number {
  const text = value('reviewers')
  if (text === undefined) return 1
  if (/^[1-9]\d?$/.test(text)) return Number(text)
  problem('reviewers', `@reviewers("${text}") is not a whole number from 1 to 99`)
  return 1
}

function readTime(name: 'window' | 'max' | 'expires' | 'stepup', { value, problem }: Reader): number | undefined {
  const text = value(name)
  if (text === undefined) return undefined
  const seconds = secondsOf(text)
  if (seconds === undefined) problem(name, `@${name}("${text}") is not a time such as 90s, 30m or 8h, at most 24h`)
  return seconds
}

/** `leads after 10m, heads after 30m`. */
function readEscalations({ value, problem }: Reader, expirySeconds: number): { group: string; afterSeconds: number }[] {
  const found: { group: string; afterSeconds: number }[] = []
  for (const part of split(value('escalate'))) {
    const [, group = '', time = ''] = /^(\S+) +after +(\S+)$/.exec(part) ?? []
    const afterSeconds = secondsOf(time)
    if (group === '' || afterSeconds === undefined) {
      problem('escalate', `@escalate("${part}") is not a group and a time such as "leads after 10m"`)
    } else if (afterSeconds >= expirySeconds) {
      problem('escalate', `@escalate("${part}") never comes: the request expires before`)
    } else found.push({ group, afterSeconds })
  }
  return found
}

function secondsOf(text: string): number | undefined {
  const match = /^([1-9]\d{0,5})([smh])$/.exec(text)
  const seconds = match ? Number(match[1]) * (units[match[2] ?? ''] ?? 0) : 0
  return seconds >= 1 && seconds <= maxWindowSeconds ? seconds : undefined
}

function split(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}
