import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { type Door, openDoor } from '../../agent/inspect/postgres/testing/door.ts'
import { type Exchange, Tap } from '../secrets/tap.ts'
import { sorted } from '../secrets/worlds.ts'
import { libpqEnv } from '../support/pg.ts'
import { run, which } from '../support/run.ts'
import { renewDatabase } from './pg-regress.ts'
import { changes, sensitivity } from './regress-classes.ts'
import type { Result } from './score.ts'
import { type Server, startServer } from './server.ts'
import type { Sources } from './sources.ts'

const database = 'regression'

/** What later tests stand on. It is made past the door: much of it is refused where anything is masked. */
const first =
  `test_setup create_function_c create_misc create_operator create_procedure create_table create_type create_schema
  create_index create_view create_aggregate create_function_sql create_cast`.split(/\s+/)

/** Needs folders of its own, or is about the whole server. */
const left = new Set(['tablespace', 'infinite_recurse', 'database'])

/**
 * PostgreSQL's own regression tests in three worlds, of which two are the same: what differs between these is noise (times, numbers of
 * processes, chance), and what differs in the third alone tells of what is masked.
 */
export async function secretsOfRegress(sources: Sources, only: readonly string[] = []): Promise<Result[]> {
  const worlds = await Promise.all([0, 0, 1].map((secret) => RegressWorld.open(sources, secret === 1)))
  const results: Result[] = []
  try {
    const schedule = await readFile(join(sources.regress, 'parallel_schedule'), 'utf8')
    const names = schedule
      .split('\n')
      .flatMap((line) => (line.startsWith('test: ') ? line.slice(6).trim().split(/\s+/) : []))
    for (const name of names) {
      if (first.includes(name) || left.has(name) || (only.length > 0 && !only.includes(name))) continue
      await even(worlds)
      const [one = [], again = [], other = []] = await Promise.all(worlds.map((world) => world.run(name)))
      const difference = differing(one, again, other)
      results.push({
        name: `regress: ${name}`,
        direct: 'ok',
        through: difference === undefined ? 'ok' : 'failed',
        same: difference === undefined,
        ...(difference === undefined ? {} : { difference }),
      })
    }
    const [world] = worlds
    if (world) process.stdout.write(`  regress: ${world.told()}\n`)
  } finally {
    for (const world of worlds) await world.close()
  }
  return results
}

/** All give the same numbers to what is made from now on. */
async function even(worlds: readonly RegressWorld[]): Promise<void> {
  const next = await Promise.all(worlds.map((world) => world.skip(0)))
  const last = Math.max(...next)
  await Promise.all(worlds.map((world, i) => world.skip(last - (next[i] ?? last))))
}

const most = 5

function differing(
  one: readonly Exchange[],
  again: readonly Exchange[],
  other: readonly Exchange[],
): string | undefined {
  const wrong: string[] = []
  for (const [i, { asked, said: lines }] of one.entries()) {
    const [same, third] = [again[i], other[i]]
    const noisy = same?.asked !== asked || !isSame(lines, same.said)
    if (third?.asked !== asked) {
      if (!noisy) wrong.push(`${asked}\nwas not asked in the other world, but ${third?.asked ?? 'nothing'}`)
      break
    }
    if (noisy || isSame(lines, third.said)) continue
    const at = lines.findIndex((line, k) => line !== third.said[k])
    wrong.push([asked, lines[at] ?? 'nothing more', third.said[at] ?? 'nothing more'].join('\n'))
    if (wrong.length === most) break
  }
  return wrong.length === 0 ? undefined : wrong.join('\n\n')
}

/** Without ORDER BY rows may come in another order. */
function isSame(one: readonly string[], other: readonly string[]): boolean {
  return sorted(one).join('\n') === sorted(other).join('\n')
}

class RegressWorld {
  readonly #server: Server
  readonly #door: Door
  readonly #tap: Tap
  readonly #sources: Sources
  readonly #counts = new Map<string, number>()

  private constructor(server: Server, door: Door, tap: Tap, sources: Sources) {
    this.#server = server
    this.#door = door
    this.#tap = tap
    this.#sources = sources
  }

  static async open(sources: Sources, other: boolean): Promise<RegressWorld> {
    const server = await startServer({
      autovacuum: 'off',
      max_parallel_workers: '0',
      statement_timeout: '30s',
      max_prepared_transactions: '2',
    })
    await renewDatabase(server, database)
    const { port, user, password } = server
    for (const name of first) {
      await psql(sources, name, { port, user, password })
      if (name === 'test_setup') await server.sql(database, ...changes(other))
    }
    const door = await openDoor({
      kind: 'postgres',
      host: '127.0.0.1',
      port,
      database,
      user,
      password,
      tls: { mode: 'disable' },
    })
    door.people.sensitivity = sensitivity
    return new RegressWorld(server, door, await Tap.open(door.port), sources)
  }

  /** What a test asked, and what came back, one by one. */
  async run(name: string): Promise<Exchange[]> {
    await psql(this.#sources, name, { port: this.#tap.port, user: this.#server.user, password: '' })
    for (const event of this.#door.people.events) {
      if (event.type === 'request') this.#counts.set(event.outcome, (this.#counts.get(event.outcome) ?? 0) + 1)
    }
    this.#door.people.events.length = 0
    return this.#tap.take()
  }

  /** Uses up numbers of what is made, and one more; the last of them. */
  async skip(numbers: number): Promise<number> {
    const { port, user, password } = this.#server
    const client = new pg.Client({ host: '127.0.0.1', port, user, password, database })
    await client.connect()
    try {
      const { rows } = await client.query(nextOid, [numbers])
      return Number(rows[0]?.next)
    } finally {
      await client.end()
    }
  }

  told(): string {
    return [...this.#counts].map(([outcome, count]) => `${outcome} ${count}`).join(', ')
  }

  async close(): Promise<void> {
    await this.#tap.close()
    await this.#door.close()
    await this.#server.close()
  }
}

const nextOid = `select max(pg_nextoid('pg_class', 'oid', 'pg_class_oid_index')::bigint) as next from generate_series(0, $1::int)`

async function psql(
  sources: Sources,
  name: string,
  at: { port: number; user: string; password: string },
): Promise<void> {
  const env = {
    ...libpqEnv({ host: '127.0.0.1', port: at.port, user: at.user, database }),
    PGPASSWORD: at.password,
    PGTZ: 'PST8PDT',
    PGDATESTYLE: 'Postgres, MDY',
    PGOPTIONS: '-c intervalstyle=postgres_verbose',
    PG_ABS_SRCDIR: sources.regress,
    PG_ABS_BUILDDIR: sources.regress,
    PG_LIBDIR: sources.libraries,
    PG_DLSUFFIX: '.so',
  }
  const file = join(sources.regress, 'sql', `${name}.sql`)
  await run(which('psql') ?? 'psql', ['-X', '-q', '-f', file], { env, cwd: sources.regress, timeoutMs: 300_000 })
}
