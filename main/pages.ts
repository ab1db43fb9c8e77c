/** How long a page may be without its link before what it had opened is closed: it comes back by itself within seconds. */
const graceMs = 10_000

/**
 * The pages that are open, by the name that each has given itself. One that goes without a word (reloaded, closed, crashed) can't close
 * what it had opened; a transaction that nobody sees any more would go on holding its locks.
 */
export class Pages {
  private readonly links = new Map<string, number>()
  private readonly leaving = new Map<string, NodeJS.Timeout>()
  private readonly gone: (page: string) => void

  constructor(gone: (page: string) => void) {
    this.gone = gone
  }

  /** Runs for as long as the page is linked. Its one value says that it is known. */
  async *stay(page: string, signal: AbortSignal | undefined): AsyncGenerator<true, void, void> {
    this.enter(page)
    try {
      yield true
      if (signal?.aborted !== true) {
        await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }))
      }
    } finally {
      this.leave(page)
    }
  }

  /** Nobody is waited for any more. */
  end(): void {
    for (const timer of this.leaving.values()) clearTimeout(timer)
    this.leaving.clear()
  }

  private enter(page: string): void {
    clearTimeout(this.leaving.get(page))
    this.leaving.delete(page)
    this.links.set(page, (this.links.get(page) ?? 0) + 1)
  }

  private leave(page: string): void {
    const left = (this.links.get(page) ?? 1) - 1
    if (left > 0) {
      this.links.set(page, left)
      return
    }
    this.links.delete(page)
    const timer = setTimeout(() => {
      this.leaving.delete(page)
      this.gone(page)
    }, graceMs)
    this.leaving.set(page, timer.unref())
  }
}
