/**
 * A queue with one producer side and one consumer: what is pushed comes out of the iterator in order. The consumer may leave at any
 * time; `onDrain` tells the producer each time that the consumer has emptied it, so that it can apply back-pressure.
 */
export class AsyncQueue<T> implements AsyncIterable<T> {
  private readonly items: T[] = []
  private waiting: ((result: IteratorResult<T>) => void) | undefined
  private ended = false
  private readonly onDrain: () => void

  constructor(onDrain: () => void = () => {}) {
    this.onDrain = onDrain
  }

  get size(): number {
    return this.items.length
  }

  /** Ignored after `end`. */
  push(item: T): void {
    if (this.ended) return
    if (this.waiting !== undefined) this.deliver({ value: item, done: false })
    else this.items.push(item)
  }

  /** The last item pushed and not yet read, replaced by `merge(last)`; used to coalesce progress. False: nothing to merge with. */
  mergeLast(merge: (last: T) => T | undefined): boolean {
    const last = this.items.at(-1)
    if (last === undefined) return false
    const merged = merge(last)
    if (merged === undefined) return false
    this.items[this.items.length - 1] = merged
    return true
  }

  /** What is queued is still delivered. */
  end(): void {
    this.ended = true
    if (this.waiting !== undefined) this.deliver({ value: undefined, done: true })
  }

  private deliver(result: IteratorResult<T>): void {
    const waiting = this.waiting
    this.waiting = undefined
    waiting?.(result)
  }

  next(): Promise<IteratorResult<T>> {
    const item = this.items.shift()
    if (item !== undefined) {
      if (this.items.length === 0) this.onDrain()
      return Promise.resolve({ value: item, done: false })
    }
    if (this.ended) return Promise.resolve({ value: undefined, done: true })
    return new Promise((resolve) => {
      this.waiting = resolve
    })
  }

  /** Reads until the queue ends or `signal` aborts; what is left stays for the next reader. */
  async *until(signal: AbortSignal | undefined): AsyncGenerator<T, void, void> {
    const leave = (): void => this.deliver({ value: undefined, done: true })
    signal?.addEventListener('abort', leave, { once: true })
    try {
      while (!signal?.aborted) {
        const { value, done } = await this.next()
        if (done) return
        yield value
      }
    } finally {
      signal?.removeEventListener('abort', leave)
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return this.until(undefined)
  }
}
