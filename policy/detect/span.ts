/** A sensitive stretch of text, in UTF-16 offsets. */
export interface Span {
  start: number
  end: number
}

/** Finds spans in order, not overlapping, in time linear in the text; never looks back more than a few hundred characters. */
export type Find = (text: string) => readonly Span[]

export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

export function isLetter(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90)
}

/** Letter, digit or underscore. NaN (beyond the text) is none. */
export function isWord(code: number): boolean {
  return isDigit(code) || isLetter(code) || code === 95
}

/** One finder out of several: what overlaps or touches nothing stays apart, what overlaps becomes one span. */
export function union(finders: readonly Find[]): Find {
  const only = finders[0]
  if (finders.length === 1 && only) return only
  return (text) => {
    const all: Span[] = []
    for (const find of finders) for (const span of find(text)) all.push(span)
    if (all.length < 2) return all
    all.sort((a, b) => a.start - b.start || b.end - a.end)
    const merged: Span[] = []
    for (const span of all) {
      const last = merged.at(-1)
      if (last && span.start < last.end) {
        if (span.end > last.end) merged[merged.length - 1] = { start: last.start, end: span.end }
      } else merged.push(span)
    }
    return merged
  }
}

/** Every match of a global expression without capture groups. */
export function byPattern(pattern: RegExp): Find {
  return (text) => {
    const found: Span[] = []
    for (const match of text.matchAll(pattern)) {
      if (match[0].length > 0) found.push({ start: match.index, end: match.index + match[0].length })
    }
    return found
  }
}
