import { isAscii, isUtf8 } from 'node:buffer'
import type { TextMask } from '../port.ts'
import { Scanner } from './scanner.ts'
import { after, type Span, spansOf } from './spans.ts'
import { escapeAt, type Visible, visible } from './visible.ts'

/**
 * Masks sensitive values in a stream of text. What comes out does not depend on how the stream was cut into chunks:
 * a value is looked for in a whole line, or in a window of a line that is too long to wait for.
 *
 *     line of up to `windowSize + lookahead` bytes    one unit, looked at when its end is there
 *     a longer one                                    windows at every `windowSize` bytes from its start; each sees `lookahead`
 *                                                     bytes more, so that a value across the edge is found whole
 *
 * Never more than `windowSize + lookahead` bytes wait. A prompt has no newline: call `flush` when the stream has been idle for
 * a moment. What was let go that way is still seen as the beginning of a value. A value of several lines (a private key) is
 * one that takes in the end of its line: the next line is then looked at together with it.
 */
export const windowSize = 4096
export const lookahead = 512
const limit = windowSize + lookahead
const newline = 0x0a
const esc = 0x1b
const nothing = Buffer.alloc(0)
/** Stands for what is still to come of a value whose beginning was already shown: as wide, so that the cursor stays right. */
const cover = '*'
/** A value of several lines is followed this far. */
const longestValue = 16_384
/** An escape sequence, or a character, is held back on idle only up to this length. */
const longestSequence = 64

/** How often each data class was masked since the last call of `takeCounts`. */
export type MaskCounts = ReadonlyMap<string, { count: number; mask: TextMask }>

export class TextMasker {
  #masks: readonly TextMask[] = []
  #scanner = new Scanner([])
  /** The current line from the start of its window, of which `#shown` bytes have been let go. */
  #window: Buffer = nothing
  #shown = 0
  /** Place of the window's first byte in its line, modulo `windowSize`. */
  #grid = 0
  /** A value ran out of its window: everything up to the next space belongs to it. */
  #swallow = false
  /** The lines so far of a value that goes on in this one; they were masked. */
  #carry = ''
  #counts = new Map<string, { count: number; mask: TextMask }>()

  /** May change at any time; values already held back are judged by the new masks. */
  setMasks(masks: readonly TextMask[]): void {
    if (masks === this.#masks) return
    this.#masks = masks
    this.#scanner = new Scanner(masks)
  }

  /** Another one at the same place of the same stream, with what this one holds back. */
  fork(): TextMasker {
    const other = new TextMasker()
    other.setMasks(this.#masks)
    other.#window = Buffer.from(this.#window)
    other.#shown = this.#shown
    other.#grid = this.#grid
    other.#swallow = this.#swallow
    other.#carry = this.#carry
    return other
  }

  /** Bytes held back. */
  get holding(): number {
    return this.#window.length - this.#shown
  }

  takeCounts(): MaskCounts {
    const counts = this.#counts
    if (counts.size > 0) this.#counts = new Map()
    return counts
  }

  /** What may be shown now, masked: by reference where nothing is sensitive. */
  push(chunk: Buffer): Buffer {
    const out: Buffer[] = []
    if (this.#masks.length === 0) {
      this.#release(out)
      out.push(chunk)
      // Masks may come back: where the line began is then unknown, so it begins here.
      this.#window = nothing
      this.#shown = 0
      this.#grid = 0
      this.#swallow = false
      this.#carry = ''
      return join(out)
    }
    this.#take(chunk, out)
    let batches = true
    while (true) {
      const end = this.#window.indexOf(newline)
      if (batches && end !== -1 && this.#atLineStart && this.#batch(out)) continue
      // What can't go in one batch goes line by line: trying again after each line would be quadratic.
      if (end !== -1 && this.#atLineStart) batches = false
      if (end !== -1 && end < limit) this.#unit(end + 1, out)
      else if (this.#window.length >= limit) this.#longLine(out)
      else return join(out)
    }
  }

  /** Adds a chunk to what waits. The line that waited is ended first, so that the rest need not be copied. */
  #take(chunk: Buffer, out: Buffer[]): void {
    if (this.#window.length === 0) {
      this.#window = chunk
      return
    }
    const lineEnd = chunk.indexOf(newline) + 1
    if (lineEnd === 0 || lineEnd === chunk.length || this.#window.length + lineEnd > limit) {
      this.#window = Buffer.concat([this.#window, chunk])
      return
    }
    this.#window = Buffer.concat([this.#window, chunk.subarray(0, lineEnd)])
    this.#unit(this.#window.length, out)
    this.#window = chunk.subarray(lineEnd)
  }

  /** The stream is idle: lets go what waits, but for a character or escape sequence that is not complete. */
  flush(): Buffer {
    if (this.holding === 0) return nothing
    const end = Math.max(this.#shown, completeEnd(this.#window))
    if (end === this.#shown) return nothing
    const out: Buffer[] = []
    this.#mask(this.#window.subarray(0, end), end, out)
    this.#shown = end
    return join(out)
  }

  /** The stream ends: lets go everything. */
  end(): Buffer {
    const out: Buffer[] = []
    this.#release(out)
    return join(out)
  }

  #release(out: Buffer[]): void {
    if (this.holding > 0) this.#mask(this.#window, this.#window.length, out)
    this.#advance(this.#window.length)
  }

  get #atLineStart(): boolean {
    return this.#shown === 0 && this.#grid === 0 && !this.#swallow && this.#carry === ''
  }

  /** All whole lines that there are, at one go, when that gives what line by line would. False when it does not. */
  #batch(out: Buffer[]): boolean {
    const batch = this.#window.subarray(0, this.#window.lastIndexOf(newline) + 1)
    const hits: Hit[] = []
    for (const { start, end, masks } of this.#scanner.stretches(batch)) {
      if (masks.length === 0) continue
      const bytes = batch.subarray(start, end)
      if (longestLine(bytes) > limit) return false
      const kind = isAscii(bytes) ? 'ascii' : isUtf8(bytes) ? 'utf8' : undefined
      if (kind === undefined) return false
      const seen = visible(bytes, kind)
      const spans = spansOf(seen.text, masks)
      if (spans.some((span) => seen.text.slice(span.start, span.end).includes('\n'))) return false
      if (spans.length > 0) hits.push({ start, bytes, seen, spans })
    }
    let at = 0
    for (const { start, bytes, seen, spans } of hits) {
      this.#plain(batch, at, start, out)
      this.#write(bytes, seen.offsets, seen.text, spans, 0, bytes.length, out)
      at = start + bytes.length
    }
    this.#plain(batch, at, batch.length, out)
    this.#startLine(batch.length)
    return true
  }

  /** One line, newline included. */
  #unit(length: number, out: Buffer[]): void {
    this.#mask(this.#window.subarray(0, length), length, out)
    this.#startLine(length)
  }

  /** One window of a line that goes on; or as many as there are, when none holds anything to look at. */
  #longLine(out: Buffer[]): void {
    const first = windowSize - this.#grid
    if (
      this.#carry === '' &&
      !this.#swallow &&
      this.#window.length >= limit + windowSize &&
      this.#scanner.fitting(this.#window).length === 0
    ) {
      const more = Math.floor((this.#window.length - limit) / windowSize) * windowSize
      const cut = safeCut(this.#window, first + more)
      this.#plain(this.#window, this.#shown, cut, out)
      this.#advance(Math.max(cut, this.#shown))
      return
    }
    const sight = this.#window.subarray(0, limit)
    const end = this.#mask(sight, safeCut(sight, first), out)
    this.#advance(Math.max(end, this.#shown))
  }

  #startLine(length: number): void {
    this.#window = this.#window.subarray(length)
    this.#shown = 0
    this.#grid = 0
    this.#swallow = false
  }

  #advance(length: number): void {
    this.#grid = (this.#grid + length) % windowSize
    this.#window = this.#window.subarray(length)
    this.#shown = 0
  }

  /**
   * Masks the values of `sight` that begin before `cut`, and writes up to `cut` or the end of the last value, if that is
   * further. Returns where it stopped. Bytes before `#shown` are not written again.
   */
  #mask(sight: Buffer, cut: number, out: Buffer[]): number {
    let from = 0
    if (this.#swallow) {
      from = wordEnd(sight)
      if (from < sight.length) this.#swallow = false
    }
    const masks = this.#carry === '' ? this.#scanner.fitting(sight) : this.#masks
    if (masks.length === 0) return this.#plain(sight, Math.max(from, this.#shown), Math.max(cut, from), out)
    const rest = sight.subarray(from)
    const kind = isAscii(rest) ? 'ascii' : isUtf8(rest) ? 'utf8' : 'latin1'
    const seen = visible(rest, kind)
    const before = this.#carry.length
    const text = this.#carry + seen.text
    const all = spansOf(text, masks)
    const spans = before === 0 ? all : all.flatMap((span) => after(span, before))
    const end = this.#write(rest, seen.offsets, seen.text, spans, Math.max(this.#shown - from, 0), cut - from, out)
    // A value that fills the window to its end goes on after it: in the next line, or in the rest of this one.
    const last = all.at(-1)
    const open = last !== undefined && last.end === text.length && end === rest.length
    const lineEnds = sight[sight.length - 1] === newline
    if (lineEnds) this.#carry = open && text.length - last.start < longestValue ? text.slice(last.start) : ''
    else if (open && cut < sight.length) this.#swallow = true
    return from + end
  }

  #plain(sight: Buffer, from: number, to: number, out: Buffer[]): number {
    if (to > from) out.push(sight.subarray(from, to))
    return to
  }

  /** Writes bytes [`from`, max(`cut`, end of the last value that begins before `cut`)) of `bytes`, and returns that end. */
  #write(
    bytes: Buffer,
    offsetsOf: () => Uint32Array | undefined,
    text: string,
    spans: readonly Span[],
    from: number,
    cut: number,
    out: Buffer[],
  ): number {
    if (spans.length === 0) return this.#plain(bytes, from, Math.max(cut, 0), out)
    const offsets = offsetsOf()
    const byteAt = (unit: number): number => (offsets === undefined ? unit : (offsets[unit] ?? bytes.length))
    let at = from
    for (const span of spans) {
      const start = byteAt(span.start)
      if (start >= cut) break
      // Where its last character ends: the next one may stand behind an escape sequence, which is kept.
      const end = lastByte(bytes, byteAt(span.end - 1), byteAt(span.end))
      if (end <= at) continue
      if (span.continued) out.push(escapesIn(bytes, at, end))
      else if (start >= at) {
        this.#count(span.mask)
        out.push(bytes.subarray(at, start), Buffer.from(span.mask.mask(text.slice(span.start, span.maskEnd))))
        out.push(escapesIn(bytes, start, end))
      } else {
        // Its beginning was shown when the stream paused.
        this.#count(span.mask)
        out.push(coverOf(bytes, at, end), escapesIn(bytes, at, end))
      }
      at = end
    }
    if (cut > at) {
      out.push(bytes.subarray(at, cut))
      at = cut
    }
    return at
  }

  #count(mask: TextMask): void {
    const seen = this.#counts.get(mask.dataClass)
    if (seen === undefined) this.#counts.set(mask.dataClass, { count: 1, mask })
    else seen.count += 1
  }
}

/** Whole lines of a batch with values in them. */
interface Hit {
  start: number
  bytes: Buffer
  seen: Visible
  spans: readonly Span[]
}

/** The end of the character at `at`, whose successor in the text is at `next`. */
function lastByte(bytes: Buffer, at: number, next: number): number {
  const sequence = bytes.subarray(at, next).indexOf(esc)
  return sequence === -1 ? next : at + sequence
}

/** The escape sequences within a value: they are kept, so that colours end where they should. */
function escapesIn(bytes: Buffer, from: number, to: number): Buffer {
  const value = bytes.subarray(from, to)
  const out: Buffer[] = []
  for (let at = value.indexOf(esc); at !== -1; at = value.indexOf(esc, at)) {
    const { end } = escapeAt(value, at)
    out.push(value.subarray(at, end))
    at = end
  }
  return out.length === 0 ? nothing : Buffer.concat(out)
}

/** Bytes of the longest line, newline included. */
function longestLine(batch: Buffer): number {
  let longest = 0
  let start = 0
  for (let end = batch.indexOf(newline); end !== -1; end = batch.indexOf(newline, start)) {
    longest = Math.max(longest, end + 1 - start)
    start = end + 1
  }
  return longest
}

function coverOf(bytes: Buffer, from: number, to: number): Buffer {
  const kind = isUtf8(bytes.subarray(from, to)) ? 'utf8' : 'latin1'
  return Buffer.from(cover.repeat(visible(bytes.subarray(from, to), kind).text.length))
}

/** Where the first space or control character stands; all of it when there is none. */
function wordEnd(bytes: Buffer): number {
  for (let i = 0; i < bytes.length; i += 1) if ((bytes[i] ?? 0) <= 0x20) return i
  return bytes.length
}

/** `cut`, moved back so that it parts no character and no escape sequence. */
function safeCut(bytes: Buffer, cut: number): number {
  const sequence = bytes.lastIndexOf(esc, cut - 1)
  if (sequence > 0 && cut - sequence < longestSequence && escapeAt(bytes, sequence).end > cut) return sequence
  let at = cut
  while (at > 1 && cut - at < 3 && ((bytes[at] ?? 0) & 0xc0) === 0x80) at -= 1
  return at
}

/** Where the last complete character or escape sequence ends. */
function completeEnd(bytes: Buffer): number {
  const sequence = bytes.lastIndexOf(esc)
  if (sequence !== -1 && bytes.length - sequence < longestSequence && !escapeAt(bytes, sequence).complete)
    return sequence
  for (let back = 1; back <= 3 && back <= bytes.length; back += 1) {
    const byte = bytes[bytes.length - back] ?? 0
    if ((byte & 0xc0) === 0x80) continue
    const size = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
    return size > back ? bytes.length - back : bytes.length
  }
  return bytes.length
}

function join(parts: readonly Buffer[]): Buffer {
  return parts.length === 1 ? (parts[0] ?? nothing) : Buffer.concat(parts)
}
