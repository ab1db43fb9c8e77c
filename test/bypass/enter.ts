import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { type Door, openDoor } from '../../agent/inspect/postgres/testing/door.ts'
import { startPostgres, type TestPostgres } from '../../agent/inspect/postgres/testing/postgres.ts'
import { RawPostgres } from '../support/raw-postgres.ts'

/** A client at the door that keeps every byte it gets. */
export function enter({ port }: Door, parameters: Readonly<Record<string, string>> = {}): Promise<RawPostgres> {
  return RawPostgres.open({ host: '127.0.0.1', port, user: 'ada', database: 'orders-db', parameters })
}

/** All the bytes that come for texts, one after the other. */
export async function bytesOf(client: RawPostgres, texts: readonly string[]): Promise<string> {
  let bytes = ''
  for (const text of texts) bytes += (await client.query(text)).bytes.toString('latin1')
  return bytes
}

/** What the attempts of a file stand on: one server and one door for all of them, and a client of its own for each. */
export interface Stand {
  postgres: TestPostgres
  door: Door
  client: RawPostgres
}

/**
 * Sets it up around the tests of the file. `prepare` runs before there is a door, so that its catalog knows what was made; `begins` opens
 * a transaction for each attempt. Nothing is there before the first test runs.
 */
export function stand({
  server,
  prepare,
  opened,
  begins = false,
}: {
  server?: Parameters<typeof startPostgres>[0]
  prepare?: string
  opened?(door: Door): void
  begins?: boolean
}): Stand {
  const at: Partial<Stand> = {}
  beforeAll(async () => {
    at.postgres = await startPostgres(server)
    if (prepare !== undefined) await at.postgres.direct(prepare)
    at.door = await openDoor(at.postgres.target)
    opened?.(at.door)
  })
  afterAll(async () => {
    await at.door?.close()
    await at.postgres?.close()
  })
  beforeEach(async () => {
    at.client = await enter(there(at.door))
    if (begins) await at.client.query('begin')
  })
  afterEach(() => at.client?.close())
  return {
    get postgres() {
      return there(at.postgres)
    },
    get door() {
      return there(at.door)
    },
    get client() {
      return there(at.client)
    },
  }
}

function there<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('it is there while a test runs')
  return value
}

/** Of these masked columns nothing may be computed, and none may be looked up. */
export function forbid({ people }: Door, columns: (column: string) => boolean = () => true): void {
  const sensitivity = people.sensitivity.bind(people)
  people.sensitivity = (schema, table, column) => {
    const found = sensitivity(schema, table, column)
    return found && columns(column) ? { ...found, use: 'none', derived: 'block' } : found
  }
}

/** What comes of `text`, run by the stand's client, when `change` happens while it waits, decided on and not begun. */
export async function whileItWaits({ postgres, client }: Stand, text: string, change: () => Promise<unknown>) {
  await postgres.direct('select pg_advisory_lock(7)')
  let answered = false
  const answer = client.query(`select pg_advisory_xact_lock(7); ${text}`).finally(() => {
    answered = true
  })
  const waits = async () =>
    (await postgres.direct("select from pg_locks where locktype = 'advisory' and not granted")).rows.length > 0
  while (!answered && !(await waits()));
  await change()
  await postgres.direct('select pg_advisory_unlock(7)')
  return answer
}
