/**
 * The lexical rules of PostgreSQL's `scan.l`, as far as they matter for finding the end of a token: each function takes the
 * offset where a token starts and returns the offset just after it. Unterminated tokens end with the text. Pure; UTF-16 offsets.
 */

const none = -1

/** White space of the grammar; a no-break space is an identifier character to PostgreSQL. */
export function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d)
}

export function isIdentifierStart(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code === 0x5f || code >= 0x80
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

function isIdentifierPart(code: number): boolean {
  return isIdentifierStart(code) || isDigit(code) || code === 0x24
}

export function skipIdentifier(text: string, start: number): number {
  let i = start
  while (i < text.length && isIdentifierPart(text.charCodeAt(i))) i += 1
  return i
}

/** Skips white space, `--` comments and nested block comments. */
export function skipTrivia(text: string, start: number): number {
  let i = start
  while (i < text.length) {
    if (isSpace(text.charCodeAt(i))) i += 1
    else if (text.startsWith('--', i)) i = skipLineComment(text, i)
    else if (text.startsWith('/*', i)) i = skipBlockComment(text, i)
    else break
  }
  return i
}

function skipLineComment(text: string, start: number): number {
  let i = start
  while (i < text.length && text[i] !== '\n' && text[i] !== '\r') i += 1
  return i
}

function skipBlockComment(text: string, start: number): number {
  let depth = 0
  let i = start
  while (i < text.length) {
    if (text.startsWith('/*', i)) {
      depth += 1
      i += 2
    } else if (text.startsWith('*/', i)) {
      depth -= 1
      i += 2
      if (depth === 0) return i
    } else i += 1
  }
  return text.length
}

/** `start` is at the opening quote (`'` or `"`). Doubled quotes stay inside; `backslash` is for `E'…'`. */
export function skipQuoted(text: string, start: number, backslash: boolean): number {
  const quote = text[start]
  let i = start + 1
  while (i < text.length) {
    if (backslash && text[i] === '\\') i += 2
    else if (text[i] !== quote) i += 1
    else if (text[i + 1] === quote) i += 2
    else {
      // Literals that only a line break separates are one literal, so the rest of an E'…' keeps its escapes.
      const next = quote === "'" ? continuation(text, i + 1) : none
      if (next === none) return i + 1
      i = next + 1
    }
  }
  return text.length
}

/** The opening quote of a continued literal: white space and `--` comments with at least one line break, then a quote. */
function continuation(text: string, start: number): number {
  let broken = false
  let i = start
  while (i < text.length) {
    const code = text.charCodeAt(i)
    if (code === 0x0a || code === 0x0d) {
      broken = true
      i += 1
    } else if (isSpace(code)) i += 1
    else if (text.startsWith('--', i)) i = skipLineComment(text, i)
    else return broken && text[i] === "'" ? i : none
  }
  return none
}

/** `start` is at a `$`: a dollar-quoted string, or a parameter or stray `$`, which is one character long here. */
export function skipDollar(text: string, start: number): number {
  let i = start + 1
  if (i < text.length && isIdentifierStart(text.charCodeAt(i))) {
    while (i < text.length && text[i] !== '$' && isIdentifierPart(text.charCodeAt(i))) i += 1
  }
  if (text[i] !== '$') return start + 1
  const tag = text.slice(start, i + 1)
  const close = text.indexOf(tag, i + 1)
  return close === -1 ? text.length : close + tag.length
}
