import { expect, test } from 'vitest'
import { Keyboard, type KeyInput, type Stroke, secureAttention } from './keyboard.ts'

const input = (key: string, code: string, more: Partial<KeyInput> = {}): KeyInput => ({
  key,
  code,
  ctrl: false,
  alt: false,
  meta: false,
  altGraph: false,
  composing: false,
  ...more,
})
const press = (scan: number): Stroke => ({ kind: 'press', scan })
const release = (scan: number): Stroke => ({ kind: 'release', scan })
const type = (character: string): Stroke => ({ kind: 'type', character })

test('a character goes as it comes out of this machine’s layout, wherever its key is', () => {
  const keyboard = new Keyboard(false)
  // On a French keyboard the key of Q makes an A.
  expect(keyboard.down(input('a', 'KeyQ'))).toEqual([type('a')])
  expect(keyboard.up({ code: 'KeyQ' })).toEqual([])
  expect(keyboard.down(input('Ä', 'Quote'))).toEqual([type('Ä')])
  expect(keyboard.down(input('7', 'Numpad7'))).toEqual([type('7')])
})

test('a key without a character, and combinations, go as the key', () => {
  const keyboard = new Keyboard(false)
  expect(keyboard.down(input('Enter', 'Enter'))).toEqual([press(0x1c)])
  expect(keyboard.up({ code: 'Enter' })).toEqual([release(0x1c)])
  expect(keyboard.down(input('ArrowLeft', 'ArrowLeft'))).toEqual([press(0xe04b)])
  expect(keyboard.down(input('Control', 'ControlLeft', { ctrl: true }))).toEqual([press(0x1d)])
  expect(keyboard.down(input('c', 'KeyC', { ctrl: true }))).toEqual([press(0x2e)])
  expect(keyboard.up({ code: 'KeyC' })).toEqual([release(0x2e)])
  expect(keyboard.down(input('Enter', ''))).toEqual([press(0x1c)])
  expect(keyboard.down(input('Launch', 'Unheard'))).toEqual([])
})

test('AltGr is in its character already: the desktop never hears of the key', () => {
  const keyboard = new Keyboard(false)
  expect(keyboard.down(input('AltGraph', 'AltRight', { altGraph: true }))).toEqual([])
  expect(keyboard.down(input('@', 'KeyQ', { altGraph: true }))).toEqual([type('@')])
  expect(keyboard.up({ code: 'AltRight' })).toEqual([])
})

test('the Ctrl that Windows adds to AltGr is taken back', () => {
  const keyboard = new Keyboard(false)
  expect(keyboard.down(input('Control', 'ControlLeft', { ctrl: true }))).toEqual([press(0x1d)])
  expect(keyboard.down(input('AltGraph', 'AltRight', { altGraph: true, ctrl: true }))).toEqual([release(0x1d)])
  expect(keyboard.down(input('€', 'KeyE', { altGraph: true, ctrl: true, alt: true }))).toEqual([type('€')])
})

test('Option makes characters on macOS, and combinations elsewhere', () => {
  const mac = new Keyboard(true)
  expect(mac.down(input('Alt', 'AltLeft', { alt: true }))).toEqual([press(0x38)])
  expect(mac.down(input('å', 'KeyA', { alt: true }))).toEqual([release(0x38), type('å')])
  const other = new Keyboard(false)
  expect(other.down(input('f', 'KeyF', { alt: true }))).toEqual([press(0x21)])
})

test('dead keys and input methods are left to the browser; what they make is typed', () => {
  const keyboard = new Keyboard(false)
  expect(keyboard.down(input('Dead', 'Backquote'))).toBeUndefined()
  expect(keyboard.down(input('Process', 'KeyE'))).toBeUndefined()
  expect(keyboard.down(input('e', 'KeyE', { composing: true }))).toBeUndefined()
  expect(keyboard.text('ê漢👍')).toEqual([type('ê'), type('漢'), type('👍')])
})

test('what is held is released when the keyboard turns elsewhere, and once', () => {
  const keyboard = new Keyboard(false)
  keyboard.down(input('Shift', 'ShiftLeft'))
  keyboard.down(input('Control', 'ControlLeft', { ctrl: true }))
  expect(keyboard.releaseAll()).toEqual([release(0x2a), release(0x1d)])
  expect(keyboard.releaseAll()).toEqual([])
  expect(keyboard.up({ code: 'ShiftLeft' })).toEqual([])
})

test('on macOS keys that were pressed with Cmd are released with it: nobody says when they go up', () => {
  const mac = new Keyboard(true)
  mac.down(input('Shift', 'ShiftLeft'))
  mac.down(input('Meta', 'MetaLeft', { meta: true }))
  mac.down(input('z', 'KeyZ', { meta: true }))
  mac.down(input('ArrowLeft', 'ArrowLeft', { meta: true }))
  expect(mac.up({ code: 'MetaLeft' })).toEqual([release(0x2c), release(0xe04b), release(0xe05b)])
  // Of Shift it is still said.
  expect(mac.up({ code: 'ShiftLeft' })).toEqual([release(0x2a)])
  const other = new Keyboard(false)
  other.down(input('Meta', 'MetaLeft', { meta: true }))
  other.down(input('ArrowLeft', 'ArrowLeft', { meta: true }))
  expect(other.up({ code: 'MetaLeft' })).toEqual([release(0xe05b)])
  expect(other.up({ code: 'ArrowLeft' })).toEqual([release(0xe04b)])
})

test('Ctrl+Alt+Del is pressed whole before any of it is released', () => {
  expect(secureAttention).toEqual([...[0x1d, 0x38, 0xe053].map(press), ...[0x1d, 0x38, 0xe053].map(release)])
})
