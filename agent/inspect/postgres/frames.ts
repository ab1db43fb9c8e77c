/**
 * The frame codec of PostgreSQL's protocol 3, both directions. Pure: bytes in, positions out.
 *
 *   after start-up   | type: 1 byte | length: int32, counts itself | body: length - 4 bytes |
 *   start-up packets |                length: int32, counts itself | body                   |
 *
 * A frame that lies whole in one chunk is pointed at in place; one that is split is put together once, alone;
 * one that is both long and of no interest is passed on in fragments, by reference, without being held.
 */

/** A peer broke the protocol, or asks us to hold more than we will. */
export class FrameError extends Error {
  override readonly name = 'FrameError'
}

/** What to do with a frame that is not whole in its chunk. */
export type Route = 'whole' | 'stream'

export const NONE = 0
export const WHOLE = 1
export const FRAGMENT = 2
type Found = typeof NONE | typeof WHOLE | typeof FRAGMENT

/** Frames up to this size are put together rather than passed in fragments, so that an error can follow them. */
export const assembleBelow = 64 * 1024

const header = 5

const nothing = Buffer.alloc(0)

/**
 * Pulls frames out of chunks. `next()` says what was found; the fields then tell where:
 * `buf[start, end)` is the frame with its header (WHOLE), or a piece of a long one (FRAGMENT).
 * Fields instead of a result object: this runs for every message of every session.
 */
export class FrameScanner {
  type = 0
  buf: Buffer = nothing
  start = 0
  end = 0
  /** FRAGMENT: this is the one with the header, or the final one. */
  first = false
  last = false

  readonly #route: (type: number, size: number) => Route
  #chunk: Buffer = nothing
  #pos = 0
  /** Pieces of a frame that is not whole yet, and their length together. */
  #held: Buffer[] = []
  #heldLength = 0
  /** Bytes of the current long frame still to pass. */
  #passing = 0

  /** `route` is asked once per split frame, with its size on the wire; it throws FrameError to refuse the frame. */
  constructor(route: (type: number, size: number) => Route) {
    this.#route = route
  }

  /** True when every byte so far belongs to a frame that was handed out in full. */
  get atBoundary(): boolean {
    return this.#passing === 0 && this.#heldLength === 0 && this.#pos === this.#chunk.length
  }

  /** Type of the frame that comes next, of which something is there; undefined: none, or one that is half way through. */
  get upcoming(): number | undefined {
    if (this.#passing > 0) return undefined
    return this.#held[0]?.[0] ?? this.#chunk[this.#pos]
  }

  /** True when what was handed out so far ends with a frame's end. */
  get betweenFrames(): boolean {
    return this.#passing === 0
  }

  /** Bytes to come of a frame that has begun, also of one that was refused. */
  get missing(): number {
    if (this.#passing > 0) return this.#passing
    const begun = this.waiting
    if (begun < header) return 0
    const head = Buffer.concat([...this.#held, this.#chunk.subarray(this.#pos)], header)
    return Math.max(0, readInt32(head, 1) + 1 - begun)
  }

  /** Bytes taken in and not handed out. */
  get waiting(): number {
    return this.#heldLength + this.#chunk.length - this.#pos
  }

  /** Adds a chunk. The one before must have been drained (`next()` said NONE). */
  push(chunk: Buffer): void {
    this.#chunk = this.#pos < this.#chunk.length ? Buffer.concat([this.#chunk.subarray(this.#pos), chunk]) : chunk
    this.#pos = 0
  }

  /** Hands back everything not consumed, for another reader of the same stream. */
  rest(): Buffer {
    const all = Buffer.concat([...this.#held, this.#chunk.subarray(this.#pos)])
    this.#held = []
    this.#heldLength = 0
    this.#chunk = nothing
    this.#pos = 0
    return all
  }

  /** The chunk's memory is about to be used again: copies what is held of it. At most its end is. */
  own(): void {
    const piece = this.#heldLength === 0 ? undefined : this.#held.pop()
    if (piece !== undefined) this.#held.push(piece.buffer === this.#chunk.buffer ? Buffer.from(piece) : piece)
    this.#chunk = this.buf = nothing
    this.#pos = 0
  }

  next(): Found {
    const chunk = this.#chunk
    const pos = this.#pos
    const available = chunk.length - pos
    if (available === 0) return NONE
    if (this.#passing > 0) return this.#pass(Math.min(this.#passing, available), false)
    if (this.#heldLength > 0) return this.#resume()
    if (available < header) return this.#hold(available)
    const size = readSize(chunk, pos)
    this.type = chunk[pos] as number
    if (available >= size) {
      this.buf = chunk
      this.start = pos
      this.end = this.#pos = pos + size
      return WHOLE
    }
    if (this.#route(this.type, size) === 'stream') {
      this.#passing = size
      return this.#pass(available, true)
    }
    return this.#hold(available)
  }

  /**
   * After WHOLE: takes the frames of the same type that follow whole in the chunk along, so that `buf[start, end)` is
   * all of them. Returns how many there are together.
   */
  run(): number {
    const { buf, type } = this
    if (buf !== this.#chunk) return 1
    const length = buf.length
    let pos = this.#pos
    let count = 1
    while (pos + header <= length && buf[pos] === type) {
      const size = readInt32(buf, pos + 1) + 1
      // What is no frame ends the session with the next call, when those before it are where they belong.
      if (size < header || pos + size > length) break
      pos += size
      count++
    }
    this.end = this.#pos = pos
    return count
  }

  #pass(length: number, first: boolean): Found {
    this.buf = this.#chunk
    this.start = this.#pos
    this.end = this.#pos += length
    this.#passing -= length
    this.first = first
    this.last = this.#passing === 0
    return FRAGMENT
  }

  #hold(length: number): Found {
    this.#held.push(this.#chunk.subarray(this.#pos, this.#pos + length))
    this.#heldLength += length
    this.#pos += length
    return NONE
  }

  /** Goes on with a frame of which a piece is held. */
  #resume(): Found {
    let available = this.#chunk.length - this.#pos
    if (this.#heldLength < header) {
      const missing = Math.min(header - this.#heldLength, available)
      this.#hold(missing)
      if (this.#heldLength < header) return NONE
      available -= missing
      const head = Buffer.concat(this.#held)
      this.#held = [head]
      this.type = head[0] as number
      const size = readSize(head, 0)
      if (size - header > available && this.#route(this.type, size) === 'stream') {
        this.#held = []
        this.#heldLength = 0
        this.buf = head
        this.start = 0
        this.end = header
        this.first = true
        this.last = false
        this.#passing = size - header
        return FRAGMENT
      }
    }
    const head = this.#held[0]
    if (head === undefined) throw new FrameError('a frame without a header')
    const size = readSize(head, 0)
    const missing = size - this.#heldLength
    if (missing > available) return available === 0 ? NONE : this.#hold(available)
    this.#hold(missing)
    this.type = head[0] as number
    this.buf = this.#held.length === 1 ? head : Buffer.concat(this.#held, size)
    this.start = 0
    this.end = size
    this.#held = []
    this.#heldLength = 0
    return WHOLE
  }
}

/** Size on the wire of the frame whose header is at `pos`. */
function readSize(buf: Buffer, pos: number): number {
  const length = readInt32(buf, pos + 1)
  if (length < 4) throw new FrameError(`a message of length ${length}`)
  return length + 1
}

/** int32, big endian, without the checks of Buffer's own reader: callers have checked the bounds. */
export function readInt32(buf: Buffer, pos: number): number {
  return (
    ((buf[pos] as number) << 24) |
    ((buf[pos + 1] as number) << 16) |
    ((buf[pos + 2] as number) << 8) |
    (buf[pos + 3] as number)
  )
}

/** Whether `buf[start, end)` is `known`. For few bytes: of those it is faster than the engine's own way. */
export function sameAt(known: Buffer, buf: Buffer, start: number, end: number): boolean {
  if (known.length !== end - start) return false
  for (let i = 0; i < known.length; i++) if (known[i] !== buf[start + i]) return false
  return true
}

interface Sink {
  write(chunk: Buffer): boolean
  cork(): void
  uncork(): void
}

/** Below this, gathering into one buffer is cheaper than a vectored write. */
const gatherBelow = 16 * 1024

/**
 * What goes out for one chunk that came in: neighbouring pieces of the same buffer stay one piece,
 * and everything leaves in one write.
 */
export class Outbox {
  #pieces: Buffer[] = []
  #length = 0
  #buf: Buffer = nothing
  #start = 0
  #end = 0

  /** Adds `buf[start, end)` by reference. */
  add(buf: Buffer, start: number, end: number): void {
    if (buf === this.#buf && start === this.#end) {
      this.#end = end
      return
    }
    this.#close()
    this.#buf = buf
    this.#start = start
    this.#end = end
  }

  push(buf: Buffer): void {
    this.add(buf, 0, buf.length)
  }

  get empty(): boolean {
    return this.#pieces.length === 0 && this.#start === this.#end
  }

  /** Bytes written so far. */
  written = 0

  /** Writes all of it; the sink's answer on back-pressure. */
  flush(sink: Sink): boolean {
    this.#close()
    const pieces = this.#pieces
    if (pieces.length === 0) return true
    const bytes = this.#length
    this.#length = 0
    this.written += bytes
    if (pieces.length === 1) {
      const only = pieces.pop()
      return only === undefined || sink.write(only)
    }
    this.#pieces = []
    if (bytes < gatherBelow) return sink.write(Buffer.concat(pieces, bytes))
    let ok = true
    sink.cork()
    for (const piece of pieces) ok = sink.write(piece)
    sink.uncork()
    return ok
  }

  #close(): void {
    if (this.#start < this.#end) {
      const whole = this.#start === 0 && this.#end === this.#buf.length
      this.#pieces.push(whole ? this.#buf : this.#buf.subarray(this.#start, this.#end))
      this.#length += this.#end - this.#start
    }
    this.#buf = nothing
    this.#start = this.#end = 0
  }
}
