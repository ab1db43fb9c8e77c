import type { AlterTableCmd, AlterTableStmt, DropStmt, RangeVar, RenameStmt } from 'libpg-query'
import type { CatalogColumn, CatalogRelation } from '../analysis.ts'
import { open, parse, strings } from '../parser.ts'
import {
  type Brought,
  bringing,
  changing,
  columnConstraints,
  columnOf,
  constraint,
  typeNamed,
} from './fresh-columns.ts'
import { tableId } from './ids.ts'
import { family } from './relations.ts'
import type { Walk } from './walk.ts'

/** Tables that a transaction changes, as far as the statement that does so says all of what they are then. */

/** ALTER TABLE. */
export function altered(
  { relation, objtype, cmds = [] }: AlterTableStmt,
  walk: Walk,
): readonly CatalogRelation[] | undefined {
  const found = alone(relation, walk)
  if (found === undefined || objtype !== 'OBJECT_TABLE') return undefined
  let columns = found.columns
  const brought: Brought[] = []
  for (const item of cmds) {
    if (!('AlterTableCmd' in item)) return undefined
    const now = { ...found, columns }
    const one = command(item.AlterTableCmd, now, relation, walk)
    if (one === undefined) return undefined
    columns = one.columns ?? columns
    brought.push(one)
  }
  return bringing({ ...changing(found), columns }, brought)
}

/** A table of its own: what happens to it happens to no other. */
function alone(name: RangeVar | undefined, { catalog, searchPath }: Walk): CatalogRelation | undefined {
  if (name?.relname === undefined || searchPath === undefined) return undefined
  const found = catalog.relation(name.schemaname, name.relname, searchPath)
  if (found?.kind !== 'table' || found.parents.length > 0 || found.ofType !== undefined) return undefined
  if (found.schema === 'pg_catalog' || found.schema === 'information_schema') return undefined
  return catalog.children(found.oid).length === 0 ? found : undefined
}

/** What changes nothing that is known of a table, or takes away from it what may stay known. */
const nothing: ReadonlySet<string> = new Set([
  'AT_SetNotNull',
  'AT_DropNotNull',
  'AT_ColumnDefault',
  'AT_AddIdentity',
  'AT_SetIdentity',
  'AT_DropIdentity',
  'AT_SetStatistics',
  'AT_SetStorage',
  'AT_SetCompression',
  'AT_SetOptions',
  'AT_ResetOptions',
  'AT_SetRelOptions',
  'AT_ResetRelOptions',
  'AT_ReplicaIdentity',
  'AT_ClusterOn',
  'AT_DropCluster',
  'AT_ChangeOwner',
])

/** Undefined: it is another change. */
function command(
  node: AlterTableCmd,
  table: CatalogRelation,
  own: RangeVar | undefined,
  walk: Walk,
): (Brought & { columns?: readonly CatalogColumn[] }) | undefined {
  const { subtype, def, name, behavior, missing_ok } = node
  const { columns } = table
  const cascades = behavior === 'DROP_CASCADE'
  switch (subtype) {
    case 'AT_AddConstraint':
      if (!def || !('Constraint' in def)) return undefined
      return constraint(def.Constraint, strings(def.Constraint.fk_attrs), own, walk)
    case 'AT_DropConstraint':
      // Foreign keys that stood on it are known on; a view that groups by its key goes.
      return cascades && areLeanedOn([table], walk) ? undefined : {}
    case 'AT_AddColumn': {
      if (!def || !('ColumnDef' in def)) return undefined
      const { colname } = def.ColumnDef
      if (columns.some((one) => one.name === colname)) return missing_ok ? {} : undefined
      const one = columnOf(def.ColumnDef, table.oid < 0 ? columns.length + 1 : 0, walk)
      const all = columnConstraints(def.ColumnDef, own, walk)
      if (one === undefined || all === undefined) return undefined
      const refers = all.flatMap((brought) => brought.refers ?? [])
      return { columns: [...columns, one], refers, unique: all.flatMap(({ unique = [] }) => unique) }
    }
    case 'AT_DropColumn':
      if (columns.some(({ generatedFrom }) => name !== undefined && generatedFrom?.includes(name))) return undefined
      if (cascades && areLeanedOn([table], walk)) return undefined
      return { columns: columns.filter((one) => one.name !== name) }
    case 'AT_AlterColumnType': {
      const type =
        def && 'ColumnDef' in def && !def.ColumnDef.collClause ? typeNamed(def.ColumnDef.typeName, walk) : undefined
      if (type === undefined) return undefined
      const changed = ({ name: column, attnum, generatedFrom }: CatalogColumn): CatalogColumn => ({
        ...{ name: column, attnum, typeOid: 0, typeName: type },
        ...(generatedFrom === undefined ? {} : { generatedFrom }),
      })
      return { columns: columns.map((one) => (one.name === name ? changed(one) : one)) }
    }
    default:
      return nothing.has(subtype ?? '') ? {} : undefined
  }
}

/** ALTER TABLE … RENAME of a table or a column. `moved`: the name that it had. */
export function renamed(
  { renameType, relationType, relation, subname, newname, behavior }: RenameStmt,
  walk: Walk,
): { known: readonly CatalogRelation[]; moved: readonly string[] } | undefined {
  const found = alone(relation, walk)
  if (found === undefined || newname === undefined || behavior === 'DROP_CASCADE') return undefined
  if (renameType === 'OBJECT_TABLE') {
    // What has the name by now is in definitions that were read.
    if (walk.catalog.relation(found.schema, newname, []) !== undefined) return undefined
    return { known: [{ ...changing(found), name: newname }], moved: [found.name] }
  }
  if (renameType !== 'OBJECT_COLUMN' || relationType !== 'OBJECT_TABLE' || subname === undefined) return undefined
  const { columns, referencedBy = [], refersTo = [], unique, constrained, triggers } = found
  if (!columns.some(({ name }) => name === subname) || columns.some(({ name }) => name === newname)) return undefined
  // Their texts, as they were read, name it as it was.
  if (found.policies || found.folded || columns.some(({ generatedFrom }) => generatedFrom)) return undefined
  if (triggers === undefined && found.hasRules) return undefined
  if (referencedBy.some(({ theirs }) => theirs.includes(subname)) || areLeanedOn([found], walk)) return undefined
  const now = (name: string): string => (name === subname ? newname : name)
  const table: CatalogRelation = {
    ...changing(found),
    columns: columns.map((one) => ({ ...one, name: now(one.name) })),
    refersTo: refersTo.map((one) => ({ ...one, columns: one.columns.map(now) })),
    ...(unique === undefined ? {} : { unique: unique.map(now) }),
    ...(constrained === undefined ? {} : { constrained: constrained.map((together) => together.map(now)) }),
  }
  return { known: [table], moved: [] }
}

/**
 * Names that go with tables which DROP … CASCADE takes; undefined: that can't be told. Foreign keys of others are known on, which is
 * more than there is.
 */
export function cascaded({ objects = [] }: DropStmt, walk: Walk): readonly string[] | undefined {
  const names: string[] = []
  const gone: CatalogRelation[] = []
  for (const object of objects) {
    const name = 'List' in object ? strings(object.List.items) : strings([object])
    const [table = '', schema] = name.toReversed()
    names.push(table)
    const found = walk.searchPath && walk.catalog.relation(schema, table, walk.searchPath)
    // Where it is not there, nothing goes.
    if (found !== undefined) gone.push(...family(walk.catalog, found))
  }
  if (gone.some((one) => one.kind !== 'table' || isTypeOfOthers(one, walk)) || areLeanedOn(gone, walk)) return undefined
  return [...names, ...gone.map(({ name }) => name), ...sharedSequences(walk)]
}

/** Views, and functions that name what they use as it was when they were made, may stand on them: these go with a part of them, or follow their names. */
function areLeanedOn(relations: readonly CatalogRelation[], walk: Walk): boolean {
  const { catalog } = walk
  // Of one that the transaction made nothing is read that would stand on it.
  const ids = relations.flatMap(({ oid, schema, name, before }) =>
    oid < 0 ? [] : [tableId(before?.schema ?? schema, before?.name ?? name)],
  )
  if (ids.length === 0) return false
  for (const one of catalog.relations()) {
    if (one.kind !== 'view' && one.kind !== 'materialized') continue
    const report = walk.relation(one).report
    if (report !== undefined && (report.doubt !== undefined || ids.some((id) => report.tables.has(id)))) return true
  }
  for (const { definition } of catalog.ownFunctions()) if (definition !== undefined && isParsed(definition)) return true
  return false
}

/** BEGIN ATOMIC and RETURN: the body was read when the function was made. */
function isParsed(definition: string): boolean {
  const parsed = parse(definition)
  const [statement] = parsed.ok ? parsed.statements : []
  const opened = statement && open(statement.node)
  return opened?.tag !== 'CreateFunctionStmt' || opened.node.sql_body !== undefined
}

/** Its rows may be values of other tables, and what functions take. */
function isTypeOfOthers({ name, before }: CatalogRelation, { catalog }: Walk): boolean {
  const names = [name, before?.name ?? name]
  if (catalog.codedTypes.length > 0) return true
  for (const { definition } of catalog.ownFunctions()) {
    if (definition === undefined || names.some((one) => definition.includes(one))) return true
  }
  const types = new Set(names.flatMap((one) => [one, `_${one}`]))
  for (const { columns } of catalog.relations())
    if (columns.some(({ typeName }) => typeName === '' || types.has(typeName))) return true
  return false
}

/** Sequences that a column owns go with it: names that another relation has as well mean that one then. */
function sharedSequences({ catalog }: Walk): string[] {
  const seen = new Set<string>()
  const twice = new Set<string>()
  const sequences = new Set<string>()
  for (const { name, kind } of catalog.relations()) {
    if (kind === 'sequence') sequences.add(name)
    if (seen.has(name)) twice.add(name)
    seen.add(name)
  }
  return [...sequences].filter((name) => twice.has(name))
}
