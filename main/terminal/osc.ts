import { type Annotation, oscNumber, parseAnnotation } from '../../shared/annotation.ts'

export type TerminalPart = { type: 'data'; text: string } | { type: 'annotation'; annotation: Annotation }

const opening = `\u001b]${oscNumber};`
const bell = '\u0007'
const terminator = '\u001b\\'
/** An annotation is a few kilobytes at most; a longer sequence is none of ours. */
const maxSequence = 256 * 1024

/**
 * Takes annotations out of terminal output: `ESC ] 7717 ; base64(JSON) ESC \` or BEL. The output may come in any pieces; only what could
 * still become an annotation is held back. A sequence that is not one stays in the text, where a terminal ignores it.
 */
export class AnnotationExtractor {
  private held = ''

  push(text: string): TerminalPart[] {
    const parts: TerminalPart[] = []
    let rest = this.held + text
    this.held = ''
    while (rest !== '') {
      const start = rest.indexOf('\u001b')
      const sequence = start === -1 ? -1 : findOpening(rest, start)
      if (sequence === -1) {
        parts.push({ type: 'data', text: rest })
        break
      }
      if (sequence > 0) parts.push({ type: 'data', text: rest.slice(0, sequence) })
      rest = rest.slice(sequence)
      const end = findEnd(rest)
      if (end === undefined) {
        if (rest.length > maxSequence) parts.push({ type: 'data', text: rest })
        else this.held = rest
        break
      }
      const annotation = decode(rest.slice(opening.length, end.at))
      const whole = rest.slice(0, end.after)
      parts.push(annotation === undefined ? { type: 'data', text: whole } : { type: 'annotation', annotation })
      rest = rest.slice(end.after)
    }
    return parts
  }

  /** What was held back when the output ended. */
  end(): TerminalPart[] {
    const { held } = this
    this.held = ''
    return held === '' ? [] : [{ type: 'data', text: held }]
  }
}

/** Where the opening begins, or what may be the start of one at the end of the text; -1 for neither. */
function findOpening(text: string, from: number): number {
  for (let at = from; at !== -1; at = text.indexOf('\u001b', at + 1)) {
    if (text.startsWith(opening, at)) return at
    if (text.length - at < opening.length && opening.startsWith(text.slice(at))) return at
  }
  return -1
}

function findEnd(text: string): { at: number; after: number } | undefined {
  if (text.length < opening.length) return undefined
  const byString = text.indexOf(terminator, opening.length)
  const byBell = text.indexOf(bell, opening.length)
  if (byBell !== -1 && (byString === -1 || byBell < byString)) return { at: byBell, after: byBell + 1 }
  return byString === -1 ? undefined : { at: byString, after: byString + terminator.length }
}

function decode(base64: string): Annotation | undefined {
  return /^[A-Za-z0-9+/=]+$/.test(base64) ? parseAnnotation(Buffer.from(base64, 'base64').toString()) : undefined
}
