import { AsyncQueue } from './queue.ts'

/** A value that others watch: every reader gets the current one at once, then every change. */
export class Watched<T> {
  private value: T
  private readonly readers = new Set<AsyncQueue<T>>()

  constructor(value: T) {
    this.value = value
  }

  get(): T {
    return this.value
  }

  set(value: T): void {
    this.value = value
    for (const reader of this.readers) reader.push(value)
  }

  /** Ends when `signal` aborts or the reader leaves. No change after this call is missed, however late it is read. */
  watch(signal: AbortSignal | undefined): AsyncGenerator<T, void, void> {
    return readInto(this.readers, signal, [this.value])
  }
}

/** Things that happen: every reader gets what happens from when it came. */
export class Broadcast<T> {
  private readonly readers = new Set<AsyncQueue<T>>()

  emit(value: T): void {
    for (const reader of this.readers) reader.push(value)
  }

  /** `first` is read before anything that happens. */
  read(signal: AbortSignal | undefined, first: readonly T[] = []): AsyncGenerator<T, void, void> {
    return readInto(this.readers, signal, first)
  }

  get isRead(): boolean {
    return this.readers.size > 0
  }

  end(): void {
    for (const reader of this.readers) reader.end()
  }
}

/** The queue is registered at once, not at the first `next`, so that nothing between the two is lost. */
function readInto<T>(
  readers: Set<AsyncQueue<T>>,
  signal: AbortSignal | undefined,
  first: readonly T[] = [],
): AsyncGenerator<T, void, void> {
  const queue = new AsyncQueue<T>()
  for (const item of first) queue.push(item)
  readers.add(queue)
  return drain(queue, readers, signal)
}

async function* drain<T>(
  queue: AsyncQueue<T>,
  readers: Set<AsyncQueue<T>>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T, void, void> {
  try {
    yield* queue.until(signal)
  } finally {
    readers.delete(queue)
  }
}

/** `promise`, or a rejection as soon as `signal` aborts. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(signal.reason)
    if (signal.aborted) leave()
    signal.addEventListener('abort', leave, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
  })
}
