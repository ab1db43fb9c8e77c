import type { ByteMask } from '../../port.ts'
import { FrameError } from '../frames.ts'
import type { Letters } from '../text/charsets/charset.ts'
import type { Fixed } from './fixed.ts'

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
  /** Of all of `buf`. */
  view: DataView
  length = 0
  #taken = 0

  constructor(size: number) {
    this.buf = Buffer.allocUnsafe(size + slack)
    this.view = viewOf(this.buf)
  }

  /** Makes room for `more` bytes. */
  reserve(more: number): void {
    this.extend(this.length, more)
  }

  /** Makes room for `more` bytes at `at`, up to where something that begins at `length` was written. Returns where that is now. */
  extend(at: number, more: number): number {
    if (at + more + slack <= this.buf.length) return at
    // What was taken may be on its way out still: only what was not moves along.
    const taken = this.#taken
    const bigger = Buffer.allocUnsafe(Math.max(this.buf.length * 2, at - taken + more + 4096))
    this.buf.copy(bigger, 0, taken, at)
    this.buf = bigger
    this.view = viewOf(bigger)
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

/** Copies of whole words go beyond their end by less than this. */
const slack = 8

const NULL = -1
const UNDECIDED = -2

/** Up to this length a loop over words beats a call into the runtime. */
const wordsBelow = 128
/** Of text, byte by byte. */
const loopBelow = 48
const wordBytes = 8

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
    const view = viewOf(buf)
    for (let at = start; at < end; ) {
      const next = at + 1 + view.getInt32(at + 1)
      this.#row(buf, view, at, next, out)
      at = next
    }
  }

  #row(buf: Buffer, view: DataView, start: number, end: number, out: Sheet): void {
    if (end - start < 7 || view.getUint16(start + 5) !== this.#count) {
      throw new FrameError('a row with another number of fields than was described')
    }
    const acts = this.#acts
    let at = out.extend(out.length, roomFor(end - start, this.#count))
    // The header goes along with the first fields; its length is set when it is known.
    let run = start
    let pos = start + 7
    for (let i = 0; i < this.#upTo; i++) {
      if (pos + 4 > end) throw new FrameError('a row that ends too early')
      const length = view.getInt32(pos)
      const next = length < 0 ? pos + 4 : pos + 4 + length
      if (next > end || length < -1) throw new FrameError('a field that is longer than its row')
      const act = acts[i]
      if (length < 0 || act === null || act === undefined) {
        pos = next
        continue
      }
      at = copy(buf, view, run, pos, out, at)
      at = act(buf, view, pos + 4, next, out, at, roomFor(end - next, this.#count - i))
      run = pos = next
    }
    if (pos !== end && this.#upTo === this.#count) throw new FrameError('a row with bytes left over')
    at = copy(buf, view, run, end, out, at)
    out.view.setInt32(out.length + 1, at - out.length - 1)
    out.length = at
  }
}

/** What is left of a row may need this much: so a mask on bytes, which needs no more for each value, need not ask for it. */
function roomFor(bytes: number, fields: number): number {
  return 3 * bytes + 64 * fields
}

/**
 * Puts what the value `buf[start, end)` becomes, with its length before it, into the sheet at `at`, where there is room for it as
 * for every field of a row, and keeps `behind` bytes free behind it. Returns where it ends.
 */
type Act = (buf: Buffer, view: DataView, start: number, end: number, out: Sheet, at: number, behind: number) => number

function actOf(mask: FieldMask | null, isBinary: boolean, letters: Letters | undefined): Act | null {
  switch (mask?.kind) {
    case undefined:
      return null
    case 'null':
      return nothing
    case 'fixed': {
      const value = isBinary ? mask.value.binary : mask.value.text
      return (_buf, _view, _start, _end, out, at, behind) => putBytes(value, out, at, behind)
    }
    case 'rewrite':
      // What lies around the letters in binary format is not taken apart here.
      if (letters !== undefined) return isBinary ? nothing : byLetters(mask.text, letters)
      return (buf, _view, start, end, out, at, behind) =>
        putBytes(mask.bytes(buf.subarray(start, end)), out, at, behind)
    case 'value':
      return letters === undefined
        ? byValue(mask)
        : byLetters(
            remembering((value) => mask.mask(value)),
            letters,
          )
  }
}

const nothing: Act = (_buf, _view, _start, _end, out, at) => putNull(out, at)

/** In letters other than UTF-8's. A value that can't be read is not shown. */
function byLetters(mask: Mask, letters: Letters): Act {
  return (buf, _view, start, end, out, at, behind) => {
    const value = letters.decode(buf, start, end)
    const masked = value === undefined ? null : mask(value)
    return masked === null ? putNull(out, at) : putBytes(letters.encode(masked), out, at, behind)
  }
}

function byValue(mask: Extract<FieldMask, { kind: 'value' }>): Act {
  const { maskBytes } = mask
  const text = byText(remembering((value) => mask.mask(value)))
  if (maskBytes === undefined) return text
  return (buf, view, start, end, out, at, behind) => {
    const to = out.view
    const written = maskBytes(view, start, end, to, at + 4)
    if (written === UNDECIDED) return text(buf, view, start, end, out, at, behind)
    to.setInt32(at, written === NULL ? -1 : written)
    return written === NULL ? at + 4 : at + 4 + written
  }
}

function byText(mask: Mask): Act {
  return (buf, _view, start, end, out, at, behind) => {
    const masked = mask(buf.toString('utf8', start, end))
    if (masked === null) return putNull(out, at)
    const from = out.extend(at, 4 + masked.length * 3 + behind)
    const written = writeText(masked, out.buf, from + 4)
    out.view.setInt32(from, written)
    return from + 4 + written
  }
}

/** The length that was there is room enough. */
function putNull({ view }: Sheet, at: number): number {
  view.setInt32(at, -1)
  return at + 4
}

function putBytes(value: Buffer, out: Sheet, at: number, behind: number): number {
  const from = out.extend(at, 4 + value.length + behind)
  out.view.setInt32(from, value.length)
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

/** Whole words, so up to seven bytes more than asked for: what follows is written over them. */
function copy(buf: Buffer, view: DataView, start: number, end: number, out: Sheet, at: number): number {
  const length = end - start
  if (length > wordsBelow || end + wordBytes > buf.length) {
    buf.copy(out.buf, at, start, end)
    return at + length
  }
  const to = out.view
  for (let i = 0; i < length; i += wordBytes) to.setBigUint64(at + i, view.getBigUint64(start + i, true), true)
  return at + length
}

function viewOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length)
}
