import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { PolicyFile, PolicyLoad } from '../../shared/link.ts'
import { openPolicySource, PolicyError, type PolicySource } from './source.ts'

let folder: string
let source: PolicySource | undefined
const loaded: string[] = []
const errors: unknown[] = []
const log = { info() {}, warn() {}, error: (fields: object) => void errors.push(fields) }

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-policy-'))
  loaded.length = 0
  errors.length = 0
})
afterEach(async () => {
  source?.close()
  source = undefined
  await rm(folder, { recursive: true })
})

/** An agent that takes everything but a file that says `broken`, on line 2. */
async function push(files: readonly PolicyFile[]): Promise<PolicyLoad> {
  const bad = files.find(({ text }) => text.includes('broken'))
  if (bad !== undefined) return { ok: false, problems: [{ file: bad.path, line: 2, reason: 'expected a policy' }] }
  return { ok: true, version: files.map(({ text }) => text).join('|') }
}

const open = () =>
  openPolicySource({
    folder,
    push,
    loaded: async ({ version }) => {
      loaded.push(version)
    },
    log,
  })

test('a folder without a policy, or with one that does not load, stops the start and names the place', async () => {
  await expect(open()).rejects.toThrow(/nothing would be permitted/)
  await writeFile(join(folder, 'a.cedar'), 'ok\nbroken')
  const error = await open().catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(PolicyError)
  expect(String(error)).toContain(`${join(folder, 'a.cedar')}:2: expected a policy`)
  await expect(openPolicySource({ folder: join(folder, 'gone'), push, loaded: async () => {}, log })).rejects.toThrow(
    /can't be read/,
  )
})

test('who is to be told must be there: at the start, and when the policy changes', async () => {
  const file = join(folder, 'a.cedar')
  const policy = (to: string) =>
    `@id("w")\n@approve("dba")\n@notify("${to}")\npermit (principal, action == Action::"connect", resource);`
  const openWith = (channels: string[], mail: boolean) =>
    openPolicySource({
      folder,
      push,
      loaded: async ({ version }) => {
        loaded.push(version)
      },
      notify: { channels, mail },
      log,
    })
  await writeFile(file, policy('#ops, dba@example.com'))
  const error = await openWith([], false).catch((thrown: unknown) => thrown)
  expect(String(error)).toContain(`${file}:3: @notify("#ops") names no channel`)
  expect(String(error)).toContain(`${file}:3: @notify("dba@example.com") is a mail address`)
  expect(loaded).toEqual([])
  source = await openWith(['#ops'], true)
  await writeFile(file, policy('#opps'))
  await expect.poll(() => errors.length).toBe(1)
  expect(source.current().files[0]?.text).toContain('#ops,')
})

test('a change is picked up; one that does not load leaves the last good set in force', async () => {
  const file = join(folder, 'a.cedar')
  await writeFile(file, 'one')
  await writeFile(join(folder, 'notes.txt'), 'no policy')
  source = await open()
  expect(source.current()).toEqual({ version: 'one', files: [{ path: 'a.cedar', text: 'one' }] })
  await writeFile(file, 'broken')
  await expect.poll(() => errors.length).toBe(1)
  expect(source.current().version).toBe('one')
  await writeFile(file, 'two')
  await expect.poll(() => source?.current().version).toBe('two')
  expect(loaded).toEqual(['one', 'two'])
})
