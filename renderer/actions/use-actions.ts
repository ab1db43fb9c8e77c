import { useEffect, useMemo, useRef } from 'react'
import type { Platform } from '../../shared/rpc/contract.ts'
import { isField, keepsKeys, keyLabel, matches } from '../decisions/keys.ts'
import { type Desk, useDesk } from '../frame/desk.tsx'
import { usePlatform, useSettings } from '../rpc/context.tsx'
import type { Handler } from './registry.ts'
import { type ActionId, type Bindings, bindings, isActionId } from './table.ts'

export type Handlers = { readonly [Id in ActionId]?: (() => void) | Handler | undefined }

/** Makes actions possible while the component is there and `on`; what they do may differ from render to render. */
export function useActions(handlers: Handlers, on = true): void {
  const { actions } = useDesk()
  const latest = useRef(handlers)
  latest.current = handlers
  const given = Object.entries(handlers).filter(([, handler]) => handler !== undefined)
  const shape = given.map(([id, handler]) => `${id}\t${typeof handler === 'object' ? (handler.label ?? '') : ''}`)
  const key = shape.join('\n')
  useEffect(() => {
    if (!on) return
    const undo = key.split('\n').flatMap((line) => {
      const [id = '', label = ''] = line.split('\t')
      if (!isActionId(id)) return []
      const run = () => {
        const handler = latest.current[id]
        if (typeof handler === 'function') handler()
        else handler?.run()
      }
      return [actions.register(id, { run, ...(label === '' ? {} : { label }) })]
    })
    return () => {
      for (const f of undo) f()
    }
  }, [key, on, actions])
}

/** The keys of every action, as this person has them. */
export function useBindings(): Bindings {
  const changed = useSettings()?.keys
  const { shell } = usePlatform()
  return useMemo(() => bindings(changed ?? {}, shell), [changed, shell])
}

/** An action's keys as they are written here; undefined when it has none. */
export function useKeys(id: ActionId): string | undefined {
  const { os } = usePlatform()
  const keys = useBindings().get(id)
  return keys === undefined ? undefined : keyLabel(keys, os)
}

/** Does actions by key, on the whole page. Once, at the top. */
export function useActionKeys(): void {
  const desk = useDesk()
  const { os } = usePlatform()
  const bound = useBindings()
  useEffect(() => {
    const { actions } = desk
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing || keepsKeys(event.target)) return
      const live = actions.live.get()
      const opening = desk.place.get().palette && !within(event.target, '[aria-modal="true"]')
      for (const [id, keys] of bound) {
        if (!live.has(id) || !meant(keys, event, os) || !reaches(id, keys, event.target)) continue
        if (opening && id !== 'app.palette') continue
        event.preventDefault()
        event.stopPropagation()
        actions.run(id)
        return
      }
      if (opening) typeAhead(event, desk)
    }
    // In the capture phase: Monaco and xterm would take them otherwise.
    window.addEventListener('keydown', press, true)
    return () => window.removeEventListener('keydown', press, true)
  }, [desk, bound, os])
}

/** The palette has been asked for and has no focus yet: what is typed is for it, and not for what still has. */
function typeAhead(event: KeyboardEvent, { place, query }: Pick<Desk, 'place' | 'query'>): void {
  event.preventDefault()
  event.stopPropagation()
  if (event.ctrlKey || event.metaKey) return
  if (event.key === 'Escape') place.update((p) => ({ ...p, palette: false }))
  else if (event.key === 'Backspace') query.update((text) => text.slice(0, -1))
  else if (event.key.length === 1) query.update((text) => text + event.key)
}

/** Where Mod is Ctrl, a shell needs it: in a terminal such keys take Shift as well, but for digits, which no shell uses. */
function meant(keys: string, event: KeyboardEvent, os: Platform['os']): boolean {
  const inShell = os !== 'mac' && within(event.target, '.xterm')
  if (!inShell || !/^(Mod|Ctrl)\+[^0-9]$/.test(keys)) return matches(keys, event, os)
  return matches(keys.replace('+', '+Shift+'), event, os)
}

/** Whether what has the focus leaves these keys to us: a field writes, a button is pressed, a list moves. */
function reaches(id: ActionId, keys: string, target: EventTarget | null): boolean {
  if (within(target, '[data-records-keys]')) return false
  if (within(target, '[aria-modal="true"]') && id !== 'app.palette') return false
  if (/\b(Mod|Ctrl|Alt)\b/.test(keys) || /^(Shift\+)?F\d+$/.test(keys)) return true
  if (isField(target)) return false
  if (keys === 'Space' && within(target, 'button, a, summary, [role]')) return false
  return !(
    keys.startsWith('Arrow') && within(target, '[role="radiogroup"], [role="tree"], [role="separator"], [role="grid"]')
  )
}

function within(target: EventTarget | null, selector: string): boolean {
  return target instanceof Element && target.closest(selector) !== null
}
