import { expect, test } from 'vitest'
import { combinationOf, keyLabel, matches } from '../decisions/keys.ts'
import { createActions } from './registry.ts'
import { whyNot } from './reserved.ts'
import { actionIds, bindings, conflicts, defaultKeys } from './table.ts'

function press(key: string, held: Partial<KeyboardEvent> = {}): KeyboardEvent {
  const code = /^[a-z]$/i.test(key) ? `Key${key.toUpperCase()}` : /^\d$/.test(key) ? `Digit${key}` : ''
  return { key, code, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...held } as KeyboardEvent
}

test('no two default keys mean two things at once, in either shell', () => {
  for (const shell of ['electron', 'browser'] as const) {
    const bound = bindings({}, shell)
    const clashes = [...bound]
      .map(([id, keys]) => [id, conflicts(id, keys, bound)] as const)
      .filter(([, others]) => others.length > 0)
    expect(clashes).toEqual([])
  }
})

test('what the person chose replaces the default, an empty choice takes the keys away, unknown names do nothing', () => {
  const bound = bindings({ 'sql.run': 'F5', 'tab.close': '', 'gone.action': 'F9' }, 'browser')
  expect(bound.get('sql.run')).toBe('F5')
  expect(bound.has('tab.close')).toBe(false)
  expect(bound.get('sql.runAll')).toBe('Mod+Shift+Enter')
  expect(bound.size).toBe([...actionIds].filter((id) => defaultKeys(id, 'browser') !== undefined).length - 1)
})

test('a key may stand in two scopes that are never live together, and not in two that are', () => {
  const bound = bindings({}, 'browser')
  expect(conflicts('review.approve', 'Mod+Enter', bound)).toEqual([])
  expect(conflicts('review.approve', 'mod+k', bound)).toEqual(['app.palette'])
  expect(conflicts('tab.close', 'Mod+Enter', bound)).toEqual(['sql.run', 'desktop.front'])
  expect(conflicts('go.saved', 'Mod+Enter', bound)).toEqual([
    'sql.run',
    'desktop.front',
    'review.approve',
    'compose.send',
  ])
})

test('keys that edit, move, write or belong to the browser or the menu are given to no action, and no default is one of them', () => {
  const inBrowser = { os: 'linux', shell: 'browser' } as const
  const onDesktop = { os: 'mac', shell: 'electron' } as const
  for (const keys of ['Mod+C', 'Mod+Shift+Z', 'Enter', 'Space', 'ArrowDown', 'Shift+End'])
    expect(whyNot('go.saved', keys, inBrowser)).toBeDefined()
  expect(whyNot('go.saved', 'Mod+T', inBrowser)).toBe('belongs to the browser.')
  expect(whyNot('go.saved', 'Mod+T', onDesktop)).toBeUndefined()
  expect(whyNot('go.saved', 'Mod+0', onDesktop)).toBe('is in the menu.')
  expect(whyNot('sql.run', 'R', inBrowser)).toBe('is text where this is done.')
  expect(whyNot('sql.run', 'F5', inBrowser)).toBeUndefined()
  expect(whyNot('review.next', 'N', inBrowser)).toBeUndefined()
  for (const platform of [inBrowser, onDesktop])
    for (const [id, keys] of bindings({}, platform.shell))
      expect([id, whyNot(id, keys, platform)]).toEqual([id, undefined])
})

test('keys are matched as they are on each system', () => {
  expect(matches('Mod+K', press('k', { metaKey: true }), 'mac')).toBe(true)
  expect(matches('Mod+K', press('k', { ctrlKey: true }), 'mac')).toBe(false)
  expect(matches('Mod+K', press('k', { ctrlKey: true }), 'linux')).toBe(true)
  expect(matches('Mod+K', press('K', { ctrlKey: true, shiftKey: true }), 'linux')).toBe(false)
  // Option makes another character of the letter.
  expect(matches('Alt+N', press('˜', { altKey: true, code: 'KeyN' }), 'mac')).toBe(true)
  expect(matches('Ctrl+Tab', press('Tab', { ctrlKey: true }), 'mac')).toBe(true)
  expect(matches('?', press('?', { shiftKey: true }), 'linux')).toBe(true)
  expect(matches('Space', press(' '), 'linux')).toBe(true)
})

test('what is pressed is written so that it is matched again', () => {
  const pressed = [
    press('k', { ctrlKey: true }),
    press('E', { ctrlKey: true, shiftKey: true }),
    press('F8', { shiftKey: true }),
    press('+', { ctrlKey: true }),
    press('\\', { ctrlKey: true }),
    press(' '),
    press('?', { shiftKey: true }),
  ]
  for (const event of pressed) {
    const keys = combinationOf(event, 'linux')
    expect(keys).toBeDefined()
    expect(matches(keys ?? '', event, 'linux')).toBe(true)
  }
  expect(combinationOf(press('Shift', { shiftKey: true }), 'linux')).toBeUndefined()
  expect(keyLabel('Mod+Shift+E', 'mac')).toBe('⌘⇧E')
  expect(keyLabel('Mod+Shift+E', 'linux')).toBe('Ctrl ⇧ E')
})

test('the handler that came last is the one that acts, and the one before it is back when that goes', () => {
  const actions = createActions()
  const did: string[] = []
  actions.register('sql.run', { run: () => did.push('first') })
  const leave = actions.register('sql.run', { run: () => did.push('second') })
  expect(actions.run('sql.run')).toBe(true)
  leave()
  actions.run('sql.run')
  expect(actions.run('sql.cancel')).toBe(false)
  expect(did).toEqual(['second', 'first'])
  expect([...actions.live.get().keys()]).toEqual(['sql.run'])
})
