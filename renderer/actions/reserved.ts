import type { Platform } from '../../shared/rpc/contract.ts'
import { type ActionId, actionOf, type Scope } from './table.ts'

/** What everybody's fingers know, in every field. */
const editing: Readonly<Record<string, string>> = {
  'Mod+C': 'copies',
  'Mod+X': 'cuts',
  'Mod+V': 'pastes',
  'Mod+A': 'selects all',
  'Mod+Z': 'undoes',
  'Mod+Y': 'redoes',
  'Mod+Shift+Z': 'redoes',
}

/** Browsers answer these themselves, and tell no page. */
const browsers: ReadonlySet<string> = new Set(['Mod+W', 'Mod+T', 'Mod+N', 'Mod+Shift+W', 'Mod+Shift+T', 'Mod+Shift+N'])

/** Of the desktop app's menu (electron/menu.ts). */
const menu: ReadonlySet<string> = new Set(['Mod+0', 'Mod++', 'Mod+=', 'Mod+-', 'Mod+Shift+W', 'Mod+Q', 'F11'])

/** Where these move, press or write, whatever has the focus. */
const moves = /^(Shift\+)?(Enter|Space|Arrow\w+|Home|End|Page\w+|Insert)$/

/** Scopes in which a text is being written nearly all the time. */
const writing: ReadonlySet<Scope> = new Set(['sql', 'terminal', 'compose'])

/** Why an action can't have these keys, after their names: “Ctrl C copies, everywhere.” Undefined: it can. */
export function whyNot(id: ActionId, keys: string, { os, shell }: Pick<Platform, 'os' | 'shell'>): string | undefined {
  const does = editing[keys]
  if (does !== undefined) return `${does}, everywhere.`
  if (shell === 'browser' && browsers.has(keys)) return 'belongs to the browser.'
  if (shell === 'electron' && (menu.has(keys) || (os === 'mac' && /^Mod\+[HM]$/.test(keys)))) return 'is in the menu.'
  if (keys === 'Alt+F4') return 'closes the window.'
  const { scope } = actionOf(id)
  if (moves.test(keys) && scope !== 'replay') return 'moves or presses what has the focus.'
  if (writing.has(scope) && !/\b(Mod|Ctrl|Alt)\b/.test(keys) && !/F\d+$/.test(keys))
    return 'is text where this is done.'
  return undefined
}
