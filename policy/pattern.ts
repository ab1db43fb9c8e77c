import { RE2JS } from 're2js'
import type { Find, Span } from './detect/span.ts'

/**
 * Custom detectors are written by people, run on text that an attacker may choose, and must not stall a terminal.
 * A small part of regular expressions, in which matching never has a choice to go back on, is run by the engine itself:
 * literals, classes, `\d \w \s`, `.`, and `?`, `{n}`, `{n,m}` (m ≤ 256), `+`, `*` (read as at most 256), `\b` at either end.
 * No groups, no alternatives, and what follows a variable repetition must not match what it repeats. Everything else that is RE2
 * is run by RE2, which is linear, too, and slower.
 */

interface Atom {
  source: string
  /** Bit per ASCII character; `wide` for all characters beyond. */
  set: readonly boolean[]
  wide: boolean
  min: number
  max: number
}

const maxRepeat = 256
const maxAtoms = 64

/** A global RegExp, or the reason in words why the pattern is refused. */
export function compilePattern(text: string): RegExp | string {
  let body = text
  const before = body.startsWith('\\b') ? '\\b' : ''
  body = body.slice(before.length)
  const after = body.endsWith('\\b') && !body.endsWith('\\\\b') ? '\\b' : ''
  body = body.slice(0, body.length - after.length)
  const atoms = parse(body)
  if (typeof atoms === 'string') return atoms
  if (atoms.length === 0 || atoms.every((atom) => atom.min === 0))
    return 'the pattern matches nothing at all, so everywhere'
  if (atoms.length > maxAtoms) return `the pattern has more than ${maxAtoms} parts`
  for (const [i, atom] of atoms.entries()) {
    if (atom.min === atom.max) continue
    for (const next of atoms.slice(i + 1)) {
      if (overlap(atom, next)) {
        return `what follows ${atom.source} may match the same characters, which makes matching slow on chosen text; make ${atom.source} a fixed number, or the two different`
      }
      if (next.min > 0) break
    }
  }
  const source = atoms.map((atom) => `${atom.source}${quantifier(atom)}`).join('')
  return new RegExp(`${before}${source}${after}`, 'g')
}

function quantifier(atom: Atom): string {
  if (atom.min === 1 && atom.max === 1) return ''
  return atom.min === atom.max ? `{${atom.min}}` : `{${atom.min},${atom.max}}`
}

function overlap(a: Atom, b: Atom): boolean {
  return (a.wide && b.wide) || a.set.some((has, code) => has && b.set[code] === true)
}

function parse(text: string): Atom[] | string {
  const atoms: Atom[] = []
  let at = 0
  while (at < text.length) {
    const one = parseOne(text, at)
    if (typeof one === 'string') return one
    const repeat = parseRepeat(text, one.end)
    if (typeof repeat === 'string') return repeat
    at = repeat.end
    atoms.push({ source: one.source, set: one.set, wide: one.wide, min: repeat.min, max: repeat.max })
  }
  return atoms
}

interface One {
  source: string
  set: boolean[]
  wide: boolean
  end: number
}

function parseOne(text: string, at: number): One | string {
  const char = text[at] ?? ''
  if ('()|^$'.includes(char))
    return `"${char}" is not allowed here: no groups, alternatives or anchors; write several detectors`
  if ('?*+{'.includes(char)) return `"${char}" has nothing to repeat`
  if (char === '.') return { source: '.', set: ascii((code) => code !== 10 && code !== 13), wide: true, end: at + 1 }
  if (char === '[') return parseClass(text, at)
  if (char === '\\') return parseEscape(text, at)
  if (char.charCodeAt(0) > 126) return 'only ASCII characters can be written in a pattern'
  return { source: char === '/' ? '\\/' : char, set: only(char), wide: false, end: at + 1 }
}

function parseEscape(text: string, at: number): One | string {
  const char = text[at + 1] ?? ''
  const end = at + 2
  const source = `\\${char}`
  const shorthand = shorthands[char]
  if (shorthand) return { source, set: ascii(shorthand), wide: char === 's', end }
  if (char === '' || /[A-Za-z0-9]/.test(char)) return `"\\${char}" is not known here; use \\d, \\w, \\s or a class`
  return { source, set: only(char), wide: false, end }
}

const shorthands: Readonly<Record<string, (code: number) => boolean>> = {
  d: (code) => code >= 48 && code <= 57,
  w: (code) => /\w/.test(String.fromCharCode(code)),
  s: (code) => /\s/.test(String.fromCharCode(code)),
}

/** `[…]` is checked and measured with the engine's own class, so that there is one meaning of it. */
function parseClass(text: string, at: number): One | string {
  let end = at + 1
  while (end < text.length && text[end] !== ']') end += text[end] === '\\' ? 2 : 1
  if (end >= text.length) return 'a "[" without its "]"'
  const source = text.slice(at, end + 1)
  if (source === '[]' || source === '[^]') return `"${source}" is an empty class`
  const tester = compile(`^${source}$`)
  if (tester === undefined) return `"${source}" is not a class of characters`
  return { source, set: ascii((code) => tester.test(String.fromCharCode(code))), wide: mayBeWide(source), end: end + 1 }
}

function mayBeWide(source: string): boolean {
  return source.startsWith('[^') || /\\[sSWDuxpP]/.test(source) || /[^\x20-\x7e]/.test(source)
}

function compile(source: string): RegExp | undefined {
  try {
    return new RegExp(source)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function parseRepeat(text: string, at: number): { min: number; max: number; end: number } | string {
  const char = text[at]
  let result: { min: number; max: number; end: number }
  if (char === '?') result = { min: 0, max: 1, end: at + 1 }
  else if (char === '+') result = { min: 1, max: maxRepeat, end: at + 1 }
  else if (char === '*') result = { min: 0, max: maxRepeat, end: at + 1 }
  else if (char === '{') {
    const match = /^\{(\d{1,3})(?:,(\d{1,3}))?\}/.exec(text.slice(at, at + 10))
    if (!match) return 'a repetition is {n} or {n,m}'
    const min = Number(match[1])
    const max = match[2] === undefined ? min : Number(match[2])
    if (max < 1 || max < min || max > maxRepeat) return `a repetition is at most ${maxRepeat}, and {n,m} has n ≤ m`
    result = { min, max, end: at + match[0].length }
  } else return { min: 1, max: 1, end: at }
  if (/[?*+{]/.test(text[result.end] ?? '')) return 'a repetition of a repetition is refused'
  return result
}

function ascii(test: (code: number) => boolean): boolean[] {
  return Array.from({ length: 128 }, (_, code) => test(code))
}

function only(char: string): boolean[] {
  return ascii((code) => code === char.charCodeAt(0))
}

/** Finds what an RE2 pattern matches; or the reason in words why it is refused. */
export function re2Finder(text: string): Find | string {
  let compiled: RE2JS
  try {
    compiled = RE2JS.compile(text)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  if (compiled.matcher('').find()) return 'the pattern matches nothing at all, so everywhere'
  return (value) => matches(compiled.matcher(value))
}

function matches(matcher: ReturnType<RE2JS['matcher']>): Span[] {
  const found: Span[] = []
  while (matcher.find()) {
    const span = { start: matcher.start(), end: matcher.end() }
    if (span.end > span.start) found.push(span)
  }
  return found
}
