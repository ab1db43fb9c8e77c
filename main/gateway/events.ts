import { setTimeout as sleep } from 'node:timers/promises'
import type { GatewayEvent } from '../../shared/api/models.ts'
import { messageOf } from '../problem.ts'
import type { ApiClient } from './client.ts'

const firstDelayMs = 1_000
const longestDelayMs = 30_000

/**
 * Follows the gateway's events until `signal` aborts: resumes after the last one that was seen, and after a failure waits 1 s, then
 * twice as long each time up to 30 s, so that a gateway that comes back is not met by all its clients at once. `back` resolves, when
 * asked, as soon as the gateway is seen to answer again: nobody whose window says so waits longer for what happened meanwhile.
 */
export async function followEvents(
  api: ApiClient,
  onEvent: (event: GatewayEvent) => void,
  log: (message: string) => void,
  signal: AbortSignal,
  back: (signal: AbortSignal) => Promise<void> = () => new Promise(() => {}),
): Promise<void> {
  let lastEventId: string | undefined
  let delay = firstDelayMs
  while (!signal.aborted) {
    try {
      const events = await api.events(undefined, { signal, ...(lastEventId === undefined ? {} : { lastEventId }) })
      for await (const event of events) {
        delay = firstDelayMs
        lastEventId = event.id
        onEvent(event)
      }
    } catch (error) {
      if (signal.aborted) return
      log(`gateway events: ${messageOf(error)}; again in ${Math.round(delay / 1000)} s`)
    }
    const waited = new AbortController()
    const either = AbortSignal.any([signal, waited.signal])
    await Promise.race([pause(delay / 2 + (Math.random() * delay) / 2, either), back(either)])
    waited.abort()
    delay = Math.min(delay * 2, longestDelayMs)
  }
}

/** Waits, or returns early when aborted. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
