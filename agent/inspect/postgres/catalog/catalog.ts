import { createHash } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import type { DefinitionChange } from '../../../../shared/link.ts'
import type { Catalog, CatalogFunction, CatalogOperator, CatalogRelation, CodedType, OperandType } from '../analysis.ts'
import { clientConfig } from '../start/client-config.ts'
import { SaltedPasswords } from '../start/scram.ts'
import type { PostgresTarget } from '../start/tls.ts'
import { longestName } from '../text/encoding.ts'
import { AllChanges, type DatabaseChanges } from './changes.ts'
import { limitAnswers } from './limit.ts'
import { CatalogLocks, CatalogUnread, isWait } from './locks.ts'
import { type Definitions, isAnswer, type Known, readCatalog } from './read.ts'

/**
 * The target's catalog, read over a connection of the inspector's own with the credentials that the connection holds,
 * and shared by all sessions to that target. Snapshots are immutable; a refresh that finds nothing changed costs one query.
 */
export interface CatalogSource {
  get(target: PostgresTarget): TargetCatalog
  /** See AgentLink. */
  changing(change: DefinitionChange): void
  changed(change: DefinitionChange | undefined): void
  close(): Promise<void>
}

export interface TargetCatalog {
  /** The last good snapshot, if there is one. */
  readonly current: Catalog | undefined
  /** Shared by the target's sign-ins, so that each password is derived once. */
  readonly salted: SaltedPasswords
  /** Resolves with a snapshot, reading it when there is none. Rejects with CatalogUnread when the target can't be read. */
  ready(): Promise<Catalog>
  /** Somebody changed definitions since the snapshot was read: no name may be resolved by it. */
  readonly outdated: boolean
  /** A session of the target's changed definitions and committed them: the others have to read them too. */
  outdate(): void
  /** The same, but for what that session has under way. */
  outdatedBut(session: symbol): boolean
  /** A session's changes may be committed at any moment: until the answer is called, every name is looked up anew. */
  committing(session: symbol): () => void
  /** A snapshot that began after this call. At most one read is under way; who asks meanwhile shares the next. */
  refresh(): Promise<Catalog>
  /** Looks in the background whether the catalog changed, when nobody has for a while. Cheap: call it at will. */
  keepFresh(): void
}

/** Changes that nobody tells of are seen within this time while there is traffic. */
const staleAfterMs = 5_000
const idleAfterMs = 60_000
/** Of one read, before it is given up. */
const mostAttempts = 12
/** Who asks again soon after it was given up is told so at once. */
const attemptsSoonAfter = 2
const soonAfterMs = 1_000

/** `longestAnswer`: bytes of one answer, see `limitAnswers`. */
export function createCatalogSource(longestAnswer?: number): CatalogSource {
  const readers = new Map<string, Reader>()
  const all = new AllChanges()
  return {
    get(target) {
      const key = createHash('sha256').update(JSON.stringify(target)).digest('base64')
      let reader = readers.get(key)
      if (reader === undefined) {
        reader = new Reader(target, all.of(target), longestAnswer)
        readers.set(key, reader)
      }
      return reader
    },
    changing: (change) => all.of(change).begin(change.id),
    changed(change) {
      for (const changes of change === undefined ? all.all() : [all.of(change)]) {
        changes.count++
        if (change !== undefined) changes.end(change.id)
      }
    },
    async close() {
      await Promise.all([...readers.values()].map((reader) => reader.close()))
      readers.clear()
    },
  }
}

class Reader implements TargetCatalog {
  readonly salted = new SaltedPasswords()
  current: Catalog | undefined
  readonly #target: PostgresTarget
  readonly #longestAnswer: number | undefined
  #client: pg.Client | undefined
  #locks: CatalogLocks | undefined
  #gaveUpAt = Number.NEGATIVE_INFINITY
  #running: Promise<Catalog> | undefined
  #next: Promise<Catalog> | undefined
  #known: Known | undefined
  #version = 0
  #checkedAt = 0
  readonly #changes: DatabaseChanges
  /** How many changes there had been when the snapshot was begun. */
  #changesRead = 0
  #idle: NodeJS.Timeout | undefined
  #closed = false

  constructor(target: PostgresTarget, changes: DatabaseChanges, longestAnswer: number | undefined) {
    this.#target = target
    this.#changes = changes
    this.#longestAnswer = longestAnswer
  }

  get outdated(): boolean {
    return this.#changes.underWay || this.#changesRead !== this.#changes.count
  }

  outdatedBut(session: symbol): boolean {
    return this.#changes.underWayBut(session) || this.#changesRead !== this.#changes.count
  }

  committing(session: symbol): () => void {
    this.#changes.begin(session)
    return () => this.#changes.end(session)
  }

  outdate(): void {
    this.#changes.count++
  }

  ready(): Promise<Catalog> {
    if (this.current !== undefined) return Promise.resolve(this.current)
    return this.#running ?? this.refresh()
  }

  refresh(): Promise<Catalog> {
    if (this.#running === undefined) return this.#run()
    // The read that is under way may have begun before the change that we are asked about.
    const running = this.#running
    this.#next ??= running.then(
      () => this.#run(),
      () => this.#run(),
    )
    return this.#next
  }

  keepFresh(): void {
    if (this.#running !== undefined || performance.now() - this.#checkedAt < staleAfterMs) return
    // The last good snapshot stays in use when this fails; who needs a newer one gets the error from `refresh`.
    this.refresh().catch(() => {
      this.#checkedAt = performance.now()
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#idle)
    const client = this.#client
    this.#client = undefined
    await client?.end()
  }

  #run(): Promise<Catalog> {
    this.#next = undefined
    const reading = this.#read().finally(() => {
      this.#running = undefined
    })
    this.#running = reading
    return reading
  }

  async #read(): Promise<Catalog> {
    const most = performance.now() - this.#gaveUpAt < soonAfterMs ? attemptsSoonAfter : mostAttempts
    for (let attempt = 1; ; attempt++) {
      const client = await this.#connect().catch((error: unknown) => {
        throw new CatalogUnread(error)
      })
      clearTimeout(this.#idle)
      const { count } = this.#changes
      try {
        const known = await readCatalog(client, this.#known)
        if (this.current === undefined || known !== this.#known) {
          this.#version += 1
          this.current = new Snapshot(this.#version, this.#target.database, known)
          this.#known = known
        }
        this.#checkedAt = performance.now()
        this.#changesRead = count
        return this.current
      } catch (error) {
        // What others drop or lock while it is read is soon settled; everything else needs a connection of its own to be sure.
        if (!isAnswer(error)) {
          if (this.#client === client) this.#client = undefined
          client.end().catch(() => client.removeAllListeners())
          throw new CatalogUnread(error)
        }
        if (attempt >= most) {
          this.#gaveUpAt = performance.now()
          throw new CatalogUnread(error, isWait(error) ? ((await this.#locks?.held()) ?? []) : undefined)
        }
        await delay(attempt * 20)
      } finally {
        clearTimeout(this.#idle)
        this.#idle = setTimeout(() => void this.#rest(), idleAfterMs).unref()
      }
    }
  }

  async #connect(): Promise<pg.Client> {
    if (this.#closed) throw new Error('the catalog is closed')
    if (this.#client !== undefined) return this.#client
    const client = new pg.Client({
      ...clientConfig(this.#target),
      application_name: 'sallyport catalog',
      connectionTimeoutMillis: 15_000,
      query_timeout: 30_000,
      // With nothing on the path, a view's definition comes with every name qualified. A table that somebody has locked
      // is not waited for: it may be the very session that waits for this. Compiling these queries takes seconds, running them milliseconds.
      options: '-c search_path= -c lock_timeout=50ms -c standard_conforming_strings=on -c jit=off',
    })
    // The target may close an idle connection at any time; the next read makes a new one.
    client.on('error', () => {
      if (this.#client === client) this.#client = undefined
    })
    limitAnswers(client, this.#longestAnswer)
    try {
      await client.connect()
      await knowsNames(client)
      this.#locks = await CatalogLocks.prepare(client)
    } catch (error) {
      client.end().catch(() => client.removeAllListeners())
      throw error
    }
    this.#client = client
    return client
  }

  async #rest(): Promise<void> {
    const client = this.#client
    if (client === undefined || this.#running !== undefined) return
    this.#client = undefined
    await client.end()
  }
}

/** Where names are cut decides which names are one. The parser here cuts them where PostgreSQL does as it is shipped. */
async function knowsNames(client: pg.Client): Promise<void> {
  const { rows } = await client.query<[string]>({ text: 'show max_identifier_length', rowMode: 'array' })
  if (rows[0]?.[0] === String(longestName)) return
  throw new Error(`it is built with names of ${rows[0]?.[0] ?? '?'} bytes, and only ${longestName} can be inspected`)
}

/** An immutable catalog over what was read. Also made by tests, from rows. */
export class Snapshot implements Catalog {
  readonly version: number
  readonly database: string
  /** What came with the server rarely changes, and its index is shared by all snapshots. */
  readonly #layers: readonly Index[]
  readonly #schemas: ReadonlySet<string> | undefined
  readonly codedTypes: readonly CodedType[]
  readonly lenientTypes: readonly OperandType[]
  readonly eventTriggers: readonly number[]
  readonly #operators = new Map<string, CatalogOperator[]>()

  /** Without `schemas`, there are those that hold something. */
  constructor(
    version: number,
    database: string,
    rows: { own: Definitions; builtIn?: Definitions; schemas?: ReadonlySet<string> },
  ) {
    this.version = version
    this.database = database
    this.#schemas = rows.schemas
    this.codedTypes = rows.own.types ?? []
    this.lenientTypes = rows.own.lenientTypes ?? []
    this.eventTriggers = rows.own.eventTriggers ?? []
    for (const one of rows.own.operators ?? []) at(this.#operators, one.name, () => []).push(one)
    this.#layers = [rows.own, ...(rows.builtIn === undefined ? [] : [rows.builtIn])].map(indexOf)
  }

  relation(schema: string | undefined, name: string, searchPath: readonly string[]): CatalogRelation | undefined {
    for (const candidate of candidates(schema, searchPath)) {
      for (const layer of this.#layers) {
        const found = layer.byName.get(candidate)?.get(name)
        if (found !== undefined) return found
      }
    }
    return undefined
  }

  relationByOid(oid: number): CatalogRelation | undefined {
    for (const layer of this.#layers) {
      const found = layer.byOid.get(oid)
      if (found !== undefined) return found
    }
    return undefined
  }

  children(oid: number): readonly CatalogRelation[] {
    return this.#layers.flatMap((layer) => layer.children.get(oid) ?? [])
  }

  functions(
    schema: string | undefined,
    name: string,
    searchPath: readonly string[] | undefined,
  ): readonly CatalogFunction[] {
    const all = this.#layers.flatMap((layer) => layer.functions.get(name) ?? [])
    if (all.length === 0 || (schema === undefined && searchPath === undefined)) return all
    const schemas = candidates(schema, searchPath ?? [])
    return all.filter((fn) => schemas.includes(fn.schema))
  }

  functionByOid(oid: number): CatalogFunction | undefined {
    for (const layer of this.#layers) {
      const found = layer.functionByOid.get(oid)
      if (found !== undefined) return found
    }
    return undefined
  }

  operators(
    schema: string | undefined,
    name: string,
    searchPath: readonly string[] | undefined,
  ): readonly CatalogOperator[] {
    const all = this.#operators.get(name) ?? []
    if (all.length === 0 || (schema === undefined && searchPath === undefined)) return all
    const schemas = candidates(schema, searchPath ?? [])
    return all.filter((one) => schemas.includes(one.schema))
  }

  hasSchema(name: string): boolean {
    return this.#schemas?.has(name) ?? this.#layers.some((layer) => layer.byName.has(name))
  }

  typed(type: string): readonly CatalogRelation[] {
    return this.#layers.flatMap((layer) => layer.typed.get(type) ?? [])
  }

  *relations(): Iterable<CatalogRelation> {
    for (const layer of this.#layers) yield* layer.byOid.values()
  }

  ownFunctions(): Iterable<CatalogFunction> {
    return this.#layers[0]?.functionByOid.values() ?? []
  }
}

interface Index {
  byOid: Map<number, CatalogRelation>
  byName: Map<string, Map<string, CatalogRelation>>
  children: Map<number, CatalogRelation[]>
  typed: Map<string, CatalogRelation[]>
  functions: Map<string, CatalogFunction[]>
  functionByOid: Map<number, CatalogFunction>
}

const indexes = new WeakMap<Definitions, Index>()

function indexOf(definitions: Definitions): Index {
  const known = indexes.get(definitions)
  if (known !== undefined) return known
  const index: Index = {
    byOid: new Map(),
    byName: new Map(),
    children: new Map(),
    typed: new Map(),
    functions: new Map(),
    functionByOid: new Map(),
  }
  for (const relation of definitions.relations) {
    index.byOid.set(relation.oid, relation)
    at(index.byName, relation.schema, () => new Map<string, CatalogRelation>()).set(relation.name, relation)
    for (const parent of relation.parents) at(index.children, parent, () => []).push(relation)
    if (relation.ofType !== undefined) at(index.typed, relation.ofType, () => []).push(relation)
  }
  for (const fn of definitions.functions) {
    index.functionByOid.set(fn.oid, fn)
    at(index.functions, fn.name, () => []).push(fn)
  }
  indexes.set(definitions, index)
  return index
}

function at<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}

/** The schemas in which PostgreSQL looks for a name, in its order. A session puts its own pg_temp_N into its path. */
function candidates(schema: string | undefined, searchPath: readonly string[]): readonly string[] {
  if (schema !== undefined && schema !== 'pg_temp') return [schema]
  const temp = searchPath.filter((name) => name.startsWith('pg_temp_'))
  if (schema === 'pg_temp') return temp
  const rest = searchPath.filter((name) => !name.startsWith('pg_temp'))
  return rest.includes('pg_catalog') ? [...temp, ...rest] : [...temp, 'pg_catalog', ...rest]
}
