import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { freePort } from '../../demo/ports.ts'
import { end, run, which } from '../support/run.ts'

/** A PostgreSQL of the system's own packages, new and empty, with one superuser who signs in with a password. */
export interface Server {
  port: number
  user: string
  password: string
  /** A folder that the server's account owns. */
  folder: string
  /** Runs SQL in a database as the superuser, past the gateway. */
  sql(database: string, ...statements: readonly string[]): Promise<void>
  close(): Promise<void>
}

/** The account that PostgreSQL's programs run as where this is root, which they refuse. */
export async function postgresAccount(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const [uid, gid] = await Promise.all(['-u', '-g'].map((flag) => run('id', [flag, 'postgres'])))
  if (uid?.code !== 0 || gid?.code !== 0) throw new Error('there is no account "postgres" to run PostgreSQL as')
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
}

/** A new folder that the server's account owns and everybody can pass through. */
export async function sharedFolder(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `sallyport-${name}-`))
  await chmod(folder, 0o755)
  const account = await postgresAccount()
  if (account !== undefined) await chown(folder, account.uid, account.gid)
  return folder
}

/** Rejects where PostgreSQL's server programs are not installed. */
export async function startServer(settings: Readonly<Record<string, string>> = {}): Promise<Server> {
  const initdb = which('initdb')
  const postgres = which('postgres')
  if (initdb === undefined || postgres === undefined) throw new Error('this needs the package postgresql-15')
  const account = await postgresAccount()
  const folder = await sharedFolder('conformance')
  const data = join(folder, 'data')
  const port = await freePort()
  const user = 'conformer'
  const password = randomBytes(12).toString('hex')
  const secret = join(folder, 'password')
  await writeFile(secret, password, { mode: 0o644 })
  const options = { ...account, cwd: folder }
  const made = await run(
    initdb,
    [
      '-D',
      data,
      '-U',
      user,
      '--auth-local=trust',
      '--auth-host=scram-sha-256',
      '--pwfile',
      secret,
      '--no-locale',
      '-E',
      'UTF8',
      '--no-sync',
    ],
    options,
  )
  if (made.code !== 0) throw new Error(`initdb: ${made.stderr}`)
  const all = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: folder,
    fsync: 'off',
    ...settings,
  }
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  // Tests of dblink and postgres_fdw have the server call itself without saying where.
  const env = { ...process.env, PGHOST: folder, PGPORT: String(port), PGUSER: user }
  const child = spawn(postgres, ['-D', data, ...flags], { ...options, env, stdio: 'ignore' })
  const connect = (database: string) => new pg.Client({ host: '127.0.0.1', port, user, password, database })
  await untilUp(child, () => connect('postgres'))
  return {
    port,
    user,
    password,
    folder,
    async sql(database, ...statements) {
      const client = connect(database)
      await client.connect()
      try {
        for (const statement of statements) await client.query(statement)
      } finally {
        await client.end()
      }
    },
    async close() {
      // SIGINT: sessions that are still open do not keep it.
      child.kill('SIGINT')
      await end(child)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** It logs that it is ready in the language of its settings, so it is tried until it answers. */
async function untilUp(child: ChildProcess, make: () => pg.Client): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (child.exitCode !== null) throw new Error(`PostgreSQL ended with ${child.exitCode} before it was up`)
    const client = make()
    try {
      await client.connect()
      await client.end()
      return
    } catch {
      await delay(50)
    }
  }
  throw new Error('PostgreSQL did not start')
}
