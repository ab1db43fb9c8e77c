import { performance } from 'node:perf_hooks'
import { mock } from 'node:test'

/**
 * Runs `act` in a time of its own, so that what comes out is the same on a machine of any speed: each look at the clock is a
 * millisecond after the one before it, and timers go off when all is over. One at a time.
 */
export async function inItsOwnTime<T>(act: () => Promise<T>): Promise<T> {
  const real = performance.now
  let now = 0
  performance.now = () => now++
  mock.timers.enable({ apis: ['setTimeout'] })
  try {
    const result = await act()
    mock.timers.runAll()
    return result
  } finally {
    mock.timers.reset()
    performance.now = real
  }
}
