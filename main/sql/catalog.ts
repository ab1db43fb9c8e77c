import type { SchemaTable } from '../../shared/api/models.ts'
import type { DefinitionInput, SqlCatalog } from '../../shared/rpc/editor.ts'
import { definition } from './definition.ts'
import type { SqlLink } from './link.ts'
import { columnKey, readStructure, type Structure } from './structure.ts'

export interface CatalogsOptions {
  /** A session on a connection that is for its catalog alone, through the gateway like any other. */
  open(connection: string): Promise<SqlLink>
  /** Tables and columns with their classes, as the gateway shows them to this person. */
  tables(connection: string): Promise<readonly SchemaTable[]>
}

/** Catalogs of connections for one person, read once and kept until something in the database changed. */
export class Catalogs {
  private readonly options: CatalogsOptions
  private readonly structures = new Map<string, Promise<Structure>>()
  /** Of the types that a database defines, by OID, since it was read last. */
  private readonly typeNames = new Map<string, ReadonlyMap<number, string>>()

  constructor(options: CatalogsOptions) {
    this.options = options
  }

  async get(connection: string, refresh: boolean): Promise<SqlCatalog> {
    if (refresh) this.structures.delete(connection)
    const [structure, tables] = await Promise.all([this.structure(connection), this.options.tables(connection)])
    const { columns, ...rest } = structure
    return {
      ...rest,
      tables: tables.map((table) => ({
        ...table,
        columns: table.columns.map((column) => ({
          ...column,
          notNull: false,
          ...columns.get(columnKey(table.schema, table.name, column.name)),
        })),
      })),
    }
  }

  /** What a function or view is made of, in the database's own words. Rejects with a ProblemError. */
  async definition(connection: string, of: DefinitionInput['of']): Promise<string> {
    const link = await this.options.open(connection)
    try {
      return await definition(link, of)
    } finally {
      link.wire.end()
    }
  }

  /** What a type of a connection's database is called there; undefined for PostgreSQL's own, and while the database was not read. */
  typeName(connection: string, oid: number): string | undefined {
    return this.typeNames.get(connection)?.get(oid)
  }

  /** Somebody else may sign in. */
  forget(): void {
    this.structures.clear()
    this.typeNames.clear()
  }

  private structure(connection: string): Promise<Structure> {
    const there = this.structures.get(connection)
    if (there !== undefined) return there
    const reading = this.read(connection)
    this.structures.set(connection, reading)
    // What could not be read whole is read again next time.
    const drop = (): void => {
      if (this.structures.get(connection) === reading) this.structures.delete(connection)
    }
    reading.then(({ partial, types }) => {
      if (this.structures.get(connection) === reading) this.typeNames.set(connection, namesOf(types))
      if (partial !== undefined) drop()
    }, drop)
    return reading
  }

  private async read(connection: string): Promise<Structure> {
    const link = await this.options.open(connection)
    try {
      return await readStructure(link)
    } finally {
      link.wire.end()
    }
  }
}

/** As PostgreSQL writes them where `public` is in the search_path. */
function namesOf(types: Structure['types']): ReadonlyMap<number, string> {
  return new Map(
    types.flatMap(({ id, arrayId, schema, name }): [number, string][] => {
      const said = schema === 'public' ? name : `${schema}.${name}`
      return [
        [id, said],
        [arrayId, `${said}[]`],
      ]
    }),
  )
}
