import { isUtf8 } from 'node:buffer'
import { FrameError } from './frames.ts'
import { int16At, int32At } from './messages.ts'
import { hiddenText } from './record/hidden.ts'

/** The parameters of a Bind message, from their formats on: n:int16 (format:int16)* n:int16 (length:int32 bytes)* … */
export interface Bound {
  buf: Buffer
  at: number
  end: number
}

/** A copy that does not keep the chunk alive: for portals that may stay. */
export function detached({ buf, at, end }: Bound): Bound {
  const copy = Buffer.from(buf.subarray(at, end))
  return { buf: copy, at: 0, end: copy.length }
}

/** The formats in which a portal's columns come, behind its parameters: n:int16 (format:int16)*. One is everyone's, none is text. */
export function resultFormats({ buf, at, end }: Bound): readonly number[] {
  let pos = at + 2 + 2 * int16At(buf, at, end)
  const count = int16At(buf, pos, end)
  pos += 2
  for (let i = 0; i < count; i++) pos += 4 + Math.max(0, int32At(buf, pos, end))
  const formats = int16At(buf, pos, end)
  return Array.from({ length: formats }, (_, i) => int16At(buf, pos + 2 + 2 * i, end))
}

/** How values are shown. */
export interface Show {
  /** Bytes of a value that are shown; an ellipsis says that there are more. */
  longest: number
  /** Masks what is sensitive in a text value. */
  redact(value: string): string
  /** Whether the nth parameter, counted from one, is left out: it may be a value of a column that others may not see. */
  hides?(number: number): boolean
}

/** Of a parameter, this many bytes are on the recording. Who is asked to approve sees all of it. */
export const longestRecorded = 1000

const whole: Show = { longest: Number.POSITIVE_INFINITY, redact: (value) => value }

/**
 * A statement with its parameters, as a comment behind it. No two values read the same: text stands in quotes, bytes that are no
 * text and binary format are hexadecimal without.
 */
export function withParameters(text: string, bound: Bound | undefined, show: Show = whole): string {
  if (bound === undefined) return text
  const { buf, at, end } = bound
  // The common case, and the cheap one: no parameters at all.
  if (at + 4 <= end && buf[at] === 0 && buf[at + 1] === 0 && buf[at + 2] === 0 && buf[at + 3] === 0) return text
  const formatCount = int16At(buf, at, end)
  let pos = at + 2 + 2 * formatCount
  const count = int16At(buf, pos, end)
  pos += 2
  let shown = text
  const parameter = (number: number, at: number, length: number, binary: boolean): string => {
    if (show.hides?.(number) === true) return hiddenText
    return length < 0 ? 'NULL' : shownValue(buf, at, length, binary, show)
  }
  for (let i = 0; i < count; i++) {
    const length = int32At(buf, pos, end)
    pos += 4
    if (pos + Math.max(0, length) > end) throw new FrameError('a parameter that is longer than its message')
    const binary = formatCount > 0 && int16At(buf, at + 2 + 2 * (formatCount === 1 ? 0 : i), end) === 1
    shown += `${i === 0 ? '\n-- ' : ', '}$${i + 1} = ${parameter(i + 1, pos, length, binary)}`
    pos += Math.max(0, length)
  }
  return shown
}

function shownValue(buf: Buffer, start: number, length: number, binary: boolean, { longest, redact }: Show): string {
  const end = start + Math.min(length, longest)
  const more = length > longest ? '…' : ''
  const value = buf.toString('utf8', start, end)
  if (binary) {
    // Text is the same bytes in either format.
    if (isUtf8(buf.subarray(start, end)) && redact(value) !== value) return quoted(redact(`${value}${more}`))
    return `\\x${buf.toString('hex', start, end)}${more}`
  }
  const simple = plain.test(value)
  if (!simple && more === '' && !isUtf8(buf.subarray(start, end))) return `text \\x${buf.toString('hex', start, end)}`
  const safe = redact(value)
  return simple && safe === value ? `'${value}${more}'` : quoted(`${safe}${more}`)
}

const plain = /^[\w .:+-]*$/

/** As SQL writes it, on one line, so that it stays a comment: E'…' where something has to be escaped. */
function quoted(value: string): string {
  const doubled = value.replaceAll("'", "''")
  if (!unprintable.test(doubled)) return `'${doubled}'`
  return `E'${doubled.replaceAll('\\', '\\\\').replaceAll(everyUnprintable, (char) => escapes[char] ?? escaped(char))}'`
}

/** Controls, line ends of any kind, and characters that turn the direction of what is read. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u
const everyUnprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu
const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function escaped(char: string): string {
  return `\\U${(char.codePointAt(0) ?? 0).toString(16).padStart(8, '0')}`
}
