import type { QueryClient } from '@tanstack/react-query'
import type { GatewayEvent } from '../../shared/api/models.ts'
import type { DeepLink, Endpoint, LinkState, Settings } from '../../shared/rpc/contract.ts'
import { type Auth, nextAuth } from './auth.ts'
import type { RpcClient, RpcQueries } from './client.ts'
import { follow } from './follow.ts'
import { pageId } from './page-id.ts'
import { createStore, type Store } from './store.ts'

type Reader<T> = Pick<Store<T>, 'get' | 'subscribe'>

/** What the core tells without being asked, for as long as the page is open. */
export interface Live {
  auth: Reader<Auth | undefined>
  link: Reader<LinkState | undefined>
  settings: Reader<Settings | undefined>
  /** Saves what changed; the answer becomes the settings everywhere. */
  saveSettings(change: Partial<Settings>): Promise<void>
  /** Drafts as they were saved last, by this page or before it. */
  drafts(): unknown
  /** They are no part of what draws the page again when settings change. */
  saveDrafts(drafts: unknown): Promise<void>
  /** Calls back on every event of the gateway; returns how to stop. */
  onEvent(listener: (event: GatewayEvent) => void): () => void
  onDeepLink(listener: (link: DeepLink) => void): () => void
}

/** Starts to follow the core's streams; everything ends with `signal`. */
export function startLive(client: RpcClient, queries: RpcQueries, cache: QueryClient, signal: AbortSignal): Live {
  const auth = createStore<Auth | undefined>(undefined)
  const link = createStore<LinkState | undefined>(undefined)
  const settings = createStore<Settings | undefined>(undefined)
  const events = new Set<(event: GatewayEvent) => void>()
  const deepLinks = new Set<(link: DeepLink) => void>()
  const early: DeepLink[] = []
  let saves = 0

  void follow(
    (s) => client.auth.state(undefined, { signal: s }),
    (next) => {
      const known = auth.get()?.state === 'signed-in'
      auth.update((before) => nextAuth(before, next))
      // The first thing that is shown: asked for while what shows it loads. A failure is told there.
      if (!known && next.state === 'signed-in')
        void cache.prefetchQuery(queries.gateway.connections.list.queryOptions())
    },
    signal,
  )
  void follow(
    (s) => client.app.stay({ page: pageId }, { signal: s }),
    () => {},
    signal,
  )
  void follow((s) => client.app.link(undefined, { signal: s }), link.set, signal)
  void follow(
    (s) => client.app.deepLinks(undefined, { signal: s }),
    (to) => {
      if (deepLinks.size === 0) early.push(to)
      for (const listener of deepLinks) listener(to)
    },
    signal,
  )
  followWhileSignedIn(auth, signal, (s) =>
    follow(
      (t) => client.events(undefined, { signal: t }),
      (event) => {
        refresh(queries, cache, event)
        for (const listener of [...events]) listener(event)
      },
      s,
    ),
  )
  followWhileSignedIn(auth, signal, (s) =>
    follow(
      (t) => client.endpoints.changes(undefined, { signal: t }),
      (changed) => {
        cache.setQueryData<Endpoint[]>(queries.endpoints.list.queryKey(), (list) =>
          list?.map((endpoint) => (endpoint.connection === changed.connection ? changed : endpoint)),
        )
      },
      s,
    ),
  )
  let drafts: unknown
  const read = (saved: Settings) => {
    drafts = saved.workspace
    settings.set(saved)
  }
  client.app.settings().then(read, (error: unknown) => console.error('Settings could not be read.', error))

  return {
    auth,
    link,
    settings,
    saveSettings: async (change) => {
      const before = settings.get()
      if (before !== undefined) settings.set({ ...before, ...change })
      saves += 1
      const mine = saves
      const saved = await client.app.saveSettings(change)
      // Another change has been made meanwhile: its answer has both.
      if (mine === saves) settings.set(saved)
    },
    drafts: () => drafts,
    saveDrafts: async (next) => {
      drafts = next
      await client.app.saveDrafts({ drafts: next })
    },
    onEvent: (listener) => {
      events.add(listener)
      return () => events.delete(listener)
    },
    onDeepLink: (listener) => {
      deepLinks.add(listener)
      for (const to of early.splice(0)) listener(to)
      return () => deepLinks.delete(listener)
    },
  }
}

/** Runs `start` while somebody is signed in, with a signal that ends with the sign-in. */
function followWhileSignedIn(
  auth: Reader<Auth | undefined>,
  signal: AbortSignal,
  start: (signal: AbortSignal) => Promise<void>,
) {
  let current: AbortController | undefined
  const check = () => {
    const signedIn = auth.get()?.state === 'signed-in' && !signal.aborted
    if (signedIn && current === undefined) {
      current = new AbortController()
      void start(current.signal)
    } else if (!signedIn) {
      current?.abort()
      current = undefined
    }
  }
  auth.subscribe(check)
  signal.addEventListener('abort', check)
  check()
}

/** Puts what an event says into the cache, or has it asked for again. */
function refresh(queries: RpcQueries, cache: QueryClient, event: GatewayEvent): void {
  const { gateway } = queries
  switch (event.type) {
    case 'hello':
      // First connection or a new one: anything may have been missed.
      void cache.invalidateQueries({ queryKey: gateway.key() })
      return
    case 'request':
      // Who may review differs from reader to reader, so it is asked for again.
      void cache.invalidateQueries({ queryKey: gateway.requests.key() })
      return
    case 'grant':
      void cache.invalidateQueries({ queryKey: gateway.grants.list.key() })
      void cache.invalidateQueries({ queryKey: gateway.connections.key() })
      return
    case 'session':
      void cache.invalidateQueries({ queryKey: gateway.sessions.key() })
      return
    case 'policy':
      void cache.invalidateQueries({ queryKey: gateway.connections.key() })
      return
    default:
      event satisfies never
  }
}
