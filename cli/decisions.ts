import type { Annotation } from '../shared/annotation.ts'
import { type ExitCode, exit } from './exit.ts'
import { printable } from './output.ts'

/** A decision as one line for people: what happened, which policy, what to do next. Empty: nothing worth a line. */
export function decisionLine(annotation: Annotation): string {
  return printable(sentence(annotation))
}

function sentence(annotation: Annotation): string {
  switch (annotation.kind) {
    case 'allowed':
      return ''
    case 'granted':
      return `Granted by ${annotation.policy.id} until ${annotation.endsAt}${by(annotation.approvedBy)}.`
    case 'masked': {
      const names = annotation.columns.map((c) => `${c.label === '' ? c.dataClass : c.label} (${c.policy.id})`)
      const ask = annotation.columns.some((c) => c.requestable)
        ? ' Ask to see them: sallyport request NAME --action unmask.'
        : ''
      return `Masked: ${[...new Set(names)].join(', ')}.${ask}`
    }
    case 'blocked':
      return `Blocked by ${annotation.policy.id}. ${annotation.message} ${annotation.hint}`
    case 'held': {
      const { count, group } = annotation.approval
      const people = `${count} ${count === 1 ? 'approval' : 'approvals'} from ${group}`
      return `Held by ${annotation.policy.id}: needs ${people}. Nothing has run. Request ${annotation.requestId} expires ${annotation.expiresAt}. Ctrl-C cancels it.`
    }
    case 'approved':
      return annotation.by.length === 0 ? 'Approved. Running.' : `Approved by ${annotation.by.join(', ')}. Running.`
    case 'denied':
      return `Denied by ${annotation.by}: ${annotation.reason.replace(/[^.!?]$/, '$&.')} Nothing ran.`
    case 'expired':
      return `Request ${annotation.requestId} expired before it was approved. Nothing ran.`
    case 'ended':
      return annotation.reason
    default:
      return annotation satisfies never
  }
}

function by(names: readonly string[]): string {
  return names.length === 0 ? '' : `, approved by ${names.join(', ')}`
}

/** The exit code that a decision means for the command; undefined when it goes on. */
export function decisionExit(annotation: Annotation): ExitCode | undefined {
  switch (annotation.kind) {
    case 'blocked':
      return exit.blocked
    case 'denied':
    case 'expired':
      return exit.pending
    case 'ended':
      return exit.failed
    case 'allowed':
    case 'granted':
    case 'masked':
    case 'held':
    case 'approved':
      return undefined
    default:
      return annotation satisfies never
  }
}
