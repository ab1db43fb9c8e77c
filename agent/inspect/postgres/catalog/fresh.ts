import type { Catalog, CatalogFunction, CatalogOperator, CatalogRelation, CodedType, OperandType } from '../analysis.ts'

/** A catalog, and before what is in it, tables that a transaction made. */
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
    const named = this.fresh.filter((one) => one.name === name)
    if (named.length === 0) return this.read.relation(schema, name, searchPath)
    const inSchema = (wanted: string): CatalogRelation | undefined => named.find((one) => one.schema === wanted)
    if (schema !== undefined) return inSchema(schema) ?? this.read.relation(schema, name, searchPath)
    const temporary = inSchema('pg_temp')
    if (temporary !== undefined) return temporary
    const found = this.read.relation(undefined, name, searchPath)
    for (const one of searchPath) {
      if (found !== undefined && (found.schema === one || !searchPath.includes(found.schema))) return found
      const here = inSchema(one)
      if (here !== undefined) return here
    }
    return found
  }

  relationByOid(oid: number): CatalogRelation | undefined {
    return oid < 0 ? this.fresh.find((one) => one.oid === oid) : this.read.relationByOid(oid)
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

  hasSchema(name: string): boolean {
    return this.read.hasSchema(name)
  }
}

/** `catalog` with these tables, and no others. */
export function withTables(catalog: Catalog, fresh: readonly CatalogRelation[]): Catalog {
  const read = catalog instanceof WithFresh ? catalog.read : catalog
  return fresh.length === 0 ? read : new WithFresh(read, fresh)
}
