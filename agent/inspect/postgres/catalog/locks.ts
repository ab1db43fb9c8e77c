import pg from 'pg'
import { firstOwnOid } from '../../../../shared/postgres/oids.ts'

/** A table of the catalog that nobody else can read for now. */
export interface CatalogLock {
  relation: number
  /** The process that has it, as pg_stat_activity shows it. */
  processId: number
}

/** The target's catalog can't be read now, so what names stand for can't be told. */
export class CatalogUnread extends Error {
  override readonly name = 'CatalogUnread'
  /** Undefined: it is not for a lock. Empty: it is not known whose. */
  readonly locks: readonly CatalogLock[] | undefined

  constructor(cause: unknown, locks?: readonly CatalogLock[]) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.locks = locks
  }
}

/** lock_not_available, deadlock_detected. */
const waited: ReadonlySet<string> = new Set(['55P03', '40P01'])

export function isWait(error: unknown): boolean {
  return error instanceof pg.DatabaseError && waited.has(error.code ?? '')
}

/** Who has them. A function, and a plan made beforehand: while it is asked, tables of the catalog can't be read. */
const holders = {
  name: 'sallyport holders',
  text: `select pid::bigint, relation::bigint from pg_catalog.pg_lock_status()
    where granted and locktype = 'relation' and mode = 'AccessExclusiveLock' and pid is not null
      and relation::bigint < ${firstOwnOid} and database::bigint in (0, $1::bigint)`,
  rowMode: 'array',
} as const

/** Asks a connection to the target who keeps it from its catalog. */
export class CatalogLocks {
  readonly #client: pg.Client
  readonly #database: string

  private constructor(client: pg.Client, database: string) {
    this.#client = client
    this.#database = database
  }

  /** Undefined: it can't be asked. */
  static async prepare(client: pg.Client): Promise<CatalogLocks | undefined> {
    try {
      const text = 'select oid::bigint from pg_database where datname = current_database()'
      const { rows } = await client.query<[string]>({ text, rowMode: 'array' })
      const locks = new CatalogLocks(client, rows[0]?.[0] ?? '0')
      await locks.#ask()
      return locks
    } catch (error) {
      if (error instanceof pg.DatabaseError && error.severity !== 'FATAL') return undefined
      throw error
    }
  }

  /** Empty where it can't be told. */
  async held(): Promise<readonly CatalogLock[]> {
    try {
      return await this.#ask()
    } catch {
      // It is for words alone: why the catalog was not read is said anyway.
      return []
    }
  }

  async #ask(): Promise<readonly CatalogLock[]> {
    const { rows } = await this.#client.query<[string, string]>({ ...holders, values: [this.#database] })
    return rows.map(([processId, relation]) => ({ processId: Number(processId), relation: Number(relation) }))
  }
}
