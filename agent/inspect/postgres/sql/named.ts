import type { GrantStmt, Node, RangeVar } from 'libpg-query'
import { type Opened, objects, strings } from '../parser.ts'
import { tableId } from './ids.ts'
import { pathFor, type Walk } from './walk.ts'

/** Tables that statements name without reading or changing their rows, so that policy is asked about these as well. */
export function namesTables(opened: Opened, walk: Walk): void {
  switch (opened.tag) {
    case 'GrantStmt':
      granted(opened.node, walk)
      return
    case 'CommentStmt':
    case 'SecLabelStmt':
    case 'AlterExtensionContentsStmt':
      object(opened.node.objtype, opened.node.object, walk)
      return
    case 'DropStmt':
      for (const one of opened.node.objects ?? []) object(opened.node.removeType, one, walk)
      return
    case 'CreateTrigStmt':
    case 'RuleStmt':
    case 'AlterObjectDependsStmt':
      range(opened.node.relation, walk)
      return
    case 'CreateForeignTableStmt':
      range(opened.node.base?.relation, walk)
      return
    case 'CreateSeqStmt':
    case 'AlterSeqStmt':
      range(opened.node.sequence, walk)
      return
    case 'CreatePublicationStmt':
    case 'AlterPublicationStmt':
      for (const one of objects(opened.node)) if (isRange(one)) range(one, walk)
      return
    default:
  }
}

function granted({ targtype, objtype, objects: on = [] }: GrantStmt, walk: Walk): void {
  if (targtype === 'ACL_TARGET_ALL_IN_SCHEMA') {
    const schemas = new Set(strings(on))
    if (objtype !== 'OBJECT_TABLE') return
    for (const { schema, name } of walk.catalog.relations())
      if (schemas.has(schema)) walk.report.tables.add(tableId(schema, name))
    return
  }
  for (const one of on) if ('RangeVar' in one) range(one.RangeVar, walk)
}

const relations: ReadonlySet<string> = new Set(
  ['TABLE', 'VIEW', 'MATVIEW', 'FOREIGN_TABLE', 'SEQUENCE'].map((kind) => `OBJECT_${kind}`),
)
const parts: ReadonlySet<string> = new Set(
  ['COLUMN', 'TRIGGER', 'RULE', 'POLICY', 'TABCONSTRAINT'].map((kind) => `OBJECT_${kind}`),
)

function object(kind: string | undefined, node: Node | undefined, walk: Walk): void {
  const names = node && 'List' in node ? strings(node.List.items) : []
  if (parts.has(kind ?? '')) named(names.slice(0, -1), walk)
  else if (relations.has(kind ?? '')) named(names, walk)
}

function range(name: RangeVar | undefined, walk: Walk): void {
  if (name?.relname === undefined) return
  named(name.schemaname === undefined ? [name.relname] : [name.schemaname, name.relname], walk)
}

/** What is not in the catalog is what it says. */
function named(names: readonly string[], walk: Walk): void {
  const table = names.at(-1)
  if (table === undefined) return
  const schema = names.at(-2)
  const found = walk.catalog.relation(schema, table, pathFor(walk, schema, table))
  walk.report.tables.add(found ? tableId(found.schema, found.name) : names.slice(-2).join('.'))
}

function isRange(one: object): one is RangeVar {
  return 'relname' in one && typeof one.relname === 'string' && 'relpersistence' in one
}
