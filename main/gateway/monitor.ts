import type { LinkState } from '../../shared/rpc/contract.ts'
import { Watched } from '../watched.ts'
import { pause } from './events.ts'

const everyMs = 10_000
const timeoutMs = 8_000
const samples = 5

/** Whether the gateway answers, and how fast. Watches one gateway at a time. */
export class LinkMonitor {
  readonly state = new Watched<LinkState>({ state: 'up', since: new Date().toISOString() })
  private watching: AbortController | undefined
  private waiting = new AbortController()

  /** Watches this gateway from now on; undefined: none. */
  watch(gateway: string | undefined): void {
    this.watching?.abort()
    this.watching = undefined
    if (gateway === undefined) return
    const abort = new AbortController()
    this.watching = abort
    void this.loop(gateway, abort.signal)
  }

  /** Looks at once: something else has seen the gateway go, or somebody wants to know whether it is back. */
  look(): void {
    this.waiting.abort()
  }

  /** Resolves when the gateway, which did not answer, does again; or when `signal` aborts. */
  async back(signal: AbortSignal): Promise<void> {
    let before = this.state.get().state
    for await (const { state } of this.state.watch(signal)) {
      if (before === 'down' && state === 'up') return
      before = state
    }
  }

  private async loop(gateway: string, signal: AbortSignal): Promise<void> {
    let trips: number[] = []
    while (!signal.aborted) {
      this.waiting = new AbortController()
      const ms = await roundTrip(gateway, signal)
      if (signal.aborted) return
      trips = ms === undefined ? [] : [...trips, ms].slice(-samples)
      this.tell(ms === undefined ? 'down' : 'up', median(trips))
      await pause(everyMs, AbortSignal.any([signal, this.waiting.signal]))
    }
  }

  private tell(state: LinkState['state'], latencyMs: number | undefined): void {
    const before = this.state.get()
    const since = before.state === state ? before.since : new Date().toISOString()
    this.state.set({ state, since, ...(latencyMs === undefined ? {} : { latencyMs }) })
  }
}

/** Milliseconds of one round trip; undefined when the gateway did not answer well. */
async function roundTrip(gateway: string, signal: AbortSignal): Promise<number | undefined> {
  const started = performance.now()
  try {
    const timeout = AbortSignal.timeout(timeoutMs)
    const response = await fetch(`${gateway}/healthz`, {
      signal: AbortSignal.any([signal, timeout]),
      redirect: 'error',
    })
    await response.arrayBuffer()
    return response.ok ? performance.now() - started : undefined
  } catch {
    // Why it can't be reached is told where something is asked of it; here only that it can't.
    return undefined
  }
}

function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted[sorted.length >> 1]
  return middle === undefined ? undefined : Math.round(middle * 10) / 10
}
