import { isDeepStrictEqual } from 'node:util'
import type {
  Catalog,
  CatalogFunction,
  CatalogOperator,
  CatalogRelation,
  Changes,
  CodedType,
  OperandType,
  SessionEffect,
} from '../analysis.ts'

/** A catalog, and before what is in it, tables that a transaction made or changed. */
export class WithFresh implements Catalog {
  /** Without them. */
  readonly read: Catalog
  readonly fresh: readonly CatalogRelation[]
  /** Of these, those that are known. */
  readonly #known: readonly CatalogRelation[]
  readonly version: number
  readonly database: string
  readonly codedTypes: readonly CodedType[]
  readonly lenientTypes: readonly OperandType[]
  readonly eventTriggers: readonly number[]

  constructor(catalog: Catalog, fresh: readonly CatalogRelation[]) {
    this.read = catalog
    this.fresh = fresh
    this.#known = fresh.filter(isKnown)
    this.version = catalog.version
    this.database = catalog.database
    this.codedTypes = catalog.codedTypes
    this.lenientTypes = catalog.lenientTypes
    this.eventTriggers = catalog.eventTriggers
  }

  relation(schema: string | undefined, name: string, searchPath: readonly string[]): CatalogRelation | undefined {
    const found = this.#now(this.read.relation(schema, name, searchPath))
    const named = this.#known.filter((one) => one.name === name)
    if (named.length === 0) return found
    const inSchema = (wanted: string): CatalogRelation | undefined => named.find((one) => one.schema === wanted)
    // What has the name of one that was there is one that was made in its place.
    if (schema !== undefined) return inSchema(schema) ?? found
    const temporary = inSchema('pg_temp')
    if (temporary !== undefined) return temporary
    const implied = found !== undefined && !searchPath.includes(found.schema)
    for (const one of searchPath) {
      if (implied && !one.startsWith('pg_temp_')) return found
      const here = inSchema(one)
      if (here !== undefined) return here
      if (found?.schema === one) return found
    }
    return found
  }

  /** As the transaction made it. Under the name that it had before, it is as it was: that name counts as changed. */
  #now(found: CatalogRelation | undefined): CatalogRelation | undefined {
    const now = found && this.#known.find(({ oid }) => oid === found.oid)
    return now?.name === found?.name && now?.schema === found?.schema ? (now ?? found) : found
  }

  relationByOid(oid: number): CatalogRelation | undefined {
    return this.#known.find((one) => one.oid === oid) ?? this.read.relationByOid(oid)
  }

  children(oid: number): readonly CatalogRelation[] {
    return this.read.children(oid)
  }

  typed(type: string): readonly CatalogRelation[] {
    return this.read.typed(type)
  }

  functions(schema: string | undefined, name: string, path: readonly string[] | undefined): readonly CatalogFunction[] {
    return this.read.functions(schema, name, path)
  }

  functionByOid(oid: number): CatalogFunction | undefined {
    return this.read.functionByOid(oid)
  }

  operators(schema: string | undefined, name: string, path: readonly string[] | undefined): readonly CatalogOperator[] {
    return this.read.operators(schema, name, path)
  }

  *relations(): Iterable<CatalogRelation> {
    yield* this.#known
    yield* this.read.relations()
  }

  ownFunctions(): Iterable<CatalogFunction> {
    return this.read.ownFunctions()
  }

  hasSchema(name: string): boolean {
    return this.read.hasSchema(name) || this.fresh.some(({ schema }) => schema === name)
  }
}

/** Not made unless one was there that the catalog may not show yet. */
export function isKnown({ unlessThere }: CatalogRelation): boolean {
  return unlessThere !== 'unread'
}

/** A catalog was read after they were made, if they were. */
export function wasRead(fresh: readonly CatalogRelation[]): readonly CatalogRelation[] {
  return fresh.every(isKnown) ? fresh : fresh.map((one) => (isKnown(one) ? one : { ...one, unlessThere: 'read' }))
}

type Change = Extract<SessionEffect, { kind: 'ddl' }>

/** Without what it makes unless it is there, of names to which its transaction did something before: `before`. No catalog shows that. */
export function surely(effect: Change, before: Changes | undefined): Change {
  const { fresh } = effect
  if (fresh === undefined || before === undefined || fresh.every(isKnown)) return effect
  return { ...effect, fresh: fresh.filter((one) => isKnown(one) || (before !== 'any' && !before.has(one.name))) }
}

/** Those of `fresh` that stand on what the catalog says; and names of the others, which somebody else changed before. */
export function standing(
  fresh: readonly CatalogRelation[],
  catalog: Catalog,
): { fresh: readonly CatalogRelation[]; moved: readonly string[] } {
  const holds = ({ oid, before, unlessThere, schema, name }: CatalogRelation): boolean => {
    if (unlessThere) return catalog.relation(schema, name, []) === undefined
    if (before === undefined) return true
    const now = catalog.relationByOid(oid)
    return now === before || isDeepStrictEqual(now, before)
  }
  if (fresh.every(holds)) return { fresh, moved: [] }
  const lost = fresh.filter((one) => !holds(one))
  return { fresh: fresh.filter(holds), moved: lost.flatMap(({ name, before }) => [name, before?.name ?? name]) }
}

/** `catalog` with these tables, and no others. */
export function withTables(catalog: Catalog, fresh: readonly CatalogRelation[]): Catalog {
  const read = catalog instanceof WithFresh ? catalog.read : catalog
  return fresh.length === 0 ? read : new WithFresh(read, fresh)
}
