/** A value of a stream, and when it came (Date.now()). */
export interface Came<T> {
  value: T
  at: number
}

/**
 * A stream for something that draws: what comes at once or between two frames comes together, so that a burst is drawn once and
 * leaves the page time for what it has to show. The first is not waited for. Ends, and fails, as `source` does, after all that came before.
 */
export async function* byFrame<T>(
  source: AsyncIterable<T>,
  nextFrame: () => Promise<unknown> = frame,
): AsyncGenerator<readonly Came<T>[], void> {
  const values = source[Symbol.asyncIterator]()
  let came: Came<T>[] = []
  let wake = () => {}
  let end: { error?: unknown } | undefined
  const collect = async (): Promise<void> => {
    try {
      for (let next = await values.next(); next.done !== true; next = await values.next()) {
        came.push({ value: next.value, at: Date.now() })
        wake()
      }
      end = {}
    } catch (error) {
      end = { error }
    }
    wake()
  }
  void collect()
  try {
    while (true) {
      if (came.length > 0) {
        const group = came
        came = []
        yield group
        await nextFrame()
      } else if (end === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      } else if ('error' in end) throw end.error
      else return
    }
  } finally {
    // Whoever stops reading early stops the stream.
    if (end === undefined) await values.return?.()
  }
}

/** Longest wait for a frame, in milliseconds: a window that nobody sees draws none. */
const longest = 50

/** Resolves with the next frame, or when that has been long in coming. */
export function frame(): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, longest)
    requestAnimationFrame(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}
