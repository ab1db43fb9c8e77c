import { Menu } from '@mantine/core'
import type { Connection } from '../../shared/api/models.ts'
import { copyText } from '../decisions/copy.ts'
import { useNavigation } from '../frame/desk.tsx'
import { useOpenInSplit } from '../frame/use-open-in-split.ts'
import { useEndpoint } from '../settings/endpoints.ts'
import { MenuAt } from '../theme/menu-at.tsx'
import type { Row } from './rows.ts'
import { selectFrom, tableName } from './select-from.ts'
import { usePin } from './use-pin.ts'

export type MenuRow = Extract<Row, { type: 'connection' | 'table' }>

export function hasMenu(row: Row | undefined): row is MenuRow {
  return row?.type === 'connection' || row?.type === 'table'
}

/** What can be done with a line of the tree, where the pointer or the focus is. */
export function RowMenu({ row, at, onClose }: { row: MenuRow; at: { x: number; y: number }; onClose(): void }) {
  return (
    <MenuAt at={at} onClose={onClose}>
      {row.type === 'connection' ? <OfConnection connection={row.connection} /> : <OfTable row={row} />}
    </MenuAt>
  )
}

function OfConnection({ connection }: { connection: Connection }) {
  const go = useNavigation()
  const openInSplit = useOpenInSplit()
  const endpoint = useEndpoint(connection.name)
  const pin = usePin(connection.name)
  return (
    <>
      {connection.access === 'open' && (
        <>
          <Menu.Item onClick={() => go.connection(connection)}>Open</Menu.Item>
          <Menu.Item onClick={() => go.connection(connection, { fresh: true })}>Open in a new tab</Menu.Item>
          <Menu.Item onClick={() => openInSplit(() => go.connection(connection))}>Open in split</Menu.Item>
        </>
      )}
      <Menu.Item onClick={() => go.compose({ connection: connection.name })}>Request access…</Menu.Item>
      {endpoint?.open && (
        <Menu.Item onClick={() => copyText(`${endpoint.host}:${endpoint.port}`)}>Copy local address</Menu.Item>
      )}
      {connection.access === 'open' && (
        <Menu.Item onClick={() => go.settings('native-tools')}>Ports for native tools…</Menu.Item>
      )}
      <Menu.Item onClick={() => copyText(connection.name)}>Copy name</Menu.Item>
      <Menu.Item onClick={pin.toggle}>{pin.on ? 'Unpin' : 'Pin'}</Menu.Item>
    </>
  )
}

function OfTable({ row: { connection, table } }: { row: Extract<Row, { type: 'table' }> }) {
  const go = useNavigation()
  const { schema, name, columns } = table
  return (
    <>
      <Menu.Item onClick={() => go.connection(connection, { fresh: true, text: selectFrom(schema, name) })}>
        Query it in a new tab
      </Menu.Item>
      <Menu.Item onClick={() => copyText(tableName(schema, name))}>Copy name</Menu.Item>
      <Menu.Item onClick={() => copyText(columns.map((column) => column.name).join(', '))}>Copy column names</Menu.Item>
    </>
  )
}
