import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pipeline } from 'node:stream'
import pixelmatch from 'pixelmatch'
import type { PNG } from 'pngjs'
import { openTunnel } from '../../main/tunnel.ts'
import type { Annotation } from '../../shared/annotation.ts'
import { SessionTicket } from '../../shared/api/models.ts'
import { call, type Role } from './access.ts'
import type { Ready } from './demo.ts'
import { screenArgs, shoot } from './display.ts'
import { openRdp } from './rdp-client.ts'
import { end, run, which } from './run.ts'

/** What the tests of desktops need; without all of it they are skipped. */
export const desktopTools =
  which('Xvfb') !== undefined &&
  which('xfreerdp') !== undefined &&
  which('import') !== undefined &&
  which('xclip') !== undefined &&
  which('xdotool') !== undefined

/** For hooks that wait for `holdDesk`. */
export const deskMs = 600_000

/**
 * The demo has one desktop, and a second sign-in takes it from the first: one file of tests at a time. Resolves with the release
 * when the desktop has been started: on a loaded machine that takes longer than a test should wait.
 */
export async function holdDesk(demo: Ready): Promise<() => Promise<void>> {
  const lock = join(demo.dataDir, 'desk-1.held')
  for (;;) {
    try {
      await mkdir(lock)
      await startDesk(demo)
      return () => rm(lock, { recursive: true, force: true })
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }
}

const letGoMs = 30_000

/** xrdp lets go of a desktop a moment after its client has gone; until then it may take the next one's with it. Its X server keeps a log of both. */
export async function letGo(demo: Ready): Promise<void> {
  const home = join(demo.dataDir, 'world', 'desk-1', 'home')
  const until = Date.now() + letGoMs
  for (;;) {
    const names = (await readdir(home)).filter((name) => /^\.xorgxrdp\.\d+\.log$/.test(name))
    const log = (await Promise.all(names.map((name) => readFile(join(home, name), 'utf8')))).join('')
    const times = (word: string): number => log.split(word).length - 1
    if (times('rdpClientConGotConnection: g_sck_accept ok') === times('rdpClientConDisconnect:')) return
    if (Date.now() > until) throw new Error('somebody still holds the desktop')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const startAttempts = 4
const startMs = 25_000

async function startDesk(demo: Ready): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      const client = await openRdp(directWay(demo), size)
      await Promise.race([client.painted(), new Promise((resolve) => setTimeout(resolve, startMs))])
      client.close()
      await inside(demo)
      await letGo(demo)
      return
    } catch (error) {
      if (attempt === startAttempts) throw error
    }
  }
}

/** The size that every test opens desktops in: xrdp gives another session for another size. */
export const size = { width: 1024, height: 700 }

export interface Screen {
  /** `:N` */
  display: string
  /** What is on it now, from its top left corner, in the size of a desktop. */
  picture(): Promise<PNG>
  close(): Promise<void>
}

/** A screen for native programs. */
export async function openScreen(): Promise<Screen> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-screen-'))
  const child = spawn('Xvfb', ['-displayfd', '3', ...screenArgs], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  })
  const pipe = child.stdio[3]
  if (pipe === null || pipe === undefined || !('readable' in pipe))
    throw new Error('no pipe for the number of the screen')
  const [line] = await once(createInterface({ input: pipe }), 'line')
  const display = `:${line}`
  return {
    display,
    picture: () => shoot(display, size, join(folder, 'screen')),
    async close() {
      await end(child)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The part of two pictures that differs, from 0 to 1. */
export function difference(one: PNG, other: PNG): number {
  if (one.width !== other.width || one.height !== other.height) return 1
  const { width, height } = one
  return pixelmatch(one.data, other.data, undefined, width, height, { threshold: 0.05 }) / (width * height)
}

export interface Way {
  port: number
  user: string
  password: string
  /** `sha256:aa:bb:…`; undefined: whatever it shows. */
  certificate: string | undefined
}

/** A desktop opened through the gateway, as far as the native program: it is to connect to `port`. */
export interface OpenedDesktop extends Way {
  sessionId: string
  annotations: Annotation[]
  /** Resolves with why the tunnel closed, when it has. */
  closed: Promise<string>
  close(): void
}

export async function openDesktop(demo: Ready, role: Role, connection = 'desk-1'): Promise<OpenedDesktop> {
  const answer = await call(demo, role, 'POST', '/sessions', { connection, door: 'cli', annotations: 'machine' })
  if (answer.status >= 300) throw new Error(JSON.stringify(answer.body))
  const { rdp, tunnel, ticket, sessionId } = SessionTicket.parse(answer.body)
  if (rdp === undefined) throw new Error('a ticket for no desktop')
  const url = new URL(tunnel, demo.gateway)
  url.protocol = 'ws:'
  const annotations: Annotation[] = []
  // The program may leave, told that it is over, before the tunnel is closed: what the gateway said counts.
  let told: string | undefined
  let why = 'closed'
  const annotated = (annotation: Annotation): void => {
    annotations.push(annotation)
    if (annotation.kind === 'ended') told = annotation.reason
  }
  const stream = await openTunnel({ url: url.href, ticket, annotated })
  stream.on('error', (error) => {
    why = error.message
  })
  const closed = new Promise<string>((resolve) => stream.once('close', () => resolve(told ?? why)))
  const server = createServer({ noDelay: true }, (socket) => {
    server.close()
    pipeline(socket, stream, socket, () => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  return {
    port,
    user: rdp.username,
    password: rdp.password,
    certificate: `sha256:${rdp.certificate.toLowerCase()}`,
    sessionId,
    annotations,
    closed,
    close: () => {
      server.close()
      stream.destroy()
    },
  }
}

export interface Native {
  child: ChildProcess
  said: string[]
  /** Resolves with its exit code. */
  exited: Promise<number | null>
  close(): Promise<void>
}

/** FreeRDP on a screen, in the size of a desktop. */
export function xfreerdp(
  screen: Pick<Screen, 'display'>,
  { port, user, password, certificate }: Way,
  more: readonly string[] = [],
): Native {
  const cert = certificate === undefined ? '/cert:ignore' : `/cert:fingerprint:${certificate}`
  const args = [
    `/v:127.0.0.1:${port}`,
    `/u:${user}`,
    `/p:${password}`,
    cert,
    '/sec:tls',
    `/size:${size.width}x${size.height}`,
    '/bpp:24',
    '-decorations',
    ...more,
  ]
  const child = spawn('xfreerdp', args, {
    env: { ...process.env, DISPLAY: screen.display },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said: string[] = []
  for (const output of [child.stdout, child.stderr])
    createInterface({ input: output }).on('line', (line) => said.push(line))
  // Not at its exit: what it said last may come after.
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve))
  return {
    child,
    said,
    exited,
    close: () => end(child),
  }
}

/** The desktop from the inside: the X server that the account of the demo's target runs. */
export async function inside(demo: Ready): Promise<{ display: string; home: string; uid: number; gid: number }> {
  const home = join(demo.dataDir, 'world', 'desk-1', 'home')
  const { uid, gid } = await stat(home)
  for (const name of await readdir('/tmp/.X11-unix')) {
    if ((await stat(join('/tmp/.X11-unix', name))).uid === uid) return { display: `:${name.slice(1)}`, home, uid, gid }
  }
  throw new Error('the desktop has no X server yet')
}

type Account = Awaited<ReturnType<typeof inside>>

function clipboardOf(display: string, as: Account | undefined) {
  return {
    env: {
      ...process.env,
      DISPLAY: display,
      ...(as === undefined ? {} : { XAUTHORITY: `${as.home}/.Xauthority`, HOME: as.home }),
    },
    ...(as === undefined ? {} : { uid: as.uid, gid: as.gid }),
  }
}

/** Puts text on the clipboard of a screen. xclip stays behind to hand it out, until somebody else copies. */
export async function copy(display: string, text: string, as?: Account): Promise<void> {
  const options = { ...clipboardOf(display, as), stdio: ['pipe' as const, 'ignore' as const, 'ignore' as const] }
  const child = spawn('xclip', ['-selection', 'clipboard', '-i'], options)
  child.stdin?.end(text)
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`xclip ended with ${code}`)
}

/** What is on the clipboard of a screen; empty when nothing is. */
export async function paste(display: string, as?: Account): Promise<string> {
  const { env, ...account } = clipboardOf(display, as)
  const args = ['5', 'xclip', '-selection', 'clipboard', '-o']
  const ran = await run('timeout', args, {
    env: { DISPLAY: display, ...(as && { XAUTHORITY: env.XAUTHORITY ?? '' }) },
    ...account,
  })
  return ran.stdout
}

/** The size of a screen, as its programs see it: `1024x700`. */
export async function sizeOf(as: Account): Promise<string> {
  const { stdout } = await run('xdpyinfo', ['-display', as.display], { env: { XAUTHORITY: `${as.home}/.Xauthority` } })
  return /dimensions:\s+(\d+x\d+) pixels/.exec(stdout)?.[1] ?? ''
}

/** The demo's target changes its size for nobody from now on, as many do; resolves with how to let it again. */
export async function keepSize(demo: Ready): Promise<() => Promise<void>> {
  const file = join(demo.dataDir, 'world', 'desk-1', 'xrdp.ini')
  const before = await readFile(file, 'utf8')
  await writeFile(file, before.replace('[Xorg]', '[Xorg]\nenable_dynamic_resizing=false'))
  return () => writeFile(file, before)
}

/** The target's own address and password. */
export function directWay(demo: Ready): Way {
  const url = new URL(demo.targets?.['desk-1'] ?? '')
  return { port: Number(url.port), user: url.username, password: url.password, certificate: undefined }
}
