/**
 * The composition root alone decides how the process ends. The embedded PostgreSQL brings an exit hook that would stop the store
 * while sessions are still being closed into it, turn a failed start into exit code 0, and at the very end fail itself. Call this
 * once all is imported.
 */
export function ownProcessEnd(): void {
  for (const event of ['SIGINT', 'SIGTERM', 'SIGHUP', 'beforeExit', 'exit']) process.removeAllListeners(event)
}

/** Runs `close` on the first signal, and ends the process after it. */
export function onStop(close: () => Promise<void>): void {
  let stopping = false
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (stopping) return
      stopping = true
      const timer = setTimeout(() => {
        process.stderr.write('sallyport: stopping took longer than 20 s; leaving now\n')
        process.exit(1)
      }, 20_000)
      timer.unref()
      close().then(
        () => process.exit(0),
        (error: unknown) => {
          process.stderr.write(`sallyport: ${error instanceof Error ? error.message : String(error)}\n`)
          process.exit(1)
        },
      )
    })
  }
}
