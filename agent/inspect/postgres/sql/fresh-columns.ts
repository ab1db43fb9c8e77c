import type { ColumnDef, Constraint, RangeVar, TypeName } from 'libpg-query'
import type { Catalog, CatalogColumn, CatalogRelation, ForeignKey, Reference } from '../analysis.ts'
import { strings } from '../parser.ts'
import { keyAction } from './key-action.ts'
import { isPlainType } from './literals.ts'
import { identified } from './relations.ts'
import type { ScopeColumn, Shape } from './value.ts'
import type { Walk } from './walk.ts'

/** Columns and constraints that a transaction makes, as far as the statement that makes them says all of them. */

/** What a constraint brings. */
export interface Brought {
  /** The other table, and what the one that refers has of it. */
  refers?: readonly Refers[]
  /** Columns whose values it keeps apart. */
  unique?: readonly string[]
}

interface Refers extends Omit<ForeignKey, 'oid'> {
  other: CatalogRelation | 'itself'
}

/** A table with what constraints bring, and the others that they refer to. */
export function bringing(table: CatalogRelation, brought: readonly Brought[]): CatalogRelation[] {
  const refersTo: Reference[] = [...(table.refersTo ?? [])]
  const all = new Map<number, CatalogRelation>()
  let itself: CatalogRelation = table
  for (const { other, onDelete, onUpdate, columns, theirs } of brought.flatMap(({ refers = [] }) => refers)) {
    const to = other === 'itself' ? itself : (all.get(other.oid) ?? other)
    refersTo.push({ oid: to.oid, columns, theirs })
    const key: ForeignKey = { oid: table.oid, columns, theirs, onDelete, onUpdate }
    const referred = { ...changing(to), referencedBy: [...(to.referencedBy ?? []), key] }
    if (other === 'itself') itself = referred
    else all.set(other.oid, referred)
  }
  const unique = [...(table.unique ?? []), ...brought.flatMap((one) => one.unique ?? [])]
  const together = brought.flatMap((one) => (one.unique !== undefined && one.unique.length > 1 ? [one.unique] : []))
  const whole = {
    ...itself,
    refersTo,
    ...(unique.length === 0 ? {} : { unique: [...new Set(unique)] }),
    ...(together.length === 0 ? {} : { constrained: [...(table.constrained ?? []), ...together] }),
  }
  return [whole, ...all.values()]
}

/** It is about to be another than it was read as. */
export function changing(relation: CatalogRelation): CatalogRelation {
  return relation.oid < 0 || relation.before !== undefined ? relation : { ...relation, before: relation }
}

/** Of types that bring no code; undefined: that can't be told. */
export function columnOf(
  { colname, typeName, collClause, constraints = [] }: ColumnDef,
  attnum: number,
  walk: Walk,
): CatalogColumn | undefined {
  // What the server computes from others is as sensitive as they are.
  if (constraints.some((one) => 'Constraint' in one && one.Constraint.contype === 'CONSTR_GENERATED')) return undefined
  const type = collClause ? undefined : typeNamed(typeName, walk)
  return colname === undefined || type === undefined ? undefined : { name: colname, attnum, typeOid: 0, typeName: type }
}

/** Those of a table that is made of what a query gives; undefined: they can't be told. */
export function columnsKept(shape: Shape, names: readonly string[], { catalog }: Walk): CatalogColumn[] | undefined {
  if (shape.open || shape.columns.length === 0 || names.length > shape.columns.length) return undefined
  const { codedTypes, lenientTypes } = catalog
  const columns = shape.columns.map((column, i) => keptColumn(column, names[i] ?? column.name, i + 1, catalog))
  // A type that can't be told may bring code.
  if (columns.some(({ typeName }) => typeName === '') && codedTypes.length + lenientTypes.length > 0) return undefined
  return new Set(columns.map(({ name }) => name)).size === columns.length ? columns : undefined
}

function keptColumn({ value }: ScopeColumn, name: string, attnum: number, catalog: Catalog): CatalogColumn {
  const from = value.plain && value.origin !== undefined ? identified(catalog, value.origin) : undefined
  const found = from?.relation?.columns.find((one) => one.name === from.column)
  // A collation that can't be told may be any.
  if (found === undefined) return { name, attnum, typeOid: 0, typeName: '', collated: true }
  const { typeOid, typeName, collated } = found
  return { name, attnum, typeOid, typeName, ...(collated || value.collated ? { collated: true } : {}) }
}

const serials: ReadonlyMap<string, string> = new Map([
  ['serial', 'int4'],
  ['serial4', 'int4'],
  ['bigserial', 'int8'],
  ['serial8', 'int8'],
  ['smallserial', 'int2'],
  ['serial2', 'int2'],
])

/** pg_type.typname; undefined: it may bring code. */
export function typeNamed(type: TypeName | undefined, { catalog }: Walk): string | undefined {
  const names = strings(type?.names)
  if (type === undefined || type.setof || type.pct_type) return undefined
  const serial = names.length === 1 ? serials.get(names[0] ?? '') : undefined
  const own = serial === undefined && !isPlainType(names)
  if (own && [...catalog.codedTypes, ...catalog.lenientTypes].some(({ name }) => name === names.at(-1)))
    return undefined
  const plain = serial ?? names.at(-1) ?? ''
  return type.arrayBounds ? `_${plain}` : plain
}

/** The constraints that are said with a column. */
export function columnConstraints(
  { colname = '', constraints = [] }: ColumnDef,
  own: RangeVar | undefined,
  walk: Walk,
): Brought[] | undefined {
  const out: Brought[] = []
  for (const one of constraints) {
    const brought = 'Constraint' in one ? constraint(one.Constraint, [colname], own, walk) : undefined
    if (brought === undefined) return undefined
    out.push(brought)
  }
  return out
}

/** `columns`: whose it is. Undefined: what it does can't be told. */
export function constraint(
  node: Constraint,
  columns: readonly string[],
  own: RangeVar | undefined,
  walk: Walk,
): Brought | undefined {
  const { contype, pktable, pk_attrs, keys } = node
  // USING INDEX has the columns of that.
  if (contype === 'CONSTR_EXCLUSION' || node.indexname !== undefined) return undefined
  if (contype === 'CONSTR_PRIMARY' || contype === 'CONSTR_UNIQUE') {
    return { unique: keys === undefined ? columns : strings(keys) }
  }
  if (!pktable) return {}
  const itself = isSame(pktable, own)
  const other = itself
    ? undefined
    : walk.catalog.relation(pktable.schemaname, pktable.relname ?? '', walk.searchPath ?? [])
  if (!itself && (other === undefined || other.parents.length > 0 || other.kind !== 'table')) return undefined
  const refers = (mine: readonly string[], theirs: readonly string[]): Refers => ({
    other: other ?? 'itself',
    columns: mine,
    theirs,
    onDelete: keyAction(node.fk_del_action, 'delete'),
    onUpdate: keyAction(node.fk_upd_action, 'update'),
  })
  const named = strings(pk_attrs)
  if (named.length > 0) return { refers: [refers(columns, named)] }
  // Of its primary key, and which that is is not known: whichever values are kept apart there.
  const pairs = columns.flatMap((one) => (other?.unique ?? []).map((theirs) => refers([one], [theirs])))
  return { refers: pairs.length === 0 ? [refers(columns, [])] : pairs }
}

/** A table that refers to itself names itself before it is there. */
export function isSame(one: RangeVar, other: RangeVar | undefined): boolean {
  return one.relname === other?.relname && (one.schemaname === undefined || one.schemaname === other?.schemaname)
}
