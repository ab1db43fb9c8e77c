import type { TextMask } from '../port.ts'

/** A value: `end` covers all that overlaps it, `maskEnd` is where its own detector says that it ends. */
export interface Span {
  start: number
  end: number
  maskEnd: number
  mask: TextMask
  /** It began in an earlier line, where its mask stands. */
  continued: boolean
}

/** A value of carried text and the line after it, in offsets of that line; none when it ends before. */
export function after(span: Span, before: number): Span[] {
  if (span.end <= before) return []
  const { mask, start, end, maskEnd } = span
  return [
    {
      mask,
      start: Math.max(start - before, 0),
      end: end - before,
      maskEnd: maskEnd - before,
      continued: start < before,
    },
  ]
}

/** The values that are found in a text, from its beginning; those that overlap are one. */
export function spansOf(text: string, masks: readonly TextMask[]): Span[] {
  const all: Span[] = []
  for (const mask of masks) {
    for (const { start, end } of mask.find(text))
      if (end > start) all.push({ start, end, maskEnd: end, mask, continued: false })
  }
  if (all.length < 2) return all
  all.sort((a, b) => a.start - b.start || b.end - a.end)
  const merged: Span[] = []
  for (const span of all) {
    const last = merged.at(-1)
    if (last !== undefined && span.start < last.end) last.end = Math.max(last.end, span.end)
    else merged.push(span)
  }
  return merged
}
