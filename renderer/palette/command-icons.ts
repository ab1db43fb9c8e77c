import type { ActionId } from '../actions/table.ts'
import type { IconName } from '../decisions/icon.tsx'

const own: Partial<Record<ActionId, IconName>> = {
  'app.shortcuts': 'keyboard',
  'app.diagnostics': 'pulse',
  'app.checkUpdate': 'package',
  'app.signOut': 'log-out',
  'go.connections': 'plug',
  'go.saved': 'folder',
  'go.requests': 'inbox',
  'go.review': 'inbox',
  'go.history': 'clock',
  'go.metrics': 'gauge',
  'go.sessions': 'replay',
  'go.settings': 'sliders',
  'go.nativeTools': 'plug',
  'view.sidebar': 'panel-left',
  'view.filter': 'filter',
  'theme.dark': 'moon',
  'theme.light': 'sun',
  'theme.system': 'monitor',
  'access.request': 'send',
  'access.extend': 'key',
  'tab.askAccess': 'key',
  'tab.new': 'plus',
  'tab.close': 'x',
  'tab.reopen': 'undo',
  'tab.split': 'split',
  'sql.run': 'play',
  'sql.runAll': 'play',
  'sql.explain': 'gauge',
  'sql.measure': 'gauge',
  'sql.cancel': 'ban',
  'review.approve': 'check',
  'review.deny': 'x',
  'compose.send': 'send',
  'replay.play': 'play',
}

export function commandIcon(id: ActionId): IconName {
  return own[id] ?? 'arrow-right'
}
