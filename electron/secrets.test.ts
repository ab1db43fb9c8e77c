import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { keychainSecrets, type SafeStorage } from './secrets.ts'

let dir = ''
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sallyport-secrets-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

/** Turns every bit round: enough to tell sealed from plain. */
const flip = (bytes: Buffer): Buffer => Buffer.from(bytes.map((byte) => byte ^ 0xff))
const keychain: SafeStorage = {
  isEncryptionAvailable: () => true,
  encryptString: (plain) => flip(Buffer.from(`sealed:${plain}`)),
  decryptString: (sealed) => {
    const text = flip(sealed).toString()
    if (!text.startsWith('sealed:')) throw new Error('not sealed here')
    return text.slice('sealed:'.length)
  },
}

test('secrets are sealed on disk, for their owner alone, and come back', async () => {
  const secrets = keychainSecrets(keychain, dir, () => undefined)
  await secrets.set('refresh/https://gw', 'token-123')
  expect(await keychainSecrets(keychain, dir, () => undefined).get('refresh/https://gw')).toBe('token-123')
  const [name = ''] = await readdir(dir)
  expect((await readFile(join(dir, name))).includes('token-123')).toBe(false)
  if (process.platform !== 'win32') expect((await stat(join(dir, name))).mode & 0o077).toBe(0)
  await secrets.delete('refresh/https://gw')
  expect(await secrets.get('refresh/https://gw')).toBeUndefined()
  expect(await readdir(dir)).toEqual([])
})

test.each([
  ['no keychain', { ...keychain, isEncryptionAvailable: () => false }],
  ['a keychain whose key everybody has', { ...keychain, getSelectedStorageBackend: () => 'basic_text' }],
])('with %s nothing is written, and the person is told', async (_, storage) => {
  const warnings: string[] = []
  const secrets = keychainSecrets(storage, dir, (message) => warnings.push(message))
  await secrets.set('refresh', 'token-123')
  expect(await secrets.get('refresh')).toBe('token-123')
  expect(await readdir(dir)).toEqual([])
  expect(warnings.join()).toContain('no keychain')
})

test('what another keychain sealed is set aside', async () => {
  const warnings: string[] = []
  const secrets = keychainSecrets(keychain, dir, (message) => warnings.push(message))
  await secrets.set('refresh', 'x')
  const [name = ''] = await readdir(dir)
  await writeFile(join(dir, name), 'foreign')
  expect(await secrets.get('refresh')).toBeUndefined()
  expect(await readdir(dir)).toEqual([])
  expect(warnings).toHaveLength(1)
})
