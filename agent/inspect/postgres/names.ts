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
  /** The latest write that is not confirmed. */
  pending: Write<V> | undefined
}

/** A change of a name that was sent to the target and not answered. */
export class Write<V> {
  readonly #names: Names<V>
  readonly cell: Cell<V>
  /** Null: the name is dropped. */
  readonly value: V | null
  readonly segment: number

  constructor(names: Names<V>, cell: Cell<V>, value: V | null, segment: number) {
    this.#names = names
    this.cell = cell
    this.value = value
    this.segment = segment
  }

  /** The target did it. */
  confirm(): void {
    this.cell.settled = this.value ?? undefined
    this.#names.settle(this)
  }

  /** The target failed or skipped it. `lost`: what stood there before is gone as well. */
  discard(lost: boolean): void {
    if (lost) this.cell.settled = undefined
    this.#names.settle(this)
  }
}

/** A client that keeps more names than this is told so. */
const most = 20_000

export class Names<V> {
  readonly #cells = new Map<string, Cell<V>>()

  /** Throws FrameError when there are too many names. */
  write(name: string, value: V | null, segment: number): Write<V> {
    let cell = this.#cells.get(name)
    if (cell === undefined) {
      if (this.#cells.size >= most) throw new FrameError(`more than ${most} prepared statements or portals`)
      cell = { name, settled: undefined, pending: undefined }
      this.#cells.set(name, cell)
    }
    const write = new Write(this, cell, value, segment)
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

  /** Forgets what is settled and may have been changed behind our back. */
  forget(doubtful: (value: V) => boolean): void {
    for (const [name, cell] of this.#cells) {
      if (cell.settled === undefined || !doubtful(cell.settled)) continue
      cell.settled = undefined
      if (cell.pending === undefined) this.#cells.delete(name)
    }
  }

  settle(write: Write<V>): void {
    const { cell } = write
    if (cell.pending === write) cell.pending = undefined
    // The unnamed one comes and goes with every statement: its cell stays.
    if (cell.pending === undefined && cell.settled === undefined && cell.name !== '') this.#cells.delete(cell.name)
  }
}
