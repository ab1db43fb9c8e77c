import { readFields } from '../../agent/inspect/postgres/messages.ts'
import type { PostgresTarget } from '../../agent/inspect/postgres/start/tls.ts'
import { type Door, openDoor, type TestPort } from '../../agent/inspect/postgres/testing/door.ts'
import { startPostgres, type TestPostgres } from '../../agent/inspect/postgres/testing/postgres.ts'
import type { Heard } from '../../agent/inspect/postgres/testing/wire.ts'
import { sqlstates } from '../../shared/annotation.ts'
import { type Answer, RawPostgres } from '../support/raw-postgres.ts'
import type { WorldName } from './schema.ts'

/** How a text goes to the door. */
export type Way = 'simple' | 'extended' | 'binary' | 'one row'

export interface Step {
  sql: string
  way: Way
  /** It only keeps others from each other, and is not counted. */
  between?: true
}

/** What came of a step in both worlds. */
export interface Seen {
  /** `ended`: the session is over. */
  outcome: 'refused' | 'masked' | 'clear' | 'failed' | 'ended'
  /** Rows came in another order, where none was asked for. */
  reordered: boolean
  /** What the first world and the second were told, where that is not the same. */
  difference: readonly [string, string] | undefined
  /** It took too long in one of them, and so nothing can be said. */
  timedOut: boolean
  errors: readonly string[]
}

class World {
  readonly #postgres: TestPostgres
  readonly target: PostgresTarget
  readonly door: Door
  client: RawPostgres
  readonly #enter: (door: Door) => Promise<RawPostgres>

  private constructor(
    postgres: TestPostgres,
    target: PostgresTarget,
    door: Door,
    client: RawPostgres,
    enter: (door: Door) => Promise<RawPostgres>,
  ) {
    this.#postgres = postgres
    this.target = target
    this.door = door
    this.client = client
    this.#enter = enter
  }

  static async open(
    server: Parameters<typeof startPostgres>[0],
    sensitivity: TestPort['sensitivity'],
    make: string,
    path: string,
  ): Promise<World> {
    // What the server does by itself it does at other times in each world.
    const postgres = await startPostgres(server, [
      '-c',
      'autovacuum=off',
      '-c',
      'max_parallel_workers=0',
      '-c',
      'statement_timeout=5s',
    ])
    await postgres.direct(`create schema if not exists worlds; grant all on schema worlds to app`)
    await postgres.direct(make)
    const target = { ...postgres.target, user: 'postgres' }
    const door = await openDoor(target)
    door.people.sensitivity = sensitivity
    const enter = ({ port }: Door) =>
      RawPostgres.open({
        host: '127.0.0.1',
        port,
        user: 'ada',
        database: 'orders-db',
        parameters: { options: `-c search_path=${path}` },
      })
    return new World(postgres, target, door, await enter(door), enter)
  }

  /** A session of its own, and nothing recorded. */
  async renew(): Promise<void> {
    this.client.close()
    this.client = await this.#enter(this.door)
  }

  async ask({ sql, way }: Step): Promise<Answer> {
    if (way === 'simple') return this.client.query(sql)
    return this.client.extended(sql, way === 'binary' ? { binary: true } : way === 'one row' ? { rows: 1 } : {})
  }

  /** What is kept of it, but for when and how long. */
  kept(): string[] {
    return this.door.people.events.map((event) =>
      unnumbered(
        JSON.stringify(event, (key, value: unknown) =>
          key === 'at' || key === 'dbMs' || key === 'gatewayMs' ? undefined : value,
        ),
      ),
    )
  }

  direct(sql: string): Promise<unknown> {
    return this.#postgres.direct(sql)
  }

  /** The number that the server gives next to what is made. */
  async next(): Promise<number> {
    const { rows } = await this.#postgres.direct(`select ${nextOid} as next`)
    return Number(rows[0]?.next)
  }

  skip(numbers: number): Promise<unknown> {
    return this.#postgres.direct(`select max(${nextOid}) from generate_series(1, ${numbers})`)
  }

  async close(): Promise<void> {
    this.client.close()
    await this.door.close()
    await this.#postgres.close()
  }
}

export interface WorldsOptions {
  server?: Parameters<typeof startPostgres>[0]
  sensitivity: TestPort['sensitivity']
  /** What is made in a world before anybody comes. */
  make(world: WorldName): string
  /** search_path of the sessions. */
  path: string
}

/** Two servers that differ in their secrets alone, each behind an inspector, and a client that says the same to both. */
export class Worlds {
  readonly #worlds: readonly [World, World]

  private constructor(worlds: readonly [World, World]) {
    this.#worlds = worlds
  }

  static async open({ server, sensitivity, make, path }: WorldsOptions): Promise<Worlds> {
    const [a, b] = await Promise.all([
      World.open(server, sensitivity, make('a'), path),
      World.open(server, sensitivity, make('b'), path),
    ])
    return new Worlds([a, b])
  }

  async ask(step: Step): Promise<Seen> {
    const [a, b] = this.#worlds
    return compare(...(await Promise.all([a.ask(step), b.ask(step)])))
  }

  /** Where the records of the sessions differ. To be asked when their last answer is complete. */
  recorded(): readonly [string, string] | undefined {
    const [one = [], other = []] = this.#worlds.map((world) => world.kept())
    const at = one.findIndex((line, i) => line !== other[i])
    if (at < 0 && one.length === other.length) return undefined
    const i = at < 0 ? one.length : at
    return [one[i] ?? 'nothing', other[i] ?? 'nothing']
  }

  /** Where the servers listen, past the doors. */
  get ports(): readonly [number, number] {
    return [this.#worlds[0].target.port, this.#worlds[1].target.port]
  }

  /** What was recorded until now is not compared again. */
  forget(): void {
    for (const { door } of this.#worlds) door.people.events.length = 0
  }

  /** Both doors know all that is there. */
  async read(): Promise<void> {
    await Promise.all(this.#worlds.map(({ door, target }) => door.catalogs.get(target).refresh()))
  }

  /** Takes back what was done in the sessions; those that ended are begun anew. */
  async settle(): Promise<void> {
    if (this.#worlds.some(({ client }) => client.closed)) return this.renew()
    for (const sql of ['rollback', 'deallocate all; reset all']) await this.ask({ sql, way: 'simple' })
  }

  /** Both begin new sessions. */
  async renew(): Promise<void> {
    await Promise.all(this.#worlds.map((world) => world.renew()))
  }

  /** Past the doors. */
  async direct(sql: (world: WorldName) => string, failed: (error: unknown) => void = rethrow): Promise<void> {
    const [a, b] = this.#worlds
    await Promise.all([a.direct(sql('a')).catch(failed), b.direct(sql('b')).catch(failed)])
  }

  /** Both give the same numbers to what is made from now on: what failed in one of them may have used up some. */
  async even(): Promise<void> {
    const [a, b] = await Promise.all(this.#worlds.map((world) => world.next()))
    if (a === undefined || b === undefined || a === b) return
    await this.#worlds[a < b ? 0 : 1].skip(Math.abs(a - b))
  }

  /** Who is at each door, for whoever lets more be seen. */
  get people(): readonly [TestPort, TestPort] {
    return [this.#worlds[0].door.people, this.#worlds[1].door.people]
  }

  async close(): Promise<void> {
    await Promise.all(this.#worlds.map((world) => world.close()))
  }
}

function rethrow(error: unknown): never {
  throw error
}

const nextOid = "pg_nextoid('pg_class', 'oid', 'pg_class_oid_index')::bigint"

const cancelled = '57014'

function compare(a: Answer, b: Answer): Seen {
  const [one, other] = [said(a.heard), said(b.heard)]
  const codes = a.errors.map(({ sqlstate }) => sqlstate)
  const outcome = a.closed
    ? 'ended'
    : codes.some((code) => code.startsWith('SP'))
      ? 'refused'
      : codes.length > 0
        ? 'failed'
        : a.notices.includes(sqlstates.masked)
          ? 'masked'
          : 'clear'
  const timedOut = [...a.errors, ...b.errors].some(({ sqlstate }) => sqlstate === cancelled)
  const errors = a.errors.map(({ sqlstate, message }) => `${sqlstate} ${message}`)
  const seen = { outcome, timedOut, errors, reordered: false, difference: undefined } as const
  if (one.join('\n') === other.join('\n') && a.closed === b.closed) return seen
  if (sorted(one).join('\n') === sorted(other).join('\n') && a.closed === b.closed) return { ...seen, reordered: true }
  const at = one.findIndex((line, i) => line !== other[i])
  const i = at < 0 ? one.length : at
  return { ...seen, difference: [one[i] ?? 'nothing more', other[i] ?? 'nothing more'] }
}

/** The messages, byte by byte, but for how long it took and for the number of the process that notifies. */
export function said(heard: readonly Heard[]): string[] {
  return heard.flatMap((one) => (isTiming(one) ? [] : [shown(one)]))
}

function isTiming({ type, bytes }: Heard): boolean {
  return type === 'N' && readFields(bytes, 0, bytes.length).get('C') === sqlstates.timed
}

function shown({ type, bytes }: Heard): string {
  return unnumbered(`${type} ${bytes.toString('latin1', type === 'A' ? 9 : 5)}`)
}

/**
 * The place of a session among others names its temporary schema. VERBOSE tells how long a command took, what was in memory by then, and
 * how many transactions there were. EXPLAIN tells how wide columns are on average, as pg_stats does.
 */
function unnumbered(text: string): string {
  return text
    .replaceAll(/pg_(toast_)?temp_\d+/g, 'pg_$1temp')
    .replaceAll(
      /avg read rate: .*|system usage: .*|I\/O timings: .*|buffer usage: .*|removable cutoff: .*|new relfrozenxid: .*/g,
      '',
    )
    .replaceAll(/width=\d+|"Plan Width": \d+/g, 'width')
}

/** Rows of one result in an order of their own. */
export function sorted(lines: readonly string[]): string[] {
  const out: string[] = []
  let rows: string[] = []
  for (const line of lines) {
    if (line.startsWith('D ') || line.startsWith('d ')) {
      rows.push(line)
      continue
    }
    out.push(...rows.sort(), line)
    rows = []
  }
  return [...out, ...rows.sort()]
}
