import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { type Kysely, sql, type Transaction } from 'kysely'
import type { AuditRecord, Verification } from '../../shared/api/models.ts'
import type { AuditLog, Log } from '../services.ts'
import type { Database } from '../store/database.ts'
import { loadOrCreateKey } from '../store/keys.ts'
import type { Sealer } from '../store/seal.ts'
import { storable } from '../text.ts'
import { type ChainedRecord, type ChainPosition, canonical, chainRecord, chainStart, checkChain } from './chain.ts'
import { AuditHead } from './head.ts'

export type AuditEntry = Parameters<AuditLog['append']>[0]

interface Waiting {
  entry: AuditEntry
  at: Date
  resolve(): void
  reject(error: unknown): void
}

/** Held while appending, so that replicas take turns and the chain never forks. Arbitrary, and only ours. */
const appendLock = 7_717_002
const batch = 100
const retryMs = 1_000
/** Few: each takes a tenth of a millisecond, in which nobody else is served. */
const verifyBatch = 200
const maxProblems = 20
/** How often others may come first before it is given up. */
const mostRaces = 50

/** The audit log: append only, chained, signed. */
export class Audit implements AuditLog {
  readonly #db: Kysely<Database>
  readonly #key: KeyObject
  readonly #publicKey: KeyObject
  readonly #head: AuditHead
  readonly #log: Log
  readonly #waiting: Waiting[] = []
  /** The newest record, as far as is known here: replicas write too. */
  #newest: ChainPosition = { seq: 0, hash: chainStart }
  #draining: Promise<void> | undefined
  #failure: Error | undefined
  readonly #watchers = new Set<(failure: Error | undefined) => void>()
  #retry: NodeJS.Timeout | undefined
  #closed = false

  static async open(options: { db: Kysely<Database>; sealer: Sealer; dataDir: string; log: Log }): Promise<Audit> {
    const head = new AuditHead(options.dataDir, (error) =>
      options.log.error({ err: error }, 'the newest audit record can’t be noted in the data folder'),
    )
    const pem = await loadOrCreateKey(options.db, options.sealer, 'audit/signing', () =>
      generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    )
    return new Audit(options.db, createPrivateKey(pem), head, options.log)
  }

  private constructor(db: Kysely<Database>, key: KeyObject, head: AuditHead, log: Log) {
    this.#db = db
    this.#key = key
    this.#publicKey = createPublicKey(key)
    this.#head = head
    this.#log = log
  }

  /** Set while the log can't be written: nothing may be forwarded then. The next append that succeeds clears it. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /** Calls back when `failure` changes. Returns what stops it. */
  watch(tell: (failure: Error | undefined) => void): () => void {
    this.#watchers.add(tell)
    return () => this.#watchers.delete(tell)
  }

  /** Resolves once the record is stored. Rejects when it can't be: what it is about must then not happen. */
  append(entry: AuditEntry): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ entry, at: new Date(), resolve, reject })
      this.#draining ??= this.#drain()
    })
  }

  /**
   * One transaction of a change and the records that tell of it: both are stored, or neither is.
   * `append` goes last, right before what is published: it holds the chain until the commit.
   */
  async within<T>(
    work: (trx: Transaction<Database>, append: (...entries: readonly AuditEntry[]) => Promise<void>) => Promise<T>,
  ): Promise<T> {
    let last: ChainedRecord | undefined
    const result = await this.#db.transaction().execute((trx) =>
      work(trx, async (...entries) => {
        const at = new Date()
        last = await this.#insert(
          trx,
          entries.map((entry) => ({ entry, at })),
        )
      }),
    )
    if (last !== undefined) this.#stored(last)
    return result
  }

  /**
   * As `within`, for a change and its records that the store takes in one statement: `store` is given the records as they follow `after`,
   * and keeps all or, where that is not the newest record any more, nothing. It answers with the newest record from then on.
   */
  async inOne(
    entries: readonly AuditEntry[],
    store: (after: ChainPosition, records: readonly ChainedRecord[]) => Promise<ChainPosition>,
  ): Promise<void> {
    const at = new Date()
    const dated = entries.map((entry) => ({ entry, at }))
    for (let races = 0; races < mostRaces; races++) {
      const after = this.#newest
      const records = this.#chain(dated, after)
      const last = records.at(-1)
      const newest = await store(after, records)
      if (last === undefined) return
      if (newest.seq === last.seq && newest.hash === last.hash) {
        this.#stored(last)
        return
      }
      this.#newest = newest
    }
    throw new Error('The audit log can’t be written: others write to it all the time.')
  }

  /** Records after `seq`, oldest first. */
  async list(after: number, limit: number): Promise<AuditRecord[]> {
    return (await this.#read(after, limit)).map(({ previous: _, signature: __, detail, ...record }) => ({
      ...record,
      detail: JSON.parse(detail),
    }))
  }

  /** The newest record of one action about one subject. */
  async find(action: readonly string[], subject: string): Promise<AuditRecord | undefined> {
    const row = await this.#db
      .selectFrom('audit')
      .selectAll()
      .where('subject', '=', subject)
      .where('action', 'in', action)
      .orderBy('seq', 'desc')
      .limit(1)
      .executeTakeFirst()
    return row && { ...row, at: row.at.toISOString(), detail: JSON.parse(row.detail) }
  }

  /**
   * Recomputes the chain, from the first record at or after `from` (ISO 8601), and compares its end with what this
   * gateway noted beside the store. `checked` counts records.
   */
  async verify(from: string | undefined): Promise<Verification> {
    const problems: string[] = []
    let noted: ChainPosition | undefined
    try {
      noted = await this.#head.read(this.#publicKey)
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error))
    }
    let position = await this.#startOf(from)
    let firstHash: string | undefined
    let checked = 0
    let notedHash = noted?.seq === position.seq ? position.hash : undefined
    for (;;) {
      const records = await this.#read(position.seq, verifyBatch)
      if (records.length === 0) break
      firstHash ??= records[0]?.hash
      notedHash ??= records.find((record) => record.seq === noted?.seq)?.hash
      const result = checkChain(records, position, this.#publicKey)
      problems.push(...result.problems)
      position = result.position
      checked += records.length
    }
    if (noted !== undefined && position.seq < noted.seq) {
      problems.push(
        `record ${position.seq + 1}: missing; the log ends at ${position.seq}, this gateway wrote up to ${noted.seq}`,
      )
    } else if (noted !== undefined && notedHash !== undefined && notedHash !== noted.hash) {
      problems.push(`record ${noted.seq}: is not the one that this gateway wrote; the log was replaced`)
    }
    return {
      ok: problems.length === 0,
      checked,
      problems: problems.slice(0, maxProblems),
      ...(firstHash === undefined ? {} : { firstHash, lastHash: position.hash }),
    }
  }

  /** Waits for appends under way. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#retry)
    await this.#draining
    await this.#head.flush()
  }

  #stored(last: ChainedRecord): void {
    this.#newest = { seq: last.seq, hash: last.hash }
    this.#head.note(last)
  }

  #note(failure: Error | undefined): void {
    const changed = failure !== this.#failure
    this.#failure = failure
    if (changed) for (const tell of this.#watchers) tell(failure)
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const taken = this.#waiting.splice(0, batch)
      try {
        const last = await this.#db.transaction().execute((trx) => this.#insert(trx, taken))
        if (last !== undefined) this.#stored(last)
        this.#note(undefined)
        for (const { resolve } of taken) resolve()
      } catch (error) {
        const failure = new Error('The audit log can’t be written.', { cause: error })
        this.#note(failure)
        for (const { reject } of taken) reject(failure)
        this.#tryAgainSoon()
      }
    }
    // Here and not in a callback: whoever appends next must find that nobody takes from the queue any more.
    this.#draining = undefined
  }

  /** Live sessions stand still while the log can't be written: nobody else would find out that it can again. */
  #tryAgainSoon(): void {
    if (this.#closed || this.#retry !== undefined) return
    this.#retry = setTimeout(() => {
      this.#retry = undefined
      const entry = { actor: 'gateway', action: 'audit.resumed', subject: 'audit', detail: {} }
      this.append(entry).catch((error: unknown) => this.#log.error({ err: error }, 'the audit log can’t be written'))
    }, retryMs)
    this.#retry.unref()
  }

  async #insert(
    trx: Transaction<Database>,
    entries: readonly Pick<Waiting, 'entry' | 'at'>[],
  ): Promise<ChainedRecord | undefined> {
    await sql`select pg_advisory_xact_lock(${appendLock})`.execute(trx)
    const newest = await trx
      .selectFrom('audit')
      .select(['seq', 'hash'])
      .orderBy('seq', 'desc')
      .limit(1)
      .executeTakeFirst()
    const records = this.#chain(entries, newest ?? { seq: 0, hash: chainStart })
    await trx
      .insertInto('audit')
      .values(records.map(({ previous, ...record }) => ({ ...record, prev_hash: previous })))
      .execute()
    return records.at(-1)
  }

  /** The records of entries, as they follow a position. */
  #chain(entries: readonly Pick<Waiting, 'entry' | 'at'>[], after: ChainPosition): ChainedRecord[] {
    const records: ChainedRecord[] = []
    let position = after
    for (const { entry, at } of entries) {
      const content = {
        seq: position.seq + 1,
        at: at.toISOString(),
        actor: storable(entry.actor),
        action: entry.action,
        subject: storable(entry.subject),
        detail: canonical(entry.detail),
        previous: position.hash,
      }
      const record = chainRecord(content, this.#key)
      records.push(record)
      position = record
    }
    return records
  }

  async #read(after: number, limit: number): Promise<ChainedRecord[]> {
    const rows = await this.#db
      .selectFrom('audit')
      .selectAll()
      .where('seq', '>', after)
      .orderBy('seq')
      .limit(limit)
      .execute()
    return rows.map(({ prev_hash, at, ...row }) => ({ ...row, at: at.toISOString(), previous: prev_hash }))
  }

  async #startOf(from: string | undefined): Promise<ChainPosition> {
    const start = { seq: 0, hash: chainStart }
    if (from === undefined) return start
    const before = await this.#db
      .selectFrom('audit')
      .select(['seq', 'hash'])
      .where('at', '<', new Date(from))
      .orderBy('seq', 'desc')
      .limit(1)
      .executeTakeFirst()
    return before ?? start
  }
}
