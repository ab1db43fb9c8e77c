import { type Annotation, oscNumber } from '../../../shared/annotation.ts'
import type { Approval, Masked, PolicyRef } from '../../../shared/decision.ts'

/** Decisions as a terminal shows them: words for people, or the sequence that the desktop client draws in place. */

/** `ESC ] 7717 ; base64(JSON) ESC \`. */
export function machineForm(annotation: Annotation): Buffer {
  return Buffer.from(`\x1b]${oscNumber};${Buffer.from(JSON.stringify(annotation)).toString('base64')}\x1b\\`)
}

/** One line: what happened, which policy, what to do next. No line break at the end. Empty: nothing worth a line. */
export function words(annotation: Annotation): string {
  switch (annotation.kind) {
    case 'allowed':
      return ''
    case 'granted':
      return `Allowed by a grant until ${clock(annotation.endsAt)}${by(annotation.approvedBy)}.`
    case 'masked':
      return annotation.columns.map(maskedWords).join(' ')
    case 'blocked':
      return `Blocked by ${annotation.policy.id}: ${annotation.message} ${annotation.hint}`
    case 'held':
      return (
        `Held by ${annotation.policy.id}: ${sentence(annotation.policy.reason)} Nothing has run. ` +
        `It needs ${people(annotation.approval)}; once approved it runs one time, exactly as written. ` +
        `Request ${annotation.requestId} waits until ${clock(annotation.expiresAt)}. Ctrl-C cancels it.`
      )
    case 'approved':
      return `Approved${by(annotation.by)}. Running now.`
    case 'denied':
      return `Denied by ${annotation.by}: ${sentence(annotation.reason)} Nothing ran.`
    case 'expired':
      return `Request ${annotation.requestId} expired before it was approved. Nothing ran; run it again to ask again.`
    case 'ended':
      return annotation.reason
    default:
      return annotation satisfies never
  }
}

export function blocked(
  { policy, stepUp }: { policy: PolicyRef; stepUp?: true | undefined },
  command: string | undefined,
): Annotation {
  return {
    kind: 'blocked',
    policy,
    message: `${sentence(policy.reason)} Nothing ran.`,
    hint: stepUp
      ? 'Sign in with a second factor, and run it in a session that begins after that.'
      : '`sallyport ls` shows what you may do here.',
    requestable: false,
    ...(stepUp === undefined ? {} : { stepUp }),
    ...(command === undefined ? {} : { command }),
  }
}

export function recordingFailed(error: unknown): string {
  const why = error instanceof Error ? error.message : String(error)
  return `The recording could not be kept, so nothing more is let through: ${sentence(why)}`
}

/** Ends a reason as a sentence, so that lines read well whoever wrote it. */
export function sentence(text: string): string {
  const trimmed = text.trim()
  return trimmed === '' || /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`
}

function maskedWords(masked: Masked): string {
  const ask = masked.requestable ? ' To see it, ask: sallyport request NAME --action unmask.' : ''
  return `Masked by ${masked.policy.id}: ${masked.dataClass} is hidden in this output. ${sentence(masked.policy.reason)}${ask}`
}

function people(approval: Approval): string {
  return `${approval.count} ${approval.count === 1 ? 'approval' : 'approvals'} from ${approval.group}`
}

function by(names: readonly string[]): string {
  return names.length === 0 ? '' : `, approved by ${names.join(', ')}`
}

function clock(iso: string): string {
  return `${iso.slice(11, 16)} UTC`
}
