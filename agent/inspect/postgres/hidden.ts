import {
  isIdentifierStart,
  isSpace,
  skipDollar,
  skipIdentifier,
  skipQuoted,
  skipTrivia,
} from '../../../shared/sql/lex.ts'
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

/** Which literals of `text` are plainly no value of a sensitive column, and, with `numbers`, those that are. None, where it does not parse. */
export function keptOf(text: string, names: Names, numbers = false): Kept {
  const { offsets, parameters, code }: Harmless = harmlessIn(text, names)
  const literals: boolean[] = []
  rewrite(text, true, code, (byte, isText) => {
    const keep = offsets.has(byte) || (numbers && !isText)
    literals.push(keep)
    return keep
  })
  return { literals, parameters, code }
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
 * Replaces literals that `keeps` says no to, by their byte offset, and comments where they are not kept. In `code`, what stands between
 * dollars is taken for a text of its own, all of whose literals are replaced.
 */
function rewrite(
  text: string,
  comments: boolean,
  code: boolean,
  keeps: (byte: number, isText: boolean) => boolean,
): string {
  let out = ''
  let byte = 0
  let i = 0
  const take = (end: number, instead?: string) => {
    const part = text.slice(i, end)
    out += instead ?? part
    byte += Buffer.byteLength(part)
    i = end
  }
  const literal = (end: number, instead: string) => take(end, keeps(byte, instead === hiddenText) ? undefined : instead)
  while (i < text.length) {
    const codeUnit = text.charCodeAt(i)
    const char = text[i]
    if (isSpace(codeUnit)) take(i + 1)
    else if (text.startsWith('--', i) || text.startsWith('/*', i)) {
      take(skipTrivia(text, i), comments ? undefined : ' ')
    } else if (char === '"') take(skipQuoted(text, i, false))
    else if (char === "'") literal(skipQuoted(text, i, false), hiddenText)
    else if (char === '$') {
      const end = skipDollar(text, i)
      if (end > i + 1) literal(end, code ? bodyOf(text.slice(i, end), comments) : hiddenText)
      else take(i + parameterLength(text, i))
    } else if (isIdentifierStart(codeUnit)) {
      const end = skipIdentifier(text, i)
      const prefix = text.slice(i, end).toLowerCase()
      // E'…', B'…', X'…', N'…': one token.
      if (text[end] === "'" && /^[ebxn]$/.test(prefix)) literal(skipQuoted(text, end, prefix === 'e'), hiddenText)
      else take(end)
    } else if (/[0-9]/.test(char ?? '') || (char === '.' && /[0-9]/.test(text[i + 1] ?? ''))) {
      literal(i + numberLength(text, i), hiddenNumber)
    } else take(i + 1)
  }
  return out
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
