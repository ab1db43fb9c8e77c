import { expect, test } from 'vitest'
import { layoutOf } from './layouts.ts'

const keys = (list: Record<string, string>) => new Map(Object.entries(list))
const qwerty = { KeyQ: 'q', KeyY: 'y', Semicolon: ';', Minus: '-', BracketLeft: '[', Backslash: '\\' }

test.each([
  ['us', qwerty, 0x409],
  ['gb', { ...qwerty, Backslash: '#' }, 0x809],
  ['de', { ...qwerty, KeyY: 'z', Semicolon: 'ö', Minus: 'ß' }, 0x407],
  ['ch', { ...qwerty, KeyY: 'z', Semicolon: 'ö', Minus: "'" }, 0x807],
  ['fr', { ...qwerty, KeyQ: 'a', Semicolon: 'm', Minus: ')', Equal: '=' }, 0x40c],
  ['be', { ...qwerty, KeyQ: 'a', Semicolon: 'm', Minus: ')', Equal: '-' }, 0x80c],
  ['se', { ...qwerty, Semicolon: 'ö', BracketLeft: 'å' }, 0x41d],
  ['ru', { ...qwerty, KeyQ: 'й', KeyS: 'ы' }, 0x419],
])('the layout is told from what its keys make: %s', (_, list, id) => {
  expect(layoutOf(keys(list), 'ja')).toBe(id)
})

test('where the keys are not known, the language tells', () => {
  expect(layoutOf(undefined, 'de-AT')).toBe(0x407)
  expect(layoutOf(undefined, 'de-CH')).toBe(0x807)
  expect(layoutOf(new Map(), 'pt-BR')).toBe(0x416)
  expect(layoutOf(undefined, 'tlh')).toBe(0x409)
})
