import { execFile, spawn } from 'node:child_process'
import { createHash, randomBytes, randomInt, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { generate } from 'selfsigned'
import type { Log } from '../log.ts'
import { freePort } from '../ports.ts'
import { type DeskAccount, deskAccount } from './account.ts'
import { type Corner, ownCorner, sesmanIni } from './corner.ts'

export interface DemoDesktop {
  host: string
  port: number
  user: string
  password: string
  /** SHA-256, `AA:BB:…` */
  certificates: string[]
  close(): Promise<void>
}

/** All of them from the packages xrdp, xorgxrdp, xserver-xorg-core, openbox and xterm. */
const needed = [
  '/usr/sbin/xrdp',
  '/usr/sbin/xrdp-sesman',
  '/usr/lib/xorg/Xorg',
  '/usr/lib/xorg/modules/libxorgxrdp.so',
  '/usr/bin/openbox',
  '/usr/bin/xterm',
]
/** xrdp's session manager is there where it can't have a place of its own. */
const sharedSesmanPort = 3350
const startMs = 30_000
const attempts = 3

/** Why this machine can't have the demo's desktop; undefined where it can. xrdp's session manager has to be root. */
function missing(): string | undefined {
  if (process.platform !== 'linux') return 'it needs Linux'
  if (process.getuid?.() !== 0) return 'it needs root'
  const files = needed.filter((path) => !existsSync(path))
  return files.length === 0 ? undefined : `not installed: ${files.join(', ')}`
}

/** `desk-1`: a real xrdp with an account of its own. Undefined where there can be none; the log says why. */
export async function startDesktop(dataDir: string, log: Log): Promise<DemoDesktop | undefined> {
  const why = missing()
  if (why !== undefined) {
    log.info({}, `the demo has no desktop: ${why}`)
    return undefined
  }
  for (let attempt = 1; ; attempt++) {
    const stops: (() => Promise<void>)[] = []
    const close = async (): Promise<void> => {
      for (let stop = stops.pop(); stop !== undefined; stop = stops.pop()) await stop()
    }
    try {
      return { ...(await start(dataDir, log, stops)), close }
    } catch (error) {
      await close()
      // A port that was free may be somebody else's a moment later.
      if (attempt < attempts) continue
      // A demo without a desktop is better than none.
      log.warn({ err: error }, 'the demo has no desktop')
      return undefined
    }
  }
}

async function start(dataDir: string, log: Log, stops: (() => Promise<void>)[]): Promise<Omit<DemoDesktop, 'close'>> {
  const folder = join(dataDir, 'desk-1')
  const home = join(folder, 'home')
  await mkdir(home, { recursive: true, mode: 0o755 })
  const password = randomBytes(18).toString('base64url')
  // One for each data folder, so that two demos on a machine do not share a desktop.
  const user = `desk-${createHash('sha256').update(dataDir).digest('hex').slice(0, 8)}`
  const account = await deskAccount(user, home, password)
  stops.push(() => account.remove())
  await makeHome(home, account)
  const { certificate, files } = await identity(folder)
  const corner = await startSesman(folder, log, stops)
  // Before its session manager ends: an X server that is told to end leaves nothing behind.
  stops.push(() => account.endAll())
  const port = await freePort()
  const config = await configure(folder, port, files)
  await run([...corner, '/usr/sbin/xrdp', '--nodaemon', '--config', config], port, log, stops)
  return { host: '127.0.0.1', port, user, password, certificates: [certificate] }
}

async function makeHome(home: string, { uid, gid }: DeskAccount): Promise<void> {
  // Locks of a run that was killed would keep the next X server waiting.
  for (const name of await readdir(home)) if (name.startsWith('.Xauthority')) await rm(join(home, name))
  const files = {
    '.xsession': '#!/bin/sh\nexport LANG=C.UTF-8\nexec openbox --startup "$HOME/.startup"\n',
    '.startup': '#!/bin/sh\nexec xterm -geometry 90x28+40+40 -bg white -fg black -title checkout -e /bin/bash --norc\n',
    'stock.csv': 'item,left\nanchor chain,14\nrope 12 mm,230\nharbour lamp,9\n',
  }
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(home, name), text)
    await chmod(join(home, name), 0o755)
  }
  // All of it, and no link followed: the account of an earlier run may have had another number.
  await promisify(execFile)('chown', ['--recursive', '--no-dereference', `${uid}:${gid}`, home])
}

/** Made once for a data folder: its fingerprint is pinned. */
async function identity(folder: string): Promise<{ certificate: string; files: { cert: string; key: string } }> {
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
  if (!existsSync(files.key)) {
    const made = await generate([{ name: 'commonName', value: 'desk-1' }], {
      algorithm: 'sha256',
      notAfterDate: new Date(Date.now() + 10 * 365 * 24 * 3600 * 1000),
    })
    await writeFile(files.cert, made.cert)
    await writeFile(files.key, made.private, { mode: 0o600 })
  }
  return { certificate: new X509Certificate(await readFile(files.cert)).fingerprint256, files }
}

/** The packaged configuration, with a port, a certificate and a log of its own, and straight to the desktop. */
async function configure(folder: string, port: number, { cert, key }: { cert: string; key: string }): Promise<string> {
  const packaged = await readFile('/etc/xrdp/xrdp.ini', 'utf8')
  const settings: Record<string, string> = {
    port: `tcp://127.0.0.1:${port}`,
    certificate: cert,
    key_file: key,
    security_layer: 'tls',
    autorun: 'Xorg',
    LogFile: join(folder, 'xrdp.log'),
    EnableSyslog: 'false',
  }
  const seen = new Set<string>()
  // Only the first of each: sections for other kinds of session have ports too.
  const text = packaged.replace(/^(\w+)=.*$/gm, (line, name: string) => {
    const value = settings[name]
    if (value === undefined || seen.has(name)) return line
    seen.add(name)
    return `${name}=${value}`
  })
  const file = join(folder, 'xrdp.ini')
  await writeFile(file, text)
  return file
}

/** A session manager of this desktop's own, and the corner of the machine in which it is found. */
async function startSesman(folder: string, log: Log, stops: (() => Promise<void>)[]): Promise<Corner> {
  const ini = join(folder, 'sesman.ini')
  const port = await freePort()
  await writeSesman(ini, folder, port)
  const corner = await ownCorner(folder, ini)
  if (corner === undefined) {
    log.info({}, 'desk-1 shares one session manager with whatever else on this machine uses xrdp: no namespaces here')
    if (await answers(sharedSesmanPort)) return []
    await writeSesman(ini, folder, sharedSesmanPort)
  }
  const own = corner === undefined ? sharedSesmanPort : port
  await run([...(corner ?? []), '/usr/sbin/xrdp-sesman', '--nodaemon', '--config', ini], own, log, stops)
  return corner ?? []
}

/** The packaged configuration, with a port, a log and numbers for displays of its own. */
async function writeSesman(ini: string, folder: string, port: number): Promise<void> {
  const packaged = await readFile(sesmanIni, 'utf8')
  const text = packaged
    .replace(/^ListenPort=.*$/m, `ListenPort=${port}`)
    // It tries fifty from there on.
    .replace(/^X11DisplayOffset=.*$/m, `X11DisplayOffset=${100 + 50 * randomInt(400)}`)
    .replace(/^LogFile=.*$/gm, `LogFile=${join(folder, 'sesman.log')}`)
    .replace(/^EnableSyslog=.*$/gm, 'EnableSyslog=false')
  await writeFile(ini, text)
}

async function run(
  [program = '', ...args]: readonly string[],
  port: number,
  log: Log,
  stops: (() => Promise<void>)[],
): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'ignore'] })
  const name = args.find((arg) => arg.startsWith('/usr/sbin/')) ?? program
  const exited = once(child, 'exit')
  // SIGKILL: the first process of a corner hears nothing else, and takes the others with it.
  stops.push(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await exited
  })
  const until = Date.now() + startMs
  for (let up = false; !up; ) {
    up = await answers(port)
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${name} ended: ${child.exitCode}`)
    if (!up && Date.now() > until) throw new Error(`${name} did not start within ${startMs / 1_000} s`)
    if (!up) await new Promise((resolve) => setTimeout(resolve, 50))
  }
  log.debug({ program: name, port }, 'demo target')
}

/** On either loopback address: xrdp's session manager takes `127.0.0.1` for `::1`, and only where that is taken for itself. */
async function answers(port: number): Promise<boolean> {
  return (await Promise.all(['127.0.0.1', '::1'].map((host) => listens(host, port)))).includes(true)
}

function listens(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
