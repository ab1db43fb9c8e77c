import { execFileSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadKeys } from './keys.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sallyport-keys-'))
})
afterEach(() => rm(dir, { recursive: true }))

test('keys are made once, kept, and readable by nobody else', async () => {
  const first = await loadKeys(join(dir, 'agent'))
  const again = await loadKeys(join(dir, 'agent'))
  expect(again.hostKey).toBe(first.hostKey)
  expect(again.rdp).toEqual(first.rdp)
  expect(first.rdp.fingerprint).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/)
  expect(again.hash('a')).toBe(first.hash('a'))
  expect(first.hash('a')).toMatch(/^[0-9a-f]{64}$/)
  const files = await readdir(join(dir, 'agent'))
  expect(files.sort()).toEqual(['mask.key', 'rdp.pem', 'ssh_host_ed25519_key'])
  for (const file of files) expect((await stat(join(dir, 'agent', file))).mode & 0o777).toBe(0o600)
})

test('another agent has other keys', async () => {
  const [one, other] = [await loadKeys(join(dir, 'a')), await loadKeys(join(dir, 'b'))]
  expect(one.hostKeyFingerprint).not.toBe(other.hostKeyFingerprint)
  expect(one.hash('a')).not.toBe(other.hash('a'))
})

test('the fingerprint is the one that ssh-keygen prints', async () => {
  const { hostKey, hostKeyFingerprint } = await loadKeys(dir)
  const parsed = ssh2.utils.parseKey(hostKey)
  if (parsed instanceof Error) throw parsed
  await writeFile(join(dir, 'key.pub'), `ssh-ed25519 ${parsed.getPublicSSH().toString('base64')}\n`)
  expect(execFileSync('ssh-keygen', ['-lf', join(dir, 'key.pub')], { encoding: 'utf8' })).toContain(hostKeyFingerprint)
})

test.each(['ssh_host_ed25519_key', 'mask.key'])('a broken %s is told, not replaced', async (name) => {
  await loadKeys(dir)
  await writeFile(join(dir, name), 'not a key')
  await expect(loadKeys(dir)).rejects.toThrow(name)
  expect(await readFile(join(dir, name), 'utf8')).toBe('not a key')
})
