import type { editor } from 'monaco-editor/editor/editor.api.js'
import { milliseconds } from '../decisions/time.ts'
import { counted, looks } from '../decisions/words.ts'
import type { Mark } from './run-state.ts'

/** A run of text after a statement's first line, in the design's `hint` parts. */
export interface HintPart {
  text: string
  className: string
}

/** Blocks (blocked, held, denied, expired) have a zone under the statement; all else is one line beside it. */
export function hasZone(mark: Mark): boolean {
  if (mark.look === 'running') return mark.held !== undefined
  return (
    mark.look === 'blocked' ||
    mark.look === 'held' ||
    mark.look === 'denied' ||
    (mark.look === 'expired' && mark.held !== undefined)
  )
}

/** The decision in one line: word, what, policy. */
export function hint(mark: Mark): HintPart[] {
  const { word, icon, tone } = looks[mark.look]
  const start: HintPart = { text: word, className: `hint hint--${icon} d-${tone}` }
  const numbers = ranWords(mark)
  const more = (text: string): HintPart[] => (text === '' ? [] : [{ text, className: 'hint__t' }])
  const policy = (id: string): HintPart => ({ text: id, className: 'hint__p' })
  switch (mark.look) {
    case 'running':
      return mark.held === undefined ? [start] : []
    case 'allowed':
      return [start, ...more(numbers)]
    case 'masked': {
      const first = mark.masked[0]
      const names = [...new Set(mark.masked.map((m) => m.label))].join(', ')
      return [start, ...more(names), ...(first === undefined ? [] : [policy(first.policy.id)])]
    }
    case 'granted':
      return [start, ...more(numbers), ...(mark.granted === undefined ? [] : [policy(mark.granted.policy.id)])]
    case 'approved':
      return [start, ...more([`by ${mark.decision?.by.join(', ') ?? ''}`, numbers].filter((p) => p !== '').join(' · '))]
    case 'failed':
      return [start, ...more(oneLine(mark.error?.message ?? ''))]
    case 'cancelled':
      return [start, ...more(stoppedWords(mark))]
    default:
      return []
  }
}

/** What became of a statement that the person stopped: it waited, or it ran. */
export function stoppedWords({ error }: Pick<Mark, 'error'>): string {
  return error === undefined ? 'Nothing ran' : 'Stopped while it ran'
}

/** What came of a statement that ran: `12 rows · 3 ms`, `planned, not run · 1 ms`. */
export function ranWords({ explain, rows, ms }: Pick<Mark, 'explain' | 'rows' | 'ms'>): string {
  const counts = rows === undefined ? '' : counted(rows, 'row')
  const what = ms === undefined || explain === undefined ? counts : explainWords[explain]
  return [what, ms === undefined ? '' : milliseconds(ms)].filter((part) => part !== '').join(' · ')
}

const explainWords = { plan: 'planned, not run', measure: 'measured, rolled back' } as const

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ')
  return line.length > 140 ? `${line.slice(0, 139)}…` : line
}

/** What a mark is to people who hear it: “Held. Awaiting approval, 1 of 2. DELETE payments, line 10.” */
export function spoken(mark: Mark, line: number): string {
  const parts = hint(mark).map((part) => part.text)
  const zone =
    mark.blocked?.message ?? mark.error?.message ?? (mark.held && mark.look === 'held' ? 'Awaiting approval.' : '')
  const words = parts.length > 0 ? parts.join(' ') : looks[mark.look].word
  return `${words}. ${zone} Line ${line}.`.replaceAll(/\s+/g, ' ')
}

export interface Range {
  startLineNumber: number
  startColumn: number
  endLineNumber: number
  endColumn: number
}

/** The statement and the end of its first line, which the text model knows. */
export interface Place {
  range: Range
  firstLineEnd: number
  /** Parts of the statement to mark: columns that came back masked, the place of an error, a name that is wrong. */
  inline: readonly Range[]
}

/** Decorations of a mark; the first is its whole range, which then follows edits. */
export function decorations(mark: Mark, place: Place): editor.IModelDeltaDecoration[] {
  const { icon, tone } = looks[mark.look]
  const { range } = place
  const first = { ...range, endLineNumber: range.startLineNumber, endColumn: range.startColumn }
  const lineEnd = { ...first, startColumn: place.firstLineEnd, endColumn: place.firstLineEnd }
  const whole: editor.IModelDeltaDecoration = {
    range,
    options: {
      stickiness: 1,
      linesDecorationsClassName: `stmt stmt--${tone}`,
      firstLineDecorationClassName: 'stmt--first',
      ...(mark.look === 'blocked' && place.inline.length === 0 ? { inlineClassName: 'sq' } : {}),
    },
  }
  const glyph: editor.IModelDeltaDecoration = {
    range: first,
    options: {
      stickiness: 1,
      glyphMarginClassName: `glyph glyph--${icon} d-${tone}`,
      glyphMarginHoverMessage: { value: spoken(mark, range.startLineNumber) },
    },
  }
  const hints = hintDecorations(hint(mark), lineEnd)
  const inline = place.inline.map(
    (at): editor.IModelDeltaDecoration => ({
      range: at,
      options: { stickiness: 1, inlineClassName: mark.look === 'failed' || mark.look === 'blocked' ? 'sq' : 'mk' },
    }),
  )
  return [whole, glyph, ...hints, ...inline]
}

/** Text behind the end of a line. A gap of its own comes first, so that a cursor at the end stands before it and not in it. */
export function hintDecorations(parts: readonly HintPart[], lineEnd: Range): editor.IModelDeltaDecoration[] {
  if (parts.length === 0) return []
  return [{ text: '\u00a0\u00a0', className: 'hint__gap' }, ...parts].map(({ text, className }) => ({
    range: lineEnd,
    options: {
      showIfCollapsed: true,
      stickiness: 1,
      after: { content: ` ${text} `, inlineClassName: className, cursorStops: 3 },
    },
  }))
}

/** Where the statement names the columns that came back masked, as offsets in it. */
export function maskedSpans(mark: Mark): { start: number; end: number }[] {
  const names = new Set(mark.masked.flatMap((m) => [m.label, m.source.slice(m.source.lastIndexOf('.') + 1)]))
  const spans: { start: number; end: number }[] = []
  for (const match of mark.text.matchAll(/(?:\b[A-Za-z_]\w*\.)?\b([A-Za-z_]\w*)\b(?!\s*\()/g)) {
    const name = match[1]
    if (name !== undefined && names.has(name)) spans.push({ start: match.index, end: match.index + match[0].length })
  }
  return spans
}
