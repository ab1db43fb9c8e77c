import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { z } from 'zod'
import type { Ready } from '../support/demo.ts'
import { tokenEnv } from '../support/pg.ts'
import { RawPostgres } from '../support/raw-postgres.ts'
import { end, run } from '../support/run.ts'
import { workersOf } from '../support/workers.ts'
import { residentMiB } from './memory.ts'
import { named, processorMs, type Used, usedEach } from './processor.ts'
import { inTurn, median, type Row } from './stats.ts'
import { direct, native, pgbouncer, type Way } from './ways.ts'

const seconds = Number(process.env.SALLYPORT_BENCH_SECONDS ?? 5)
const idleCount = Number(process.env.SALLYPORT_BENCH_IDLE ?? 2_000)
const rounds = 3
/** Sessions that are opened before the first look at memory: what is made once is no session's. */
const warmUp = 100

/** How many are asked for. */
const goal = 200

/** How fast sessions begin and end, what that costs, and what one costs that does nothing. */
export async function benchSessions(demo: Ready, pid: number): Promise<Row[]> {
  return [...(await newSessions(demo, pid)), ...(await withStandIn(demo, behindStandIn))]
}

const what = 'new sessions, 8 at a time, one statement each'

async function newSessions(demo: Ready, pid: number): Promise<Row[]> {
  const bouncer = await pgbouncer(demo, join(demo.dataDir, 'pgbouncer-new'))
  const gateway = native(demo, 'engineer')
  const used: Used[] = []
  const past = direct(demo)
  const ways: Record<string, () => Promise<number>> = {
    direct: async () => (await open(past)).perSecond,
    ...(bouncer === undefined ? {} : { pgbouncer: async () => (await open(bouncer)).perSecond }),
    native: async () => {
      const before = await processorMs(pid)
      const { perSecond, count } = await open(gateway)
      used.push(usedEach(before, await processorMs(pid), count))
      return perSecond
    },
  }
  try {
    // Not counted: what is loaded and compiled once is no session's.
    await open(gateway)
    const measured = await inTurn(ways, rounds)
    const rates = Object.entries(measured).map(([way, figures]): Row => {
      const value = median(figures)
      return { what, way, value, unit: '/s', ...(way === 'native' ? ofGoal(value) : {}) }
    })
    const costs = new Map<string, number[]>()
    for (const one of used) for (const [part, ms] of named(one)) costs.set(part, [...(costs.get(part) ?? []), ms])
    const cost = [...costs].map(([part, ms]): Row => {
      return { what: `processor time of a new session, ${part}`, way: 'native', value: median(ms), unit: 'ms' }
    })
    return [...rates, ...cost]
  } finally {
    await bouncer?.close()
  }
}

function ofGoal(value: number): Pick<Row, 'ratio' | 'against'> {
  return { ratio: value / goal, against: `${goal} /s` }
}

/**
 * Every transaction is a connection of its own (`-C`): sign-in, `SELECT 1`, goodbye. Each client has a thread (`-j`), for pgbench stands
 * still while it connects: with two threads for eight clients there are two at a time.
 */
async function open(way: Pick<Way, 'env'>): Promise<{ perSecond: number; count: number }> {
  const script = ['-f', join(import.meta.dirname, 'select-1.sql')]
  const args = ['-n', '-C', '-c', '8', '-j', '8', '-T', String(seconds), ...script]
  const ran = await run('pgbench', args, { env: await way.env() })
  const [perSecond, count] = [/tps = ([\d.]+)/, /actually processed: (\d+)/].map((figure) =>
    Number(figure.exec(ran.stdout)?.[1]),
  )
  if (ran.code !== 0 || perSecond === undefined || count === undefined) throw new Error(`pgbench -C: ${ran.stderr}`)
  return { perSecond, count }
}

const Token = z.object({
  host: z.string(),
  port: z.number(),
  user: z.string(),
  database: z.string(),
  token: z.string(),
})

type Token = z.infer<typeof Token>

/** A gateway of its own, in front of something that stands in for a target. */
interface StandIn {
  token: Token
  pid: number
  /** Lines that its processes print. */
  lines: Interface
}

/** pgbouncer stands in for the target: it holds as many sessions as are asked for, with few of PostgreSQL's own. */
async function withStandIn(demo: Ready, act: (gateway: StandIn) => Promise<Row[]>): Promise<Row[]> {
  const standIn = await pgbouncer(demo, join(demo.dataDir, 'pgbouncer-idle'), 'transaction')
  if (standIn === undefined) return []
  const { PGPORT = '', PGUSER = '', PGPASSWORD = '', PGDATABASE = '' } = await standIn.env()
  const script = join(import.meta.dirname, 'idle-gateway.ts')
  const gateway = spawn(process.execPath, [script, PGPORT, PGUSER, PGPASSWORD, PGDATABASE], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: `--import=${join(import.meta.dirname, 'collecting.ts')}` },
  })
  try {
    const lines = createInterface({ input: gateway.stdout })
    const [line]: string[] = await once(lines, 'line')
    return await act({ token: Token.parse(JSON.parse(line ?? '')), pid: gateway.pid ?? 0, lines })
  } finally {
    await end(gateway)
    await standIn.close()
  }
}

/** Idle ones first: memory is looked at while little has happened. */
async function behindStandIn(gateway: StandIn): Promise<Row[]> {
  const idle = await idleSessions(gateway)
  const way = { env: async () => tokenEnv(gateway.token) }
  await open(way)
  const measured = await inTurn({ native: async () => (await open(way)).perSecond }, rounds)
  const value = median(measured.native)
  return [...idle, { what: `${what}, stand-in target`, way: 'native', value, unit: '/s', ...ofGoal(value) }]
}

async function idleSessions({ token: { host, port, user, database, token }, pid, lines }: StandIn): Promise<Row[]> {
  const open: RawPostgres[] = []
  try {
    const door = { host, port, user, database, password: token }
    const upTo = async (count: number): Promise<void> => {
      while (open.length < count) {
        const batch = Math.min(20, count - open.length)
        open.push(...(await Promise.all(Array.from({ length: batch }, () => RawPostgres.open(door)))))
      }
    }
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
  }
}
