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
