import { isDeepStrictEqual } from 'node:util'
import type { Catalog, CatalogFunction, CatalogOperator, CatalogRelation, CodedType, OperandType } from '../analysis.ts'

/** A catalog, and before what is in it, tables that a transaction made or changed. */
export class WithFresh implements Catalog {
  /** Without them. */
  readonly read: Catalog
  readonly fresh: readonly CatalogRelation[]
  readonly version: number
  readonly database: string
  readonly codedTypes: readonly CodedType[]
  readonly lenientTypes: readonly OperandType[]
  readonly eventTriggers: readonly number[]

  constructor(catalog: Catalog, fresh: readonly CatalogRelation[]) {
    this.read = catalog
    this.fresh = fresh
    this.version = catalog.version
    this.database = catalog.database
    this.codedTypes = catalog.codedTypes
    this.lenientTypes = catalog.lenientTypes
    this.eventTriggers = catalog.eventTriggers
  }

  relation(schema: string | undefined, name: string, searchPath: readonly string[]): CatalogRelation | undefined {
    const found = this.#now(this.read.relation(schema, name, searchPath))
    const named = this.fresh.filter((one) => one.name === name)
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
    const now = found && this.fresh.find(({ oid }) => oid === found.oid)
    return now?.name === found?.name && now?.schema === found?.schema ? (now ?? found) : found
  }

  relationByOid(oid: number): CatalogRelation | undefined {
    return this.fresh.find((one) => one.oid === oid) ?? this.read.relationByOid(oid)
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
    yield* this.fresh
    yield* this.read.relations()
  }

  ownFunctions(): Iterable<CatalogFunction> {
    return this.read.ownFunctions()
  }

  hasSchema(name: string): boolean {
    return this.read.hasSchema(name) || this.fresh.some(({ schema }) => schema === name)
  }
}

/** Those of `fresh` that stand on what the catalog says; and names of the others, which somebody else changed before. */
export function standing(
  fresh: readonly CatalogRelation[],
  catalog: Catalog,
): { fresh: readonly CatalogRelation[]; moved: readonly string[] } {
  const holds = ({ oid, before }: CatalogRelation): boolean => {
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
