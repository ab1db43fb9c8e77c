import { isDigit, isLetter, isWord, type Span } from './span.ts'

/** Numbers that name a person or an account: payment cards, US social security numbers, phones, IPv4 addresses. */

interface Run {
  start: number
  end: number
}

/** How the digits of a card are grouped when they are; a single group may have any of the lengths. */
const cardGroups: readonly (readonly number[])[] = [
  [4, 4, 4, 4, 3],
  [4, 4, 4, 4],
  [4, 6, 5],
  [4, 6, 4],
]

/** The engine finds where a number may begin much faster than a loop can; what it is, is told by hand. */
const cardStart = /(?<!\d)[2-6]\d{3}(?:[ -]\d{4}|\d{9})/g
const phoneStart = /\+[1-9]|\(\d{3}\)|(?<!\w)\d{3}[-.]\d{3}[-. ]\d{4}/g

/** Every place where `start` matches and `endAt` (0: none) finds an end, in order. */
function scan(text: string, start: RegExp, endAt: (text: string, at: number) => number): Span[] {
  const found: Span[] = []
  start.lastIndex = 0
  for (let match = start.exec(text); match !== null; match = start.exec(text)) {
    const end = endAt(text, match.index)
    if (end > 0) found.push({ start: match.index, end })
    start.lastIndex = end > 0 ? end : match.index + 1
  }
  return found
}

/** Card numbers, with or without single spaces or dashes, that pass Luhn and begin as an issuer's do. */
export function findCards(text: string): Span[] {
  return scan(text, cardStart, (_, at) => (isFraction(text, at) ? 0 : cardEnd(text, at)))
}

function cardEnd(text: string, start: number): number {
  const solid = digitsEnd(text, start, start + 20)
  if (solid - start >= 13) return solid - start <= 19 && isCard(text.slice(start, solid)) ? solid : 0
  if (solid - start !== 4) return 0
  const separator = text[solid]
  if (separator !== ' ' && separator !== '-') return 0
  for (const groups of cardGroups) {
    const end = groupsEnd(text, start, groups, separator)
    if (end > 0 && isCard(text.slice(start, end).replaceAll(separator, ''))) return end
  }
  return 0
}

/** Where groups of digits with one separator between them end; 0 when they are not there or go on. */
function groupsEnd(text: string, start: number, groups: readonly number[], separator: string): number {
  let at = start
  for (const [i, size] of groups.entries()) {
    if (i > 0) {
      if (text[at] !== separator) return 0
      at++
    }
    if (digitsEnd(text, at, at + size + 1) - at !== size) return 0
    at += size
  }
  return at
}

function isCard(digits: string): boolean {
  const length = digits.length
  switch (digits[0]) {
    case '2': {
      const prefix = Number(digits.slice(0, 4))
      return length === 16 && prefix >= 2221 && prefix <= 2720 && luhn(digits)
    }
    case '3':
      return length >= 14 && length <= 16 && luhn(digits)
    case '4':
      return (length === 13 || length === 16 || length === 19) && luhn(digits)
    default:
      return length >= (digits[0] === '6' ? 16 : 13) && luhn(digits)
  }
}

export function luhn(digits: string): boolean {
  let sum = 0
  let twice = false
  for (let i = digits.length - 1; i >= 0; i--) {
    let digit = digits.charCodeAt(i) - 48
    if (twice) {
      digit *= 2
      if (digit > 9) digit -= 9
    }
    sum += digit
    twice = !twice
  }
  return sum % 10 === 0
}

/** `ddd-dd-dddd`, but for numbers that were never given out. */
export function findSsns(text: string): Span[] {
  const found: Span[] = []
  for (let dash = text.indexOf('-', 3); dash >= 0; dash = text.indexOf('-', dash + 1)) {
    const start = dash - 3
    if (digitsEnd(text, start, start + 3) !== dash || text[dash + 3] !== '-') continue
    const end = dash + 8
    if (digitsEnd(text, dash + 1, dash + 3) !== dash + 3 || digitsEnd(text, dash + 4, end) !== end) continue
    if (joins(text.charCodeAt(start - 1)) || joins(text.charCodeAt(end))) continue
    const area = text.slice(start, dash)
    if (area === '000' || area === '666' || area[0] === '9') continue
    if (text.slice(dash + 1, dash + 3) === '00' || text.slice(dash + 4, end) === '0000') continue
    found.push({ start, end })
    dash = end - 1
  }
  return found
}

/** A word character or a dash: the number goes on. */
function joins(code: number): boolean {
  return isWord(code) || code === 45
}

/**
 * Phone numbers: international with a plus and 9 to 15 digits, or North American with three groups.
 * Plain digit strings are left alone: they are ids far more often.
 */
export function findPhones(text: string): Span[] {
  return scan(text, phoneStart, (_, at) => (text[at] === '+' ? internationalEnd(text, at) : nationalEnd(text, at)))
}

function internationalEnd(text: string, plus: number): number {
  if (isWord(text.charCodeAt(plus - 1)) || text[plus + 1] === '0') return 0
  let digits = 0
  let end = 0
  const limit = Math.min(text.length, plus + 26)
  for (let i = plus + 1; i < limit; i++) {
    const code = text.charCodeAt(i)
    if (isDigit(code)) {
      digits++
      end = i + 1
    } else if (!isPhoneSeparator(code) || (i > plus + 1 && isPhoneGap(text, i))) break
  }
  if (digits < 9 || digits > 15 || isDigit(text.charCodeAt(end)) || isLetter(text.charCodeAt(end))) return 0
  return end
}

/** ( ) space - . and / */
function isPhoneSeparator(code: number): boolean {
  return code === 32 || code === 40 || code === 41 || code === 45 || code === 46
}

/** Two separators in a row end a number, but for `) ` and ` (`. */
function isPhoneGap(text: string, i: number): boolean {
  const before = text.charCodeAt(i - 1)
  const code = text.charCodeAt(i)
  return isPhoneSeparator(before) && !(before === 41 && code !== 41) && !(code === 40 && before !== 40)
}

function nationalEnd(text: string, start: number): number {
  const before = text.charCodeAt(start - 1)
  if (isWord(before) || before === 45 || before === 46 || before === 43) return 0
  let at = start
  const bracket = text[at] === '('
  if (bracket) at++
  if (digitsEnd(text, at, at + 4) - at !== 3 || text.charCodeAt(at) < 50) return 0
  at += 3
  if (bracket) {
    if (text[at] !== ')') return 0
    at++
    if (text[at] === ' ' || text[at] === '-') at++
  } else {
    if (text[at] !== '-' && text[at] !== '.') return 0
    at++
  }
  if (digitsEnd(text, at, at + 4) - at !== 3) return 0
  const separator = text[at + 3]
  if (separator !== '-' && separator !== '.' && separator !== ' ') return 0
  const end = at + 8
  if (digitsEnd(text, at + 4, end) !== end) return 0
  const after = text.charCodeAt(end)
  return isWord(after) || (after === 45 && isDigit(text.charCodeAt(end + 1))) ? 0 : end
}

/** Dotted quads, not part of a longer dotted number such as a version. */
export function findIpv4s(text: string): Span[] {
  const found: Span[] = []
  for (const run of dottedRuns(text)) {
    const parts = text.slice(run.start, run.end).split('.')
    if (parts.length === 4 && parts.every((part) => part.length <= 3 && part !== '' && Number(part) <= 255))
      found.push(run)
  }
  return found
}

/** Groups of hexadecimal digits between colons, with `::` for zeros or all eight of them; a time or a MAC address is none. */
export function findIpv6s(text: string): Span[] {
  const found: Span[] = []
  ipv6Like.lastIndex = 0
  for (let match = ipv6Like.exec(text); match !== null; match = ipv6Like.exec(text)) {
    if (isIpv6(match[0])) found.push({ start: match.index, end: match.index + match[0].length })
  }
  return found
}

const ipv6Like = /(?<![\w:.])[0-9A-Fa-f:]{2,39}(?![\w:])/g

function isIpv6(text: string): boolean {
  const groups = text.split(':')
  const gap = text.indexOf('::')
  if (gap >= 0 && text.indexOf('::', gap + 1) >= 0) return false
  const filled = groups.filter((group) => group !== '')
  if (filled.some((group) => group.length > 4)) return false
  // `::1` and `a::` alone are too short to tell from other text.
  return gap >= 0 ? filled.length >= 3 && filled.length <= 7 : groups.length === 8 && filled.length === 8
}

function dottedRuns(text: string): Run[] {
  const runs: Run[] = []
  let i = 0
  while (i < text.length) {
    if (!isDigit(text.charCodeAt(i)) || isWord(text.charCodeAt(i - 1))) {
      i++
      continue
    }
    const start = i
    while (i < text.length && (isDigit(text.charCodeAt(i)) || (text[i] === '.' && isDigit(text.charCodeAt(i + 1))))) i++
    if (!isWord(text.charCodeAt(i))) runs.push({ start, end: i })
  }
  return runs
}

/** The digits after a decimal point of a number: not a card. */
function isFraction(text: string, at: number): boolean {
  return text[at - 1] === '.' && isDigit(text.charCodeAt(at - 2))
}

function digitsEnd(text: string, from: number, limit: number): number {
  let end = from
  while (end < limit && isDigit(text.charCodeAt(end))) end++
  return end
}
