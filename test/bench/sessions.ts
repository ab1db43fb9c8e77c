import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import type { Ready } from '../support/demo.ts'
import { RawPostgres } from '../support/raw-postgres.ts'
import { end, run } from '../support/run.ts'
import { workersOf } from '../support/workers.ts'
import { residentMiB } from './memory.ts'
import { inTurn, median, type Row } from './stats.ts'
import { native, pgbouncer, type Way } from './ways.ts'

const seconds = Number(process.env.SALLYPORT_BENCH_SECONDS ?? 5)
const idleCount = Number(process.env.SALLYPORT_BENCH_IDLE ?? 2_000)
const rounds = 3
/** Sessions that are opened before the first look at memory: what is made once is no session's. */
const warmUp = 100

/** How fast sessions begin and end, and what one costs that does nothing. */
export async function benchSessions(demo: Ready): Promise<Row[]> {
  return [...(await newSessions(demo)), ...(await idleSessions(demo))]
}

async function newSessions(demo: Ready): Promise<Row[]> {
  const bouncer = await pgbouncer(demo, join(demo.dataDir, 'pgbouncer-new'))
  const ways: Record<string, Way> = {
    ...(bouncer === undefined ? {} : { pgbouncer: bouncer }),
    native: native(demo, 'engineer'),
  }
  try {
    const measured = await inTurn(
      Object.fromEntries(Object.entries(ways).map(([name, way]) => [name, () => perSecond(way)])),
      rounds,
    )
    return Object.entries(measured).map(([way, figures]) => ({
      what: 'new sessions, 8 at a time, one statement each',
      way,
      value: median(figures),
      unit: '/s',
    }))
  } finally {
    await bouncer?.close()
  }
}

/** Every transaction is a connection of its own (`-C`): sign-in, `SELECT 1`, goodbye. */
async function perSecond(way: Way): Promise<number> {
  const script = ['-f', join(import.meta.dirname, 'select-1.sql')]
  const args = ['-n', '-C', '-c', '8', '-j', '2', '-T', String(seconds), ...script]
  const ran = await run('pgbench', args, { env: await way.env() })
  const tps = /tps = ([\d.]+)/.exec(ran.stdout)?.[1]
  if (ran.code !== 0 || tps === undefined) throw new Error(`pgbench -C: ${ran.stderr}`)
  return Number(tps)
}

const Token = z.object({
  host: z.string(),
  port: z.number(),
  user: z.string(),
  database: z.string(),
  token: z.string(),
})

/** pgbouncer stands in for the target: it holds as many sessions as are asked for, with few of PostgreSQL's own. */
async function idleSessions(demo: Ready): Promise<Row[]> {
  const standIn = await pgbouncer(demo, join(demo.dataDir, 'pgbouncer-idle'), 'transaction')
  if (standIn === undefined) return []
  const { PGPORT = '', PGUSER = '', PGPASSWORD = '', PGDATABASE = '' } = await standIn.env()
  const script = join(import.meta.dirname, 'idle-gateway.ts')
  const gateway = spawn(process.execPath, [script, PGPORT, PGUSER, PGPASSWORD, PGDATABASE], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: `--import=${join(import.meta.dirname, 'collecting.ts')}` },
  })
  const open: RawPostgres[] = []
  try {
    const lines = createInterface({ input: gateway.stdout })
    const [line]: string[] = await once(lines, 'line')
    const { host, port, user, database, token } = Token.parse(JSON.parse(line ?? ''))
    const door = { host, port, user, database, password: token }
    const upTo = async (count: number): Promise<void> => {
      while (open.length < count) {
        const batch = Math.min(20, count - open.length)
        open.push(...(await Promise.all(Array.from({ length: batch }, () => RawPostgres.open(door)))))
      }
    }
    const { pid = 0 } = gateway
    const pids = [pid, ...(await workersOf(pid))]
    const collected = async (): Promise<number> => {
      for (const pid of pids) {
        process.kill(pid, 'SIGUSR2')
        await once(lines, 'line')
      }
      return residentMiB(pids)
    }
    await upTo(warmUp)
    const before = await collected()
    await upTo(warmUp + idleCount)
    const after = await collected()
    const value = ((after - before) * 1024) / idleCount
    const limit = 64
    return [
      {
        what: `an idle session, of ${idleCount.toLocaleString('en-US')}`,
        way: 'native',
        value,
        unit: 'KiB',
        ratio: value / limit,
        against: `${limit} KiB`,
      },
    ]
  } finally {
    for (const client of open) client.close()
    await end(gateway)
    await standIn.close()
  }
}
