import { useEffect, useRef } from 'react'
import type { Platform } from '../../shared/rpc/contract.ts'

/** How keys are written on this system: `Mod+Enter` is ⌘↩ or Ctrl ↩. */
export function keyLabel(combination: string, os: Platform['os']): string {
  const mac = os === 'mac'
  const names: Record<string, string> = mac
    ? { Mod: '⌘', Alt: '⌥', Shift: '⇧', Enter: '↩', Backspace: '⌫', Ctrl: '⌃' }
    : { Mod: 'Ctrl', Alt: 'Alt', Shift: '⇧', Enter: '↩', Backspace: '⌫', Ctrl: 'Ctrl' }
  const parts = combination.split('+').map((part) => names[part] ?? part)
  return parts.join(mac ? '' : ' ')
}

export interface Shortcut {
  /** `Mod+K`, `F8`, `/`. */
  keys: string
  run(event: KeyboardEvent): void
  /** Also while a text field has the focus. Combinations with Mod do so always. */
  inFields?: boolean
}

/** Follows shortcuts on the whole page while the component is there. */
export function useShortcuts(shortcuts: readonly Shortcut[], os: Platform['os']): void {
  const latest = useRef(shortcuts)
  latest.current = shortcuts
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented) return
      const hit = latest.current.find((shortcut) => matches(shortcut.keys, event, os))
      if (hit === undefined || (isField(event.target) && !hit.inFields && !hit.keys.includes('Mod'))) return
      event.preventDefault()
      event.stopPropagation()
      hit.run(event)
    }
    // In the capture phase: Monaco and xterm would take them otherwise.
    window.addEventListener('keydown', press, true)
    return () => window.removeEventListener('keydown', press, true)
  }, [os])
}

export function matches(keys: string, event: KeyboardEvent, os: Platform['os']): boolean {
  const parts = keys.split('+')
  const key = parts.at(-1) ?? ''
  const mod = os === 'mac' ? event.metaKey : event.ctrlKey
  const symbol = key.length === 1 && !/[A-Za-z0-9]/.test(key)
  return (
    event.key.toLowerCase() === key.toLowerCase() &&
    mod === parts.includes('Mod') &&
    event.altKey === parts.includes('Alt') &&
    // A symbol may need Shift on this keyboard.
    (symbol || event.shiftKey === parts.includes('Shift'))
  )
}

function isField(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement)
  )
}

/** Keys that a browser keeps to itself have Alt there, and are the desktop's own in Electron. */
export function ownKeys(platform: Platform): { newRequest: string; newTab: string; closeTab: string } {
  const held = platform.shell === 'electron' ? 'Mod' : 'Alt'
  return { newRequest: `${held}+N`, newTab: `${held}+T`, closeTab: `${held}+W` }
}
