import { FrameError, readInt32 } from './frames.ts'
import { backend } from './messages.ts'

/**
 * Masks on the way out:
 *
 *   D DataRow   n:int16 (length:int32 bytes)*     length -1 is NULL
 *
 * Text types have the same bytes in text and binary format, so the format does not matter: their value is replaced.
 * A value of any other type becomes NULL.
 */
export type FieldMask = { kind: 'value'; mask(value: string): string | null } | { kind: 'null' }

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
    if (this.length + more <= this.buf.length) return
    // What was taken may be on its way out still: only what was not moves along.
    const rest = this.length - this.#taken
    const bigger = Buffer.allocUnsafe(Math.max(this.buf.length * 2, rest + more + 4096))
    this.buf.copy(bigger, 0, this.#taken, this.length)
    this.buf = bigger
    this.length = rest
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

const PASS = 0
const NULL = 1
const VALUE = 2

/** Up to this length a loop beats a call into the runtime. */
const loopBelow = 48

/** Rewrites DataRows of one result. Throws FrameError on a row that is not shaped as described. */
export class RowMasker {
  readonly #acts: Uint8Array
  readonly #masks: readonly ((value: string) => string | null)[]
  readonly #count: number
  /** Fields behind the last mask are copied in one go. */
  readonly #upTo: number

  constructor(masks: readonly (FieldMask | null)[]) {
    this.#count = masks.length
    this.#acts = Uint8Array.from(masks, (mask) => (mask === null ? PASS : mask.kind === 'null' ? NULL : VALUE))
    this.#masks = masks.map((mask) => (mask?.kind === 'value' ? remembering((value) => mask.mask(value)) : () => null))
    this.#upTo = masks.findLastIndex((mask) => mask !== null) + 1
  }

  /** Appends the row `buf[start, end)` (with its header) to `out`, masked. */
  row(buf: Buffer, start: number, end: number, out: Sheet): void {
    if (end - start < 7 || ((buf[start + 5] as number) << 8) + (buf[start + 6] as number) !== this.#count) {
      throw new FrameError('a row with another number of fields than was described')
    }
    out.reserve(end - start)
    let to = out.buf
    let rowAt = out.length
    let at = rowAt + 5
    let run = start + 5
    let pos = start + 7
    const acts = this.#acts
    for (let i = 0; i < this.#upTo; i++) {
      if (pos + 4 > end) throw new FrameError('a row that ends too early')
      const length = readInt32(buf, pos)
      const next = length < 0 ? pos + 4 : pos + 4 + length
      if (next > end) throw new FrameError('a field that is longer than its row')
      const act = acts[i]
      if (length < 0 || act === PASS) {
        pos = next
        continue
      }
      at = copy(buf, run, pos, to, at)
      const masked = act === NULL ? null : (this.#masks[i] as Mask)(buf.toString('utf8', pos + 4, next))
      if (masked === null) {
        to[at] = to[at + 1] = to[at + 2] = to[at + 3] = 0xff
        at += 4
      } else {
        const size = masked.length * 3
        if (at + 4 + size + end - next > to.length) {
          // The row so far moves along with the sheet.
          const moved = at - rowAt
          out.length = at
          out.reserve(4 + size + end - next)
          to = out.buf
          at = out.length
          rowAt = at - moved
        }
        const written = writeText(masked, to, at + 4)
        writeInt32(to, at, written)
        at += 4 + written
      }
      run = pos = next
    }
    at = copy(buf, run, end, to, at)
    to[rowAt] = backend.dataRow
    writeInt32(to, rowAt + 1, at - rowAt - 1)
    out.length = at
  }
}

type Mask = (value: string) => string | null

/** Values seen before are not masked again; given up for a column whose values don't repeat. */
function remembering(mask: Mask): Mask {
  const known = new Map<string, string | null>()
  let asked = 0
  let found = 0
  let useful = true
  return (value) => {
    if (!useful) return mask(value)
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
