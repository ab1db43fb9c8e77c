import { Menu } from '@mantine/core'
import type { ReactNode } from 'react'

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
