import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Settings } from '../shared/rpc/contract.ts'
import { openSettings } from './settings.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sallyport-settings-'))
})
afterEach(() => rm(dir, { recursive: true }))

test('keeps settings and ports over a restart, whatever is saved at the same time', async () => {
  const store = await openSettings(dir, () => {})
  await Promise.all([
    store.save({ theme: 'dark', gateway: undefined }),
    store.savePort('https://g', 'orders-db', 5001),
    store.save({ pinned: ['orders-db'], workspace: { tabs: [1] } }),
    store.saveAtStart('https://g', 'orders-db', true),
  ])
  const again = await openSettings(dir, () => {})
  expect(again.get()).toEqual(
    Settings.parse({ theme: 'dark', gateway: '', pinned: ['orders-db'], workspace: { tabs: [1] } }),
  )
  expect(again.port('https://g', 'orders-db')).toBe(5001)
  expect(again.ports()).toEqual(new Set([5001]))
  expect([again.portOwner('https://g', 5001), again.portOwner('https://other', 5001)]).toEqual(['orders-db', undefined])
  expect([again.atStart('https://g', 'orders-db'), again.atStart('https://g', 'web-1')]).toEqual([true, false])
  await again.saveAtStart('https://g', 'orders-db', false)
  expect(again.atStart('https://g', 'orders-db')).toBe(false)
  expect(await readdir(dir)).toEqual(['settings.json'])
})

test('settings of an older version get the defaults of what they do not name', async () => {
  await writeFile(join(dir, 'settings.json'), '{"settings":{"theme":"light"},"endpoints":{"https://g web-1":5002}}')
  const store = await openSettings(dir, (message) => expect.unreachable(message))
  expect(store.get()).toEqual(Settings.parse({ theme: 'light' }))
  expect(store.port('https://g', 'web-1')).toBe(5002)
})

test('a file that cannot be understood is kept aside and said', async () => {
  await writeFile(join(dir, 'settings.json'), '{"settings": ')
  const warnings: string[] = []
  const store = await openSettings(dir, (message) => warnings.push(message))
  expect(store.get().theme).toBe('system')
  expect(warnings[0]).toContain('settings.json.unreadable')
  expect(await readFile(join(dir, 'settings.json.unreadable'), 'utf8')).toBe('{"settings": ')
})
