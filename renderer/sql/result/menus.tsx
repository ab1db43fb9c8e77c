import { Menu } from '@mantine/core'
import type { ResultColumn } from '../../../shared/rpc/contract.ts'
import { MenuAt } from '../../theme/menu-at.tsx'
import { maskedReason } from './fields.ts'

/** What can be done with a column. Where it is masked, why it can't be sorted, and how to ask. */
export function ColumnMenu({
  column,
  at,
  busy,
  sorted,
  place,
  onSort,
  onFilter,
  onSelect,
  onMove,
  onPin,
  onHide,
  onShowAll,
  onCopyName,
  onAsk,
  onClose,
}: {
  column: ResultColumn
  at: { x: number; y: number }
  busy: boolean
  /** It is what the result is sorted by now. */
  sorted: boolean
  /** Where it stands, and how many others are hidden. */
  place: { pinned: boolean; first: boolean; last: boolean; hidden: number }
  onSort(direction: 'asc' | 'desc' | undefined): void
  onFilter(): void
  onSelect(): void
  onMove(by: -1 | 1): void
  onPin(on: boolean): void
  onHide(): void
  onShowAll(): void
  onCopyName(): void
  onAsk(): void
  onClose(): void
}) {
  const why = maskedReason(column)
  const off = why !== undefined || busy
  return (
    <MenuAt at={at} onClose={onClose}>
      <Menu.Item disabled={off} onClick={() => onSort('asc')}>
        Sort ascending, run again
      </Menu.Item>
      <Menu.Item disabled={off} onClick={() => onSort('desc')}>
        Sort descending, run again
      </Menu.Item>
      <Menu.Item disabled={off || !sorted} onClick={() => onSort(undefined)}>
        As the statement has it
      </Menu.Item>
      <Menu.Item disabled={off} onClick={onFilter}>
        Filter…
      </Menu.Item>
      {why !== undefined && <Menu.Label>{why}</Menu.Label>}
      {column.masked?.requestable && <Menu.Item onClick={onAsk}>Request to unmask…</Menu.Item>}
      <Menu.Item onClick={onSelect}>Select column</Menu.Item>
      <Menu.Item disabled={place.first} onClick={() => onMove(-1)}>
        Move left
      </Menu.Item>
      <Menu.Item disabled={place.last} onClick={() => onMove(1)}>
        Move right
      </Menu.Item>
      <Menu.Item onClick={() => onPin(!place.pinned)}>{place.pinned ? 'Unpin' : 'Pin to the left'}</Menu.Item>
      <Menu.Item disabled={place.first && place.last} onClick={onHide}>
        Hide
      </Menu.Item>
      {place.hidden > 0 && <Menu.Item onClick={onShowAll}>Show all columns</Menu.Item>}
      <Menu.Item onClick={onCopyName}>Copy name</Menu.Item>
    </MenuAt>
  )
}
