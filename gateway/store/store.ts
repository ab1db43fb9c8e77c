import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import type { Log } from '../services.ts'
import type { Database } from './database.ts'
import { createListener, type Listener } from './listener.ts'
import { migrate, NewerStore } from './migrations.ts'
import { StoreError } from './store-address.ts'

/** The store: one PostgreSQL database, whatever its size and wherever it runs. */
export interface Store {
  readonly db: Kysely<Database>
  /** Channels that replicas tell each other of changes on. A hint only: the tables are the truth. */
  readonly listener: Listener
  readonly prepared: RunPrepared
  /** Rejects when the store does not answer. */
  ping(): Promise<void>
  close(): Promise<void>
}

/** A statement that is run often: each connection takes it apart once. Names are those of this gateway alone. */
export interface PreparedStatement {
  name: string
  text: string
}

export type RunPrepared = <Row extends pg.QueryResultRow>(
  statement: PreparedStatement,
  values: readonly unknown[],
) => Promise<readonly Row[]>

const int8 = 20

/**
 * Opens and migrates the store at a `postgres://` URL.
 * @throws {StoreError} when it can't be reached or written
 * @throws {NewerStore}
 */
export async function openStore(url: string, log: Log): Promise<Store> {
  const pool = new pg.Pool({
    connectionString: url,
    max: 16,
    connectionTimeoutMillis: 10_000,
    statement_timeout: 30_000,
    application_name: 'sallyport gateway',
    types: {
      // Counters and sequence numbers stay far below 2^53, and a string here is a bug waiting for a `+`.
      getTypeParser: (oid, format) => (oid === int8 ? Number : pg.types.getTypeParser(oid, format)),
    },
  })
  // The pool listens to idle connections alone: one that breaks in a transaction would be the end of the gateway.
  pool.on('connect', (client) => {
    client.on('error', (error) => log.warn({ err: error }, 'the store closed a connection'))
  })
  // Of an idle connection, which has been told of above.
  pool.on('error', () => undefined)
  try {
    await migrate(pool)
  } catch (error) {
    await pool.end()
    throw error instanceof NewerStore ? error : new StoreError(url, error)
  }
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) })
  const listener = createListener(url, pool, log)
  return {
    db,
    listener,
    prepared: async <Row extends pg.QueryResultRow>({ name, text }: PreparedStatement, values: readonly unknown[]) =>
      (await pool.query<Row>({ name, text, values: [...values] })).rows,
    ping: async () => {
      await pool.query('select 1')
    },
    close: async () => {
      await listener.close()
      await db.destroy()
    },
  }
}
