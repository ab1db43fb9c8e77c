import type { ResultColumn } from '../../../shared/rpc/contract.ts'
import { spellProse } from '../../../shared/unseen.ts'

export type CellKind = 'text' | 'json' | 'xml' | 'binary'
export type CellMode = 'text' | 'pretty' | 'tree' | 'hex'

/** A value in its cell, on one line: no value, an empty one and one of blanks alone are told apart. What is copied is the value itself. */
export function shownCell(value: string | null): string {
  if (value === null) return 'null'
  if (value === '') return 'empty'
  // Most values begin with something.
  if (value.charCodeAt(0) === 0x20 && value.trim() === '') return oneLine(value).replaceAll(' ', '·')
  return oneLine(value)
}

/** With signs for line ends and tabs, and what nobody sees spelled out. */
function oneLine(value: string): string {
  const line = /[\r\n\t]/.test(value) ? value.replaceAll(/\r\n?|\n/g, '↵').replaceAll('\t', '→') : value
  return spellProse(line)
}

/** The same for lines of their own. */
export function spelled(text: string): string {
  return spellProse(text.replaceAll(/\r\n?/g, '\n'))
}

/** What a value is, by its column's type or by how it looks. */
export function kindOf(value: string | null, { type, masked }: ResultColumn): CellKind {
  if (value === null || masked !== undefined) return 'text'
  if (type === 'bytea' && value.startsWith('\\x')) return 'binary'
  if (type === 'json' || type === 'jsonb' || (/^\s*[[{]/.test(value) && parsed(value) !== undefined)) return 'json'
  if (type === 'xml' || /^\s*<(\?xml|[A-Za-z_])[\s\S]*>\s*$/.test(value)) return 'xml'
  return 'text'
}

/** How a kind can be looked at, the best way first. */
export const modes: Readonly<Record<CellKind, readonly CellMode[]>> = {
  text: ['text'],
  json: ['pretty', 'tree', 'text'],
  xml: ['pretty', 'text'],
  binary: ['hex', 'text'],
}

export const modeNames: Readonly<Record<CellMode, string>> = {
  text: 'Text',
  pretty: 'Formatted',
  tree: 'Tree',
  hex: 'Hex',
}

/** JSON's value; undefined when it is none. */
export function parsed(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}

/** A number of a JSON document, as it is written there: a `number` holds 17 digits of it, and no noughts at its end. */
export class JsonNumber {
  readonly digits: string
  constructor(digits: string) {
    this.digits = digits
  }
}

/** JSON's value with all digits of its numbers, for a tree; undefined when it is none. */
export function jsonTree(text: string): { value: unknown } | undefined {
  // The third argument came to the language after ES2024's library was described.
  const exact = (_key: string, value: unknown, context?: { readonly source?: string }) =>
    typeof value === 'number' ? new JsonNumber(context?.source ?? String(value)) : value
  try {
    return { value: JSON.parse(text, exact) }
  } catch {
    return undefined
  }
}

/**
 * JSON with line ends and indents. Works on the text and not on its value, so that numbers keep all their digits and keys that
 * occur twice stay.
 */
export function prettyJson(text: string): string {
  const tokens = text.match(/"(?:[^"\\]|\\[\s\S])*"|[{}[\],:]|[^\s"{}[\],:]+/g) ?? []
  let depth = 0
  const out = tokens.map((token, i) => {
    if (token === '{' || token === '[') {
      if (isClose(tokens[i + 1])) return token
      depth += 1
      return token + line(depth)
    }
    if (isClose(token)) {
      if (tokens[i - 1] === '{' || tokens[i - 1] === '[') return token
      depth -= 1
      return line(depth) + token
    }
    if (token === ',') return token + line(depth)
    return token === ':' ? ': ' : token
  })
  return out.join('')
}

function isClose(token: string | undefined): boolean {
  return token === '}' || token === ']'
}

function line(depth: number): string {
  return `\n${'  '.repeat(Math.max(0, depth))}`
}

/** XML with an element a line. Text beside elements stays where it is. */
export function prettyXml(text: string): string {
  const out: string[] = []
  let depth = 0
  for (const part of text.replace(/>\s*</g, '>\n<').split('\n')) {
    const closes = /^<\//.test(part)
    if (closes) depth -= 1
    out.push('  '.repeat(Math.max(0, depth)) + part)
    if (/^<[^!?/]/.test(part) && !/\/>$/.test(part) && !/<\/[^>]+>$/.test(part)) depth += 1
  }
  return out.join('\n')
}

/** `\x48690a` as offset, sixteen bytes and their characters a line; `limit` bytes at most. */
export function hexLines(value: string, limit: number): string[] {
  const digits = value.slice(2, 2 + limit * 2)
  const lines: string[] = []
  for (let at = 0; at < digits.length; at += 32) {
    const bytes = digits.slice(at, at + 32).match(/../g) ?? []
    const text = bytes.map((byte) => printable(Number.parseInt(byte, 16))).join('')
    lines.push(`${(at / 2).toString(16).padStart(8, '0')}  ${bytes.join(' ').padEnd(47)}  ${text}`)
  }
  return lines
}

function printable(byte: number): string {
  return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.'
}

/** How large a value is, for people. */
export function sizeOf(value: string, kind: CellKind): string {
  const n = kind === 'binary' ? (value.length - 2) / 2 : value.length
  return `${n.toLocaleString('en-GB')} ${kind === 'binary' ? 'byte' : 'character'}${n === 1 ? '' : 's'}`
}
