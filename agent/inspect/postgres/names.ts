import { FrameError } from './frames.ts'

/**
 * What a name (of a prepared statement, portal or cursor) stands for at the target. A write takes effect when the target
 * confirms it. Until then:
 *
 * - later messages of the same segment (up to Sync) may rely on it: if it fails, the target skips them too;
 * - later segments can't know, and must wait until the segment is done: `uncertain`.
 *
 * So the inspector never judges a statement by a text that the target did not take.
 */
export const uncertain = Symbol('uncertain')

interface Cell<V> {
  readonly name: string
  settled: V | undefined
  /** Of what is settled. */
  bytes: number
  /** The latest write that is not confirmed. */
  pending: Write<V> | undefined
}

/** A change of a name that was sent to the target and not answered. */
export class Write<V> {
  readonly #names: Names<V>
  readonly cell: Cell<V>
  /** Null: the name is dropped. */
  readonly value: V | null
  /** Of the value. */
  readonly bytes: number
  readonly segment: number

  constructor(names: Names<V>, cell: Cell<V>, value: V | null, bytes: number, segment: number) {
    this.#names = names
    this.cell = cell
    this.value = value
    this.bytes = bytes
    this.segment = segment
  }

  /** The target did it. */
  confirm(): void {
    this.#names.keep(this.cell, this.value ?? undefined, this.bytes)
    this.#names.settle(this)
  }

  /** The target failed or skipped it. `lost`: what stood there before is gone as well. */
  discard(lost: boolean): void {
    if (lost) this.#names.keep(this.cell, undefined, 0)
    this.#names.settle(this)
  }
}

/** A client that keeps more names than this, or more bytes in them, is told so. */
const most = 20_000
const mostBytes = 32 << 20

export class Names<V> {
  readonly #cells = new Map<string, Cell<V>>()
  readonly #sizeOf: (value: V) => number
  #bytes = 0

  /** `sizeOf`: estimated bytes that a value keeps alive. */
  constructor(sizeOf: (value: V) => number) {
    this.#sizeOf = sizeOf
  }

  /** Estimated, of what names stand for or may soon; without the unnamed one, which stands for one thing at a time. */
  get bytes(): number {
    return this.#bytes
  }

  /** Throws FrameError when there are too many names, or too much is kept in them. */
  write(name: string, value: V | null, segment: number): Write<V> {
    let cell = this.#cells.get(name)
    if (cell === undefined) {
      if (this.#cells.size >= most) throw new FrameError(`more than ${most} prepared statements or portals`)
      cell = { name, settled: undefined, bytes: 0, pending: undefined }
      this.#cells.set(name, cell)
    }
    const bytes = value === null || name === '' ? 0 : this.#sizeOf(value)
    if (bytes > 0 && this.#bytes > mostBytes) {
      throw new FrameError(`more than ${mostBytes >> 20} MiB in prepared statements or portals that are not closed`)
    }
    const write = new Write(this, cell, value, bytes, segment)
    this.#bytes += bytes - (cell.pending?.bytes ?? 0)
    cell.pending = write
    return write
  }

  /** Drops every name. */
  clear(segment: number): Write<V>[] {
    return [...this.#cells.keys()].map((name) => this.write(name, null, segment))
  }

  /** What `name` stands for in `segment`, when all segments up to `confirmed` are done. */
  read(name: string, segment: number, confirmed: number): V | undefined | typeof uncertain {
    const cell = this.#cells.get(name)
    if (cell === undefined) return undefined
    const { pending } = cell
    if (pending === undefined) return cell.settled
    if (pending.segment === segment) return pending.value ?? undefined
    return pending.segment <= confirmed ? cell.settled : uncertain
  }

  /** Forgets what is settled and is gone at the target, or may have been changed behind our back. */
  forget(doubtful: (value: V) => boolean): void {
    for (const [name, cell] of this.#cells) {
      if (cell.settled === undefined || !doubtful(cell.settled)) continue
      this.keep(cell, undefined, 0)
      if (cell.pending === undefined) this.#cells.delete(name)
    }
  }

  /** What a name stands for from now on. */
  keep(cell: Cell<V>, value: V | undefined, bytes: number): void {
    this.#bytes += bytes - cell.bytes
    cell.bytes = bytes
    cell.settled = value
  }

  settle(write: Write<V>): void {
    const { cell } = write
    if (cell.pending === write) {
      cell.pending = undefined
      this.#bytes -= write.bytes
    }
    // The unnamed one comes and goes with every statement: its cell stays.
    if (cell.pending === undefined && cell.settled === undefined && cell.name !== '') this.#cells.delete(cell.name)
  }
}
