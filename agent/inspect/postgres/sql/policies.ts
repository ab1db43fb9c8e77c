import type { Node } from 'libpg-query'
import type { CatalogRelation } from '../analysis.ts'
import { objects, parse, strings } from '../parser.ts'
import { where } from './conditions.ts'
import { tableId } from './ids.ts'
import { Report } from './report.ts'
import { entry, topScope } from './scope.ts'
import { Shape } from './value.ts'
import type { Walk } from './walk.ts'

/**
 * Row policies decide which rows there are, or may be written, so what they look at shows in that. Who wrote the policy meant its own
 * conditions to; but not what a setting of the client's, or a row that it brings, is compared with.
 */
export function policies(relation: CatalogRelation, how: 'reads' | 'writes', walk: Walk): void {
  const texts = relation.policies?.[how] ?? []
  if (texts.length === 0) return
  const known = walk.policing(relation, how, () => {
    for (const text of texts) policy(text, relation, how, walk)
  })
  if (!known)
    walk.report.doubts(
      `a row policy of ${tableId(relation.schema, relation.name)} depends on itself, or on too many others`,
    )
}

function policy(text: string, relation: CatalogRelation, how: 'reads' | 'writes', walk: Walk): void {
  const report = new Report('sql:select')
  const inner = walk.apart(report)
  const node = expressionOf(text)
  if (node) {
    const { shape } = walk.relation(relation)
    const own = how === 'reads' && isSteered(node, inner) ? shape : unseen(shape)
    where(node, inner, {
      ...topScope,
      entries: [{ ...entry(relation.name, own), schema: relation.schema, system: true }],
    })
  } else report.doubts('it can’t be read')
  if (report.doubt !== undefined)
    report.doubt = `a row policy of ${tableId(relation.schema, relation.name)}: ${report.doubt}`
  // Whoever reads the table calls nothing: what the code changes counts.
  if (report.action === 'sql:call') report.action = 'sql:select'
  for (const column of report.touched)
    walk.report.reads(column, `a row policy of ${tableId(relation.schema, relation.name)}`)
  walk.report.include(report)
  walk.report.use(report.writes, 'write')
  for (const table of report.written) walk.report.written.add(table)
}

/** Columns whose values who wrote the policy decided about. */
function unseen({ columns }: Shape): Shape {
  return new Shape(columns.map(({ name, value }) => ({ name, value: { ...value, sources: new Set() } })))
}

function expressionOf(text: string): Node | undefined {
  const parsed = parse(`SELECT ${text}`)
  const [statement, more] = parsed.ok ? parsed.statements : []
  if (!statement || more || !('SelectStmt' in statement.node)) return undefined
  const [target, other] = statement.node.SelectStmt.targetList ?? []
  return target && !other && 'ResTarget' in target ? target.ResTarget.val : undefined
}

/** It reads a setting, which the client may change at will; or code does that it calls. */
function isSteered(node: Node, { catalog, code }: Walk): boolean {
  for (const one of objects(node)) {
    if (!('funcname' in one) || !Array.isArray(one.funcname)) continue
    const names = strings(one.funcname)
    if (names.at(-1) === 'current_setting') return true
    for (const fn of catalog.functions(names.at(-2), names.at(-1) ?? '', [])) {
      if (fn.definition !== undefined && readsSettings(code(fn))) return true
    }
  }
  return false
}

function readsSettings({ functions, doubt }: Report): boolean {
  return doubt !== undefined || functions.has('current_setting') || functions.has('pg_catalog.current_setting')
}
