import { type ChildProcess, spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../demo/ports.ts'
import { end, run, which } from './run.ts'

/** Whether this machine has a desktop that insists on Network Level Authentication. */
export const hasShadow = ['freerdp-shadow-cli', 'winpr-hash', 'xterm'].every((name) => which(name) !== undefined)

export interface Shadow {
  port: number
  /** SHA-256, `AA:BB:…` */
  certificate: string
  /** Starts it again on the same port, with another certificate. */
  changeCertificate(): Promise<void>
  close(): Promise<void>
}

/** freerdp-shadow: shows the screen `display` to who signs in as this account, by NLA alone. */
export async function startShadow(
  display: string,
  { user, password }: { user: string; password: string },
): Promise<Shadow> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-shadow-'))
  const sam = join(folder, 'sam')
  const hashed = await run('winpr-hash', ['-u', user, '-p', password, '-f', 'sam'])
  await writeFile(sam, hashed.stdout)
  const port = await freePort()
  const window = spawn('xterm', ['-geometry', '90x28+40+40', '-bg', 'white', '-fg', 'black', '-e', 'sleep', '1d'], {
    env: { ...process.env, DISPLAY: display },
    stdio: 'ignore',
  })
  let server: ChildProcess | undefined
  const start = async (): Promise<string> => {
    if (server !== undefined) await end(server)
    const settings = join(folder, 'freerdp', 'shadow')
    await rm(settings, { recursive: true, force: true })
    const args = [`/port:${port}`, '/bind-address:127.0.0.1', '/sec:nla', `/sam-file:${sam}`]
    const child = spawn('freerdp-shadow-cli', args, {
      env: { ...process.env, DISPLAY: display, HOME: folder, XDG_CONFIG_HOME: folder },
      stdio: 'ignore',
    })
    server = child
    await listening(port, child)
    return new X509Certificate(await readFile(join(settings, 'shadow.crt'))).fingerprint256
  }
  return {
    port,
    certificate: await start(),
    changeCertificate: async () => {
      await start()
    },
    close: async () => {
      if (server !== undefined) await end(server)
      await end(window)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Resolves when something answers there; rejects when the program ended before. */
async function listening(port: number, child: ChildProcess): Promise<void> {
  const until = Date.now() + 30_000
  while (child.exitCode === null && child.signalCode === null && Date.now() < until) {
    const socket = connect({ host: '127.0.0.1', port })
    const up = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true))
      socket.once('error', () => resolve(false))
    })
    socket.destroy()
    if (up) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`freerdp-shadow-cli does not listen (exit code ${child.exitCode})`)
}
