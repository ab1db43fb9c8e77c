import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from '../../demo/ports.ts'
import { type Role, sessionToken } from '../support/access.ts'
import type { Ready } from '../support/demo.ts'
import { startEndpoint } from '../support/endpoint.ts'
import { libpqEnv, tokenEnv, urlEnv } from '../support/pg.ts'
import { end, which } from '../support/run.ts'

/** A way to reach a target: what libpq programs need to take it. */
export interface Way {
  env(): Promise<Record<string, string>>
  close(): Promise<void>
}

const nothing = async () => {}

export function direct(demo: Ready): Way {
  const url = demo.targets?.['orders-db']
  if (url === undefined) throw new Error('the demo does not expose its targets')
  return { env: async () => urlEnv(url), close: nothing }
}

/** Tokens last ten minutes, so each run asks for its own. */
export function native(demo: Ready, role: Role): Way {
  return { env: async () => tokenEnv(await sessionToken(demo, role, 'orders-db')), close: nothing }
}

export async function endpoint(demo: Ready, role: Role): Promise<Way> {
  const local = await startEndpoint(demo, role, 'orders-db')
  return { env: async () => libpqEnv(local), close: local.close }
}

/** The yardstick: pgbouncer in front of the same server, in session mode unless said otherwise. Undefined where it is not installed. */
export async function pgbouncer(
  demo: Ready,
  folder: string,
  mode: 'session' | 'transaction' = 'session',
): Promise<Way | undefined> {
  const program = which('pgbouncer')
  const url = demo.targets?.['orders-db']
  if (program === undefined || url === undefined) return undefined
  const target = new URL(url)
  const port = await freePort()
  await mkdir(folder, { recursive: true, mode: 0o755 })
  const users = join(folder, 'users.txt')
  const config = join(folder, 'pgbouncer.ini')
  await writeFile(users, `"${target.username}" "${target.password}"\n`, { mode: 0o644 })
  const asRoot = process.getuid?.() === 0
  await writeFile(
    config,
    `[databases]\n* = host=${target.hostname} port=${target.port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = ${port}\nunix_socket_dir =\nauth_type = plain\nauth_file = ${users}\npool_mode = ${mode}\nmax_client_conn = 5000\nignore_startup_parameters = extra_float_digits,options,search_path\ndefault_pool_size = 100\n${asRoot ? 'user = postgres\n' : ''}`,
    { mode: 0o644 },
  )
  const child = spawn(program, ['-q', config], { stdio: ['ignore', 'ignore', 'ignore'] })
  await untilListening(port)
  return {
    env: async () =>
      libpqEnv({
        host: '127.0.0.1',
        port,
        user: target.username,
        database: target.pathname.slice(1),
        password: target.password,
      }),
    close: () => end(child),
  }
}

/** pgbouncer announces nothing once it runs quietly, so its port is tried until it answers. */
async function untilListening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const socket = connect(port, '127.0.0.1')
    const opened = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false)
    socket.destroy()
    if (opened) return
    await delay(50)
  }
  throw new Error('pgbouncer did not start')
}
