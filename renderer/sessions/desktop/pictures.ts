import type { RecordingEvent } from '../../../shared/recording.ts'
import type { RpcClient } from '../../rpc/client.ts'
import type { Stretch } from './keyframes.ts'

export type DesktopEvent = Extract<RecordingEvent, { type: 'frame' | 'desktop' | 'input' }>

/** So many stretches of pictures are kept: a jump back by some seconds asks for nothing. */
const kept = 12
const pageEvents = 500
/** A stretch is 10 s; one whose end is not known yet is read no further than this many events. */
const mostEvents = 5_000

/** Reads stretches of a recording, each once while it is kept. */
export class Pictures {
  readonly #client: RpcClient
  readonly #id: string
  readonly #known = new Map<string, Promise<readonly DesktopEvent[]>>()

  constructor(client: RpcClient, id: string) {
    this.#client = client
    this.#id = id
  }

  stretch({ start, end }: Stretch): Promise<readonly DesktopEvent[]> {
    const key = `${start.after}-${end ?? ''}`
    const known = this.#known.get(key) ?? this.#read(start.after, end)
    // Used last, dropped last. One that failed is asked for again.
    this.#known.delete(key)
    this.#known.set(key, known)
    known.catch(() => this.#known.delete(key))
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= kept) break
      this.#known.delete(oldest)
    }
    // The last stretch of a live recording grows.
    if (end === undefined) this.#known.delete(key)
    return known
  }

  async #read(from: number, end: number | undefined): Promise<readonly DesktopEvent[]> {
    const to = end ?? from + mostEvents
    const events: DesktopEvent[] = []
    let after = from
    while (after < to) {
      const limit = Math.min(pageEvents, to - after)
      const page = await this.#client.gateway.recordings.read({ id: this.#id, after, limit })
      for (const event of page.events) {
        if (event.type === 'frame' && event.key && events.some((e) => e.type === 'frame') && end === undefined) {
          return events
        }
        if (event.type === 'frame' || event.type === 'desktop' || event.type === 'input') events.push(event)
      }
      if (page.next === undefined || page.events.length === 0) break
      after = page.next
    }
    return events
  }
}
