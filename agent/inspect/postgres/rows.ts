import type { ByteMask } from '../port.ts'
import type { Letters } from './charsets/charset.ts'
import type { Fixed } from './fixed.ts'
import { FrameError, readInt32 } from './frames.ts'

/**
 * Masks on the way out:
 *
 *   D DataRow   n:int16 (length:int32 bytes)*     length -1 is NULL
 *
 * Text types have the same bytes in text and binary format, so the format does not matter: their value is replaced.
 * A value of any other type becomes NULL or a fixed value in the format that was asked for. `rewrite` knows of the format itself;
 * `text` is for COPY.
 */
export type FieldMask =
  | { kind: 'value'; mask(value: string): string | null; maskBytes?: ByteMask | undefined }
  | { kind: 'rewrite'; text(value: string): string; bytes(value: Buffer): Buffer }
  | { kind: 'fixed'; value: Fixed }
  | { kind: 'null' }

/** A buffer that grows: all masked rows of one incoming chunk go out of one. */
export class Sheet {
  buf: Buffer
  length = 0
  #taken = 0

  constructor(size: number) {
    this.buf = Buffer.allocUnsafe(size)
  }

  /** Makes room for `more` bytes. */
  reserve(more: number): void {
    this.extend(this.length, more)
  }

  /** Makes room for `more` bytes at `at`, up to where something that begins at `length` was written. Returns where that is now. */
  extend(at: number, more: number): number {
    if (at + more <= this.buf.length) return at
    // What was taken may be on its way out still: only what was not moves along.
    const taken = this.#taken
    const bigger = Buffer.allocUnsafe(Math.max(this.buf.length * 2, at - taken + more + 4096))
    this.buf.copy(bigger, 0, taken, at)
    this.buf = bigger
    this.length -= taken
    this.#taken = 0
    return at - taken
  }

  /** Begins anew. What was taken must be out of our hands. */
  reset(): void {
    this.length = 0
    this.#taken = 0
  }

  append(bytes: Buffer): void {
    this.reserve(bytes.length)
    this.length += bytes.copy(this.buf, this.length)
  }

  /** Hands out what was written since the last call, as `buf[start, end)`. */
  take(): { buf: Buffer; start: number; end: number } {
    const start = this.#taken
    this.#taken = this.length
    return { buf: this.buf, start, end: this.length }
  }

  get pending(): boolean {
    return this.#taken < this.length
  }
}

const NULL = -1
const UNDECIDED = -2

/** Up to this length a loop beats a call into the runtime. */
const loopBelow = 48

/** Rewrites DataRows of one result. Throws FrameError on a row that is not shaped as described. */
export class RowMasker {
  readonly #acts: readonly (Act | null)[]
  readonly #count: number
  /** Fields behind the last mask are copied in one go. */
  readonly #upTo: number

  /** `isBinary` says in which format each column comes. `letters`: of the client, where they are not UTF-8. */
  constructor(
    masks: readonly (FieldMask | null)[],
    isBinary: (column: number) => boolean = () => false,
    letters?: Letters,
  ) {
    this.#count = masks.length
    this.#acts = masks.map((mask, i) => actOf(mask, isBinary(i), letters))
    this.#upTo = masks.findLastIndex((mask) => mask !== null) + 1
  }

  /** Appends the rows that `buf[start, end)` consists of (each with its header) to `out`, masked. */
  rows(buf: Buffer, start: number, end: number, out: Sheet): void {
    out.reserve(end - start)
    for (let at = start; at < end; ) {
      const next = at + 1 + readInt32(buf, at + 1)
      this.#row(buf, at, next, out)
      at = next
    }
  }

  #row(buf: Buffer, start: number, end: number, out: Sheet): void {
    if (end - start < 7 || ((buf[start + 5] as number) << 8) + (buf[start + 6] as number) !== this.#count) {
      throw new FrameError('a row with another number of fields than was described')
    }
    const acts = this.#acts
    let at = out.extend(out.length, end - start)
    // The header goes along with the first fields; its length is set when it is known.
    let run = start
    let pos = start + 7
    for (let i = 0; i < this.#upTo; i++) {
      if (pos + 4 > end) throw new FrameError('a row that ends too early')
      const length = readInt32(buf, pos)
      const next = length < 0 ? pos + 4 : pos + 4 + length
      if (next > end || length < -1) throw new FrameError('a field that is longer than its row')
      const act = acts[i]
      if (length < 0 || act === null || act === undefined) {
        pos = next
        continue
      }
      at = copy(buf, run, pos, out.buf, at)
      at = act(buf, pos + 4, next, out, at, end - next)
      run = pos = next
    }
    if (pos !== end && this.#upTo === this.#count) throw new FrameError('a row with bytes left over')
    at = copy(buf, run, end, out.buf, at)
    writeInt32(out.buf, out.length + 1, at - out.length - 1)
    out.length = at
  }
}

/**
 * Puts what the value `buf[start, end)` becomes, with its length before it, into the sheet at `at`, and keeps room for `behind` bytes
 * more. Returns where it ends.
 */
type Act = (buf: Buffer, start: number, end: number, out: Sheet, at: number, behind: number) => number

function actOf(mask: FieldMask | null, isBinary: boolean, letters: Letters | undefined): Act | null {
  switch (mask?.kind) {
    case undefined:
      return null
    case 'null':
      return nothing
    case 'fixed': {
      const value = isBinary ? mask.value.binary : mask.value.text
      return (_buf, _start, _end, out, at, behind) => putBytes(value, out, at, behind)
    }
    case 'rewrite':
      // What lies around the letters in binary format is not taken apart here.
      if (letters !== undefined) return isBinary ? nothing : byLetters(mask.text, letters)
      return (buf, start, end, out, at, behind) => putBytes(mask.bytes(buf.subarray(start, end)), out, at, behind)
    case 'value':
      return letters === undefined
        ? byValue(mask)
        : byLetters(
            remembering((value) => mask.mask(value)),
            letters,
          )
  }
}

const nothing: Act = (_buf, _start, _end, out, at) => putNull(out, at)

/** In letters other than UTF-8's. A value that can't be read is not shown. */
function byLetters(mask: Mask, letters: Letters): Act {
  return (buf, start, end, out, at, behind) => {
    const value = letters.decode(buf, start, end)
    const masked = value === undefined ? null : mask(value)
    return masked === null ? putNull(out, at) : putBytes(letters.encode(masked), out, at, behind)
  }
}

function byValue(mask: Extract<FieldMask, { kind: 'value' }>): Act {
  const { maskBytes } = mask
  const text = byText(remembering((value) => mask.mask(value)))
  if (maskBytes === undefined) return text
  return (buf, start, end, out, at, behind) => {
    const from = out.extend(at, 4 + 3 * (end - start) + 64 + behind)
    const written = maskBytes(buf, start, end, out.buf, from + 4)
    if (written === UNDECIDED) return text(buf, start, end, out, from, behind)
    if (written === NULL) return putNull(out, from)
    writeInt32(out.buf, from, written)
    return from + 4 + written
  }
}

function byText(mask: Mask): Act {
  return (buf, start, end, out, at, behind) => {
    const masked = mask(buf.toString('utf8', start, end))
    if (masked === null) return putNull(out, at)
    const from = out.extend(at, 4 + masked.length * 3 + behind)
    const written = writeText(masked, out.buf, from + 4)
    writeInt32(out.buf, from, written)
    return from + 4 + written
  }
}

/** The length that was there is room enough. */
function putNull({ buf }: Sheet, at: number): number {
  buf[at] = buf[at + 1] = buf[at + 2] = buf[at + 3] = 0xff
  return at + 4
}

function putBytes(value: Buffer, out: Sheet, at: number, behind: number): number {
  const from = out.extend(at, 4 + value.length + behind)
  writeInt32(out.buf, from, value.length)
  return from + 4 + value.copy(out.buf, from + 4)
}

type Mask = (value: string) => string | null

/** Longer values hardly repeat, and are not worth their memory. */
const longestRemembered = 256

/** Values seen before are not masked again; given up for a column whose values don't repeat. */
function remembering(mask: Mask): Mask {
  const known = new Map<string, string | null>()
  let asked = 0
  let found = 0
  let useful = true
  return (value) => {
    if (!useful || value.length > longestRemembered) return mask(value)
    const hit = known.get(value)
    asked++
    if (hit !== undefined) {
      found++
      return hit
    }
    const masked = mask(value)
    if (asked === 512 && found < 128) {
      useful = false
      known.clear()
    } else if (known.size < 1024) known.set(value, masked)
    return masked
  }
}

/** Room for three bytes a UTF-16 unit must be there. */
function writeText(text: string, to: Buffer, at: number): number {
  const length = text.length
  if (length > loopBelow) return to.write(text, at, 'utf8')
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7f) return to.write(text, at, 'utf8')
    to[at + i] = code
  }
  return length
}

function copy(from: Buffer, start: number, end: number, to: Buffer, at: number): number {
  if (end - start > loopBelow) {
    from.copy(to, at, start, end)
    return at + end - start
  }
  let pos = at
  for (let i = start; i < end; i++) to[pos++] = from[i] as number
  return pos
}

function writeInt32(buf: Buffer, at: number, value: number): void {
  buf[at] = value >>> 24
  buf[at + 1] = value >>> 16
  buf[at + 2] = value >>> 8
  buf[at + 3] = value
}
