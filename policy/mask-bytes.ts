import type { MaskKind } from './masks.ts'

/**
 * Masks on the bytes of a value, for results of millions of rows: no string is made. Each says exactly what the mask of its kind
 * in masks.ts says.
 */

/**
 * Writes what `input[start, end)` (UTF-8) becomes to `output` at `at`, where `room(end - start)` bytes are free, all of which it may
 * write to. Returns the bytes written, `isNull`, or `undecided`: then the mask on strings has to say.
 */
export type ByteMask = (input: DataView, start: number, end: number, output: DataView, at: number) => number

export const isNull = -1
export const undecided = -2

/** Bytes that a masked value of `length` bytes may need. */
export function room(length: number): number {
  return 3 * length + 64
}

/** Undefined for kinds whose cost is their keyed hash. */
export function byteMaskFor(kind: MaskKind): ByteMask | undefined {
  switch (kind) {
    case 'redact':
      return redactBytes
    case 'partial':
      return partialBytes
    case 'null':
      return () => isNull
    case 'hash':
    case 'format':
      return undefined
  }
}

const AT = 0x40
const DOT = 0x2e

/** A fixed text by words of eight bytes, so that it is written without a call into the runtime. */
interface Text {
  words: BigUint64Array
  length: number
}

function textOf(text: string): Text {
  const bytes = Buffer.from(text)
  const padded = Buffer.concat([bytes, Buffer.alloc(7)])
  const words = BigUint64Array.from({ length: Math.ceil(bytes.length / 8) }, (_, i) => padded.readBigUInt64BE(8 * i))
  return { words, length: bytes.length }
}

const redactedText = textOf('••••••••')
const emailMiddle = textOf('•••@•••')
const cardHead = textOf('•••• •••• •••• ')
const bullet = textOf('•')

/** What each byte counts as in masks.ts. A sum of these is a count of each kind in values of up to `mostCounted` bytes. */
const separator = 0
const digit = 1
const letter = 1 << 10
const beyond = 1 << 20
const mostCounted = 1023

const kinds = Int32Array.from({ length: 256 }, (_, code) => {
  if (code > 0x7f) return beyond
  if (code >= 0x30 && code <= 0x39) return digit
  return (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) ? letter : separator
})

function redactBytes(_input: DataView, _start: number, _end: number, output: DataView, at: number): number {
  return putText(redactedText, output, at) - at
}

function partialBytes(input: DataView, start: number, end: number, output: DataView, at: number): number {
  const length = end - start
  const found = length < wordBytes ? shortSign(input, start, end) : signOrDigits(input, start, end)
  if (found > start) return emailBytes(input, start, end, output, at)
  if (found === digitsOnly && length >= 13 && length <= 19) {
    const pos = putText(cardHead, output, at)
    output.setInt32(pos, input.getInt32(end - wordBytes))
    return pos + wordBytes - at
  }
  let sum = 0
  const from = Math.max(start, end - mostCounted)
  for (let i = from; i < end; i++) sum += kinds[input.getUint8(i)] as number
  if (from > start || sum >= beyond) return undecided
  const letters = sum >> 10
  const digits = sum & (letter - 1)
  if (letters === 0 && digits >= 13 && digits <= 19) return cardBytes(input, end, output, at)
  return tailBytes(input, start, end, digits + letters, output, at)
}

const wordBytes = 4
const digitsOnly = -1
const mixed = -2
const everyTop = 0x80808080

/**
 * Where the last @ is, from behind as an address shows nothing of what stands before it but the first character; or `digitsOnly`; or
 * `mixed`. Of four bytes at least, four at a time: in a sum of bytes the top bit says what each of them is, as long as none of them carries.
 */
function signOrDigits(input: DataView, start: number, end: number): number {
  let others = 0
  let i = end
  do {
    i -= wordBytes
    // The first word is one of four bytes as well, some of which were looked at before.
    if (i < start) i = start
    const word = input.getInt32(i)
    const left = word ^ 0x40404040
    const signs = (left - 0x01010101) & ~left & everyTop
    if (signs !== 0) return i + 3 - ((31 - Math.clz32(signs & -signs)) >> 3)
    others |= word | (word + 0x46464646) | (word - 0x30303030)
  } while (i > start)
  return (others & everyTop) === 0 ? digitsOnly : mixed
}

function shortSign(input: DataView, start: number, end: number): number {
  for (let i = end - 1; i > start; i--) if (input.getUint8(i) === AT) return i
  return mixed
}

/** There is an @ behind the first character. */
function emailBytes(input: DataView, start: number, end: number, output: DataView, at: number): number {
  const first = input.getUint8(start)
  if (first > 0x7f) return undecided
  output.setUint8(at, first)
  const pos = putText(emailMiddle, output, at + 1)
  let dot = end - 1
  while (kinds[input.getUint8(dot)] === letter) dot--
  const length = end - dot
  if (input.getUint8(dot) !== DOT || length < 3 || length > 11) return pos - at
  for (let i = 0; i < length; i++) output.setUint8(pos + i, input.getUint8(dot + i))
  return pos + length - at
}

/** The last four digits; there are 13 at least. */
function cardBytes(input: DataView, end: number, output: DataView, at: number): number {
  const from = putText(cardHead, output, at)
  let pos = from + 3
  for (let i = end - 1; pos >= from; i--) {
    const code = input.getUint8(i)
    if (kinds[code] === digit) output.setUint8(pos--, code)
  }
  return from + 4 - at
}

function tailBytes(
  input: DataView,
  start: number,
  end: number,
  meaningful: number,
  output: DataView,
  at: number,
): number {
  let hidden = meaningful < 6 ? meaningful : meaningful - Math.min(4, Math.floor(meaningful / 3))
  let pos = at
  for (let i = start; i < end; i++) {
    const code = input.getUint8(i)
    if (hidden > 0 && kinds[code] !== separator) {
      pos = putText(bullet, output, pos)
      hidden--
    } else output.setUint8(pos++, code)
  }
  return pos - at
}

/** Returns where it ends. Up to seven bytes behind that are written as well: what follows is written over them. */
function putText({ words, length }: Text, output: DataView, at: number): number {
  for (let i = 0, to = at; i < words.length; i++, to += 8) output.setBigUint64(to, words[i] as bigint)
  return at + length
}
