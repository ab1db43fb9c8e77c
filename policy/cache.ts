/** What a cache may hold. Bytes are estimated: of the key, and of what `sizeOf` says a value keeps alive. */
export interface Bounds<V> {
  entries: number
  bytes: number
  sizeOf(value: V): number
  /** Counts the bytes of several caches together. */
  tally?: Tally
  /** Told of each value that is forgotten. */
  dropped?(value: V): void
}

/** Bytes that several caches hold together. */
export interface Tally {
  bytes: number
}

interface Entry<V> {
  value: V
  bytes: number
}

/** A map of bounded size that forgets the entry that was used longest ago. A value that is larger than all of it is not kept. */
export class BoundedCache<V> {
  readonly #entries = new Map<string, Entry<V>>()
  readonly #bounds: Bounds<V>
  #bytes = 0

  constructor(bounds: Bounds<V>) {
    this.#bounds = bounds
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return entry.value
  }

  set(key: string, value: V): V {
    const { entries, bytes: most, sizeOf } = this.#bounds
    this.#delete(key)
    const bytes = overhead + 2 * key.length + sizeOf(value)
    if (bytes > most) return value
    this.#entries.set(key, { value, bytes })
    this.#count(bytes)
    while (this.#entries.size > entries || this.#bytes > most) this.dropOldest()
    return value
  }

  /** Forgets the entry that was used longest ago. False: there is none. */
  dropOldest(): boolean {
    for (const oldest of this.#entries.keys()) {
      this.#delete(oldest)
      return true
    }
    return false
  }

  clear(): void {
    while (this.dropOldest());
  }

  get size(): number {
    return this.#entries.size
  }

  /** Estimated, of all keys and values. */
  get bytes(): number {
    return this.#bytes
  }

  #delete(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    this.#count(-entry.bytes)
    this.#bounds.dropped?.(entry.value)
  }

  #count(bytes: number): void {
    this.#bytes += bytes
    const { tally } = this.#bounds
    if (tally !== undefined) tally.bytes += bytes
  }
}

/** Of an entry, beside its key and value. */
const overhead = 128
