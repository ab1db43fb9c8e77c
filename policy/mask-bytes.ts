import type { MaskKind } from './masks.ts'

/**
 * Masks on the bytes of a value, for results of millions of rows: no string is made. Each says exactly what the mask of its kind
 * in masks.ts says.
 */

/**
 * Writes what `input[start, end)` (UTF-8) becomes to `output` at `at`, where `room(end - start)` bytes are free.
 * Returns the bytes written, `isNull`, or `undecided`: then the mask on strings has to say.
 */
export type ByteMask = (input: Uint8Array, start: number, end: number, output: Uint8Array, at: number) => number

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

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

const redactedBytes = bytes('••••••••')
const bullet = bytes('•')
const bullets = bytes('•••')
const cardHead = bytes('•••• •••• •••• ')

const separator = 0
const digit = 1
const letter = 2
const beyond = 4

/** What each byte counts as in masks.ts; `beyond` ASCII strings decide. */
const classes = Uint8Array.from({ length: 256 }, (_, code) => {
  if (code > 0x7f) return beyond
  if (code >= 0x30 && code <= 0x39) return digit
  return (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) ? letter : separator
})

function redactBytes(_input: Uint8Array, _start: number, _end: number, output: Uint8Array, at: number): number {
  return put(redactedBytes, output, at) - at
}

function partialBytes(input: Uint8Array, start: number, end: number, output: Uint8Array, at: number): number {
  let digits = 0
  let letters = 0
  let seen = 0
  let dot = -1
  // From behind: an address shows nothing of what stands before its @ but the first character.
  for (let i = end - 1; i >= start; i--) {
    const code = input[i] as number
    const kind = classes[code] as number
    seen |= kind
    if (kind === digit) digits++
    else if (kind === letter) letters++
    else if (code === AT && i > start) return emailBytes(input, start, end, dot, output, at)
    else if (code === DOT && dot < 0) dot = i
  }
  if ((seen & beyond) !== 0) return undecided
  if (letters === 0 && digits >= 13 && digits <= 19) return cardBytes(input, end, output, at)
  return tailBytes(input, start, end, digits + letters, output, at)
}

/** `dot`: the last one behind the @; -1 when there is none. */
function emailBytes(
  input: Uint8Array,
  start: number,
  end: number,
  dot: number,
  output: Uint8Array,
  at: number,
): number {
  const first = input[start] as number
  if (first > 0x7f) return undecided
  let pos = at
  output[pos++] = first
  pos = put(bullets, output, pos)
  output[pos++] = AT
  pos = put(bullets, output, pos)
  if (dot >= 0 && isShortWord(input, dot + 1, end)) {
    for (let i = dot; i < end; i++) output[pos++] = input[i] as number
  }
  return pos - at
}

function isShortWord(input: Uint8Array, start: number, end: number): boolean {
  const length = end - start
  if (length < 2 || length > 10) return false
  for (let i = start; i < end; i++) if (classes[input[i] as number] !== letter) return false
  return true
}

/** The last four digits; there are 13 at least. */
function cardBytes(input: Uint8Array, end: number, output: Uint8Array, at: number): number {
  const from = put(cardHead, output, at)
  let pos = from + 3
  for (let i = end - 1; pos >= from; i--) {
    const code = input[i] as number
    if (classes[code] === digit) output[pos--] = code
  }
  return from + 4 - at
}

function tailBytes(
  input: Uint8Array,
  start: number,
  end: number,
  meaningful: number,
  output: Uint8Array,
  at: number,
): number {
  let hidden = meaningful < 6 ? meaningful : meaningful - Math.min(4, Math.floor(meaningful / 3))
  let pos = at
  for (let i = start; i < end; i++) {
    const code = input[i] as number
    if (hidden > 0 && classes[code] !== separator) {
      pos = put(bullet, output, pos)
      hidden--
    } else output[pos++] = code
  }
  return pos - at
}

/** These are short: a loop beats a call into the runtime. */
function put(text: Uint8Array, output: Uint8Array, at: number): number {
  const length = text.length
  for (let i = 0; i < length; i++) output[at + i] = text[i] as number
  return at + length
}
