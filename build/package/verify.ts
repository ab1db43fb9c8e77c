import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { readAsarHead } from './asar.ts'
import { wrongFuses } from './fuses.ts'

export interface Packaged {
  system: 'mac' | 'windows' | 'linux'
  /** What the fuses are in: the .app folder, or the program. */
  program: string
  resources: string
}

/** The unpacked apps in electron-builder's output folder. */
export async function findPackaged(out: string): Promise<Packaged[]> {
  const folders = (await readdir(out, { withFileTypes: true })).filter((entry) => entry.isDirectory())
  return folders.flatMap(({ name }): Packaged[] => {
    const dir = join(out, name)
    if (/^mac(-|$)/.test(name)) {
      const program = join(dir, 'Sallyport.app')
      return [{ system: 'mac', program, resources: join(program, 'Contents', 'Resources') }]
    }
    if (/^win(-.*)?-unpacked$/.test(name)) {
      return [{ system: 'windows', program: join(dir, 'Sallyport.exe'), resources: join(dir, 'resources') }]
    }
    if (/^linux(-.*)?-unpacked$/.test(name)) {
      return [{ system: 'linux', program: join(dir, 'sallyport'), resources: join(dir, 'resources') }]
    }
    return []
  })
}

/** What is wrong with a packaged app, in words; empty when nothing is. */
export async function verifyPackaged(app: Packaged): Promise<string[]> {
  const archive = join(app.resources, 'app.asar')
  if (!(await exists(archive))) return ['the app is not in an archive']
  const { hash, files } = await readAsarHead(archive)
  return [
    ...(await wrongFuses(app.program)),
    ...(await looseCode(app.resources)),
    ...(await wrongIntegrity(app, hash)),
    ...wrongFiles(files),
  ]
}

/** Code beside the archive, which a fuse keeps from being run, and which has no business there. */
async function looseCode(resources: string): Promise<string[]> {
  const names = await readdir(resources)
  return names
    .filter((name) => name === 'app' || name === 'default_app.asar')
    .map((name) => `${name} lies beside the archive`)
}

/** macOS keeps the hash in Info.plist, Windows in the program's resources. Electron checks none on Linux. */
async function wrongIntegrity({ system, program }: Packaged, hash: string): Promise<string[]> {
  if (system === 'linux') return []
  const holder = system === 'mac' ? join(program, 'Contents', 'Info.plist') : program
  const held = (await readFile(holder)).includes(hash)
  return held ? [] : [`${holder} does not hold the hash of the archive`]
}

const needed = ['electron/dist/main.js', 'electron/dist/preload.cjs', 'renderer/dist/index.html', 'package.json']
const unwanted = /(^|\/)(\.env|\.git|id_rsa|.*\.(pem|key|p12|pfx))(\/|$)|^(electron|renderer)\/.*\.(tsx?|map)$/

function wrongFiles(files: readonly string[]): string[] {
  return [
    ...needed.filter((name) => !files.includes(name)).map((name) => `${name} is missing`),
    ...files.filter((name) => unwanted.test(name)).map((name) => `${name} does not belong into the archive`),
  ]
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

/** For people and the release job: checks every app in a folder. Exit code 1 when one is not as it should be, or none is there. */
export async function verifyAll(out: string, say: (line: string) => void): Promise<number> {
  const apps = await findPackaged(out)
  if (apps.length === 0) say(`${out}: no packaged app`)
  let bad = apps.length === 0 ? 1 : 0
  for (const app of apps) {
    const wrong = await verifyPackaged(app)
    say(wrong.length === 0 ? `${dirname(app.program)}: fuses, archive and integrity are as they should be` : '')
    for (const line of wrong) say(`${app.program}: ${line}`)
    if (wrong.length > 0) bad = 1
  }
  return bad
}
