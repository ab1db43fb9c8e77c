import '@mantine/core/styles/Modal.css'
import './palette.css'
import { createSpotlight, Spotlight } from '@mantine/spotlight'
import { useQueries, useQuery } from '@tanstack/react-query'
import { type KeyboardEvent, useEffect, useState } from 'react'
import type { Session } from '../../shared/api/models.ts'
import { Chord } from '../actions/chord.tsx'
import { actionIds, actionOf } from '../actions/table.ts'
import { useBindings } from '../actions/use-actions.ts'
import { copyText } from '../decisions/copy.ts'
import { EnvTag } from '../decisions/environment.tsx'
import { Icon } from '../decisions/icon.tsx'
import { keyParts, matches } from '../decisions/keys.ts'
import { when } from '../decisions/time.ts'
import { counted } from '../decisions/words.ts'
import { useDesk, useNavigation } from '../frame/desk.tsx'
import { useFocusBack } from '../frame/use-focus-back.ts'
import { useOpenInSplit } from '../frame/use-open-in-split.ts'
import { useRequests } from '../frame/waiting.ts'
import { useAuth, usePlatform, useRpc, useSettings } from '../rpc/context.tsx'
import { useStore } from '../rpc/store.ts'
import { useEndpoint } from '../settings/endpoints.ts'
import { useConnections } from '../sidebar/connections.ts'
import { selectFrom } from '../sidebar/select-from.ts'
import { useOpenSaved } from '../sidebar/use-saved.ts'
import { commandIcon } from './command-icons.ts'
import { Details } from './details.tsx'
import { highlight, type Item, nearest, type Sources, search } from './items.ts'
import { useSearchWords } from './use-search-words.ts'

/** Go anywhere, do anything, by name. */
export default function Palette() {
  const go = useNavigation()
  const { os } = usePlatform()
  const openInSplit = useOpenInSplit()
  const openSaved = useOpenSaved()
  const [store] = useState(openedStore)
  useFocusBack()
  const { query: typed } = useDesk()
  const query = useStore(typed)
  const sources = useSources()
  const searchWords = useSearchWords()
  const groups = search(query, sources)
  const items = groups.flatMap((group) => group.items)
  const [list, setList] = useState<HTMLDivElement | null>(null)
  const [hovered, setHovered] = useState<string | undefined>(undefined)
  const shown = items.find((item) => item.id === hovered) ?? items[0]
  const connection = shown === undefined || !('connection' in shown) ? undefined : shown.connection
  const endpoint = useEndpoint(connection?.name)
  useEffect(() => {
    if (list === null) return
    // Spotlight marks the line that the arrow keys are on by an attribute alone.
    const observer = new MutationObserver(() => {
      setHovered(list.querySelector<HTMLElement>('[data-selected]')?.dataset.item)
    })
    observer.observe(list, { attributes: true, subtree: true, attributeFilter: ['data-selected'] })
    return () => observer.disconnect()
  }, [list])
  const any = items.length > 0
  useEffect(() => {
    // Enter does what the first line says before anything is typed, too.
    if (!any || list === null || list.querySelector('[data-selected]') !== null) return
    list.querySelector('[data-action]')?.setAttribute('data-selected', 'true')
    store.updateState((state) => ({ ...state, selected: 0 }))
  }, [list, any, store])
  const act = (item: Item) => {
    go.palette(false)
    switch (item.kind) {
      case 'connection':
        go.connection(item.connection)
        return
      case 'table':
        go.connection(item.connection, { fresh: true, text: selectFrom(item.table.schema, item.table.name) })
        return
      case 'request':
        go.request(item.request.id, item.request.canReview ? 'review' : 'mine')
        return
      case 'session':
        go.session(item.session.id)
        return
      case 'saved':
        // Without a database to open it on, it is shown where it says so.
        if (!openSaved(item.saved)) go.saved()
        return
      case 'statement': {
        const on = sources.connections.find(({ name }) => name === item.ran.connection)
        if (on !== undefined) go.connection(on, { fresh: true, text: `${item.ran.text}\n` })
        return
      }
      case 'command':
        // After the palette has given the focus back to what the command is about.
        requestAnimationFrame(() => item.run())
        return
      default:
        item satisfies never
    }
  }
  const ask = () => connection && go.compose({ connection: connection.name })
  const copy = () => {
    if (endpoint === undefined || !endpoint.open) return
    copyText(`${endpoint.host}:${endpoint.port}`)
    go.palette(false)
  }
  const split = () => {
    if (connection === undefined || shown === undefined) return
    openInSplit(() => act(shown))
  }
  const press = (event: KeyboardEvent) => {
    const does = (
      [
        ['Mod+Enter', split],
        ['Alt+Enter', ask],
      ] as const
    ).find(([keys]) => matches(keys, event.nativeEvent, os))
    const copies = matches('Mod+C', event.nativeEvent, os) && (getSelection()?.toString() ?? '') === ''
    const run = does?.[1] ?? (copies && endpoint?.open ? copy : undefined)
    if (run === undefined) return
    event.preventDefault()
    event.stopPropagation()
    run()
  }
  return (
    <Spotlight.Root
      onKeyDownCapture={press}
      store={store}
      shortcut={null}
      query={query}
      onQueryChange={typed.set}
      onSpotlightClose={() => go.palette(false)}
      closeOnActionTrigger={false}
      centered={false}
      size={800}
      radius={10}
      yOffset={84}
      zIndex={50}
      transitionProps={{ duration: 0 }}
      overlayProps={{ className: 'scrim', backgroundOpacity: 0 }}
      classNames={{ content: 'pal', body: 'pal__body', inner: 'pal__inner' }}
      aria-label="Command palette"
    >
      <div className="pal__in">
        <Icon name="search" size={18} />
        <Spotlight.Search
          unstyled
          classNames={{ input: 'pal__q', wrapper: 'pal__w0' }}
          placeholder={searchWords}
          aria-label="Search"
        />
        <span className="right row xs t3 row--6" aria-hidden="true">
          <kbd className="kbd">&gt;</kbd>commands
          <kbd className="kbd">@</kbd>tables
          <kbd className="kbd">#</kbd>requests
        </span>
      </div>
      <div className="pal__b" ref={setList}>
        <Spotlight.ActionsList className="pal__l scroll">
          {groups.map((group) => (
            <section key={group.title} aria-label={group.title}>
              <h2 className="pal__h">{group.title}</h2>
              {group.items.map((item) => (
                <Spotlight.Action
                  key={item.id}
                  className={item.kind === 'connection' && item.connection.access === 'locked' ? 'pi is-lock' : 'pi'}
                  data-item={item.id}
                  onClick={() => act(item)}
                  // Not on entering: what comes to lie under a pointer that rests was not pointed at.
                  onMouseMove={() => setHovered(item.id)}
                  onFocus={() => setHovered(item.id)}
                >
                  <Line item={item} query={query} />
                </Spotlight.Action>
              ))}
            </section>
          ))}
          {items.length === 0 && <p className="pal__none t2">Nothing is called that.</p>}
        </Spotlight.ActionsList>
        <Details item={shown} />
      </div>
      <div className="pal__f" aria-hidden="true">
        <Hint keys={['↑', '↓']}>Move</Hint>
        <Hint keys={keyParts('Enter', os)}>{enterWords(shown)}</Hint>
        {connection && connection.access === 'open' && <Hint keys={keyParts('Mod+Enter', os)}>Open in split</Hint>}
        {connection && <Hint keys={keyParts('Alt+Enter', os)}>Request access</Hint>}
        <span className="right row row--12">
          {endpoint?.open && <Hint keys={keyParts('Mod+C', os)}>Copy local address</Hint>}
          <Hint keys={['Esc']}>Close</Hint>
        </span>
      </div>
    </Spotlight.Root>
  )
}

/** Keys and what they do here. */
function Hint({ keys, children }: { keys: readonly string[]; children: string }) {
  return (
    <span className="pal__k">
      {keys.map((key) => (
        <kbd className="kbd" key={key}>
          {key}
        </kbd>
      ))}
      <span>{children}</span>
    </span>
  )
}

function enterWords(item: Item | undefined): string {
  switch (item?.kind) {
    case undefined:
    case 'command':
      return 'Do'
    case 'connection':
      return item.connection.access === 'locked' ? 'Request access' : 'Open'
    case 'table':
      return 'Query it'
    case 'saved':
    case 'statement':
      return 'Open in a tab'
    case 'request':
      return 'Open'
    case 'session':
      return 'Replay'
    default:
      return item satisfies never
  }
}

function Line({ item, query }: { item: Item; query: string }) {
  const { workspace } = useDesk()
  const open = useStore(workspace.state).documents
  return (
    <>
      <Icon name={item.icon} />
      <span className={item.kind === 'statement' ? 'pi__n mono trunc' : 'pi__n trunc'}>
        {highlight(item.label, query).map((part, i) =>
          // biome-ignore lint/suspicious/noArrayIndexKey: parts of a fixed text
          part.hit ? <em key={i}>{part.text}</em> : <span key={i}>{part.text}</span>,
        )}
      </span>
      {item.kind === 'statement' && <span className="pi__s">{item.ran.connection}</span>}
      {item.kind === 'table' && <span className="pi__s trunc">{item.connection.name}</span>}
      <span className="pi__r">
        {item.kind === 'connection' && (
          <>
            {open.some((d) => d.connection === item.connection.name) && <span className="xs t2">open tab</span>}
            {item.connection.access === 'locked' && (
              <span className="row xs t2 row--5">
                <Icon name="lock" size={12} />
                Request access
              </span>
            )}
            <EnvTag environment={item.connection.environment} />
          </>
        )}
        {item.kind === 'table' && <MaskedCount table={item.table} />}
        {item.kind === 'command' && item.keys && <Chord keys={item.keys} />}
        {item.kind === 'statement' && <span className="xs t3">{when(item.ran.at)}</span>}
        {item.kind === 'request' && <span className="xs t2">{item.request.state}</span>}
        {item.kind === 'session' && <SessionSide session={item.session} />}
      </span>
    </>
  )
}

function SessionSide({ session: { state, startedAt, connection } }: { session: Session }) {
  return (
    <>
      {state === 'live' ? <span className="rec">Live</span> : <span className="xs t3">{when(startedAt)}</span>}
      <EnvTag environment={connection.environment} />
    </>
  )
}

function MaskedCount({ table }: { table: Extract<Item, { kind: 'table' }>['table'] }) {
  const masked = table.columns.filter((column) => column.masked).length
  if (masked === 0) return null
  return (
    <span className="fg d-masked row xs row--4">
      <Icon name="eye-off" size={12} />
      {counted(masked, 'masked', 'masked')}
    </span>
  )
}

/** It is there only while it is open. */
function openedStore() {
  const [store, spotlight] = createSpotlight()
  spotlight.open()
  return store
}

function useSources(): Sources {
  const { queries } = useRpc()
  const { actions, workspace } = useDesk()
  const bound = useBindings()
  const live = useStore(actions.live)
  const recent = useSettings()?.recent ?? []
  const signedIn = useAuth()?.state === 'signed-in'
  const connections = useConnections().data ?? []
  const { requests } = useRequests()
  const opened = useStore(workspace.state, (s) => s.documents)
  const first = [...opened.map((d) => d.connection), ...recent]
  const databases = nearest(
    connections.filter((c) => c.kind === 'postgres' && c.access === 'open' && c.reachable),
    first,
  )
  const tables = useQueries({
    queries: databases.map(({ name }) =>
      queries.gateway.connections.schema.queryOptions({ input: { name }, enabled: signedIn, staleTime: 5 * 60_000 }),
    ),
    combine: (results) =>
      results.flatMap((result, i) => {
        const connection = databases[i]
        return connection === undefined ? [] : (result.data ?? []).map((table) => ({ connection, table }))
      }),
  })
  const commands = actionIds.flatMap((id): Sources['commands'] => {
    const handler = live.get(id)
    if (handler === undefined || id === 'app.palette') return []
    const keys = bound.get(id)
    return [
      {
        kind: 'command',
        id: `>${id}`,
        label: handler.label ?? actionOf(id).name,
        icon: commandIcon(id),
        run: handler.run,
        ...(keys === undefined ? {} : { keys }),
      },
    ]
  })
  const saved = useQuery(queries.editor.saved.queryOptions()).data ?? []
  const ran = useQuery(queries.editor.history.queryOptions({ input: { limit: 200 } })).data?.entries ?? []
  const { data: sessions = [] } = useQuery(
    queries.gateway.sessions.list.queryOptions({
      // As the list of sessions asks at first.
      input: { limit: 500, purpose: 'work' },
      enabled: signedIn,
      staleTime: 30_000,
    }),
  )
  const here = new Set(connections.map((c) => c.name))
  return {
    connections,
    recent,
    tables,
    requests,
    sessions,
    commands,
    saved,
    ran: ran.filter((e) => here.has(e.connection)),
  }
}
