import { shallowEqual } from '@mantine/hooks'
import { memo, useState } from 'react'
import type { Connection } from '../../shared/api/models.ts'
import { Drawn } from '../decisions/drawn.tsx'
import { EnvTag, environments, kindIcon, kinds } from '../decisions/environment.tsx'
import { Icon } from '../decisions/icon.tsx'
import { shortDuration, useNow } from '../decisions/time.ts'
import { counted } from '../decisions/words.ts'
import { useDesk, useNavigation } from '../frame/desk.tsx'
import { usePause } from '../rpc/context.tsx'
import { useStore } from '../rpc/store.ts'
import { IconButton } from '../theme/controls.tsx'
import { mayDoWords } from './may-do.ts'
import { hasMenu } from './row-menu.tsx'
import type { Row } from './rows.ts'
import { usePin } from './use-pin.ts'

/** The pointer is on it. */
interface Near {
  near: boolean
}

/** What a line tells the tree; the same object for all lines and as long as the tree is there. */
export interface TreeActs {
  focus(row: Row): void
  act(row: Row): void
  toggle(row: Row): void
  menu(row: Row, at: { x: number; y: number }): void
}

interface Props<R extends Row = Row> {
  row: R
  tabStop: boolean
  selected: boolean
  /** A grant of one's own on the connection, and when it ends. */
  grantEnds: string | undefined
  acts: TreeActs
}

/** One line. Its name says what it is; marks repeat that. Drawn again only when something of it has changed: there may be hundreds. */
export const TreeRow = memo(Line, same)

function same(before: Props, after: Props): boolean {
  return shallowEqual(before.row, after.row) && shallowEqual(before, { ...after, row: before.row })
}

function Line(props: Props) {
  const { row, tabStop, selected, acts } = props
  // Buttons that show on the line under the pointer alone are made for that one: each brings a tip along.
  const [near, setNear] = useState(false)
  const open = 'open' in row ? row.open : undefined
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree has the keys
    <div
      role="treeitem"
      aria-level={row.level}
      aria-expanded={open}
      aria-selected={selected}
      aria-label={rowName(row)}
      aria-description={row.type === 'connection' ? mayDoWords(row.connection) : undefined}
      title={tip(row)}
      tabIndex={tabStop ? 0 : -1}
      data-key={row.key}
      className={rowClass(row, selected)}
      onFocus={() => acts.focus(row)}
      onClick={() => acts.act(row)}
      onPointerEnter={() => setNear(true)}
      onPointerLeave={() => setNear(false)}
      onContextMenu={(event) => {
        if (!hasMenu(row)) return
        event.preventDefault()
        acts.menu(row, { x: event.clientX, y: event.clientY })
      }}
    >
      <Content {...props} near={near} />
    </div>
  )
}

/** What the row has no room for. */
function tip(row: Row): string | undefined {
  if (row.type === 'note') return row.text
  return row.type === 'connection'
    ? `${row.connection.name}: ${row.connection.description}\n${mayDoWords(row.connection)}`
    : row.type === 'table'
      ? row.table.name
      : undefined
}

const ownNames = {
  pinned: { name: 'Pinned', icon: 'pin' },
  recent: { name: 'Recent', icon: 'clock' },
} as const

function tagName(tag: string): string {
  return tag === '' ? 'No tag' : tag
}

function rowName(row: Row): string {
  switch (row.type) {
    case 'own':
      return ownNames[row.key].name
    case 'tag':
      return `${tagName(row.tag)}, ${counted(row.count, 'connection')}`
    case 'group':
      return `${environments[row.environment].name}, ${counted(row.count, 'connection')}`
    case 'connection': {
      const { name, kind, access, reachable, environment } = row.connection
      const state = access === 'locked' ? ', locked' : reachable ? '' : ', offline'
      // In its own group the environment goes without saying.
      const where = row.tagged ? `, ${environments[environment].name}` : ''
      return `${name}, ${kinds[kind].one}${state}${where}`
    }
    case 'schema':
      return row.schema
    case 'table':
      return row.masked === 0 ? row.table.name : `${row.table.name}, ${counted(row.masked, 'masked column')}`
    case 'note':
      return row.lack === undefined ? row.text : `${row.text} Confirm that it is you`
    default:
      return row satisfies never
  }
}

function rowClass(row: Row, selected: boolean): string {
  if (row.level === 1) return 'grp__hd'
  const locked = row.type === 'connection' && row.connection.access === 'locked'
  const level = row.level === 3 ? 'tree-row--2' : row.level === 4 ? 'tree-row--3' : ''
  return ['tree-row', level, selected && 'is-on', locked && 'is-locked'].filter(Boolean).join(' ')
}

function Content(props: Props & Near) {
  const { row } = props
  switch (row.type) {
    case 'own': {
      const { name, icon } = ownNames[row.key]
      return (
        <>
          <Icon name={icon} size={12} />
          <span>{name}</span>
        </>
      )
    }
    case 'tag':
      return (
        <>
          <Icon name={row.open ? 'chev-down' : 'chev-right'} size={12} />
          <span>{tagName(row.tag)}</span>
          <Drawn className="cnt" text={String(row.count)} />
        </>
      )
    case 'group':
      return (
        <>
          <Icon name={row.open ? 'chev-down' : 'chev-right'} size={12} />
          <EnvTag environment={row.environment} drawn />
          <span>{environments[row.environment].name}</span>
          <Drawn className="cnt" text={String(row.count)} />
        </>
      )
    case 'connection':
      return <ConnectionContent {...props} row={row} />
    case 'schema':
      return (
        <>
          <Icon name={row.open ? 'chev-down' : 'chev-right'} size={12} />
          <span className="trunc">{row.schema}</span>
        </>
      )
    case 'table':
      return (
        <>
          <Icon name="table" />
          <span className="trunc">{row.table.name}</span>
          {row.masked > 0 && (
            <span className="meta">
              <span className="fg d-masked row row--4" title={counted(row.masked, 'masked column')}>
                <Icon name="eye-off" size={12} />
                <Drawn text={String(row.masked)} />
              </span>
            </span>
          )}
        </>
      )
    case 'note':
      return row.lack === undefined ? (
        <span className="trunc t3">{row.text}</span>
      ) : (
        <>
          <Icon name="fingerprint" />
          <span className="trunc">{row.text}</span>
        </>
      )
    default:
      return row satisfies never
  }
}

function ConnectionContent({
  row,
  near,
  tabStop,
  grantEnds,
  acts,
}: Props<Extract<Row, { type: 'connection' }>> & Near) {
  const { connection, tagged, open } = row
  const buttons = near || tabStop
  const go = useNavigation()
  const locked = connection.access === 'locked'
  return (
    <>
      <StatusDot connection={connection} />
      <Icon name={kindIcon(connection)} />
      <span className="trunc">{connection.name}</span>
      <span className="meta">
        {tagged && <EnvTag environment={connection.environment} drawn />}
        {!tagged && grantEnds !== undefined && <GrantLeft endsAt={grantEnds} />}
        {locked ? (
          <>
            <button
              type="button"
              className="link-btn"
              aria-label="Request access"
              tabIndex={-1}
              onClick={(event) => {
                event.stopPropagation()
                go.compose({ connection: connection.name })
              }}
            >
              <Drawn text="Request access" />
            </button>
            <Icon name="lock" size={14} />
          </>
        ) : (
          !connection.reachable && <Drawn text="offline" />
        )}
        {buttons && <PinButton name={connection.name} />}
        {open !== undefined && (buttons || open) && (
          <IconButton
            icon={open ? 'chev-down' : 'chev-right'}
            label={open ? `Hide tables of ${connection.name}` : `Show tables of ${connection.name}`}
            size={12}
            tabIndex={-1}
            className={open ? 'tree-row__x is-open' : 'tree-row__x'}
            onClick={(event) => {
              event.stopPropagation()
              acts.toggle(row)
            }}
          />
        )}
      </span>
    </>
  )
}

/** Filled: a tab is open; half: it is paused; ring: reachable; cross: offline. */
function StatusDot({ connection }: { connection: Connection }) {
  const { workspace } = useDesk()
  const paused = usePause() !== undefined
  const open = useStore(workspace.state, (s) => s.documents.some((d) => d.connection === connection.name))
  const kind = !connection.reachable ? ' dot--off' : open ? (paused ? ' dot--paused' : ' dot--open') : ''
  return <span className={`dot${kind}`} aria-hidden="true" />
}

function GrantLeft({ endsAt }: { endsAt: string }) {
  const now = useNow(5_000)
  return (
    <span className="fg d-granted row row--4">
      <Icon name="key" size={12} />
      <Drawn className="num" text={shortDuration(Date.parse(endsAt) - now)} />
    </span>
  )
}

function PinButton({ name }: { name: string }) {
  const { on, toggle } = usePin(name)
  return (
    <IconButton
      icon="pin"
      size={12}
      label={on ? `Unpin ${name}` : `Pin ${name}`}
      className="tree-row__x"
      tabIndex={-1}
      onClick={(event) => {
        event.stopPropagation()
        toggle()
      }}
    />
  )
}
