import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import type { Log } from './log.ts'
import { databaseFolder, signOfLife, storedPasswords, superuser } from './postgres/server.ts'
import { webFolder } from './ssh/host.ts'
import { sshdFiles } from './ssh/openssh.ts'

const endMs = 20_000

/**
 * A demo that was killed leaves its servers running: they are ended before the next one starts in its folder.
 * @throws when that demo is alive, or a server does not end
 */
export async function endLeftovers(dataDir: string, log: Log): Promise<void> {
  await endPostgres(dataDir, log)
  await endSshd(dataDir, log)
}

async function endPostgres(dataDir: string, log: Log): Promise<void> {
  const folder = databaseFolder(dataDir)
  const pidFile = join(folder, 'postmaster.pid')
  const passwords = await storedPasswords(dataDir)
  if (passwords === undefined || !existsSync(pidFile)) return
  const [pidLine, owner, , port] = (await readFile(pidFile, 'utf8')).split('\n')
  const pid = Number(pidLine)
  if (owner !== folder || !Number.isInteger(pid) || pid <= 1 || !isAlive(pid)) return
  const client = new pg.Client({
    host: '127.0.0.1',
    port: Number(port),
    user: superuser,
    password: passwords.superuser,
    database: 'postgres',
    connectionTimeoutMillis: 2000,
  })
  try {
    await client.connect()
  } catch {
    // Nobody answers there with our password: the number is another process's by now. PostgreSQL itself refuses to start where
    // another one holds the folder.
    return
  }
  const { rowCount } = await client.query('SELECT FROM pg_stat_activity WHERE application_name = $1', [signOfLife])
  await client.end()
  if ((rowCount ?? 0) > 0) {
    throw new Error(`Another demo is running in ${dataDir}. Stop it, or give this one a folder of its own with --data.`)
  }
  log.warn({ pid }, 'stopping the PostgreSQL that a demo left running')
  await end(pid, 'SIGINT')
}

async function endSshd(dataDir: string, log: Log): Promise<void> {
  const { config, pidFile } = sshdFiles(webFolder(dataDir))
  if (!existsSync(pidFile)) return
  const pid = Number(await readFile(pidFile, 'utf8'))
  // The number may be another process's by now.
  if (!Number.isInteger(pid) || pid <= 1 || !(await commandOf(pid)).includes(config)) return
  log.warn({ pid }, 'stopping the sshd that a demo left running')
  await end(pid, 'SIGTERM')
}

async function end(pid: number, signal: 'SIGINT' | 'SIGTERM'): Promise<void> {
  process.kill(pid, signal)
  for (let waited = 0; isAlive(pid); waited += 50) {
    if (waited > endMs) throw new Error(`Process ${pid}, which a killed demo left running, does not end.`)
    await new Promise((done) => setTimeout(done, 50))
  }
}

/** Empty when there is no such process. */
async function commandOf(pid: number): Promise<string> {
  try {
    return (await promisify(execFile)('ps', ['-o', 'args=', '-p', String(pid)])).stdout
  } catch {
    return ''
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
