import { expect, test } from 'vitest'
import { planLaunch, sealOf } from './plan.ts'
import type { InstalledProgram } from './programs.ts'

const programs: InstalledProgram[] = [
  { id: 'mstsc', name: 'Remote Desktop Connection', path: 'C:\\Windows\\System32\\mstsc.exe' },
  { id: 'windows-app', name: 'Windows App', path: '/Applications/Windows App.app' },
  { id: 'xfreerdp', name: 'FreeRDP', path: '/usr/bin/xfreerdp' },
  { id: 'sdl-freerdp', name: 'FreeRDP (SDL)', path: '/usr/bin/sdl-freerdp' },
  { id: 'wlfreerdp', name: 'FreeRDP for Wayland', path: '/usr/bin/wlfreerdp' },
  { id: 'remmina', name: 'Remmina', path: '/usr/bin/remmina' },
]
const launch = {
  connection: 'desk-1',
  host: '127.0.0.1',
  port: 33891,
  user: 'k3v9q2xwa',
  password: 'one-time-password',
  certificate: 'AB:CD:EF',
  redirections: { clipboard: true, drives: false, printers: false, audio: false },
}
const find = (id: InstalledProgram['id']): InstalledProgram => {
  const program = programs.find((p) => p.id === id)
  if (program === undefined) throw new Error(id)
  return program
}

test.each(programs)('$id: no argument and no file holds the password', (program) => {
  const plan = planLaunch({ ...launch, program }, sealOf(program) === undefined ? undefined : '01000000d08c9ddf')
  expect([plan.command, ...plan.args, plan.file.name, plan.file.text].join('\n')).not.toContain(launch.password)
  expect(plan.args).toContain('{file}')
  expect(plan.file.text).toContain('127.0.0.1:33891')
  expect(plan.file.text).toContain('k3v9q2xwa')
})

test('FreeRDP takes the password from its input and trusts one certificate alone', () => {
  const { args, stdin, pastes } = planLaunch({ ...launch, program: find('xfreerdp') })
  expect(stdin).toBe('one-time-password\n')
  expect(args).toContain('/cert:fingerprint:sha256:ab:cd:ef')
  expect(args).toContain('/from-stdin:force')
  expect(pastes).toBe(false)
})

test('mstsc gets the password sealed for this Windows user; without a seal the person pastes it', () => {
  const program = find('mstsc')
  const sealed = planLaunch({ ...launch, program }, '01000000d08c9ddf')
  expect(sealed.file.text).toContain('password 51:b:01000000d08c9ddf\r\n')
  expect(sealed.pastes).toBe(false)
  expect(planLaunch({ ...launch, program }).pastes).toBe(true)
})

test('Windows App asks the person; Remmina reads what it has sealed itself', () => {
  expect(planLaunch({ ...launch, program: find('windows-app') })).toMatchObject({
    command: '/usr/bin/open',
    args: ['-a', '/Applications/Windows App.app', '{file}'],
    pastes: true,
    detached: true,
  })
  const plan = planLaunch({ ...launch, program: find('remmina') }, 'jxLhnzAU')
  expect(plan).toMatchObject({ pastes: false, detached: true })
  expect(plan.file.text).toContain('\npassword=jxLhnzAU\n')
})

test('a file offers what policy allows and nothing else', () => {
  const { text } = planLaunch({ ...launch, program: find('xfreerdp') }).file
  expect(text).toContain('redirectclipboard:i:1\r\n')
  expect(text).toContain('drivestoredirect:s:\r\n')
  for (const off of ['redirectprinters:i:0', 'audiomode:i:2', 'audiocapturemode:i:0', 'redirectsmartcards:i:0']) {
    expect(text).toContain(`${off}\r\n`)
  }
  expect(text).toContain('autoreconnection enabled:i:0\r\n')
  expect(text).toContain('enablecredsspsupport:i:0\r\n')
  const open = { clipboard: false, drives: true, printers: true, audio: true }
  const other = planLaunch({ ...launch, redirections: open, program: find('mstsc') }, '00').file.text
  expect(other).toContain('redirectclipboard:i:0\r\n')
  expect(other).toContain('drivestoredirect:s:*\r\n')
})
