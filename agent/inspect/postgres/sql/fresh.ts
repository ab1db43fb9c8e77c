import type { CreateSchemaStmt, CreateStmt } from 'libpg-query'
import type { CatalogColumn, CatalogRelation, Changes, SessionEffect } from '../analysis.ts'
import type { Opened } from '../parser.ts'
import { strings } from '../parser.ts'
import { altered, renamed } from './fresh-changes.ts'
import { type Brought, bringing, columnConstraints, columnOf, constraint } from './fresh-columns.ts'
import { splitId } from './ids.ts'
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

/** What a statement makes, or makes of a table; undefined: that can't be told by it alone. */
export function freshOf(opened: Opened, walk: Walk): Fresh | undefined {
  if (walk.report.doubt !== undefined || walk.searchPath === undefined) return undefined
  // Code of people's own could change what was made at once.
  if (walk.catalog.eventTriggers.length > 0 || walk.catalog.codedTypes.some(({ reach }) => reach === 'any'))
    return undefined
  if ([...walk.report.functions].some((id) => splitId(id)[0] !== 'pg_catalog')) return undefined
  switch (opened.tag) {
    case 'CreateSchemaStmt':
      return known(schemaMade(opened.node, walk))
    case 'CreateStmt':
      return known(made(opened.node, walk))
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

function made(node: CreateStmt, walk: Walk): readonly CatalogRelation[] | undefined {
  const { relation, tableElts = [], if_not_exists, inhRelations, partbound, partspec, ofTypename, accessMethod } = node
  const name = relation?.relname
  if (name === undefined || inhRelations || partbound || partspec || ofTypename || accessMethod) return undefined
  // Where it is made was said when it was named.
  const [full] = [...walk.report.written].filter((id) => splitId(id)[1] === name)
  const schema = full === undefined ? undefined : splitId(full)[0]
  if (schema === undefined || (schema === 'pg_temp' && walk.searchPath?.includes('pg_temp'))) return undefined
  // It stays what it is where it is there. Where another session makes it first, it need not be what is said here.
  if (if_not_exists) return walk.catalog.relation(schema, name, walk.searchPath ?? []) === undefined ? undefined : []
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
  return bringing({ oid: oidOf(walk), schema, name, kind: 'table', columns, parents: [], hasRules: false }, brought)
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
