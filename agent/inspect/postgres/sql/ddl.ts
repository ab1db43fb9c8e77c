import type {
  AlterDomainStmt,
  ColumnDef,
  Constraint,
  CreateDomainStmt,
  CreateStatsStmt,
  CreateStmt,
  IndexStmt,
  Node,
  PartitionBoundSpec,
  RangeVar,
  RenameStmt,
  TruncateStmt,
} from 'libpg-query'
import type { CatalogRelation } from '../analysis.ts'
import { strings } from '../parser.ts'
import { changes, evaluates } from './cascades.ts'
import { isSame } from './fresh-columns.ts'
import { relationEntry, resolve } from './from.ts'
import { tableId } from './ids.ts'
import { isPlainType } from './literals.ts'
import { family, identified } from './relations.ts'
import { type Entry, entry, type Scope, topScope } from './scope.ts'
import { typesAnywhere } from './types.ts'
import { opaque, Shape, type Value } from './value.ts'
import { pathFor, predicate, type Walk } from './walk.ts'

/**
 * Changes to the schema. They show no rows, but they can copy values to where nothing masks them, give a column a name that no
 * rule knows, or fail on a value and say which: what they touch in such a way is a `write` or a `predicate`.
 */

/** CREATE TABLE AS, SELECT INTO, CREATE VIEW: all that the query gives is kept under another name. */
export function keeps(shape: Shape, walk: Walk): void {
  walk.report.use(shape.row.sources, 'write')
}

/** The name of something that is about to exist. */
export function created(name: RangeVar | undefined, walk: Walk): void {
  if (!name) return
  const { schemaname, relname = '', relpersistence } = name
  newType([...(schemaname === undefined || relpersistence === 't' ? [] : [schemaname]), relname], walk)
  // PostgreSQL passes over schemas that are not there, and over the temporary one where it only stands first for look-ups.
  const path = walk.searchPath?.filter((schema) => schema !== '$user' && schema !== 'pg_catalog') ?? []
  const first = path.find(
    (schema) => schema === 'pg_temp' || (!schema.startsWith('pg_temp_') && walk.catalog.hasSchema(schema)),
  )
  const schema = name.relpersistence === 't' ? 'pg_temp' : (name.schemaname ?? first ?? path.at(-1) ?? 'public')
  mentionsWritten(tableId(schema, name.relname ?? ''), walk)
}

/**
 * The name of a type that is about to exist; each relation is one, too. In pg_temp it would come before the built-in one
 * wherever that is named without its schema.
 */
export function newType(names: readonly string[], walk: Walk): void {
  const [schema, name = ''] = names.length > 1 ? names.slice(-2) : [undefined, names[0]]
  if (schema !== undefined && !schema.startsWith('pg_temp')) return
  if (isPlainType([name])) walk.report.doubts(`a type of the name ${name} could stand in for PostgreSQL's own`)
}

export function mentionsWritten(full: string, walk: Walk): void {
  walk.report.tables.add(full)
  walk.report.written.add(full)
}

/** An existing relation that is named, and neither read nor changed. */
export function mentions(name: RangeVar, walk: Walk): void {
  resolve(name, walk)
}

/** An existing relation that a statement changes or works on; unknown is a doubt. */
export function existing(name: RangeVar | undefined, walk: Walk): Entry {
  if (!name) return entry(undefined, new Shape([]))
  const before = new Set(walk.report.tables)
  const found = relationEntry(name, walk)
  for (const table of walk.report.tables) if (!before.has(table)) walk.report.written.add(table)
  return found
}

/** TRUNCATE runs triggers of its own, and those of every table that refers to it where it cascades. */
export function truncates({ relations, behavior }: TruncateStmt, walk: Walk): void {
  for (const item of relations ?? []) {
    if (!('RangeVar' in item)) continue
    existing(item.RangeVar, walk)
    const { schemaname, relname = '' } = item.RangeVar
    const relation = walk.catalog.relation(schemaname, relname, walk.searchPath ?? [])
    if (relation) changes(relation, walk, ['truncate'], behavior === 'DROP_CASCADE')
  }
}

/**
 * VACUUM, ANALYZE, REINDEX, REFRESH and what rewrites a table: rows that are there go into its indexes and statistics again. Undefined:
 * which tables is not known here.
 */
export function maintains(name: RangeVar | undefined, walk: Walk): void {
  const { catalog } = walk
  if (name === undefined) {
    for (const relation of catalog.relations()) if (relation.calls !== undefined) evaluates(relation, walk)
    typesAnywhere(walk)
    return
  }
  existing(name, walk)
  const { schemaname, relname = '' } = name
  const relation = catalog.relation(schemaname, relname, pathFor(walk, schemaname, relname))
  if (relation) for (const one of family(catalog, relation)) evaluates(one, walk)
}

/**
 * CREATE OR REPLACE VIEW: what a materialized view has taken from the one before stays in it, and only through that is it known where it
 * came from.
 */
export function replaces(name: RangeVar | undefined, walk: Walk): void {
  const { catalog, searchPath = [] } = walk
  const before =
    name?.relpersistence === 't' ? undefined : catalog.relation(name?.schemaname, name?.relname ?? '', searchPath)
  if (before?.kind !== 'view') return
  for (const one of catalog.relations()) {
    if (one.kind !== 'materialized' || !standsOn(one, before, walk)) continue
    const { sources } = walk.relation(one).shape.row
    const keeps = `the materialized view ${tableId(one.schema, one.name)}, which keeps what this one showed,`
    for (const column of sources) walk.report.reads(column, keeps)
    walk.report.touch(sources)
    walk.report.use(sources, 'write')
  }
}

function standsOn(relation: CatalogRelation, on: CatalogRelation, walk: Walk): boolean {
  const seen = new Set<number>()
  const rest = [relation]
  for (let one = rest.pop(); one !== undefined; one = rest.pop()) {
    if (one.oid === on.oid) return true
    for (const id of walk.relation(one).report?.tables ?? []) {
      const beneath = identified(walk.catalog, id).relation
      if (beneath === undefined || seen.has(beneath.oid)) continue
      seen.add(beneath.oid)
      rest.push(beneath)
    }
  }
  return false
}

/** Table names in a DROP, as written: they need not exist. */
export function dropped(object: Node, walk: Walk): void {
  const names = 'List' in object ? strings(object.List.items) : strings([object])
  const table = names.at(-1) ?? ''
  const schema = names.at(-2)
  const relation = walk.searchPath && walk.catalog.relation(schema, table, walk.searchPath)
  mentionsWritten(relation ? tableId(relation.schema, relation.name) : names.join('.'), walk)
}

export function createTable(node: CreateStmt, walk: Walk): void {
  created(node.relation, walk)
  for (const parent of node.inhRelations ?? []) {
    if (!('RangeVar' in parent)) continue
    const { placed } = relationEntry(parent.RangeVar, walk)
    // Rows of the default partition are checked: whether that fails shows whether there is one within the bounds.
    if (node.partbound && placed) {
      walk.report.use(placed.sources, 'predicate')
      maintains(parent.RangeVar, walk)
    }
  }
  const own = scopeOf(newTable(node))
  for (const part of node.partspec?.partParams ?? []) {
    if ('PartitionElem' in part) predicate(walk.deferred, [part.PartitionElem.expr], own)
  }
  bounds(node.partbound, walk)
  for (const element of node.tableElts ?? []) {
    if ('TableLikeClause' in element && element.TableLikeClause.relation)
      relationEntry(element.TableLikeClause.relation, walk)
    if ('Constraint' in element) newConstraint(element.Constraint, own, walk, node.relation)
    if ('ColumnDef' in element) newColumn(element.ColumnDef, own, walk, node.relation)
  }
}

/** The columns of a table that is about to exist: they hold nothing yet. Those that it takes over can't be listed here. */
function newTable({ tableElts, inhRelations, ofTypename, partbound }: CreateStmt): Entry {
  const columns = (tableElts ?? []).flatMap((element) =>
    'ColumnDef' in element ? [{ name: element.ColumnDef.colname ?? '', value: opaque }] : [],
  )
  const takes = (tableElts ?? []).some((element) => 'TableLikeClause' in element)
  const open = takes || inhRelations || ofTypename || partbound ? opaque : undefined
  return entry(undefined, new Shape(columns, open))
}

/** They are evaluated as the statement runs, and what comes of it is kept where everybody can read it. */
export function bounds(spec: PartitionBoundSpec | undefined, walk: Walk): void {
  const { listdatums = [], lowerdatums = [], upperdatums = [] } = spec ?? {}
  for (const datum of listdatums) stored(datum, topScope, walk)
  for (const datum of [...lowerdatums, ...upperdatums]) if (!isUnbounded(datum)) stored(datum, topScope, walk)
}

/** MINVALUE and MAXVALUE of a range read as columns. */
function isUnbounded(datum: Node): boolean {
  if (!('ColumnRef' in datum)) return false
  const [name, more] = strings(datum.ColumnRef.fields)
  return more === undefined && (name === 'minvalue' || name === 'maxvalue')
}

function newColumn(def: ColumnDef, own: Scope, walk: Walk, itself: RangeVar | undefined): void {
  if (def.raw_default) stored(def.raw_default, own, walk)
  for (const item of def.constraints ?? []) if ('Constraint' in item) newConstraint(item.Constraint, own, walk, itself)
}

function newConstraint(node: Constraint, own: Scope, walk: Walk, itself: RangeVar | undefined): void {
  if (node.raw_expr) stored(node.raw_expr, own, walk)
  if (node.where_clause) predicate(walk.deferred, [node.where_clause], own)
  for (const element of node.exclusions ?? []) {
    // What does not fit is shown by the error, with what was computed.
    for (const part of 'List' in element ? (element.List.items ?? []) : []) {
      if ('IndexElem' in part && part.IndexElem.expr) stored(part.IndexElem.expr, own, walk)
    }
  }
  if (!node.pktable || isSame(node.pktable, itself)) return
  const target = relationEntry(node.pktable, walk)
  // Whether a row may be added tells whether the other table has its value.
  for (const key of strings(node.pk_attrs)) column(target, key, 'predicate', walk)
}

/** A default, generated value or condition that is kept, and evaluated whenever a row is written: by then nobody looks at it. */
export function stored(node: Node, scope: Scope, walk: Walk): void {
  const value = walk.deferred.expression(node, scope)
  walk.report.use(value.sources, 'write')
}

export function createDomain(node: CreateDomainStmt, walk: Walk): void {
  newType(strings(node.domainname), walk)
  for (const item of node.constraints ?? []) {
    if ('Constraint' in item && item.Constraint.raw_expr) stored(item.Constraint.raw_expr, domainScope, walk)
  }
}

export function alterDomain(node: AlterDomainStmt, walk: Walk): void {
  // Existing values of any column of that type are checked, and the error names the column.
  if (node.subtype !== undefined && ['C', 'V', 'O'].includes(node.subtype)) {
    walk.report.doubts('which columns hold values that the domain would be checked against is not known here')
  }
  const { def } = node
  if (!def) return
  if ('Constraint' in def) {
    if (def.Constraint.raw_expr) stored(def.Constraint.raw_expr, domainScope, walk)
  } else stored(def, domainScope, walk)
}

/** VALUE stands for what is checked. */
const domainScope: Scope = { ...topScope, entries: [entry(undefined, new Shape([{ name: 'value', value: opaque }]))] }

/** ANALYZE evaluates the expressions over the rows that it samples, and fails where they do. */
export function createStatistics(node: CreateStatsStmt, walk: Walk): void {
  for (const relation of node.relations ?? []) {
    if (!('RangeVar' in relation)) continue
    const target = existing(relation.RangeVar, walk)
    for (const element of node.exprs ?? []) {
      if (!('StatsElem' in element)) continue
      const { name, expr } = element.StatsElem
      if (name !== undefined) column(target, name, 'touch', walk)
      predicate(walk.deferred, [expr], scopeOf(target))
    }
  }
}

export function createIndex(node: IndexStmt, walk: Walk): void {
  const target = existing(node.relation, walk)
  const scope = scopeOf(target)
  for (const element of [...(node.indexParams ?? []), ...(node.indexIncludingParams ?? [])]) {
    if (!('IndexElem' in element)) continue
    const { name, expr } = element.IndexElem
    // A value that is there twice is named by the error, and what is read by way of an index comes in its order.
    if (name !== undefined) column(target, name, 'predicate', walk)
    predicate(walk.deferred, [expr], scope)
  }
  predicate(walk.deferred, [node.whereClause], scope)
}

const typeful = new Set([
  'OBJECT_TYPE',
  'OBJECT_DOMAIN',
  'OBJECT_TABLE',
  'OBJECT_VIEW',
  'OBJECT_MATVIEW',
  'OBJECT_FOREIGN_TABLE',
])

export function rename(node: RenameStmt, walk: Walk): void {
  if (typeful.has(node.renameType ?? '')) newType([node.newname ?? ''], walk)
  if (node.renameType === 'OBJECT_SCHEMA') {
    walk.report.doubts('a renamed schema changes the name of every column in it')
    return
  }
  if (node.renameType === 'OBJECT_TYPE' && node.object && 'List' in node.object) {
    // By its new name nobody knows yet whose columns are its attributes, which are renamed next.
    for (const target of typed(strings(node.object.List.items).at(-1) ?? '', walk)) every(target, walk)
  }
  const { relation } = node
  if (!relation || node.renameType === 'OBJECT_SEQUENCE') return
  // ALTER INDEX renames tables and views, too, and ALTER TYPE their columns. What is not in the catalog is what they say.
  const itself = node.renameType === 'OBJECT_INDEX' || node.renameType === 'OBJECT_ATTRIBUTE'
  const { schemaname, relname = '' } = relation
  if (node.renameType === 'OBJECT_ATTRIBUTE') {
    for (const target of typed(relname, walk)) column(target, node.subname ?? '', 'write', walk)
  }
  if (itself && !walk.catalog.relation(schemaname, relname, pathFor(walk, schemaname, relname))) return
  const target = existing(relation, walk)
  switch (node.renameType) {
    case 'OBJECT_COLUMN':
    case 'OBJECT_ATTRIBUTE':
      column(target, node.subname ?? '', 'write', walk)
      return
    // What a view shows of tables stays masked by their names; but a statement that waits for a lock was decided on by what the name stood for.
    case 'OBJECT_VIEW':
    case 'OBJECT_MATVIEW':
    case 'OBJECT_TABLE':
    case 'OBJECT_FOREIGN_TABLE':
    case 'OBJECT_INDEX':
      every(target, walk)
      return
    default:
      return
  }
}

/** A table that moves takes its columns from under the rules that name them. */
export function moves(name: RangeVar | undefined, walk: Walk): void {
  every(existing(name, walk), walk)
}

/** CLUSTER: rows come in the order of an index afterwards, and which columns that has is not known here. */
export function sorted(name: RangeVar, walk: Walk): void {
  walk.report.use(existing(name, walk).shape.row.sources, 'predicate')
  maintains(name, walk)
}

/** Tables of a composite type, which become what it becomes. The type itself holds nothing. */
export function typed(type: string, walk: Walk): Entry[] {
  return walk.catalog.typed(type).map(({ schema, name }) => {
    mentionsWritten(tableId(schema, name), walk)
    return relationEntry({ schemaname: schema, relname: name }, walk)
  })
}

export function policyExpressions(
  table: RangeVar | undefined,
  expressions: readonly (Node | undefined)[],
  walk: Walk,
): void {
  predicate(walk.deferred, expressions, scopeOf(existing(table, walk)))
}

export function scopeOf(target: Entry): Scope {
  return { ...topScope, entries: [target] }
}

export function column(target: Entry, name: string, how: 'predicate' | 'write' | 'touch', walk: Walk): void {
  const value = target.shape.column(name)?.value
  if (!value) return
  walk.report.touch(value.sources)
  if (how !== 'touch') walk.report.use(value.sources, how)
}

export function every(target: Entry, walk: Walk): void {
  const row: Value = target.shape.row
  walk.report.touch(row.sources)
  walk.report.use(row.sources, 'write')
}
