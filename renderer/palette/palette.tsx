import '@mantine/core/styles/Modal.css'
import './palette.css'
import { createSpotlight, Spotlight } from '@mantine/spotlight'
import { useQueries } from '@tanstack/react-query'
import { useState } from 'react'
import { EnvTag } from '../decisions/environment.tsx'
import { Icon } from '../decisions/icon.tsx'
import { keyLabel, ownKeys } from '../decisions/keys.ts'
import { counted } from '../decisions/words.ts'
import { useDesk, useNavigation } from '../frame/desk.tsx'
import { useRequests } from '../frame/waiting.ts'
import { useAuth, usePlatform, useRpc } from '../rpc/context.tsx'
import { useStore } from '../rpc/store.ts'
import { useConnections } from '../sidebar/connections.ts'
import { Details } from './details.tsx'
import { highlight, type Item, type Sources, search } from './items.ts'

/** Go anywhere, do anything, by name. */
export default function Palette() {
  const go = useNavigation()
  const { os } = usePlatform()
  const [[store]] = useState(createSpotlight)
  const [query, setQuery] = useState('')
  const sources = useSources()
  const groups = search(query, sources)
  const items = groups.flatMap((group) => group.items)
  const [hovered, setHovered] = useState<string | undefined>(undefined)
  const shown = items.find((item) => item.id === hovered) ?? items[0]
  const act = (item: Item) => {
    go.palette(false)
    switch (item.kind) {
      case 'connection':
        go.connection(item.connection)
        return
      case 'table':
        go.connection(item.connection, { fresh: true, text: `SELECT * FROM ${item.label} LIMIT 100;\n` })
        return
      case 'request':
        go.request(item.request.id, item.request.canReview ? 'review' : 'mine')
        return
      case 'command':
        item.run()
        return
      default:
        item satisfies never
    }
  }
  return (
    <Spotlight.Root
      store={store}
      forceOpened
      shortcut={null}
      query={query}
      onQueryChange={setQuery}
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
          placeholder="Search connections, tables and commands"
          aria-label="Search"
        />
        <span className="right row xs t3 row--6" aria-hidden="true">
          <kbd className="kbd">&gt;</kbd>commands
          <kbd className="kbd">@</kbd>tables
          <kbd className="kbd">#</kbd>requests
        </span>
      </div>
      <div className="pal__b">
        <Spotlight.ActionsList className="pal__l scroll">
          {groups.map((group) => (
            <section key={group.title} aria-label={group.title}>
              <h2 className="pal__h">{group.title}</h2>
              {group.items.map((item) => (
                <Spotlight.Action
                  key={item.id}
                  className={item.kind === 'connection' && item.connection.access === 'locked' ? 'pi is-lock' : 'pi'}
                  onClick={() => act(item)}
                  onMouseEnter={() => setHovered(item.id)}
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
        <kbd className="kbd">↑</kbd>
        <kbd className="kbd">↓</kbd>
        <span>Move</span>
        <kbd className="kbd">{keyLabel('Enter', os)}</kbd>
        <span>Go</span>
        <span className="right row row--6">
          <kbd className="kbd">Esc</kbd>Close
        </span>
      </div>
    </Spotlight.Root>
  )
}

function Line({ item, query }: { item: Item; query: string }) {
  const { workspace } = useDesk()
  const { os } = usePlatform()
  const open = useStore(workspace.state).documents
  return (
    <>
      <Icon name={item.icon} />
      <span className="pi__n trunc">
        {highlight(item.label, query).map((part, i) =>
          // biome-ignore lint/suspicious/noArrayIndexKey: parts of a fixed text
          part.hit ? <em key={i}>{part.text}</em> : <span key={i}>{part.text}</span>,
        )}
      </span>
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
        {item.kind === 'command' && item.keys && <kbd className="kbd">{keyLabel(item.keys, os)}</kbd>}
        {item.kind === 'request' && <span className="xs t2">{item.request.state}</span>}
      </span>
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

function useSources(): Sources {
  const { queries, client, live } = useRpc()
  const platform = usePlatform()
  const go = useNavigation()
  const { workspace } = useDesk()
  const signedIn = useAuth()?.state === 'signed-in'
  const connections = useConnections().data ?? []
  const { requests } = useRequests()
  const databases = connections.filter((c) => c.kind === 'postgres' && c.access === 'open')
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
  const own = ownKeys(platform)
  const current = () => {
    const { documents, active } = workspace.state.get()
    return connections.find((c) => c.name === documents.find((d) => d.id === active)?.connection)
  }
  const theme = (choice: 'dark' | 'light' | 'system') => () => {
    live.saveSettings({ theme: choice }).catch((error: unknown) => console.warn('The theme was not saved.', error))
  }
  const on = current()
  const command = (
    id: string,
    label: string,
    icon: Extract<Item, { kind: 'command' }>['icon'],
    run: () => void,
    keys?: string,
  ) => ({
    kind: 'command' as const,
    id: `>${id}`,
    label,
    icon,
    run,
    ...(keys === undefined ? {} : { keys }),
  })
  return {
    connections,
    tables,
    requests,
    commands: [
      ...(on === undefined
        ? []
        : [
            command('new-tab', `New tab on ${on.name}`, 'plus', () => go.connection(on, { fresh: true }), own.newTab),
            command('ask', `Request access on ${on.name}`, 'key', () => go.compose({ connection: on.name })),
          ]),
      command('request', 'Request access', 'send', () => go.compose(), own.newRequest),
      command('connections', 'Go to connections', 'plug', () => go.area('connections'), 'Mod+1'),
      command('requests', 'Go to requests', 'inbox', () => go.requests('mine'), 'Mod+2'),
      command('review', 'Review requests', 'inbox', () => go.requests('review')),
      command('sessions', 'Go to sessions', 'replay', () => go.sessionList(), 'Mod+3'),
      command('settings', 'Settings', 'sliders', () => go.area('settings'), 'Mod+,'),
      command('dark', 'Theme: dark', 'moon', theme('dark')),
      command('light', 'Theme: light', 'sun', theme('light')),
      command('system', 'Theme: match system', 'monitor', theme('system')),
      command('sign-out', 'Sign out', 'log-out', () => {
        client.auth.signOut().catch((error: unknown) => console.warn('Signing out failed.', error))
      }),
    ],
  }
}
