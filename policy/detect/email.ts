import { isDigit, isLetter, type Span } from './span.ts'

const maxLocal = 64
const maxDomain = 253

/** E-mail addresses in ASCII: found by their @, so that text without one costs a single search. */
export function findEmails(text: string): Span[] {
  const found: Span[] = []
  let floor = 0
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', Math.max(at + 1, floor))) {
    const start = localStart(text, at, floor)
    const end = start < at ? domainEnd(text, at + 1) : 0
    if (end === 0) continue
    found.push({ start, end })
    floor = end
  }
  return found
}

function localStart(text: string, at: number, floor: number): number {
  const limit = Math.max(floor, at - maxLocal)
  let start = at
  while (start > limit && isLocal(text.charCodeAt(start - 1))) start--
  while (start < at && !isDigit(text.charCodeAt(start)) && !isLetter(text.charCodeAt(start))) start++
  return start
}

/** Where the domain ends; 0 when what follows is none: labels, a dot, and at least two letters at the end. */
function domainEnd(text: string, from: number): number {
  const limit = Math.min(text.length, from + maxDomain)
  let end = from
  while (end < limit && isDomain(text.charCodeAt(end))) end++
  while (end > from && !isLetter(text.charCodeAt(end - 1)) && !isDigit(text.charCodeAt(end - 1))) end--
  let dot = end - 1
  while (dot > from && text.charCodeAt(dot) !== 46) dot--
  if (dot <= from || end - dot < 3 || !isLetter(text.charCodeAt(dot + 1))) return 0
  return end
}

const localMarks = new Set(Array.from("._%+-'#&~!", (char) => char.charCodeAt(0)))

function isLocal(code: number): boolean {
  return isLetter(code) || isDigit(code) || localMarks.has(code)
}

function isDomain(code: number): boolean {
  return isLetter(code) || isDigit(code) || code === 45 || code === 46
}
