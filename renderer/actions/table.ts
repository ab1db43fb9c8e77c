import type { Platform } from '../../shared/rpc/contract.ts'

/**
 * Every action that has a name: what the palette lists, the shortcut sheet shows and people can give other keys. `keys` is the default;
 * `desktop` where a browser keeps that one to itself. Actions of one scope are never live together with those of another, except for
 * `everywhere`, so the same key may stand in two scopes.
 */
interface Action {
  name: string
  scope: Scope
  keys?: string
  desktop?: string
}

export const scopes = {
  everywhere: 'Everywhere',
  tabs: 'Tabs',
  sql: 'SQL',
  terminal: 'Terminals',
  review: 'Requests',
  compose: 'Asking for access',
  desktop: 'Desktops',
  replay: 'Replay',
} as const
export type Scope = keyof typeof scopes

export const actionTable = {
  'app.palette': { name: 'Command palette', scope: 'everywhere', keys: 'Mod+K' },
  'app.shortcuts': { name: 'All shortcuts', scope: 'everywhere', keys: '?' },
  'go.connections': { name: 'Go to connections', scope: 'everywhere', keys: 'Mod+1' },
  'go.saved': { name: 'Saved queries', scope: 'everywhere' },
  'go.requests': { name: 'Go to requests', scope: 'everywhere', keys: 'Mod+2' },
  'go.review': { name: 'Review requests', scope: 'everywhere' },
  'go.history': { name: 'Request history', scope: 'everywhere' },
  'go.metrics': { name: 'Approval metrics', scope: 'everywhere' },
  'go.sessions': { name: 'Go to sessions', scope: 'everywhere', keys: 'Mod+3' },
  'go.settings': { name: 'Settings', scope: 'everywhere', keys: 'Mod+,' },
  'go.nativeTools': { name: 'Ports for native tools', scope: 'everywhere' },
  'view.sidebar': { name: 'Side bar', scope: 'everywhere', keys: 'Mod+B' },
  'view.filter': { name: 'Filter the list', scope: 'everywhere', keys: '/' },
  'view.nextRegion': { name: 'Next part of the window', scope: 'everywhere', keys: 'F6' },
  'view.previousRegion': { name: 'Previous part of the window', scope: 'everywhere', keys: 'Shift+F6' },
  'access.request': { name: 'Request access', scope: 'everywhere', keys: 'Alt+N', desktop: 'Mod+N' },
  'access.extend': { name: 'Extend grant', scope: 'everywhere', keys: 'Mod+Shift+E' },
  'theme.dark': { name: 'Theme: dark', scope: 'everywhere' },
  'theme.light': { name: 'Theme: light', scope: 'everywhere' },
  'theme.system': { name: 'Theme: match system', scope: 'everywhere' },
  'theme.contrast': { name: 'High contrast, on or off', scope: 'everywhere' },
  'app.diagnostics': { name: 'Diagnostics', scope: 'everywhere' },
  'app.checkUpdate': { name: 'Check for a new version', scope: 'everywhere' },
  'app.signOut': { name: 'Sign out', scope: 'everywhere' },

  'tab.new': { name: 'New tab on the connection', scope: 'tabs', keys: 'Alt+T', desktop: 'Mod+T' },
  'tab.close': { name: 'Close tab', scope: 'tabs', keys: 'Alt+W', desktop: 'Mod+W' },
  'tab.reopen': { name: 'Reopen the closed query', scope: 'tabs', keys: 'Alt+Shift+T', desktop: 'Mod+Shift+T' },
  'tab.next': { name: 'Next tab', scope: 'tabs', keys: 'Alt+PageDown', desktop: 'Ctrl+Tab' },
  'tab.previous': { name: 'Previous tab', scope: 'tabs', keys: 'Alt+PageUp', desktop: 'Ctrl+Shift+Tab' },
  'tab.split': { name: 'Split', scope: 'tabs', keys: 'Mod+\\' },
  'decision.next': { name: 'Next decision', scope: 'tabs', keys: 'F8' },
  'decision.previous': { name: 'Previous decision', scope: 'tabs', keys: 'Shift+F8' },
  'decision.resolve': { name: 'Apply the suggested fix, or request access', scope: 'tabs', keys: 'Alt+Enter' },
  'tab.askAccess': { name: 'Request access on the connection', scope: 'tabs' },

  'sql.run': { name: 'Run statement', scope: 'sql', keys: 'Mod+Enter' },
  'sql.runAll': { name: 'Run all', scope: 'sql', keys: 'Mod+Shift+Enter' },
  'sql.explain': { name: 'Explain the plan', scope: 'sql', keys: 'Mod+E' },
  'sql.measure': { name: 'Explain and measure', scope: 'sql', keys: 'Alt+Shift+E' },
  'sql.format': { name: 'Format', scope: 'sql', keys: 'Alt+Shift+F' },
  'sql.library': { name: 'History and saved queries', scope: 'sql', keys: 'Mod+Shift+H' },
  'sql.results': { name: 'Between statement and results', scope: 'sql', keys: 'Alt+R' },
  'sql.commit': { name: 'Commit', scope: 'sql' },
  'sql.rollback': { name: 'Roll back', scope: 'sql' },
  'sql.cancel': { name: 'Cancel or withdraw', scope: 'sql', keys: 'Mod+.' },

  'terminal.find': { name: 'Find in the terminal', scope: 'terminal', keys: 'Mod+F' },

  'desktop.front': { name: 'Bring the desktop to the front', scope: 'desktop', keys: 'Mod+Enter' },

  'review.approve': { name: 'Approve', scope: 'review', keys: 'Mod+Enter' },
  'review.deny': { name: 'Deny with comment', scope: 'review', keys: 'Mod+Backspace' },
  'review.next': { name: 'Next request', scope: 'review', keys: 'J' },
  'review.previous': { name: 'Previous request', scope: 'review', keys: 'K' },
  'review.pick': { name: 'Pick for several at once', scope: 'review', keys: 'X' },
  'compose.send': { name: 'Send the request', scope: 'compose', keys: 'Mod+Enter' },

  'replay.play': { name: 'Play or pause', scope: 'replay', keys: 'Space' },
  'replay.next': { name: 'Next decision of a replay', scope: 'replay', keys: ']' },
  'replay.previous': { name: 'Previous decision of a replay', scope: 'replay', keys: '[' },
  'replay.forward': { name: 'Forward 5 s', scope: 'replay', keys: 'ArrowRight' },
  'replay.back': { name: 'Back 5 s', scope: 'replay', keys: 'ArrowLeft' },
} as const satisfies Record<string, Action>

export type ActionId = keyof typeof actionTable

export const actionIds = Object.keys(actionTable).filter(isActionId)

export function isActionId(id: string): id is ActionId {
  return Object.hasOwn(actionTable, id)
}

export function actionOf(id: ActionId): Action {
  return actionTable[id]
}

/** Combination by action; an action without keys is not in it. */
export type Bindings = ReadonlyMap<ActionId, string>

export function defaultKeys(id: ActionId, shell: Platform['shell']): string | undefined {
  const { keys, desktop } = actionOf(id)
  return shell === 'electron' ? (desktop ?? keys) : keys
}

/** The default keys, changed by what the person chose. An empty choice takes the keys away. */
export function bindings(changed: Readonly<Record<string, string>>, shell: Platform['shell']): Bindings {
  const result = new Map<ActionId, string>()
  for (const id of actionIds) {
    const keys = changed[id] ?? defaultKeys(id, shell)
    if (keys !== undefined && keys !== '') result.set(id, keys)
  }
  return result
}

/** Other actions that already have the keys, where both could be meant. */
export function conflicts(id: ActionId, keys: string, bound: Bindings): ActionId[] {
  const { scope } = actionOf(id)
  return [...bound].flatMap(([other, taken]) => {
    const same = other !== id && taken.toLowerCase() === keys.toLowerCase()
    return same && meet(scope, actionOf(other).scope) ? [other] : []
  })
}

/** Whether actions of both can be live together. */
function meet(one: Scope, other: Scope): boolean {
  if (one === other || one === 'everywhere' || other === 'everywhere') return true
  // A tab's own actions and those of its kind are.
  const both = [one, other]
  return both.includes('tabs') && both.some((s) => s === 'sql' || s === 'terminal' || s === 'desktop')
}
