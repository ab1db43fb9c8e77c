import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { validateConfiguration } from 'app-builder-lib/out/util/config/config.js'
import { DebugLogger } from 'builder-util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readAsarHead } from './asar.ts'
import { builderConfig, notShipped } from './config.ts'
import { burnFuses, fuses, wrongFuses } from './fuses.ts'
import { findPackaged, verifyAll, verifyPackaged } from './verify.ts'

/** Where a program keeps its fuses: this, a version, how many there are, one character for each. */
const sentinel = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX'
const count = Object.keys(fuses).length

let out: string
beforeEach(async () => {
  out = await mkdtemp(join(tmpdir(), 'sallyport-package-'))
})
afterEach(() => rm(out, { recursive: true }))

/** A program as Electron ships it: Node may be started by environment and by flag. */
function program(wires = count): Buffer {
  const wire = Buffer.from('11110000000000'.slice(0, wires))
  return Buffer.concat([Buffer.alloc(64, 7), Buffer.from(sentinel), Buffer.from([1, wires]), wire, Buffer.alloc(64, 7)])
}

function archive(files: readonly string[]): { bytes: Buffer; hash: string } {
  const root: { files: Record<string, unknown> } = { files: {} }
  for (const name of files) {
    let at = root.files
    const parts = name.split('/')
    for (const part of parts.slice(0, -1)) {
      const folder = (at[part] ?? { files: {} }) as { files: Record<string, unknown> }
      at[part] = folder
      at = folder.files
    }
    at[parts.at(-1) ?? ''] = { size: 1, offset: '0' }
  }
  const json = Buffer.from(JSON.stringify(root))
  const head = Buffer.alloc(16)
  head.writeUInt32LE(4, 0)
  head.writeUInt32LE(json.length + 8, 4)
  head.writeUInt32LE(json.length + 4, 8)
  head.writeUInt32LE(json.length, 12)
  return { bytes: Buffer.concat([head, json]), hash: createHash('sha256').update(json).digest('hex') }
}

const good = ['electron/dist/main.js', 'electron/dist/preload.cjs', 'renderer/dist/index.html', 'package.json']

async function packedLinux(files = good): Promise<string> {
  const dir = join(out, 'linux-unpacked')
  await mkdir(join(dir, 'resources'), { recursive: true })
  await writeFile(join(dir, 'sallyport'), program())
  await writeFile(join(dir, 'resources', 'app.asar'), archive(files).bytes)
  return dir
}

const context = (appOutDir: string, electronPlatformName = 'linux') => ({
  appOutDir,
  electronPlatformName,
  packager: { appInfo: { productFilename: 'Sallyport' }, executableName: 'sallyport' },
})

test('the hook sets every fuse, and they are read back from the program', async () => {
  const dir = await packedLinux()
  const file = join(dir, 'sallyport')
  expect(await wrongFuses(file)).toContain('fuse RunAsNode is ENABLE, not DISABLE')
  await burnFuses(context(dir))
  expect(await wrongFuses(file)).toEqual([])
  const at = (await readFile(file)).indexOf(sentinel) + sentinel.length + 2
  expect((await readFile(file)).subarray(at, at + count).toString()).toBe('010011001')
})

test('an Electron with a fuse that is not decided on fails the package', async () => {
  const dir = await packedLinux()
  await writeFile(join(dir, 'sallyport'), program(count + 1))
  await expect(burnFuses(context(dir))).rejects.toThrow()
})

test('a package is verified: fuses, archive, what is in it', async () => {
  const dir = await packedLinux()
  expect(await verifyAll(out, () => undefined)).toBe(1)
  await burnFuses(context(dir))
  const said: string[] = []
  expect(await verifyAll(out, (line) => said.push(line))).toBe(0)
  expect(said).toHaveLength(1)
})

test('what should not be there is named', async () => {
  const dir = await packedLinux([...good.slice(1), 'renderer/dist/assets/a.js.map', 'certs/release.p12', '.env'])
  await burnFuses(context(dir))
  await mkdir(join(dir, 'resources', 'app'))
  const [app] = await findPackaged(out)
  expect(app && (await verifyPackaged(app))).toEqual([
    'app lies beside the archive',
    'electron/dist/main.js is missing',
    'renderer/dist/assets/a.js.map does not belong into the archive',
    'certs/release.p12 does not belong into the archive',
    '.env does not belong into the archive',
  ])
  expect(await verifyAll(join(out, 'linux-unpacked'), () => undefined)).toBe(1)
})

test('where Electron checks the archive, its hash is in the program', async () => {
  const dir = join(out, 'win-unpacked')
  await mkdir(join(dir, 'resources'), { recursive: true })
  const { bytes, hash } = archive(good)
  await writeFile(join(dir, 'resources', 'app.asar'), bytes)
  expect((await readAsarHead(join(dir, 'resources', 'app.asar'))).hash).toBe(hash)
  const held = Buffer.from(`[{"file":"resources\\\\app.asar","alg":"SHA256","value":"${hash}"}]`)
  await writeFile(join(dir, 'Sallyport.exe'), Buffer.concat([program(), held]))
  await burnFuses(context(dir, 'win32'))
  const [app] = await findPackaged(out)
  expect(app && (await verifyPackaged(app))).toEqual([])
  await writeFile(join(dir, 'resources', 'app.asar'), archive([...good, 'more.js']).bytes)
  expect(app && (await verifyPackaged(app))).toEqual([expect.stringContaining('does not hold the hash')])
})

test('electron-builder takes the configuration, with and without keys', async () => {
  const key = { SALLYPORT_UPDATE_URL: 'https://releases.example/', SALLYPORT_UPDATE_KEY: 'MCow' }
  for (const env of [{}, { ...key, SALLYPORT_RELEASE: '1', APPLE_API_KEY: 'k', SALLYPORT_WIN_PUBLISHER: 'Example' }]) {
    await validateConfiguration(builderConfig(env), new DebugLogger(false))
  }
  expect(builderConfig({})).toMatchObject({
    asar: true,
    publish: null,
    forceCodeSigning: false,
    mac: { hardenedRuntime: true, notarize: false },
    linux: { target: ['AppImage', 'deb', 'rpm'] },
    protocols: [{ schemes: ['sallyport'] }],
  })
  expect(builderConfig({ ...key, SALLYPORT_RELEASE: '1', APPLE_API_KEY: 'k' })).toMatchObject({
    forceCodeSigning: true,
    mac: { notarize: true },
    publish: { provider: 'generic', url: key.SALLYPORT_UPDATE_URL },
    extraMetadata: { sallyport: { updateKey: 'MCow' } },
  })
})

test('a build that would install what nobody signed is not made', () => {
  expect(() => builderConfig({ SALLYPORT_UPDATE_URL: 'https://releases.example/' })).toThrow('nobody signed')
  expect(() => builderConfig({ SALLYPORT_UPDATE_URL: 'http://releases.example/' })).toThrow('https')
})

test('what is left out of the archive is imported by nothing in it', async () => {
  const root = join(import.meta.dirname, '..', '..')
  const left = new Set<string>(notShipped)
  const bad: string[] = []
  for (const folder of ['electron', 'main', 'shared']) {
    for (const entry of await readdir(join(root, folder), { recursive: true })) {
      if (!entry.endsWith('.ts') || /\.test\.ts$|vite\.|^testing/.test(entry) || entry.startsWith('dist')) continue
      const text = await readFile(join(root, folder, entry), 'utf8')
      for (const [, name = ''] of text.matchAll(/from '((?:@[^/']+)|[^./'][^/']*)/g))
        if (left.has(name)) bad.push(`${folder}/${entry}: ${name}`)
    }
  }
  expect(bad).toEqual([])
})
