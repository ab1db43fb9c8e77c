import type { CreateSchemaStmt, CreateStmt, IntoClause, RangeVar } from 'libpg-query'
import type { CatalogColumn, CatalogRelation, Changes, SessionEffect } from '../analysis.ts'
import type { Opened } from '../parser.ts'
import { strings } from '../parser.ts'
import { altered, renamed } from './fresh-changes.ts'
import { type Brought, bringing, columnConstraints, columnOf, columnsKept, constraint } from './fresh-columns.ts'
import { splitId } from './ids.ts'
import { intoOf } from './into.ts'
import type { Shape } from './value.ts'
import type { Walk } from './walk.ts'

/**
 * Tables that a transaction makes or changes, and then fills, changes and reads before it is committed, as migrations do. The catalog's own
 * connection does not see that by then, and the statement that does it says all there is to know: where that is so, they are known by it.
 */
export interface Fresh {
  /** As they are from now on. */
  known: readonly CatalogRelation[]
  /** Names of relations that mean something else, or nothing. */
  moved: readonly string[]
}

/** What a statement makes, or makes of a table; undefined: that can't be told by it alone. `shape`: the columns that its query gives. */
export function freshOf(opened: Opened, walk: Walk, shape: Shape | undefined): Fresh | undefined {
  if (walk.report.doubt !== undefined || walk.searchPath === undefined) return undefined
  // Code of people's own could change what was made at once.
  if (walk.catalog.eventTriggers.length > 0 || walk.catalog.codedTypes.some(({ reach }) => reach === 'any'))
    return undefined
  if ([...walk.report.functions].some((id) => splitId(id)[0] !== 'pg_catalog')) return undefined
  switch (opened.tag) {
    case 'CreateTableAsStmt':
      if (opened.node.objtype !== 'OBJECT_TABLE') return undefined
      return kept(opened.node.into, shape, walk, opened.node.if_not_exists)
    case 'SelectStmt':
      return kept(intoOf(opened.node), shape, walk)
    case 'CreateSchemaStmt':
      return known(schemaMade(opened.node, walk))
    case 'CreateStmt':
      return made(opened.node, walk)
    case 'AlterTableStmt':
      return known(altered(opened.node, walk))
    case 'RenameStmt':
      return renamed(opened.node, walk)
    default:
      return undefined
  }
}

function known(relations: readonly CatalogRelation[] | undefined): Fresh | undefined {
  return relations && { known: relations, moved: [] }
}

/** A schema is known by something in it that no name stands for: it may come first in the search_path from now on. */
function schemaMade({ schemaname, schemaElts = [] }: CreateSchemaStmt, walk: Walk): CatalogRelation[] | undefined {
  if (schemaname === undefined || schemaElts.length > 0) return undefined
  const nameless = { name: '', kind: 'sequence', columns: [], parents: [], hasRules: false } as const
  return walk.catalog.hasSchema(schemaname) ? [] : [{ ...nameless, oid: oidOf(walk), schema: schemaname }]
}

export function isSchema({ name }: CatalogRelation): boolean {
  return name === ''
}

/** Where a table is made, which was said when it was named. Undefined: it can't be told. */
function schemaOf({ relname }: RangeVar, walk: Walk): string | undefined {
  const [full] = [...walk.report.written].filter((id) => splitId(id)[1] === relname)
  const schema = full === undefined ? undefined : splitId(full)[0]
  return schema === 'pg_temp' && walk.searchPath?.includes('pg_temp') ? undefined : schema
}

function isThere(schema: string, name: string, { catalog, searchPath = [] }: Walk): boolean {
  return catalog.relation(schema, name, searchPath) !== undefined
}

/** IF NOT EXISTS: a table stays what it is where it is there. */
const asItWas: Fresh = { known: [], moved: [] }

/**
 * IF NOT EXISTS, of one that is not there. Where another session makes it first, which the catalog shows only when it is
 * read after that, it need not be what is said here: until then the name counts as changed.
 */
function unlessThere(table: CatalogRelation, all: readonly CatalogRelation[]): Fresh | undefined {
  const { schema, name } = table
  // What this session has of its own by now can't be told from outside; and a table that this one refers to is changed with it.
  if (schema === 'pg_temp' || all.length > 1) return undefined
  return { known: [{ ...table, unlessThere: 'unread' }], moved: [name] }
}

/** CREATE TABLE AS, SELECT INTO. What is masked never gets there: what a query puts where nothing masks it is refused by itself. */
function kept(into: IntoClause | undefined, shape: Shape | undefined, walk: Walk, optional = false): Fresh | undefined {
  const name = into?.rel?.relname
  if (into?.rel === undefined || name === undefined || shape === undefined || into.accessMethod) return undefined
  // Code that it ran may have changed anything.
  if (walk.report.runsCode) return undefined
  const schema = schemaOf(into.rel, walk)
  const columns = columnsKept(shape, strings(into.colNames), walk)
  if (schema === undefined || columns === undefined) return undefined
  const table = { oid: oidOf(walk), schema, name, kind: 'table', columns, parents: [], hasRules: false } as const
  if (!optional) return known([table])
  return isThere(schema, name, walk) ? asItWas : unlessThere(table, [table])
}

function made(node: CreateStmt, walk: Walk): Fresh | undefined {
  const { relation, tableElts = [], if_not_exists, inhRelations, partbound, partspec, ofTypename, accessMethod } = node
  const name = relation?.relname
  if (
    relation === undefined ||
    name === undefined ||
    inhRelations ||
    partbound ||
    partspec ||
    ofTypename ||
    accessMethod
  )
    return undefined
  const schema = schemaOf(relation, walk)
  if (schema === undefined) return undefined
  if (if_not_exists && isThere(schema, name, walk)) return asItWas
  const columns: CatalogColumn[] = []
  const brought: Brought[] = []
  for (const element of tableElts) {
    if ('ColumnDef' in element) {
      const one = columnOf(element.ColumnDef, columns.length + 1, walk)
      const all = one && columnConstraints(element.ColumnDef, relation, walk)
      if (one === undefined || all === undefined) return undefined
      columns.push(one)
      brought.push(...all)
    } else if ('Constraint' in element) {
      const one = constraint(element.Constraint, strings(element.Constraint.fk_attrs), relation, walk)
      if (one === undefined) return undefined
      brought.push(one)
    } else return undefined
  }
  const plain: CatalogRelation = {
    oid: oidOf(walk),
    schema,
    name,
    kind: 'table',
    columns,
    parents: [],
    hasRules: false,
  }
  const all = bringing(plain, brought)
  const [table = plain] = all
  return if_not_exists ? unlessThere(table, all) : known(all)
}

/** Numbers that no relation of a target has, in the order in which they were made. */
function oidOf({ catalog }: Walk): number {
  let lowest = 0
  for (const { oid } of catalog.fresh ?? []) lowest = Math.min(lowest, oid)
  return lowest - 1
}

/** Of those that are fresh, the ones that stay as they are when something changes. */
function stillFresh(fresh: readonly CatalogRelation[], changes: Changes): readonly CatalogRelation[] {
  if (changes === 'any') return []
  return fresh.every(({ name }) => !changes.has(name)) ? fresh : fresh.filter(({ name }) => !changes.has(name))
}

/** With those that were made, or changed. */
function withFresh(fresh: readonly CatalogRelation[], changed: readonly CatalogRelation[]): readonly CatalogRelation[] {
  return [...fresh.filter(({ oid }) => !changed.some((one) => one.oid === oid)), ...changed]
}

/** Tables that the transaction made or changed, and that are as it did, behind a statement. */
export function freshAfter(fresh: readonly CatalogRelation[], effect: SessionEffect): readonly CatalogRelation[] {
  switch (effect.kind) {
    case 'ddl': {
      const still = stillFresh(fresh, effect.changes)
      return effect.fresh === undefined ? still : withFresh(still, effect.fresh)
    }
    // What is made outside of a transaction is there for everybody.
    case 'end':
      return fresh.length === 0 ? fresh : []
    // What was made behind a savepoint may be gone. A schema that is may be thought to be there, and one that is there has to be.
    case 'rollback-to':
      return fresh.every(isSchema) ? fresh : fresh.filter(isSchema)
    default:
      return fresh
  }
}
