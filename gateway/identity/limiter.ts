/**
 * Slows down guessing: so many events per key and window, then no more until the window is over.
 * In memory: each replica counts for itself, which multiplies the limit by the number of replicas and no more.
 */
export interface Limiter {
  /** Seconds to wait; 0 when there is room. */
  wait(key: string): number
  count(key: string): void
}

/** More keys than this are never held: an attacker with many addresses must not fill the memory. */
const maxKeys = 10_000

export function createLimiter(limit: number, windowSeconds: number, now: () => number = Date.now): Limiter {
  const windows = new Map<string, { count: number; endsAt: number }>()

  const current = (key: string) => {
    const window = windows.get(key)
    if (window === undefined || window.endsAt > now()) return window
    windows.delete(key)
    return undefined
  }

  return {
    wait(key) {
      const window = current(key)
      return window === undefined || window.count < limit ? 0 : Math.max(1, Math.ceil((window.endsAt - now()) / 1000))
    },
    count(key) {
      const window = current(key)
      if (window !== undefined) {
        window.count += 1
        return
      }
      if (windows.size >= maxKeys) {
        const oldest = windows.keys().next()
        if (!oldest.done) windows.delete(oldest.value)
      }
      windows.set(key, { count: 1, endsAt: now() + windowSeconds * 1000 })
    },
  }
}
