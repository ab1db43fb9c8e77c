import type { AlterTableCmd, AlterTableStmt, ColumnDef, Constraint, CreateStmt, RangeVar } from 'libpg-query'
import type { CatalogColumn, CatalogRelation, Changes, Reference, SessionEffect } from '../analysis.ts'
import { type Opened, strings } from '../parser.ts'
import { splitId } from './ids.ts'
import { isPlainType } from './literals.ts'
import type { Walk } from './walk.ts'

/**
 * Tables that a transaction makes and then fills, changes and reads before it is committed, as migrations do. The catalog's own connection
 * does not see them by then, and the statement that made them says all there is to know of them: where that is so, they are known by it.
 */

/** What a statement makes, or makes of a table that is fresh already; undefined: that can't be told by it alone. */
export function freshOf(opened: Opened, walk: Walk): CatalogRelation | undefined {
  if (walk.report.doubt !== undefined || walk.searchPath === undefined) return undefined
  // Code of people's own could change what was made at once.
  if (walk.catalog.eventTriggers.length > 0 || walk.catalog.codedTypes.some(({ reach }) => reach === 'any'))
    return undefined
  if ([...walk.report.functions].some((id) => splitId(id)[0] !== 'pg_catalog')) return undefined
  if (opened.tag === 'CreateStmt') return made(opened.node, walk)
  if (opened.tag === 'AlterTableStmt') return altered(opened.node, walk)
  return undefined
}

function made(node: CreateStmt, walk: Walk): CatalogRelation | undefined {
  const { relation, tableElts = [], if_not_exists, inhRelations, partbound, partspec, ofTypename, accessMethod } = node
  const name = relation?.relname
  if (name === undefined || if_not_exists || inhRelations || partbound || partspec || ofTypename || accessMethod)
    return undefined
  // Where it is made was said when it was named.
  const [full] = [...walk.report.written].filter((id) => splitId(id)[1] === name)
  const schema = full === undefined ? undefined : splitId(full)[0]
  if (schema === undefined || walk.catalog.relation(schema, name, walk.searchPath ?? []) !== undefined) return undefined
  if (schema === 'pg_temp' && walk.searchPath?.includes('pg_temp')) return undefined
  const columns: CatalogColumn[] = []
  const refersTo: Reference[] = []
  for (const element of tableElts) {
    if ('ColumnDef' in element) {
      const one = columnOf(element.ColumnDef, columns.length + 1, walk)
      const refers = one && references(element.ColumnDef, relation, walk)
      if (one === undefined || refers === undefined) return undefined
      columns.push(one)
      refersTo.push(...refers)
    } else if ('Constraint' in element) {
      const refers = constraint(element.Constraint, strings(element.Constraint.fk_attrs), relation, walk)
      if (refers === undefined) return undefined
      refersTo.push(...refers)
    } else return undefined
  }
  return { oid: oidOf(walk), schema, name, kind: 'table', columns, parents: [], hasRules: false, refersTo }
}

function altered({ relation, objtype, cmds = [] }: AlterTableStmt, walk: Walk): CatalogRelation | undefined {
  const found = relation && walk.catalog.relation(relation.schemaname, relation.relname ?? '', walk.searchPath ?? [])
  if (found === undefined || !isFresh(found) || objtype !== 'OBJECT_TABLE') return undefined
  const columns = [...found.columns]
  const refersTo = [...(found.refersTo ?? [])]
  for (const item of cmds) {
    const refers = 'AlterTableCmd' in item ? command(item.AlterTableCmd, columns, relation, walk) : undefined
    if (refers === undefined) return undefined
    refersTo.push(...refers)
  }
  return { ...found, columns, refersTo }
}

/** Adds to `columns`. What a foreign key is added for; undefined: it is another change. */
function command(
  node: AlterTableCmd,
  columns: CatalogColumn[],
  own: RangeVar | undefined,
  walk: Walk,
): Reference[] | undefined {
  const { subtype, def } = node
  switch (subtype) {
    case 'AT_SetNotNull':
    case 'AT_DropNotNull':
    case 'AT_ColumnDefault':
    case 'AT_SetStatistics':
    case 'AT_SetStorage':
    case 'AT_ClusterOn':
    case 'AT_ChangeOwner':
      return []
    case 'AT_AddConstraint':
      if (!def || !('Constraint' in def)) return undefined
      return constraint(def.Constraint, strings(def.Constraint.fk_attrs), own, walk)
    case 'AT_AddColumn': {
      if (!def || !('ColumnDef' in def) || node.missing_ok) return undefined
      const one = columnOf(def.ColumnDef, columns.length + 1, walk)
      if (one === undefined) return undefined
      columns.push(one)
      return references(def.ColumnDef, own, walk)
    }
    default:
      return undefined
  }
}

const serials: ReadonlyMap<string, string> = new Map([
  ['serial', 'int4'],
  ['serial4', 'int4'],
  ['bigserial', 'int8'],
  ['serial8', 'int8'],
  ['smallserial', 'int2'],
  ['serial2', 'int2'],
])

/** Of types that bring no code. */
function columnOf(
  { colname, typeName, collClause, constraints = [] }: ColumnDef,
  attnum: number,
  { catalog }: Walk,
): CatalogColumn | undefined {
  const names = strings(typeName?.names)
  const serial = names.length === 1 ? serials.get(names[0] ?? '') : undefined
  if (colname === undefined || collClause || typeName?.setof || typeName?.pct_type) return undefined
  const own = serial === undefined && !isPlainType(names)
  if (own && [...catalog.codedTypes, ...catalog.lenientTypes].some(({ name }) => name === names.at(-1)))
    return undefined
  // What the server computes from others is as sensitive as they are.
  if (constraints.some((one) => 'Constraint' in one && one.Constraint.contype === 'CONSTR_GENERATED')) return undefined
  const plain = serial ?? names.at(-1) ?? ''
  const type = typeName?.arrayBounds ? `_${plain}` : plain
  return { name: colname, attnum, typeOid: 0, typeName: type }
}

function references(
  { colname = '', constraints = [] }: ColumnDef,
  own: RangeVar | undefined,
  walk: Walk,
): Reference[] | undefined {
  const out: Reference[] = []
  for (const one of constraints) {
    const refers = 'Constraint' in one ? constraint(one.Constraint, [colname], own, walk) : undefined
    if (refers === undefined) return undefined
    out.push(...refers)
  }
  return out
}

function constraint(
  node: Constraint,
  columns: readonly string[],
  own: RangeVar | undefined,
  walk: Walk,
): Reference[] | undefined {
  if (node.contype === 'CONSTR_EXCLUSION') return undefined
  if (!node.pktable) return []
  if (isSame(node.pktable, own)) return []
  const other = walk.catalog.relation(node.pktable.schemaname, node.pktable.relname ?? '', walk.searchPath ?? [])
  if (other === undefined || other.parents.length > 0 || other.kind !== 'table') return undefined
  const named = strings(node.pk_attrs)
  if (named.length > 0) return [{ oid: other.oid, columns, theirs: named }]
  // Of its primary key, and which that is is not known: whichever values are kept apart there.
  return (other.unique ?? []).flatMap((theirs) =>
    columns.map((one) => ({ oid: other.oid, columns: [one], theirs: [theirs] })),
  )
}

/** A table that refers to itself names itself before it is there. */
export function isSame(one: RangeVar, other: RangeVar | undefined): boolean {
  return one.relname === other?.relname && (one.schemaname === undefined || one.schemaname === other?.schemaname)
}

/** Numbers that no relation of a target has, in the order in which they were made. */
function oidOf({ catalog }: Walk): number {
  let lowest = 0
  for (const { oid } of catalog.fresh ?? []) lowest = Math.min(lowest, oid)
  return lowest - 1
}

export function isFresh({ oid }: Pick<CatalogRelation, 'oid'>): boolean {
  return oid < 0
}

/** Of those that are fresh, the ones that stay as they are when something changes. */
function stillFresh(fresh: readonly CatalogRelation[], changes: Changes): readonly CatalogRelation[] {
  if (changes === 'any') return []
  return fresh.every(({ name }) => !changes.has(name)) ? fresh : fresh.filter(({ name }) => !changes.has(name))
}

/** With one that was made, or changed. */
function withFresh(fresh: readonly CatalogRelation[], one: CatalogRelation): readonly CatalogRelation[] {
  return [...fresh.filter(({ oid }) => oid !== one.oid), one]
}

/** Tables that the transaction made and are as they were made, behind a statement. */
export function freshAfter(fresh: readonly CatalogRelation[], effect: SessionEffect): readonly CatalogRelation[] {
  switch (effect.kind) {
    case 'ddl': {
      const still = stillFresh(fresh, effect.changes)
      return effect.fresh === undefined ? still : withFresh(still, effect.fresh)
    }
    // What is made outside of a transaction is there for everybody; what was made behind a savepoint may be gone.
    case 'end':
    case 'rollback-to':
      return fresh.length === 0 ? fresh : []
    default:
      return fresh
  }
}
