import { createHash } from 'node:crypto'
import pg from 'pg'
import type { Catalog, CatalogFunction, CatalogRelation } from './analysis.ts'
import { SaltedPasswords } from './scram.ts'
import { type PostgresTarget, tlsOptions } from './tls.ts'

/**
 * The target's catalog, read over a connection of the inspector's own with the credentials that the connection holds,
 * and shared by all sessions to that target. Snapshots are immutable; a refresh that finds nothing changed costs one query.
 */
export interface CatalogSource {
  get(target: PostgresTarget): TargetCatalog
  close(): Promise<void>
}

export interface TargetCatalog {
  /** The last good snapshot, if there is one. */
  readonly current: SessionCatalog | undefined
  /** Shared by the target's sign-ins, so that each password is derived once. */
  readonly salted: SaltedPasswords
  /** Resolves with a snapshot, reading it when there is none. Rejects when the target can't be read. */
  ready(): Promise<SessionCatalog>
  /** A snapshot that began after this call. At most one read is under way; who asks meanwhile shares the next. */
  refresh(): Promise<SessionCatalog>
  /** Looks in the background whether the catalog changed, when nobody has for a while. Cheap: call it at will. */
  keepFresh(): void
}

export interface SessionCatalog extends Catalog {
  /** `pg_temp_N` of the server process `processId`, when it had one at the time of the snapshot. */
  tempSchema(processId: number): string | undefined
}

/** Changes made by others, behind no door of ours, are seen within this time while there is traffic. */
const staleAfterMs = 5_000
const idleAfterMs = 60_000

export function createCatalogSource(): CatalogSource {
  const readers = new Map<string, Reader>()
  return {
    get(target) {
      const key = createHash('sha256').update(JSON.stringify(target)).digest('base64')
      let reader = readers.get(key)
      if (reader === undefined) {
        reader = new Reader(target)
        readers.set(key, reader)
      }
      return reader
    },
    async close() {
      await Promise.all([...readers.values()].map((reader) => reader.close()))
      readers.clear()
    },
  }
}

class Reader implements TargetCatalog {
  readonly salted = new SaltedPasswords()
  current: SessionCatalog | undefined
  readonly #target: PostgresTarget
  #client: pg.Client | undefined
  #running: Promise<SessionCatalog> | undefined
  #next: Promise<SessionCatalog> | undefined
  #fingerprint = ''
  #version = 0
  #checkedAt = 0
  #idle: NodeJS.Timeout | undefined
  #closed = false

  constructor(target: PostgresTarget) {
    this.#target = target
  }

  ready(): Promise<SessionCatalog> {
    if (this.current !== undefined) return Promise.resolve(this.current)
    return this.#running ?? this.refresh()
  }

  refresh(): Promise<SessionCatalog> {
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

  #run(): Promise<SessionCatalog> {
    this.#next = undefined
    const reading = this.#read().finally(() => {
      this.#running = undefined
    })
    this.#running = reading
    return reading
  }

  async #read(): Promise<SessionCatalog> {
    const client = await this.#connect()
    clearTimeout(this.#idle)
    try {
      const fingerprint = await one(client, fingerprintSql)
      if (this.current === undefined || fingerprint !== this.#fingerprint) {
        const rows = await readRows(client)
        this.#version += 1
        this.current = new Snapshot(this.#version, this.#target.database, rows)
        this.#fingerprint = fingerprint
      }
      this.#checkedAt = performance.now()
      return this.current
    } catch (error) {
      this.#client = undefined
      client.end().catch(() => client.removeAllListeners())
      throw error
    } finally {
      this.#idle = setTimeout(() => void this.#rest(), idleAfterMs).unref()
    }
  }

  async #connect(): Promise<pg.Client> {
    if (this.#closed) throw new Error('the catalog is closed')
    if (this.#client !== undefined) return this.#client
    const { host, port, database, user, password } = this.#target
    const ssl = tlsOptions(this.#target)
    const client = new pg.Client({
      host,
      port,
      database,
      user,
      password,
      application_name: 'sallyport catalog',
      connectionTimeoutMillis: 15_000,
      query_timeout: 30_000,
      // With nothing on the path, a view's definition comes with every name qualified.
      options: '-c search_path=',
      ...(ssl === undefined ? {} : { ssl }),
    })
    // The target may close an idle connection at any time; the next read makes a new one.
    client.on('error', () => {
      if (this.#client === client) this.#client = undefined
    })
    await client.connect()
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

/** Every change of a definition gives its row a new xmin; ANALYZE and VACUUM, which only update statistics, do not. */
const fingerprintSql = `
  select concat_ws(' ',
    (select count(*) || ':' || coalesce(sum(xmin::text::bigint % 2147483647 * (oid::bigint % 1000003)), 0) from pg_class),
    (select count(*) || ':' || coalesce(sum(xmin::text::bigint % 2147483647), 0) from pg_attribute),
    (select count(*) || ':' || coalesce(sum(xmin::text::bigint % 2147483647), 0) from pg_rewrite),
    (select count(*) || ':' || coalesce(sum(xmin::text::bigint % 2147483647), 0) from pg_trigger),
    (select count(*) || ':' || coalesce(sum(xmin::text::bigint % 2147483647), 0) from pg_inherits),
    (select count(*) || ':' || coalesce(sum(xmin::text::bigint % 2147483647), 0) from pg_proc),
    (select count(*) || ':' || coalesce(sum(xmin::text::bigint % 2147483647), 0) from pg_namespace))`

const relationsSql = `
  select c.oid::bigint, n.nspname, c.relname, c.relkind::text,
    case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid) end,
    (select array_agg(i.inhparent::bigint) from pg_inherits i where i.inhrelid = c.oid),
    exists (select from pg_rewrite r where r.ev_class = c.oid and r.rulename <> '_RETURN')
      or exists (select from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal)
      or exists (select from pg_attrdef d
        join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum and a.attgenerated <> ''
        join pg_depend p on p.classid = 'pg_attrdef'::regclass and p.objid = d.oid
        where d.adrelid = c.oid and p.refclassid = 'pg_proc'::regclass and p.refobjid >= 16384)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'v', 'm', 'f', 'S', 'p')`

const columnsSql = `
  select a.attrelid::bigint, a.attname, a.attnum::int, a.atttypid::bigint, t.typname
  from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_type t on t.oid = a.atttypid
  where c.relkind in ('r', 'v', 'm', 'f', 'S', 'p') and a.attnum > 0 and not a.attisdropped
  order by a.attrelid, a.attnum`

const functionsSql = `
  select p.oid::bigint, n.nspname, p.proname, l.lanname, p.provolatile::text, p.prosecdef, p.proretset,
    (select array_agg(coalesce(p.proargnames[i], '') order by i) from generate_subscripts(p.proargmodes, 1) i
      where p.proargmodes[i] in ('o', 'b', 't'))
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_language l on l.oid = p.prolang`

/** A backend's number names its temporary schema. */
const tempSql = `
  select 'pg_temp_' || i, pg_stat_get_backend_pid(i) from pg_stat_get_backend_idset() i
  where 'pg_temp_' || i in (select nspname::text from pg_namespace)`

interface Rows {
  relations: CatalogRelation[]
  functions: CatalogFunction[]
  temp: Map<number, string>
}

async function readRows(client: pg.Client): Promise<Rows> {
  // One snapshot for all of it.
  await client.query('begin isolation level repeatable read read only')
  try {
    const columns = new Map<number, CatalogRelation['columns'][number][]>()
    for (const [oid, name, attnum, typeOid, typeName] of await many(client, columnsSql)) {
      const relation = Number(oid)
      const list = columns.get(relation) ?? []
      list.push({ name: String(name), attnum: Number(attnum), typeOid: Number(typeOid), typeName: String(typeName) })
      columns.set(relation, list)
    }
    const relations: CatalogRelation[] = []
    for (const [oid, schema, name, kind, definition, parents, hasRules] of await many(client, relationsSql)) {
      relations.push({
        oid: Number(oid),
        schema: String(schema),
        name: String(name),
        kind: kindOf(String(kind)),
        columns: columns.get(Number(oid)) ?? [],
        ...(typeof definition === 'string' ? { definition } : {}),
        parents: Array.isArray(parents) ? parents.map(Number) : [],
        hasRules: hasRules === true,
      })
    }
    const functions: CatalogFunction[] = []
    for (const [oid, schema, name, language, volatility, definer, set, outputs] of await many(client, functionsSql)) {
      functions.push({
        oid: Number(oid),
        schema: String(schema),
        name: String(name),
        language: String(language),
        volatility: volatility === 'i' ? 'immutable' : volatility === 's' ? 'stable' : 'volatile',
        securityDefiner: definer === true,
        returnsSet: set === true,
        ...(Array.isArray(outputs) && outputs.length > 1 ? { outputs: outputs.map(String) } : {}),
      })
    }
    const temp = new Map<number, string>()
    for (const [schema, processId] of await many(client, tempSql)) temp.set(Number(processId), String(schema))
    return { relations, functions, temp }
  } finally {
    await client.query('rollback')
  }
}

async function many(client: pg.Client, text: string): Promise<unknown[][]> {
  const result = await client.query<unknown[]>({ text, rowMode: 'array' })
  return result.rows
}

async function one(client: pg.Client, text: string): Promise<string> {
  const [row] = await many(client, text)
  return String(row?.[0])
}

function kindOf(relkind: string): CatalogRelation['kind'] {
  switch (relkind) {
    case 'v':
      return 'view'
    case 'm':
      return 'materialized'
    case 'f':
      return 'foreign'
    case 'S':
      return 'sequence'
    case 'p':
      return 'partitioned'
    default:
      return 'table'
  }
}

/** An immutable catalog over what was read. Also made by tests, from rows. */
export class Snapshot implements SessionCatalog {
  readonly version: number
  readonly database: string
  readonly #relations: readonly CatalogRelation[]
  readonly #byOid = new Map<number, CatalogRelation>()
  readonly #byName = new Map<string, Map<string, CatalogRelation>>()
  readonly #functions = new Map<string, CatalogFunction[]>()
  readonly #temp: ReadonlyMap<number, string>

  constructor(version: number, database: string, rows: Rows) {
    this.version = version
    this.database = database
    this.#relations = rows.relations
    this.#temp = rows.temp
    for (const relation of rows.relations) {
      this.#byOid.set(relation.oid, relation)
      let schema = this.#byName.get(relation.schema)
      if (schema === undefined) {
        schema = new Map()
        this.#byName.set(relation.schema, schema)
      }
      schema.set(relation.name, relation)
    }
    for (const fn of rows.functions) {
      const list = this.#functions.get(fn.name)
      if (list === undefined) this.#functions.set(fn.name, [fn])
      else list.push(fn)
    }
  }

  relation(schema: string | undefined, name: string, searchPath: readonly string[]): CatalogRelation | undefined {
    for (const candidate of candidates(schema, searchPath)) {
      const found = this.#byName.get(candidate)?.get(name)
      if (found !== undefined) return found
    }
    return undefined
  }

  relationByOid(oid: number): CatalogRelation | undefined {
    return this.#byOid.get(oid)
  }

  functions(schema: string | undefined, name: string, searchPath: readonly string[]): readonly CatalogFunction[] {
    const all = this.#functions.get(name)
    if (all === undefined) return []
    const schemas = candidates(schema, searchPath)
    return all.filter((fn) => schemas.includes(fn.schema))
  }

  relations(): Iterable<CatalogRelation> {
    return this.#relations
  }

  tempSchema(processId: number): string | undefined {
    return this.#temp.get(processId)
  }
}

/** The schemas in which PostgreSQL looks for a name, in its order. A session puts its own pg_temp_N into its path. */
function candidates(schema: string | undefined, searchPath: readonly string[]): readonly string[] {
  if (schema !== undefined && schema !== 'pg_temp') return [schema]
  const temp = searchPath.filter((name) => name.startsWith('pg_temp_'))
  if (schema === 'pg_temp') return temp
  const rest = searchPath.filter((name) => !name.startsWith('pg_temp'))
  return rest.includes('pg_catalog') ? [...temp, ...rest] : [...temp, 'pg_catalog', ...rest]
}
