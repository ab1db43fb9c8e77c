import { generateKeyPairSync } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { signRelease } from '../build/package/sign.ts'
import { releaseKey } from './update-signature.ts'
import { desktopUpdates, type Updater } from './updates.ts'

const pair = generateKeyPairSync('ed25519')
const silent = { info: () => {}, warn: () => {}, error: () => {} }
const yaml =
  'version: 2.0.0\nfiles:\n  - url: Sallyport-2.0.0.AppImage\n    sha512: abc\npath: Sallyport-2.0.0.AppImage\n'

interface Info {
  version: string
  files: { url: string; sha512: string }[]
  stagingPercentage?: number
}

class FakeUpdater extends EventEmitter implements Updater {
  autoDownload = true
  autoInstallOnAppQuit = true
  allowDowngrade = true
  allowPrerelease = true
  disableWebInstaller = false
  offered: Info | undefined
  calls: string[] = []
  async checkForUpdates(): Promise<void> {
    this.calls.push('check')
    if (this.offered === undefined) this.emit('update-not-available')
    else this.emit('update-available', this.offered)
  }
  async downloadUpdate(): Promise<void> {
    this.calls.push('download')
    this.emit('download-progress', { percent: 40 })
  }
  quitAndInstall(): void {
    this.calls.push('install')
  }
}

function setUp(offered?: Info) {
  const updater = new FakeUpdater()
  updater.offered = offered
  const updates = desktopUpdates({ updater, key: pair.publicKey, log: silent, now: () => new Date(0) })
  return { updater, updates }
}

const signed = (change: (info: Info) => Info = (info) => info): Info =>
  change(parse(signRelease(yaml, pair.privateKey, 25)) as Info)

test('nothing is fetched, installed, downgraded to or run by itself', () => {
  const { updater, updates } = setUp()
  expect(updater).toMatchObject({
    autoDownload: false,
    autoInstallOnAppQuit: false,
    allowDowngrade: false,
    allowPrerelease: false,
    disableWebInstaller: true,
  })
  expect(updates.state.get()).toEqual({ state: 'current' })
})

test('a signed release is fetched when asked, and installed when it is there', async () => {
  const { updater, updates } = setUp(signed())
  await expect(updates.install()).rejects.toThrow('No new version is ready')
  await updates.check()
  expect(updates.state.get()).toEqual({ state: 'downloading', version: '2.0.0', percent: 40 })
  updater.emit('update-downloaded', { version: '2.0.0' })
  expect(updates.state.get()).toEqual({ state: 'ready', version: '2.0.0' })
  expect(updater.autoInstallOnAppQuit).toBe(true)
  await updates.install()
  expect(updater.calls).toEqual(['check', 'download', 'install'])
})

test.each<[string, (info: Info) => Info]>([
  ['another version', (info) => ({ ...info, version: '9.9.9' })],
  ['another file', (info) => ({ ...info, files: [{ url: 'evil.AppImage', sha512: 'abc' }] })],
  ['another hash', (info) => ({ ...info, files: info.files.map((file) => ({ ...file, sha512: 'evil' })) })],
  ['a file more', (info) => ({ ...info, files: [...info.files, { url: 'evil', sha512: 'evil' }] })],
  ['no signature', ({ version, files }) => ({ version, files })],
  ['a signature that is none', (info) => ({ ...info, sallyportSignature: 'AAAA' })],
])('a release with %s than was signed is not fetched', async (_what, change) => {
  const { updater, updates } = setUp(signed(change))
  await updates.check()
  expect(updater.calls).toEqual(['check'])
  expect(updates.state.get()).toMatchObject({
    state: 'failed',
    problem: { message: expect.stringContaining('not signed') },
  })
  updater.emit('update-downloaded', { version: '9.9.9' })
  expect(updater.autoInstallOnAppQuit).toBe(false)
})

test('how many see it first may change after it is signed', async () => {
  const { updates } = setUp(signed((info) => ({ ...info, stagingPercentage: 100 })))
  await updates.check()
  expect(updates.state.get()).toMatchObject({ state: 'downloading' })
})

test('a release signed with another key is not ours', async () => {
  const other = generateKeyPairSync('ed25519')
  const { updater, updates } = setUp(parse(signRelease(yaml, other.privateKey, 100)) as Info)
  await updates.check()
  expect(updater.calls).toEqual(['check'])
})

test('nothing new, and no answer, are said as what they are', async () => {
  const { updater, updates } = setUp()
  await updates.check()
  expect(updates.state.get()).toEqual({ state: 'current', checkedAt: '1970-01-01T00:00:00.000Z' })
  updater.emit('error', new Error('net::ERR_NAME_NOT_RESOLVED'))
  expect(updates.state.get()).toMatchObject({ state: 'failed', problem: { action: 'retry' } })
})

test('by itself only while that is chosen', async () => {
  const { updater, updates } = setUp()
  updates.follow('manual')
  expect(updater.calls).toEqual([])
  updates.follow('automatic')
  expect(updater.calls).toEqual(['check'])
  updates.stop()
})

test('the key of a build is an Ed25519 key, or the build has none', () => {
  const spki = pair.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  expect(releaseKey(spki).asymmetricKeyType).toBe('ed25519')
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey
  expect(() => releaseKey(rsa.export({ type: 'spki', format: 'der' }).toString('base64'))).toThrow('not an Ed25519')
})
