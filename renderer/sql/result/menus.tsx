import { Menu } from '@mantine/core'
import type { ReactNode } from 'react'
import type { ResultColumn } from '../../../shared/rpc/contract.ts'
import { maskedReason } from './fields.ts'

/** A menu that opens where the pointer or the focus is. */
export function MenuAt({
  at,
  onClose,
  children,
}: {
  at: { x: number; y: number }
  onClose(): void
  children: ReactNode
}) {
  return (
    <Menu
      opened
      onClose={onClose}
      classNames={{ dropdown: 'menu menu--float', item: 'mi', label: 'menu__label' }}
      position="bottom-start"
      withinPortal
      unstyled
      trapFocus
      returnFocus
    >
      <Menu.Target>
        <span style={{ position: 'fixed', left: at.x, top: at.y, width: 1, height: 1 }} />
      </Menu.Target>
      <Menu.Dropdown>{children}</Menu.Dropdown>
    </Menu>
  )
}

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
