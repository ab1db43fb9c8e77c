/**
 * The composition root alone decides what a signal does: libraries below (the embedded PostgreSQL's exit hook) would
 * stop the store while sessions are still being closed into it.
 */
export function onStop(close: () => Promise<void>): void {
  let stopping = false
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.removeAllListeners(signal)
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
