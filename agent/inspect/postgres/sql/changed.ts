import type { AlterTableStmt, CreateStmt, DropStmt, RangeVar, RenameStmt } from 'libpg-query'
import type { SessionEffect } from '../analysis.ts'
import { type Opened, objects, strings } from '../parser.ts'
import { freshOf } from './fresh.ts'
import { cascaded } from './fresh-changes.ts'
import { intoOf } from './into.ts'
import { family } from './relations.ts'
import type { Shape } from './value.ts'
import type { Walk } from './walk.ts'

/** What a change of definitions leaves behind. `shape`: the columns that the query gives of which a table is made. */
export function changeOf(opened: Opened, walk: Walk, shape?: Shape): SessionEffect {
  // A temporary table or view is made: no other session has it.
  const alone = made(opened)?.relpersistence === 't' ? { alone: true as const } : {}
  const fresh = freshOf(opened, walk, shape)
  if (fresh === undefined) {
    const names = changedNames(opened, walk)
    return { kind: 'ddl', changes: names === undefined ? 'any' : new Set(names), ...alone }
  }
  // No name changes beside those.
  const known = fresh.known.length === 0 ? {} : { fresh: fresh.known }
  return { kind: 'ddl', changes: new Set(fresh.moved), ...known, ...alone }
}

/**
 * Names of relations that may mean something else once a change of the schema ran, wherever they are; undefined: anything may.
 * Only of changes that leave every other name, and every function, operator, type and cast, as it was.
 */
function changedNames(opened: Opened, walk: Walk): readonly string[] | undefined {
  switch (opened.tag) {
    case 'CreateStmt':
      return madeNames(opened.node)
    case 'CreateTableAsStmt':
    case 'SelectStmt':
      return nameOf(made(opened))
    case 'ViewStmt':
      return opened.node.replace ? undefined : nameOf(made(opened))
    case 'IndexStmt':
      return opened.node.idxname === undefined ? [] : [opened.node.idxname]
    case 'CreateEnumStmt':
    case 'AlterEnumStmt':
      // It holds labels, and no relation of its name can be there.
      return []
    case 'CreateSeqStmt':
    case 'AlterSeqStmt':
      return nameOf(opened.node.sequence)
    case 'DropStmt':
      return droppedNames(opened.node, walk)
    case 'AlterTableStmt':
      return alteredNames(opened.node, walk)
    case 'RenameStmt':
      return renamedNames(opened.node, walk)
    default:
      return undefined
  }
}

/** The table or view that a statement makes. */
function made(opened: Opened): RangeVar | undefined {
  switch (opened.tag) {
    case 'CreateStmt':
      return opened.node.relation
    case 'CreateTableAsStmt':
      return opened.node.into?.rel
    case 'SelectStmt':
      return intoOf(opened.node)?.rel
    case 'ViewStmt':
      return opened.node.view
    default:
      return undefined
  }
}

function nameOf(name: RangeVar | undefined): readonly string[] | undefined {
  return name?.relname === undefined ? undefined : [name.relname]
}

/** A table of its own: no part or child of another, and of no type that others have. */
function madeNames({ relation, inhRelations, partbound, ofTypename }: CreateStmt): readonly string[] | undefined {
  return inhRelations || partbound || ofTypename ? undefined : nameOf(relation)
}

const relations = new Set(['OBJECT_TABLE', 'OBJECT_VIEW', 'OBJECT_MATVIEW', 'OBJECT_INDEX', 'OBJECT_SEQUENCE'])

function droppedNames(node: DropStmt, walk: Walk): readonly string[] | undefined {
  const { removeType, behavior, objects } = node
  if (removeType === 'OBJECT_TABLE' && behavior === 'DROP_CASCADE') return cascaded(node, walk)
  if (behavior === 'DROP_CASCADE') return undefined
  // Nothing was of it, and of what has its name else, those that bring code are known by name wherever they are.
  if (removeType === 'OBJECT_TYPE' || removeType === 'OBJECT_DOMAIN') return []
  if (!relations.has(removeType ?? '')) return undefined
  return (objects ?? []).map(
    (object) => ('List' in object ? strings(object.List.items) : strings([object])).at(-1) ?? '',
  )
}

/** What changes a table's columns and constraints alone. */
const ownAffairs = new Set([
  'AT_AddColumn',
  'AT_DropColumn',
  'AT_ColumnDefault',
  'AT_SetNotNull',
  'AT_DropNotNull',
  'AT_AlterColumnType',
  'AT_AddConstraint',
  'AT_DropConstraint',
  'AT_AddIndex',
  'AT_SetStatistics',
  'AT_SetStorage',
  'AT_SetRelOptions',
  'AT_ResetRelOptions',
  'AT_ClusterOn',
  'AT_SetLogged',
  'AT_SetUnLogged',
])

function alteredNames({ relation, objtype, cmds }: AlterTableStmt, walk: Walk): readonly string[] | undefined {
  if (!relations.has(objtype ?? '')) return undefined
  for (const item of cmds ?? []) {
    if (!('AlterTableCmd' in item)) return undefined
    const { subtype, behavior } = item.AlterTableCmd
    if (!ownAffairs.has(subtype ?? '') || behavior === 'DROP_CASCADE') return undefined
  }
  const family = withFamily(relation, walk)
  return family && [...family, ...referenced(cmds)]
}

/** A new foreign key: what changes in the table that it refers to changes this one from now on, whose triggers run. */
function referenced(root: unknown): string[] {
  const names: string[] = []
  for (const one of objects(root)) {
    if ('pktable' in one && typeof one.pktable === 'object' && one.pktable !== null && 'relname' in one.pktable) {
      names.push(String(one.pktable.relname))
    }
  }
  return names
}

function renamedNames(
  { renameType, relation, newname, behavior, object }: RenameStmt,
  walk: Walk,
): readonly string[] | undefined {
  if (behavior === 'DROP_CASCADE') return undefined
  if (renameType === 'OBJECT_TYPE' && object && 'List' in object) {
    const { codedTypes, lenientTypes } = walk.catalog
    const names = [strings(object.List.items).at(-1) ?? '', newname ?? '']
    const known = [...codedTypes, ...lenientTypes].some(({ name }) => names.includes(name))
    return known || names.some((name) => walk.catalog.typed(name).length > 0) ? undefined : []
  }
  if (renameType === 'OBJECT_COLUMN') return withFamily(relation, walk)
  const old = relations.has(renameType ?? '') ? nameOf(relation) : undefined
  return old && newname !== undefined ? [...old, newname] : undefined
}

/** Names of a relation and its family, whose columns follow its own. Undefined: it is not known. */
function withFamily(name: RangeVar | undefined, { catalog, searchPath }: Walk): readonly string[] | undefined {
  if (name?.relname === undefined || searchPath === undefined) return undefined
  const found = catalog.relation(name.schemaname, name.relname, searchPath)
  return found && [...family(catalog, found)].map(({ name: one }) => one)
}
