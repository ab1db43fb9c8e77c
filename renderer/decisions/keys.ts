import { useEffect, useRef } from 'react'
import type { Platform } from '../../shared/rpc/contract.ts'

const common = {
  Enter: '↩',
  Backspace: '⌫',
  ArrowLeft: '←',
  ArrowRight: '→',
  ArrowUp: '↑',
  ArrowDown: '↓',
  PageUp: 'PgUp',
  PageDown: 'PgDn',
}

/** How keys are written on this system: `Mod+Enter` is ⌘↩ or Ctrl ↩. */
export function keyLabel(combination: string, os: Platform['os']): string {
  return keyParts(combination, os).join(os === 'mac' ? '' : ' ')
}

/** The same, key by key. */
export function keyParts(combination: string, os: Platform['os']): string[] {
  const names: Record<string, string> =
    os === 'mac'
      ? { Mod: '⌘', Alt: '⌥', Shift: '⇧', Ctrl: '⌃', ...common }
      : { Mod: 'Ctrl', Alt: 'Alt', Shift: '⇧', Ctrl: 'Ctrl', ...common }
  return combination.split(/\+(?!$)/).map((part) => names[part] ?? part)
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

/** Whether these are the keys. `Mod` is ⌘ or Ctrl; `Ctrl` is Ctrl everywhere. */
export function matches(keys: string, event: KeyboardEvent, os: Platform['os']): boolean {
  const parts = keys === '+' ? ['+'] : keys.split(/\+(?!$)/)
  const key = parts.at(-1) ?? ''
  const mac = os === 'mac'
  const ctrl = parts.includes('Ctrl') || (!mac && parts.includes('Mod'))
  const meta = mac && parts.includes('Mod')
  const symbol = key.length === 1 && !/[A-Za-z0-9]/.test(key)
  return (
    isKey(key, event) &&
    event.ctrlKey === ctrl &&
    event.metaKey === meta &&
    event.altKey === parts.includes('Alt') &&
    // A symbol may need Shift on this keyboard.
    (symbol || event.shiftKey === parts.includes('Shift'))
  )
}

function isKey(key: string, event: KeyboardEvent): boolean {
  if (key === 'Space') return event.key === ' '
  if (event.key.toLowerCase() === key.toLowerCase()) return true
  // Option and Shift make other characters of letters and digits; the key is the same.
  return (event.altKey || event.shiftKey) && /^[a-z0-9]$/i.test(key) && event.code === codeOf(key)
}

function codeOf(key: string): string {
  return /\d/.test(key) ? `Digit${key}` : `Key${key.toUpperCase()}`
}

/** The combination that is pressed, as it is written here; undefined while only modifiers are held. */
export function combinationOf(event: KeyboardEvent, os: Platform['os']): string | undefined {
  if (['Control', 'Meta', 'Alt', 'Shift', 'AltGraph', 'CapsLock', 'Dead', 'Process'].includes(event.key))
    return undefined
  const mac = os === 'mac'
  const code = /^(?:Key|Digit)(.)$/.exec(event.code)?.[1]
  const key = event.key === ' ' ? 'Space' : (event.altKey || event.shiftKey) && code !== undefined ? code : event.key
  const named = key.length === 1 ? key.toUpperCase() : key
  const symbol = named.length === 1 && !/[A-Z0-9]/.test(named)
  return [
    (mac ? event.metaKey : event.ctrlKey) && 'Mod',
    mac && event.ctrlKey && 'Ctrl',
    event.altKey && 'Alt',
    event.shiftKey && !symbol && 'Shift',
    named,
  ]
    .filter((part) => part !== false)
    .join('+')
}

/** Whether every key there is for somebody else: a desktop that is shown in the page. */
export function keepsKeys(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('[data-keeps-keys]') !== null
}

export function isField(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement)
  )
}
