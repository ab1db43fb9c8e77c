import './tree.css'
import { useEffect, useMemo, useRef } from 'react'
import type { ConnectionKind } from '../../shared/connection.ts'
import { useActions } from '../actions/use-actions.ts'
import { copyText } from '../decisions/copy.ts'
import { kinds } from '../decisions/environment.tsx'
import { Icon } from '../decisions/icon.tsx'
import { type TreeView, useDesk, useNavigation } from '../frame/desk.tsx'
import { useFocusBack } from '../frame/use-focus-back.ts'
import { usePerson, useRpc, useSettings } from '../rpc/context.tsx'
import { problemOf } from '../rpc/problem.ts'
import { useStore } from '../rpc/store.ts'
import { Button, Empty, IconButton, Tip } from '../theme/controls.tsx'
import { useConnections, useSchemas } from './connections.ts'
import { buildRows } from './rows.ts'
import { Saved } from './saved.tsx'
import { Tree } from './tree.tsx'

/** The connections, by environment. `over`: there is no room beside the work, and it lies over it until something is done. */
export function Sidebar({ recent, over }: { recent: readonly string[]; over: boolean }) {
  const connections = useConnections()
  const settings = useSettings()
  const go = useNavigation()
  const { live } = useRpc()
  const { tree: view } = useDesk()
  const { filter, kind, folded, unfolded, asked } = useStore(view)
  const change = (to: Partial<TreeView>) => view.update((v) => ({ ...v, ...to }))
  const setFilter = (filter: string) => change({ filter })
  const schemas = useSchemas(unfolded)
  const search = useRef<HTMLInputElement>(null)
  const tree = useRef<HTMLDivElement>(null)
  useActions({ 'view.filter': () => search.current?.focus() })
  useScrolled(tree)
  useEffect(() => {
    if (!asked) return
    search.current?.focus()
    view.update((v) => ({ ...v, asked: false }))
  }, [asked, view])

  const list = connections.data
  const pinned = settings?.pinned
  const grouping = settings?.grouping ?? 'environment'
  const rows = useMemo(
    () =>
      buildRows({
        connections: list ?? [],
        pinned: pinned ?? [],
        recent,
        grouping,
        filter,
        kind,
        folded,
        schemas,
      }),
    [list, pinned, recent, grouping, filter, kind, folded, schemas],
  )
  const toggle = (key: string, connection: boolean) => {
    if (connection) {
      change({ unfolded: unfolded.includes(key) ? unfolded.filter((n) => n !== key) : [...unfolded, key] })
      return
    }
    const next = new Set(folded)
    if (!next.delete(key)) next.add(key)
    change({ folded: next })
  }
  return (
    <>
      {over && <Away search={search} />}
      <aside
        className={over ? 'side side--over' : 'side'}
        aria-label="Connections"
        onKeyDown={(event) => {
          if (over && event.key === 'Escape' && !event.defaultPrevented) go.closeSide()
        }}
      >
        <div className="side__hd">
          <h2 className="h-label grow">Connections</h2>
          <IconButton
            icon={grouping === 'tag' ? 'layers' : 'hash'}
            label={grouping === 'tag' ? 'Group by environment' : 'Group by tag'}
            onClick={() => {
              live
                .saveSettings({ grouping: grouping === 'tag' ? 'environment' : 'tag' })
                .catch((error: unknown) => console.warn('The grouping was not saved.', error))
            }}
          />
          <IconButton icon="rows" label="Collapse all" onClick={() => change({ unfolded: [] })} />
          <IconButton icon="plus" label="Request access" onClick={() => go.compose()} />
        </div>
        <div className="side__search">
          <label className="input input--quiet">
            <Icon name="search" size={14} />
            <input
              ref={search}
              type="search"
              aria-label="Filter connections"
              placeholder={`Filter ${list?.length ?? ''} connections`}
              value={filter}
              onChange={(event) => setFilter(event.target.value)}
              onKeyDown={(event) => {
                if (event.key === 'Escape' && filter !== '') {
                  event.preventDefault()
                  setFilter('')
                }
                if (event.key !== 'ArrowDown' && event.key !== 'Enter') return
                event.preventDefault()
                // Who has named one means it; who only leaves the field goes on by arrows.
                const named = rows.find((row) => row.type === 'connection')
                if (event.key === 'Enter' && filter.trim() !== '' && named !== undefined) {
                  setFilter('')
                  go.connection(named.connection)
                } else tree.current?.querySelector<HTMLElement>('[aria-level="2"]')?.focus()
              }}
            />
            <span className="kbd" aria-hidden="true">
              /
            </span>
          </label>
        </div>
        <KindFilter kind={kind} onChange={(kind) => change({ kind })} />
        <div className="side__bd" ref={tree}>
          {connections.isPending && <TreeSkeleton />}
          {connections.error && list === undefined && (
            <Empty icon="cloud-off" title="Connections could not be read" text={problemOf(connections.error).message}>
              <Button size="sm" onClick={() => connections.refetch()}>
                Try again
              </Button>
            </Empty>
          )}
          {list?.length === 0 && <NoConnections />}
          {list !== undefined && list.length > 0 && rows.length === 0 && (
            <Empty
              icon="search"
              title="Nothing fits the filter"
              text="Names, tags, tables and environments are searched."
            />
          )}
          {rows.length > 0 && <Tree label={`Connections by ${grouping}`} rows={rows} onToggle={toggle} />}
        </div>
        <Saved filter={filter} />
      </aside>
    </>
  )
}

/** What lies under the side bar leads away from it; the focus goes into it, and back when it goes. */
function Away({ search }: { search: { readonly current: HTMLInputElement | null } }) {
  const go = useNavigation()
  useFocusBack()
  useEffect(() => search.current?.focus(), [search])
  // biome-ignore lint/a11y/noStaticElementInteractions: by key it is Escape
  // biome-ignore lint/a11y/useKeyWithClickEvents: by key it is Escape
  return <div className="side__away" onClick={() => go.closeSide()} />
}

/** The tree is where it was when it comes back. */
function useScrolled(element: { readonly current: HTMLElement | null }) {
  const { tree: view } = useDesk()
  useEffect(() => {
    const scrolled = element.current
    if (scrolled === null) return
    scrolled.scrollTop = view.get().scrolled
    const keep = () => view.update((v) => ({ ...v, scrolled: scrolled.scrollTop }))
    scrolled.addEventListener('scrollend', keep)
    return () => scrolled.removeEventListener('scrollend', keep)
  }, [element, view])
}

function KindFilter({
  kind,
  onChange,
}: {
  kind: ConnectionKind | undefined
  onChange(kind: ConnectionKind | undefined): void
}) {
  const shown: readonly ConnectionKind[] = ['postgres', 'ssh', 'rdp', 'kubernetes', 'http']
  return (
    <fieldset className="kinds" aria-label="Kind">
      <button
        type="button"
        aria-pressed={kind === undefined}
        className={kind === undefined ? 'is-on' : undefined}
        onClick={() => onChange(undefined)}
      >
        All
      </button>
      {shown.map((k) => (
        <Tip key={k} label={kinds[k].many}>
          <button
            type="button"
            aria-label={kinds[k].many}
            aria-pressed={kind === k}
            className={kind === k ? 'is-on' : undefined}
            onClick={() => onChange(kind === k ? undefined : k)}
          >
            <Icon name={kinds[k].icon} size={14} />
          </button>
        </Tip>
      ))}
    </fieldset>
  )
}

function NoConnections() {
  const person = usePerson()
  const copy = () => copyText(person?.groups.join(', ') ?? '')
  return (
    <Empty
      icon="plug"
      title="No connections yet"
      text="You see only what you are allowed to use. Nothing is open to you so far."
    >
      <Button size="sm" kind="ghost" onClick={copy}>
        Copy my groups
      </Button>
    </Empty>
  )
}

function TreeSkeleton() {
  return (
    <div aria-hidden="true">
      {[64, 88, 72, 96, 58].map((width) => (
        <div className="tree-row" key={width}>
          <span className="skel" style={{ width: 8, borderRadius: '50%' }} />
          <span className="skel" style={{ width: 14, height: 12 }} />
          <span className="skel" style={{ width }} />
        </div>
      ))}
    </div>
  )
}
