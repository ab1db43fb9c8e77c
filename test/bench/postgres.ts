import { join } from 'node:path'
import type { Ready } from '../support/demo.ts'
import { run, which } from '../support/run.ts'
import { workersOf } from '../support/workers.ts'
import { peakMiB, residentMiB } from './memory.ts'
import { inTurn, median, type Row } from './stats.ts'
import { direct, endpoint, native, pgbouncer, type Way } from './ways.ts'

const clients = 8
const seconds = Number(process.env.SALLYPORT_BENCH_SECONDS ?? 5)
const rounds = 5
/** A read takes a second or so, and single ones differ by half. */
const readRounds = 9

/** Reads 1,000,000 rows of four columns, two of them masked for whoever comes through the gateway. */
const millionMasked = 'SELECT c.id, c.name, c.email, c.card_number FROM customers c CROSS JOIN generate_series(1, 20)'
const millionClear = 'SELECT o.id, o.customer_id, o.status, o.total FROM orders o CROSS JOIN generate_series(1, 5)'

export async function benchPostgres(demo: Ready, pid: number): Promise<Row[]> {
  for (const program of ['pgbench', 'psql'])
    if (which(program) === undefined) throw new Error(`this benchmark needs ${program}`)
  const bouncer = await pgbouncer(demo, join(demo.dataDir, 'pgbouncer'))
  const ways: Record<string, Way> = {
    direct: direct(demo),
    ...(bouncer === undefined ? {} : { pgbouncer: bouncer }),
    native: native(demo, 'engineer'),
    endpoint: await endpoint(demo, 'engineer'),
  }
  try {
    await prepare(ways)
    const yardstick = bouncer === undefined ? 'direct' : 'pgbouncer'
    return [
      ...(await pointReads(ways, 'simple', yardstick)),
      ...(await pointReads(ways, 'prepared', yardstick)),
      ...(await latency(ways, yardstick)),
      ...(await bulk(ways, 'masked million-row read', millionMasked)),
      ...(await bulk(ways, 'unmasked million-row read', millionClear)),
      ...(await memory(ways, pid)),
    ]
  } finally {
    for (const way of Object.values(ways)) await way.close()
  }
}

async function prepare(ways: Record<string, Way>): Promise<void> {
  const env = await ways.direct?.env()
  const made = await run('pgbench', ['-i', '-q', '-s', '5'], { env: env ?? {} })
  if (made.code !== 0) throw new Error(`pgbench -i: ${made.stderr}`)
}

async function pgbench(way: Way, mode: string, connections: number): Promise<string> {
  const args = [
    '-n',
    '-S',
    '-M',
    mode,
    '-c',
    String(connections),
    '-j',
    connections > 1 ? '2' : '1',
    '-T',
    String(seconds),
  ]
  const ran = await run('pgbench', args, { env: await way.env() })
  if (ran.code !== 0) throw new Error(`pgbench: ${ran.stderr}`)
  return ran.stdout
}

function figure(output: string, pattern: RegExp): number {
  const found = pattern.exec(output)?.[1]
  if (found === undefined) throw new Error(`pgbench printed no such figure: ${output}`)
  return Number(found)
}

async function pointReads(ways: Record<string, Way>, mode: string, yardstick: string): Promise<Row[]> {
  const what = `point reads, ${clients} clients, ${mode}`
  const measured = await inTurn(
    mapWays(ways, async (way) => figure(await pgbench(way, mode, clients), /tps = ([\d.]+)/)),
    rounds,
  )
  return rows(what, 'tps', measured, yardstick, 'more')
}

async function latency(ways: Record<string, Way>, yardstick: string): Promise<Row[]> {
  const measured = await inTurn(
    mapWays(ways, async (way) => figure(await pgbench(way, 'prepared', 1), /latency average = ([\d.]+) ms/)),
    rounds,
  )
  return rows('latency, 1 client, prepared', 'ms', measured, yardstick, 'less')
}

async function bulk(ways: Record<string, Way>, what: string, sql: string): Promise<Row[]> {
  const { pgbouncer: _, ...others } = ways
  const measured = await inTurn(
    mapWays(others, (way) => read(way, sql)),
    readRounds,
  )
  return rows(what, 's', measured, 'direct', 'less')
}

/** Seconds that psql takes to read all of a result. */
async function read(way: Way, sql: string): Promise<number> {
  const env = await way.env()
  const began = performance.now()
  const ran = await run(
    'psql',
    ['-XqAt', '-v', 'ON_ERROR_STOP=1', '-v', 'FETCH_COUNT=0', '-o', '/dev/null', '-c', sql],
    {
      env,
    },
  )
  if (ran.code !== 0) throw new Error(`psql: ${ran.stderr}`)
  return (performance.now() - began) / 1000
}

/** What the gateway's processes grow by, at most, over one masked read of a million rows. */
async function memory({ native }: Record<string, Way>, pid: number): Promise<Row[]> {
  if (native === undefined) return []
  const pids = [pid, ...(await workersOf(pid))]
  const idle = await residentMiB(pids)
  const value = (await peakMiB(pids, () => read(native, millionMasked))) - idle
  return [
    {
      what: 'memory over a masked million-row read',
      way: 'native',
      value,
      unit: 'MiB',
      ratio: value / 40,
      against: '40 MiB',
    },
  ]
}

function mapWays(
  ways: Record<string, Way>,
  measure: (way: Way) => Promise<number>,
): Record<string, () => Promise<number>> {
  return Object.fromEntries(Object.entries(ways).map(([name, way]) => [name, () => measure(way)]))
}

function rows(
  what: string,
  unit: string,
  measured: Record<string, number[]>,
  yardstick: string,
  better: 'more' | 'less',
): Row[] {
  const base = median(measured[yardstick] ?? [])
  return Object.entries(measured).map(([way, figures]) => {
    const value = median(figures)
    const row: Row = { what, way, value, unit }
    return way === yardstick
      ? row
      : { ...row, ratio: better === 'more' ? value / base : base / value, against: yardstick }
  })
}
