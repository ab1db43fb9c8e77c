import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { InstalledProgram } from './programs.ts'
import { sealPassword } from './seal.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sallyport-seal-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

async function remmina(script: string): Promise<InstalledProgram> {
  const path = join(dir, 'remmina')
  await writeFile(path, `#!/bin/sh\n${script}\n`)
  await chmod(path, 0o755)
  return { id: 'remmina', name: 'Remmina', path }
}

test('Remmina seals what it reads from its input, and nobody reads it among its arguments', async () => {
  const program = await remmina(
    `read word; echo "$@" > ${dir}/args; echo "Enter the password you want to encrypt:"; printf 'Encrypted password: %s\\n' "$(printf %s "$word" | base64)"`,
  )
  expect(await sealPassword(program, 'one-time', process.env)).toBe(Buffer.from('one-time').toString('base64'))
  expect(await readFile(join(dir, 'args'), 'utf8')).toBe('--encrypt-password\n')
})

test('without a seal nothing is started, and it says so', async () => {
  const program = await remmina('echo no display; exit 1')
  await expect(sealPassword(program, 'one-time', process.env)).rejects.toThrow(/Remmina could not seal/)
})

test('a program that reads the password from its input needs no seal', async () => {
  expect(await sealPassword({ id: 'xfreerdp', name: 'FreeRDP', path: '/none' }, 'x', {})).toBeUndefined()
})
