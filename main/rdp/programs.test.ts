import { expect, test } from 'vitest'
import { candidatesFor, choose, type InstalledProgram, installHint, viewerProgram } from './programs.ts'

const ids = (platform: NodeJS.Platform, env: NodeJS.ProcessEnv): string[] =>
  candidatesFor(platform, env).map((c) => c.id)
const freerdp: InstalledProgram = { id: 'xfreerdp', name: 'FreeRDP', path: '/usr/bin/xfreerdp' }
const remmina: InstalledProgram = { id: 'remmina', name: 'Remmina', path: '/usr/bin/remmina' }

test('each platform has its own programs, the system’s first', () => {
  expect(ids('win32', {})).toEqual(['mstsc', 'sdl-freerdp', 'xfreerdp'])
  expect(ids('darwin', {})).toEqual(['windows-app', 'sdl-freerdp', 'xfreerdp'])
  expect(ids('linux', { DISPLAY: ':0' })).toEqual(['xfreerdp', 'sdl-freerdp', 'remmina'])
  expect(ids('linux', { DISPLAY: ':0', WAYLAND_DISPLAY: 'wayland-0' })).toEqual([
    'xfreerdp',
    'sdl-freerdp',
    'wlfreerdp',
    'remmina',
  ])
  expect(ids('linux', { WAYLAND_DISPLAY: 'wayland-0' })).toEqual(['sdl-freerdp', 'wlfreerdp', 'remmina'])
})

test('without a graphical session there is nothing to start', () => {
  expect(ids('linux', {})).toEqual([])
  expect(ids('linux', { DISPLAY: '' })).toEqual([])
})

test('the choice is kept while the program is there', () => {
  expect(choose([freerdp, remmina], undefined)).toBe(freerdp)
  expect(choose([freerdp, remmina], 'remmina')).toBe(remmina)
  expect(choose([freerdp], 'remmina')).toBe(freerdp)
  expect(choose([], 'remmina')).toBeUndefined()
  expect(choose([viewerProgram], undefined)).toBeUndefined()
  expect(choose([freerdp, viewerProgram], 'viewer')).toBe(viewerProgram)
})

test('where there is none, it says what to install', () => {
  expect(installHint('linux')).toContain('apt install freerdp3-x11')
  expect(installHint('darwin')).toContain('Windows App')
  expect(installHint('win32')).toContain('mstsc')
})
