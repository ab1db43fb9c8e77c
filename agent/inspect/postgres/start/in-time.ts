/** `work`, unless `signal` fires first. */
export function inTime<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = (): void => reject(signal.reason)
    signal.addEventListener('abort', late, { once: true })
    if (signal.aborted) late()
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', late))
  })
}

/** An error that says that nothing came in time. */
export function isLate(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return error.name === 'TimeoutError' || (error.name === 'AbortError' && isLate(error.cause))
}

/** What is to be done in time, one phase after the other: one signal for all of them, and a timer for the one under way. */
export class Phases {
  readonly #aborter = new AbortController()
  #timer: NodeJS.Timeout | undefined

  /** The signal fires when it takes longer, or is aborted. */
  begin(ms: number): AbortSignal {
    const late = (): void => this.#aborter.abort(new DOMException('it took too long', 'TimeoutError'))
    this.#timer = setTimeout(late, ms).unref()
    return this.#aborter.signal
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** Ends the one under way, if one is. */
  abort(reason: string): void {
    if (this.#timer !== undefined) this.#aborter.abort(new Error(reason))
    this.end()
  }
}
