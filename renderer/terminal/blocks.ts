import type { Annotation } from '../../shared/annotation.ts'
import { counted, type LookName } from '../decisions/words.ts'

/** How many rows of the terminal an annotation takes under the line it is about; 0 for what only the gutter and the rail show. */
export function rowsOf(annotation: Annotation): number {
  switch (annotation.kind) {
    case 'blocked':
      return annotation.requestable ? 5 : 4
    case 'held':
      return 5
    case 'masked':
    case 'granted':
    case 'denied':
    case 'expired':
    case 'approved':
    case 'ended':
      return 1
    case 'allowed':
      return 0
    default:
      return annotation satisfies never
  }
}

interface InLine {
  annotation: Annotation
  /** The first of its rows. */
  line: number
}

/** The row that has an annotation's icon: a block is about the line above it, unless that one is an annotation, too. */
export function glyphRow({ annotation, line }: InLine, all: readonly InLine[]): number {
  if (rowsOf(annotation) <= 1) return line
  const taken = all.some((other) => other.line < line && line <= other.line + rowsOf(other.annotation))
  return taken ? line : line - 1
}

export function lookOf(annotation: Annotation): LookName {
  return annotation.kind === 'ended' ? 'failed' : annotation.kind
}

/** The annotation in one line, after its word. */
export function line(annotation: Annotation): string {
  switch (annotation.kind) {
    case 'allowed':
      return annotation.command ?? ''
    case 'granted':
      return `until ${hour(annotation.endsAt)}, approved by ${annotation.approvedBy.join(', ')}`
    case 'masked': {
      const names = maskedNames(annotation.columns).join(', ')
      return annotation.count === undefined ? names : `${counted(annotation.count, 'value')}: ${names}`
    }
    case 'blocked':
      return annotation.command ?? annotation.message
    case 'held':
      return annotation.command ?? annotation.policy.reason
    case 'approved':
      return `by ${annotation.by.join(', ')}, running now`
    case 'denied':
      return `by ${annotation.by}: “${annotation.reason}” Nothing ran.`
    case 'expired':
      return 'Nobody decided in time. Nothing ran.'
    case 'ended':
      return annotation.reason
    default:
      return annotation satisfies never
  }
}

/** The same where there is little room: how many values, and their kind where it is one. */
export function shortLine(annotation: Annotation): string {
  if (annotation.kind !== 'masked' || annotation.count === undefined) return line(annotation)
  const kinds = maskedNames(annotation.columns).length
  return kinds === 1 ? line(annotation) : `${counted(annotation.count, 'value')} of ${counted(kinds, 'kind')}`
}

function maskedNames(columns: readonly { label: string; dataClass: string }[]): string[] {
  return [...new Set(columns.map((column) => column.label || column.dataClass))]
}

export function policyOf(annotation: Annotation) {
  if ('policy' in annotation) return annotation.policy
  return annotation.kind === 'masked' ? annotation.columns[0]?.policy : undefined
}

function hour(iso: string): string {
  return new Date(iso).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })
}

/** Spans of a terminal line that were masked: the mask's dots with what it left readable around them. */
export function maskedSpans(text: string): { start: number; length: number }[] {
  const spans = text.matchAll(/[\w+]?•+(?:@•[•.\w-]*)?[•\w]*(?: •[•\w]*)*(?: \d{4}(?!\d))?/gu)
  return [...spans]
    .filter((match) => match[0].includes('••'))
    .map((match) => ({ start: match.index, length: match[0].length }))
}

/** A command as it is put at a prompt again: what could act by itself, such as a line's end, is taken out. */
export function typed(command: string): string {
  return [...command].filter((char) => (char.codePointAt(0) ?? 0) >= 0x20 && char !== '\u007f').join('')
}
