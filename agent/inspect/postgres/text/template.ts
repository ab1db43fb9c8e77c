/**
 * A key for statements that differ in literals alone, so that a driver which writes values into its SQL does not make
 * every statement a new one. Not a parser: it only has to be sure of what it takes out, and answers undefined when it
 * isn't (comments, escape strings, dollar quotes, odd numbers, anything beyond ASCII). The analysis decides whether
 * a template may stand for all its statements (`literalFree`).
 *
 * Literals are replaced by a control character that can't be in the text otherwise, which names their kind:
 * the kind (int4, int8, numeric, string) is what PostgreSQL resolves operators by.
 */
const marks = { string: '\u0001', int4: '\u0002', int8: '\u0003', numeric: '\u0004' } as const

const QUOTE = 0x27
const DOUBLE = 0x22
const BACKSLASH = 0x5c
const DOLLAR = 0x24
const DASH = 0x2d
const SLASH = 0x2f
const STAR = 0x2a
const DOT = 0x2e

const other = 0
const digit = 1
const letter = 2
const bad = 3

/** Class of each ASCII code. */
const classes = Uint8Array.from({ length: 128 }, (_, code) => {
  if (code >= 0x30 && code <= 0x39) return digit
  if ((code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) || code === 0x5f) return letter
  return code < 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d ? bad : other
})

export function template(sql: string): string | undefined {
  const length = sql.length
  let key = ''
  let from = 0
  let at = 0
  while (at < length) {
    const code = sql.charCodeAt(at)
    if (code > 0x7f) return undefined
    const kind = classes[code]
    if (kind === letter) {
      at++
      // Digits and $ go on with an identifier.
      while (at < length && isWord(sql.charCodeAt(at))) at++
      // E'', B'', X'', N'' and U&'' are other kinds of string; a name is never followed by a quote otherwise.
      const next = codeAt(sql, at)
      if (next === QUOTE || (next === 0x26 && (codeAt(sql, at + 1) === QUOTE || codeAt(sql, at + 1) === DOUBLE))) {
        return undefined
      }
    } else if (kind === digit || (code === DOT && classes[codeAt(sql, at + 1)] === digit)) {
      const end = endOfNumber(sql, at)
      if (end < 0) return undefined
      key += sql.slice(from, at) + markOf(sql, at, end)
      at = from = end
    } else if (code === QUOTE) {
      const end = endOfString(sql, at)
      if (end < 0) return undefined
      key += sql.slice(from, at) + marks.string
      at = from = end
    } else if (code === DOUBLE) {
      const end = sql.indexOf('"', at + 1)
      if (end < 0) return undefined
      at = end + 1
    } else if (code === DOLLAR) {
      // $1 is a parameter and stays; a letter, underscore or dollar begins a dollar quote.
      if (classes[codeAt(sql, at + 1)] !== digit) return undefined
      at++
      while (at < length && classes[sql.charCodeAt(at)] === digit) at++
      if (at < length && isWord(sql.charCodeAt(at))) return undefined
    } else if (code === DASH && codeAt(sql, at + 1) === DASH) {
      return undefined
    } else if (code === SLASH && codeAt(sql, at + 1) === STAR) {
      return undefined
    } else if (kind === bad || code === BACKSLASH) {
      return undefined
    } else {
      at++
    }
  }
  return from === 0 ? sql : key + sql.slice(from)
}

/** 0 behind the end. Reading there is slow, and so is then every other place that reads where it was. */
function codeAt(sql: string, at: number): number {
  return at < sql.length ? sql.charCodeAt(at) : 0
}

function isWord(code: number): boolean {
  const kind = classes[code]
  return kind === letter || kind === digit || code === DOLLAR
}

/** Offset behind the closing quote; -1 when there is none, or a backslash or a continued string makes it doubtful. */
function endOfString(sql: string, start: number): number {
  let at = start + 1
  for (;;) {
    const quote = sql.indexOf("'", at)
    if (quote < 0) return -1
    if (codeAt(sql, quote + 1) === QUOTE) {
      at = quote + 2
      continue
    }
    for (let i = start + 1; i < quote; i++) {
      const code = sql.charCodeAt(i)
      if (code === BACKSLASH || code < 0x09 || code > 0x7f) return -1
    }
    // 'a' LF 'b' is one string: let the parser put it together.
    let next = quote + 1
    while (next < sql.length && sql.charCodeAt(next) <= 0x20) next++
    return codeAt(sql, next) === QUOTE ? -1 : quote + 1
  }
}

/** Plain integers and decimals; -1 for exponents, hexadecimal, underscores, and letters or dots that follow. */
function endOfNumber(sql: string, start: number): number {
  let at = start
  while (classes[codeAt(sql, at)] === digit) at++
  if (codeAt(sql, at) === DOT) {
    at++
    while (classes[codeAt(sql, at)] === digit) at++
  }
  const next = codeAt(sql, at)
  return next === DOT || isWord(next) || next > 0x7f ? -1 : at
}

function markOf(sql: string, start: number, end: number): string {
  for (let at = start; at < end; at++) if (sql.charCodeAt(at) === DOT) return marks.numeric
  const digits = end - start
  return digits <= 9 ? marks.int4 : digits <= 18 ? marks.int8 : marks.numeric
}
