import { scan, type Token } from '../parser.ts'

/**
 * With standard_conforming_strings off, a backslash in '…' escapes. PostgreSQL's parser, as it is here, reads texts with it on; so a
 * text that was sent with it off is read, shown and recorded with such strings written as E'…', which say the same under both.
 *
 * Where they stand is looked up here, and that look is not trusted: PostgreSQL's own scanner has to find every one of them where
 * it was put, and no other string whose reading hangs on the setting. Then both texts are the same tokens.
 * Undefined: it can't be told.
 */
export function withEscapeStrings(text: string): string | undefined {
  if (!text.includes('\\')) return text
  const places = findStrings(text)
  if (places === undefined) return undefined
  let written = ''
  let from = 0
  const starts = new Set<number>()
  for (const place of places) {
    written += `${text.slice(from, place)} `
    starts.add(Buffer.byteLength(written))
    written += 'E'
    from = place
  }
  written += text.slice(from)
  const scanned = scan(written)
  return scanned.kind === 'tokens' && saysTheSame(scanned.tokens, starts) ? written : undefined
}

/** Whether a text says the same whatever standard_conforming_strings is. */
export function readsOneWay(text: string): boolean {
  if (!text.includes('\\')) return true
  const scanned = scan(text)
  return scanned.kind === 'tokens' && !scanned.tokens.some(hangsOnSetting)
}

function saysTheSame(tokens: readonly Token[], starts: ReadonlySet<number>): boolean {
  let found = 0
  let before: Token | undefined
  for (const token of tokens) {
    if (isComment(token)) continue
    if (starts.has(token.start)) {
      // Two strings in a row are no SQL: one that goes on in the next line would have been cut in two.
      if (token.name !== 'SCONST' || before?.name === 'SCONST') return false
      // A word right before the quote may be a prefix: N'…' is another kind of string.
      if (before !== undefined && before.end === token.start - 1 && startsAsWord.test(before.text)) return false
      found++
    } else if (hangsOnSetting(token)) return false
    before = token
  }
  return found === starts.size
}

const startsAsWord = /^[A-Za-z_\u0080-\uffff]/

/** U&'…' is refused by the target while the setting is off. */
function hangsOnSetting({ text }: Token): boolean {
  return (text.startsWith("'") && text.includes('\\')) || /^u&'/i.test(text)
}

function isComment({ name }: Token): boolean {
  return name === 'SQL_COMMENT' || name === 'C_COMMENT'
}

const word = /[A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*/y
const dollar = /\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$/y
const parameter = /\$\d+/y
const lineComment = /--[^\n\r]*/y
const quoted = /"(?:[^"]|"")*"/y
/** Strings: those in which a backslash escapes, and those in which it does not. */
const escaping = /'(?:[^'\\]|\\[\s\S]|'')*'/y
const plain = /'(?:[^']|'')*'/y
/** What may stand between the parts of one string, with the quote of the next. */
const continued = /[ \t\f\v]*(?:--[^\n\r]*)?[\n\r](?:[ \t\f\v\n\r]|--[^\n\r]*[\n\r])*(?=')/y

/** Where strings without a prefix begin that have a backslash in them. Undefined: the text ends in the middle of something. */
function findStrings(text: string): number[] | undefined {
  const places: number[] = []
  let at = 0
  while (at < text.length) {
    const char = text[at]
    let end: number | undefined
    if (char === "'") {
      end = stringEnd(text, at, escaping)
      if (end !== undefined && text.slice(at, end).includes('\\')) places.push(at)
    } else if (char === '"') end = match(quoted, text, at)
    else if (text.startsWith('/*', at)) end = commentEnd(text, at)
    else if (text.startsWith('--', at)) end = match(lineComment, text, at)
    else if (char === '$') end = dollarEnd(text, at)
    else end = wordEnd(text, at)
    if (end === undefined) return undefined
    at = end
  }
  return places
}

function match(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : undefined
}

function stringEnd(text: string, at: number, kind: RegExp): number | undefined {
  let end = match(kind, text, at)
  while (end !== undefined) {
    const next = match(continued, text, end)
    if (next === undefined) return end
    end = match(kind, text, next)
  }
  return undefined
}

function commentEnd(text: string, at: number): number | undefined {
  let depth = 0
  for (let i = at; i < text.length; i++) {
    if (text.startsWith('/*', i)) {
      depth++
      i++
    } else if (text.startsWith('*/', i)) {
      i++
      if (--depth === 0) return i + 1
    }
  }
  return undefined
}

function dollarEnd(text: string, at: number): number | undefined {
  const tag = match(dollar, text, at)
  if (tag === undefined) return match(parameter, text, at) ?? at + 1
  const close = text.indexOf(text.slice(at, tag), tag)
  return close === -1 ? undefined : close + tag - at
}

/** A word, with the string that it is the prefix of; any other character by itself. */
function wordEnd(text: string, at: number): number | undefined {
  const end = match(word, text, at)
  if (end === undefined) return at + 1
  const prefix = text.slice(at, end).toLowerCase()
  if (text[end] === "'") {
    if (prefix === 'e') return stringEnd(text, end, escaping)
    if (prefix === 'b' || prefix === 'x') return stringEnd(text, end, plain)
  }
  if (prefix === 'u' && text.startsWith("&'", end)) return stringEnd(text, end + 1, plain)
  if (prefix === 'u' && text.startsWith('&"', end)) return match(quoted, text, end + 1)
  return end
}
