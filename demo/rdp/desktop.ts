import { spawn } from 'node:child_process'
import { createHash, randomBytes, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, chown, mkdir, readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { generate } from 'selfsigned'
import type { Log } from '../log.ts'
import { freePort } from '../ports.ts'
import { type DeskAccount, deskAccount } from './account.ts'

export interface DemoDesktop {
  host: string
  port: number
  user: string
  password: string
  /** SHA-256, `AA:BB:…` */
  certificates: string[]
  close(): Promise<void>
}

const needed = ['/usr/sbin/xrdp', '/usr/sbin/xrdp-sesman', '/usr/lib/xorg/Xorg', '/usr/bin/openbox', '/usr/bin/xterm']
/** xrdp looks for its session manager there, whatever its own configuration says. */
const sesmanPort = 3350
const startMs = 15_000
const watchMs = 3_000

/** Whether this machine can have the demo's desktop: xrdp is installed, and this is root, as its session manager has to be. */
function possible(): boolean {
  return process.platform === 'linux' && process.getuid?.() === 0 && needed.every((path) => existsSync(path))
}

/** `desk-1`: a real xrdp with an account of its own. Undefined where there can be none. */
export async function startDesktop(dataDir: string, log: Log): Promise<DemoDesktop | undefined> {
  if (!possible()) return undefined
  const stops: (() => Promise<void>)[] = []
  const close = async (): Promise<void> => {
    for (let stop = stops.pop(); stop !== undefined; stop = stops.pop()) await stop()
  }
  try {
    return { ...(await start(dataDir, log, stops)), close }
  } catch (error) {
    await close()
    // A demo without a desktop is better than none.
    log.warn({ err: error }, 'the demo has no desktop')
    return undefined
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
  const port = await freePort()
  await keepSesman(folder, log, stops)
  const config = await configure(folder, port, files)
  await run(['/usr/sbin/xrdp', '--nodaemon', '--config', config], port, log, stops)
  return { host: '127.0.0.1', port, user, password, certificates: [certificate] }
}

async function makeHome(home: string, { uid, gid }: DeskAccount): Promise<void> {
  const files = {
    '.xsession': '#!/bin/sh\nexec openbox --startup "$HOME/.startup"\n',
    '.startup': '#!/bin/sh\nexec xterm -geometry 90x28+40+40 -bg white -fg black -title checkout -e /bin/bash --norc\n',
    'stock.csv': 'item,left\nanchor chain,14\nrope 12 mm,230\nharbour lamp,9\n',
  }
  await chown(home, uid, gid)
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(home, name), text)
    await chmod(join(home, name), 0o755)
    await chown(join(home, name), uid, gid)
  }
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

/**
 * One session manager serves all of a machine. Whoever finds none starts one, also later: another demo's goes when that demo
 * does.
 */
async function keepSesman(folder: string, log: Log, stops: (() => Promise<void>)[]): Promise<void> {
  await startSesman(folder, log, stops)
  const timer = setInterval(() => {
    startSesman(folder, log, stops).catch((error: unknown) => log.warn({ err: error }, 'desk-1 can’t be signed in to'))
  }, watchMs)
  timer.unref()
  stops.push(async () => clearInterval(timer))
}

async function startSesman(folder: string, log: Log, stops: (() => Promise<void>)[]): Promise<void> {
  if (await answers(sesmanPort)) return
  const packaged = await readFile('/etc/xrdp/sesman.ini', 'utf8')
  const file = join(folder, 'sesman.ini')
  const text = packaged
    .replace(/^LogFile=.*$/gm, `LogFile=${join(folder, 'sesman.log')}`)
    .replace(/^EnableSyslog=.*$/gm, 'EnableSyslog=false')
  await writeFile(file, text)
  try {
    await run(['/usr/sbin/xrdp-sesman', '--nodaemon', '--config', file], sesmanPort, log, stops)
  } catch (error) {
    // Somebody else was faster.
    if (!(await answers(sesmanPort))) throw error
  }
}

async function run(
  [program = '', ...args]: readonly string[],
  port: number,
  log: Log,
  stops: (() => Promise<void>)[],
): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'ignore'] })
  const exited = once(child, 'exit')
  stops.push(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
    await exited
  })
  const until = Date.now() + startMs
  while (!(await answers(port))) {
    if (child.exitCode !== null || Date.now() > until) throw new Error(`${program} did not start`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  log.debug({ program, port }, 'demo target')
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
