import { Modal } from '@mantine/core'
import { useState } from 'react'
import type { Platform } from '../../shared/rpc/contract.ts'
import { keyLabel, ownKeys, useShortcuts } from '../decisions/keys.ts'
import { usePlatform } from '../rpc/context.tsx'

/** Every key, on `?`. */
function shortcutList(platform: Platform): readonly (readonly [string, string])[] {
  const own = ownKeys(platform)
  return [
    ['Command palette', 'Mod+K'],
    ['Run statement', 'Mod+Enter'],
    ['Run all', 'Mod+Shift+Enter'],
    ['Cancel or withdraw', 'Mod+.'],
    ['Next decision', 'F8'],
    ['Previous decision', 'Shift+F8'],
    ['Request access', own.newRequest],
    ['New tab on the connection', own.newTab],
    ['Close tab', own.closeTab],
    ['Go to connections', 'Mod+1'],
    ['Go to requests', 'Mod+2'],
    ['Go to sessions', 'Mod+3'],
    ['Settings', 'Mod+,'],
    ['Approve', 'Mod+Enter'],
    ['Deny with comment', 'Mod+Backspace'],
    ['Side bar', 'Mod+B'],
    ['Filter the list', '/'],
    ['All shortcuts', '?'],
  ]
}

export function Shortcuts() {
  const [open, setOpen] = useState(false)
  const { os } = usePlatform()
  useShortcuts([{ keys: '?', run: () => setOpen(true) }], os)
  return (
    <Modal
      opened={open}
      onClose={() => setOpen(false)}
      title="Keyboard shortcuts"
      size={640}
      classNames={{ content: 'modal', header: 'modal__hd', title: 'modal__t', body: 'modal__bd', overlay: 'scrim' }}
    >
      <ShortcutTable />
    </Modal>
  )
}

export function ShortcutTable() {
  const platform = usePlatform()
  const list = shortcutList(platform)
  const half = Math.ceil(list.length / 2)
  return (
    <div className="skc">
      {[list.slice(0, half), list.slice(half)].map((column) => (
        <div key={column[0]?.[0]}>
          {column.map(([name, keys]) => (
            <div className="skr" key={name}>
              <span>{name}</span>
              <kbd className="kbd">{keyLabel(keys, platform.os)}</kbd>
            </div>
          ))}
        </div>
      ))}
    </div>
  )
}
