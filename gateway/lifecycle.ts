/** What was started, to be stopped in reverse order: all of it, also when stopping one thing fails. */
export interface Lifecycle {
  /** Remembers how to stop what has just started. */
  started(stop: () => Promise<unknown> | unknown): void
  /** Rejects with the first failure, after everything was stopped. A second call does nothing. */
  stop(): Promise<void>
}

export function createLifecycle(): Lifecycle {
  const stops: (() => Promise<unknown> | unknown)[] = []
  return {
    started: (stop) => void stops.push(stop),
    async stop() {
      const failures: unknown[] = []
      for (const stop of stops.splice(0).reverse()) {
        try {
          await stop()
        } catch (error) {
          failures.push(error)
        }
      }
      if (failures.length > 0) throw failures[0]
    },
  }
}
