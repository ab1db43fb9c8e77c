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
const emailMiddle = bytes('•••@•••')
const cardHead = bytes('•••• •••• •••• ')
const bullet = bytes('•')

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

function redactBytes(_input: Uint8Array, _start: number, _end: number, output: Uint8Array, at: number): number {
  output.set(redactedBytes, at)
  return redactedBytes.length
}

function partialBytes(input: Uint8Array, start: number, end: number, output: Uint8Array, at: number): number {
  let sum = 0
  let from = end - mostCounted
  if (from < start) from = start
  // From behind: an address shows nothing of what stands before its @ but the first character.
  for (let i = end - 1; i >= from; i--) {
    const code = input[i] as number
    if (code === AT && i > start) return emailBytes(input, start, i, end, output, at)
    sum += kinds[code] as number
  }
  if (from > start || sum >= beyond) return undecided
  const letters = sum >> 10
  const digits = sum & (letter - 1)
  if (letters === 0 && digits >= 13 && digits <= 19) return cardBytes(input, end, output, at)
  return tailBytes(input, start, end, digits + letters, output, at)
}

/** `sign`: where the @ is. */
function emailBytes(
  input: Uint8Array,
  start: number,
  sign: number,
  end: number,
  output: Uint8Array,
  at: number,
): number {
  const first = input[start] as number
  if (first > 0x7f) return undecided
  output[at] = first
  output.set(emailMiddle, at + 1)
  let pos = at + 1 + emailMiddle.length
  let dot = end - 1
  while (dot > sign && input[dot] !== DOT) dot--
  if (dot > sign && isShortWord(input, dot + 1, end)) {
    for (let i = dot; i < end; i++) output[pos++] = input[i] as number
  }
  return pos - at
}

function isShortWord(input: Uint8Array, start: number, end: number): boolean {
  const length = end - start
  if (length < 2 || length > 10) return false
  for (let i = start; i < end; i++) if (kinds[input[i] as number] !== letter) return false
  return true
}

/** The last four digits; there are 13 at least. */
function cardBytes(input: Uint8Array, end: number, output: Uint8Array, at: number): number {
  output.set(cardHead, at)
  const from = at + cardHead.length
  let pos = from + 3
  for (let i = end - 1; pos >= from; i--) {
    const code = input[i] as number
    if (kinds[code] === digit) output[pos--] = code
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
    if (hidden > 0 && kinds[code] !== separator) {
      pos = put(bullet, output, pos)
      hidden--
    } else output[pos++] = code
  }
  return pos - at
}

/** For a few bytes: a call into the runtime takes as long as a dozen of them. */
function put(text: Uint8Array, output: Uint8Array, at: number): number {
  const length = text.length
  for (let i = 0; i < length; i++) output[at + i] = text[i] as number
  return at + length
}
