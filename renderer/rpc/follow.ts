import { isAbort } from './problem.ts'

const longestDelay = 5_000

/**
 * Reads an event stream and opens it again when it ends or breaks, until `signal` is aborted. Waits 0.25 s, then longer, between
 * attempts. Only for streams that begin with the current state or can be read late; a run of statements is never followed this way.
 */
export async function follow<T>(
  open: (signal: AbortSignal) => Promise<AsyncIterable<T>>,
  onEvent: (event: T) => void,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      for await (const event of await open(signal)) {
        attempt = 0
        onEvent(event)
      }
    } catch (error) {
      if (isAbort(error, signal)) return
      console.warn('A stream of the client core broke and is opened again.', error)
    }
    await pause(Math.min(longestDelay, 250 * 2 ** attempt), signal)
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const timer = setTimeout(done, ms)
    function done() {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    signal.addEventListener('abort', done, { once: true })
  })
}
