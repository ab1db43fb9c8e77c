import { Menu } from '@mantine/core'
import type { ResultColumn } from '../../../shared/rpc/contract.ts'
import { MenuAt } from '../../theme/menu-at.tsx'
import { maskedReason } from './fields.ts'

/** What can be done with a column. Where it is masked, why it can't be sorted, and how to ask. */
export function ColumnMenu({
  column,
  at,
  busy,
  onSort,
  onFilter,
  onCopyName,
  onAsk,
  onClose,
}: {
  column: ResultColumn
  at: { x: number; y: number }
  busy: boolean
  onSort(direction: 'asc' | 'desc' | undefined): void
  onFilter(): void
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
      <Menu.Item disabled={off} onClick={() => onSort(undefined)}>
        As the statement has it
      </Menu.Item>
      <Menu.Item disabled={off} onClick={onFilter}>
        Filter…
      </Menu.Item>
      {why !== undefined && <Menu.Label>{why}</Menu.Label>}
      {column.masked?.requestable && <Menu.Item onClick={onAsk}>Request to unmask…</Menu.Item>}
      <Menu.Item onClick={onCopyName}>Copy name</Menu.Item>
    </MenuAt>
  )
}
