import { AsyncIteratorClass, withEventMeta } from '@orpc/server'
import type { GatewayEvent } from '../../shared/api/models.ts'
import { api, type Caller } from '../api/context.ts'
import { type GrantBook, toGrant } from '../grants/grants.ts'
import type { Requests } from '../requests/requests.ts'
import type { Sessions } from '../sessions/registry.ts'
import type { SessionView } from '../sessions/view.ts'
import type { Events, StoredEvent } from './events.ts'

export interface EventsRouterDeps {
  events: Events
  requests: Requests
  grants: GrantBook
  view: SessionView
  sessions: Pick<Sessions, 'onEndFor'>
  /** Aborts when the gateway stops. */
  stopping: AbortSignal
}

/** A stream is ended after this long: the client comes back with a fresh token and its last id. */
const longestMs = 9 * 60_000
const keptSnapshots = 50

export function eventsRouter(deps: EventsRouterDeps) {
  const snapshots = new Snapshots(deps.requests)
  return api.events.handler(({ context: { caller }, lastEventId, signal }) => {
    const left = new AbortController()
    const forget = deps.sessions.onEndFor((who) => {
      const mine = 'principalId' in who ? who.principalId === caller.principal.id : who.accessTokenId === caller.tokenId
      if (mine) left.abort()
    })
    const ends = [left.signal, deps.stopping, AbortSignal.timeout(longestMs), ...(signal === undefined ? [] : [signal])]
    const events = stream({ ...deps, snapshots }, caller, lastEventId, AbortSignal.any(ends))
    // A generator that waits for an event hears of no `return`: who leaves would be waited for until the next one.
    return new AsyncIteratorClass(
      () => events.next(),
      async () => {
        left.abort()
        forget()
      },
    )
  })
}

/** Requests as they were after an event, read once for all streams that tell of it. */
class Snapshots {
  readonly #requests: Pick<Requests, 'snapshot'>
  readonly #kept = new Map<number, ReturnType<Requests['snapshot']>>()

  constructor(requests: Pick<Requests, 'snapshot'>) {
    this.#requests = requests
  }

  of(event: number, id: string): ReturnType<Requests['snapshot']> {
    let snapshot = this.#kept.get(event)
    if (snapshot === undefined) {
      snapshot = this.#requests.snapshot(id)
      this.#kept.set(event, snapshot)
      // A failure is the stream's that met it; the next one reads again.
      snapshot.catch(() => this.#kept.delete(event))
      const [oldest] = this.#kept.keys()
      if (this.#kept.size > keptSnapshots && oldest !== undefined) this.#kept.delete(oldest)
    }
    return snapshot
  }
}

type StreamDeps = EventsRouterDeps & { snapshots: Snapshots }

async function* stream(
  deps: StreamDeps,
  caller: Caller,
  lastEventId: string | undefined,
  end: AbortSignal,
): AsyncGenerator<GatewayEvent, void, undefined> {
  const { events } = deps
  const last = Number(lastEventId)
  const newest = await events.newest()
  // An id from before the store was made anew lies ahead of it.
  const cursor = lastEventId !== undefined && Number.isSafeInteger(last) ? Math.min(last, newest) : newest
  const id = String(cursor)
  yield withEventMeta({ type: 'hello', id }, { id })
  for await (const event of events.follow(cursor, end)) {
    const shown = concerns(caller, event) ? await render(deps, caller, event) : undefined
    if (shown !== undefined) yield withEventMeta(shown, { id: shown.id })
  }
}

/** The coarse filter; `render` asks whether they may see it. */
function concerns({ principal }: Caller, { audience }: StoredEvent): boolean {
  return (
    audience.everyone ||
    audience.sessionsOn !== undefined ||
    audience.principals.includes(principal.id) ||
    audience.groups.some((group) => principal.groups.includes(group))
  )
}

async function render(
  { snapshots, grants, view }: StreamDeps,
  caller: Caller,
  { id: number, payload }: StoredEvent,
): Promise<GatewayEvent | undefined> {
  const id = String(number)
  switch (payload.type) {
    case 'request': {
      const request = (await snapshots.of(number, payload.id))(caller)
      return request && { type: 'request', id, request }
    }
    case 'grant': {
      const row = await grants.find(payload.id)
      return row && { type: 'grant', id, grant: toGrant(row), state: payload.state }
    }
    case 'session': {
      const session = await view.find(caller, payload.id)
      return session && { type: 'session', id, session }
    }
    case 'policy':
      return { type: 'policy', id, version: payload.version }
  }
}
