import { AsyncIteratorClass, withEventMeta } from '@orpc/server'
import type { AccessRequest, GatewayEvent, Session } from '../../shared/api/models.ts'
import { api, type Caller } from '../api/context.ts'
import { type GrantBook, toGrant } from '../grants/grants.ts'
import type { Requests } from '../requests/requests.ts'
import type { Sessions } from '../sessions/registry.ts'
import type { Standing } from '../sessions/standing.ts'
import type { SessionView } from '../sessions/view.ts'
import type { Events, StoredEvent } from './events.ts'

export interface EventsRouterDeps {
  events: Events
  requests: Requests
  grants: GrantBook
  view: SessionView
  sessions: Pick<Sessions, 'onEndFor'>
  standing: Pick<Standing, 'enter'>
  /** Aborts when the gateway stops. */
  stopping: AbortSignal
}

/** Who was away for more events than this reads anew what it needs, as the greeting tells every client to, and is not told each. */
const longestReplay = 2_000
/** A stream is ended after this long: the client comes back with a fresh token and its last id. */
const longestMs = 9 * 60_000
const keptSnapshots = 50
/** Streams of one person, or machine: each window of a client has one. Every event is made for each of them. */
const mostStreams = 32

export function eventsRouter(deps: EventsRouterDeps) {
  const requests = new Snapshots((id) => deps.requests.snapshot(id))
  const sessions = new Snapshots((id) => deps.view.snapshot(id))
  const streams = new Places(mostStreams)
  return api.events.handler(({ context: { caller }, lastEventId, signal, errors }) => {
    const { principal, tokenId, signInEndsAt } = caller
    const place = streams.take(principal.id)
    if (place === undefined) {
      const message = `You follow what happens here ${mostStreams} times already. Close clients that you no longer use, then try again.`
      throw errors.CONFLICT({ message })
    }
    const left = new AbortController()
    const leave = () => left.abort()
    const forget = deps.sessions.onEndFor((who) => {
      const mine = 'principalId' in who ? who.principalId === principal.id : who.accessTokenId === tokenId
      if (mine) leave()
    })
    const out = deps.standing.enter({ principal, signIn: tokenId, leave })
    const longest = Math.max(0, Math.min(longestMs, Date.parse(signInEndsAt) - Date.now()))
    const ends = [left.signal, deps.stopping, AbortSignal.timeout(longest), ...(signal === undefined ? [] : [signal])]
    const end = AbortSignal.any(ends)
    // Whatever becomes of the answer, this comes in the end.
    const over = () => {
      forget()
      out()
      place.leave()
    }
    if (end.aborted) over()
    else end.addEventListener('abort', over, { once: true })
    const events = stream({ ...deps, snapshots: { requests, sessions } }, caller, lastEventId, end)
    // A generator that waits for an event hears of no `return`: who leaves would be waited for until the next one.
    return new AsyncIteratorClass(
      () => events.next(),
      async () => leave(),
    )
  })
}

/** So many at once for each person. */
class Places {
  readonly #most: number
  readonly #taken = new Map<string, number>()

  constructor(most: number) {
    this.#most = most
  }

  /** Undefined: all are taken. */
  take(who: string): { leave(): void } | undefined {
    const taken = this.#taken.get(who) ?? 0
    if (taken >= this.#most) return undefined
    this.#taken.set(who, taken + 1)
    return {
      leave: () => {
        const rest = (this.#taken.get(who) ?? 1) - 1
        if (rest > 0) this.#taken.set(who, rest)
        else this.#taken.delete(who)
      },
    }
  }
}

/** Something as it was after an event, read once for all streams that tell of it. */
class Snapshots<T> {
  readonly #read: (id: string) => Promise<T>
  readonly #kept = new Map<number, Promise<T>>()

  constructor(read: (id: string) => Promise<T>) {
    this.#read = read
  }

  of(event: number, id: string): Promise<T> {
    let snapshot = this.#kept.get(event)
    if (snapshot === undefined) {
      snapshot = this.#read(id)
      this.#kept.set(event, snapshot)
      // A failure is the stream's that met it; the next one reads again.
      snapshot.catch(() => this.#kept.delete(event))
      const [oldest] = this.#kept.keys()
      if (this.#kept.size > keptSnapshots && oldest !== undefined) this.#kept.delete(oldest)
    }
    return snapshot
  }
}

type Shown<T> = Snapshots<(caller: Caller) => T | undefined>
type StreamDeps = EventsRouterDeps & { snapshots: { requests: Shown<AccessRequest>; sessions: Shown<Session> } }

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
  const from = lastEventId !== undefined && Number.isSafeInteger(last) ? Math.min(last, newest) : newest
  const cursor = Math.max(from, newest - longestReplay)
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
  { snapshots, grants }: StreamDeps,
  caller: Caller,
  { id: number, payload }: StoredEvent,
): Promise<GatewayEvent | undefined> {
  const id = String(number)
  switch (payload.type) {
    case 'request': {
      const request = (await snapshots.requests.of(number, payload.id))(caller)
      return request && { type: 'request', id, request }
    }
    case 'grant': {
      const row = await grants.find(payload.id)
      return row && { type: 'grant', id, grant: toGrant(row), state: payload.state }
    }
    case 'session': {
      const session = (await snapshots.sessions.of(number, payload.id))(caller)
      return session && { type: 'session', id, session }
    }
    case 'policy':
      return { type: 'policy', id, version: payload.version }
  }
}
