import {
  isIdentifierStart,
  isSpace,
  skipDollar,
  skipIdentifier,
  skipQuoted,
  skipTrivia,
} from '../../../../shared/sql/lex.ts'
import { type Harmless, harmlessIn, type Names } from './harmless.ts'

/** What stands for a value that is not shown. */
export const hiddenText = "'•••'"
const hiddenNumber = '•••'

/** Which literals of a statement stay, by their place in the order of all of them, and which parameters. */
export interface Kept {
  literals: readonly boolean[]
  parameters: ReadonlySet<number>
  /** The texts in it are code: what they say stays, but for literals of their own. */
  code: boolean
}

/** UTF-16 units. To look at what is longer takes as long as to run it, and other sessions stand still for that. */
export const longestLooked = 64 * 1024

const nothing: Harmless = { offsets: new Set(), parameters: new Set(), code: false }

/**
 * Which literals of `text` are plainly no value of a sensitive column, and, with `numbers`, those that are. None, where it does not parse
 * or is longer than `longestLooked`.
 */
export function keptOf(text: string, names: Names, numbers = false): Kept {
  const { offsets, parameters, code } = text.length > longestLooked ? nothing : harmlessIn(text, names)
  const places = utf16(text, offsets)
  const literals: boolean[] = []
  rewrite(text, true, code, (at, isText) => {
    const keep = places.has(at) || (!isText && (numbers || places.has(signBefore(text, at))))
    literals.push(keep)
    return keep
  })
  return { literals, parameters, code }
}

/** Where a number with a minus is said to be. */
function signBefore(text: string, number: number): number {
  let at = number - 1
  while (at >= 0 && isSpace(text.charCodeAt(at))) at--
  return text[at] === '-' ? at : -1
}

/** Byte offsets as places in the text. */
function utf16(text: string, offsets: ReadonlySet<number>): ReadonlySet<number> {
  if (Buffer.byteLength(text) === text.length) return offsets
  const places = new Set<number>()
  let byte = 0
  for (let i = 0; i < text.length; ) {
    if (offsets.has(byte)) places.add(i)
    const code = text.codePointAt(i) ?? 0
    i += code > 0xffff ? 2 : 1
    byte += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
  }
  return places
}

/** `text` without the literals that are not kept. Of two texts that differ in literals alone, the same are kept. */
export function hide(text: string, { literals, code }: Kept, comments: boolean): string {
  let at = 0
  return rewrite(text, comments, code, () => literals[at++] === true)
}

/**
 * A statement for people who may not see what its literals could be values of. A literal stays only where it is plainly compared with,
 * or assigned to, a column that is in no data class; all others, and all comments, are left out. Text that does not parse loses all.
 */
export function hideLiterals(text: string, names: Names, numbers = false): string {
  return hide(text, keptOf(text, names, numbers), false).trimEnd()
}

/**
 * Replaces literals that `keeps` says no to, by their place, and comments where they are not kept. In `code`, what stands between
 * dollars is taken for a text of its own, all of whose literals are replaced.
 */
function rewrite(
  text: string,
  comments: boolean,
  code: boolean,
  keeps: (at: number, isText: boolean) => boolean,
): string {
  let out = ''
  /** Up to where `text` is in `out`. */
  let done = 0
  let i = 0
  const replace = (end: number, instead: string): void => {
    out += text.slice(done, i) + instead
    done = i = end
  }
  const literal = (end: number, instead: string): void => {
    if (keeps(i, instead === hiddenText)) i = end
    else replace(end, instead)
  }
  while (i < text.length) {
    const unit = text.charCodeAt(i)
    if (isIdentifierStart(unit)) {
      const end = skipIdentifier(text, i)
      // E'…', B'…', X'…', N'…': one token.
      const prefix = end === i + 1 && text.charCodeAt(end) === QUOTE ? (text[i] ?? '').toLowerCase() : ''
      if ('ebxn'.includes(prefix) && prefix !== '') literal(skipQuoted(text, end, prefix === 'e'), hiddenText)
      else i = end
    } else if (isDigit(unit) || (unit === DOT && isDigit(text.charCodeAt(i + 1)))) {
      literal(i + numberLength(text, i), hiddenNumber)
    } else if (unit === QUOTE) literal(skipQuoted(text, i, false), hiddenText)
    else if (unit === DOUBLE) i = skipQuoted(text, i, false)
    else if (unit === DOLLAR) {
      const end = skipDollar(text, i)
      if (end > i + 1) literal(end, code ? bodyOf(text.slice(i, end), comments) : hiddenText)
      else i += parameterLength(text, i)
    } else if (text.startsWith('--', i) || text.startsWith('/*', i)) {
      const end = skipTrivia(text, i)
      if (comments) i = end
      else replace(end, ' ')
    } else i++
  }
  return out + text.slice(done)
}

const QUOTE = 0x27
const DOUBLE = 0x22
const DOLLAR = 0x24
const DOT = 0x2e

function isDigit(unit: number): boolean {
  return unit >= 0x30 && unit <= 0x39
}

/** `$tag$ … $tag$` with the literals in it replaced. */
function bodyOf(quoted: string, comments: boolean): string {
  const mark = quoted.slice(0, quoted.indexOf('$', 1) + 1)
  if (quoted.length < 2 * mark.length || !quoted.endsWith(mark)) return hiddenText
  const body = quoted.slice(mark.length, -mark.length)
  return `${mark}${rewrite(body, comments, false, () => false)}${mark}`
}

/** `$1`: the dollar and its digits. */
function parameterLength(text: string, start: number): number {
  let end = start + 1
  while (/[0-9]/.test(text[end] ?? '')) end++
  return end - start
}

/** `12`, `1.5e-3`, `0x1f`, `1_000`. */
function numberLength(text: string, start: number): number {
  let end = start + 1
  while (/[0-9a-zA-Z_.]/.test(text[end] ?? '') || (/[+-]/.test(text[end] ?? '') && /[eE]/.test(text[end - 1] ?? '')))
    end++
  return end - start
}
