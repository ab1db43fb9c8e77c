import type { Approval, PolicyRef } from '../shared/decision.ts'

/** What a policy's annotations say, and what is wrong with them. */
export interface PolicyMeta {
  ref: PolicyRef
  effect: 'permit' | 'forbid'
  /** Set for a permit that people must approve. */
  approval?: Approval
}

export interface AnnotationProblem {
  /** The annotation that the problem is about, to find its line; empty for the policy as a whole. */
  annotation: string
  reason: string
}

const known = ['id', 'reason', 'approve', 'reviewers', 'window', 'notify'] as const
const defaultWindowSeconds = 30 * 60
const maxWindowSeconds = 24 * 3600
const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 }

/**
 * Reads annotations. An unknown name is refused rather than ignored: a misspelt `@approve` would turn a hold into an allow.
 */
export function readAnnotations(
  effect: 'permit' | 'forbid',
  annotations: Readonly<Record<string, string | null>>,
): { meta: PolicyMeta; problems: readonly AnnotationProblem[] } {
  const problems: AnnotationProblem[] = []
  const value = (name: (typeof known)[number]): string | undefined => annotations[name] ?? undefined
  for (const name of Object.keys(annotations)) {
    if (!known.some((each) => each === name)) {
      problems.push({
        annotation: name,
        reason: `unknown annotation @${name}; known are ${known.map((n) => `@${n}`).join(', ')}`,
      })
    } else if (annotations[name] === null || annotations[name] === '') {
      problems.push({ annotation: name, reason: `@${name} needs a value: @${name}("…")` })
    }
  }
  const id = value('id') ?? ''
  if (id === '') problems.push({ annotation: '', reason: 'policy without @id: people see the id in every decision' })
  else if (!/^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$/.test(id)) {
    problems.push({ annotation: 'id', reason: `@id("${id}") may have letters, digits, and . _ : - only` })
  }
  const ref = { id, reason: value('reason') ?? defaultReason(effect, id) }
  const group = value('approve')
  if (group === undefined) {
    for (const name of ['reviewers', 'window', 'notify'] as const) {
      if (value(name) !== undefined)
        problems.push({ annotation: name, reason: `@${name} means nothing without @approve` })
    }
    return { meta: { ref, effect }, problems }
  }
  if (effect === 'forbid') {
    problems.push({
      annotation: 'approve',
      reason: '@approve on a forbid: what is forbidden nobody can approve. Put it on the permit',
    })
  }
  const count = readCount(value('reviewers'), problems)
  const windowSeconds = readWindow(value('window'), problems)
  const notify = (value('notify') ?? '').split(',').map((part) => part.trim())
  const approval = { group, count, windowSeconds, notify: notify.filter((part) => part !== '') }
  return { meta: { ref, effect, approval }, problems }
}

function defaultReason(effect: 'permit' | 'forbid', id: string): string {
  return effect === 'forbid' ? `The policy ${id} forbids this.` : `The policy ${id} covers this.`
}

function readCount(text: string | undefined, problems: AnnotationProblem[]): number {
  if (text === undefined) return 1
  if (/^[1-9]\d?$/.test(text)) return Number(text)
  problems.push({ annotation: 'reviewers', reason: `@reviewers("${text}") is not a whole number from 1 to 99` })
  return 1
}

function readWindow(text: string | undefined, problems: AnnotationProblem[]): number {
  if (text === undefined) return defaultWindowSeconds
  const match = /^([1-9]\d{0,5})([smh])$/.exec(text)
  const seconds = match ? Number(match[1]) * (units[match[2] ?? ''] ?? 0) : 0
  if (seconds >= 1 && seconds <= maxWindowSeconds) return seconds
  problems.push({
    annotation: 'window',
    reason: `@window("${text}") is not a time such as 90s, 30m or 8h, at most 24h`,
  })
  return defaultWindowSeconds
}
