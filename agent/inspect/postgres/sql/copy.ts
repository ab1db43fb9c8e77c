import type { CopyStmt, DefElem, Node, RangeVar } from 'libpg-query'
import type { OutputColumn, StatementAnalysis } from '../analysis.ts'
import { strings } from '../parser.ts'
import { changesThrough } from './cascades.ts'
import { collides } from './collisions.ts'
import { relationEntry } from './from.ts'
import { tableId } from './ids.ts'
import { literalText } from './literals.ts'
import { topScope } from './scope.ts'
import { type ScopeColumn, Shape } from './value.ts'
import { predicate, type Walk } from './walk.ts'

/** COPY: what goes out, or what comes in. `outputs` turns columns into the analysis' form. */
export function copy(
  node: CopyStmt,
  walk: Walk,
  outputs: (shape: Shape) => OutputColumn[],
): StatementAnalysis['copyOut'] | undefined {
  const { report } = walk
  const onServer = node.filename !== undefined || node.is_program === true
  if (onServer) report.does('sql:copy-file')
  if (node.is_program) report.doubts('what the program does that it runs on the server is not known here')
  else if (onServer && node.is_from) report.doubts("it reads a file of the server, where other tables' values may be")
  if (node.is_from) {
    report.does('sql:copy-in')
    copyIn(node, walk)
    return undefined
  }
  report.does('sql:copy')
  const shape = node.query ? walk.query(node.query, topScope) : tableShape(node, walk)
  report.touch(shape.row.sources)
  if (onServer) {
    // What lies in a file of the server is beyond any mask.
    report.use(shape.row.sources, 'write')
    return undefined
  }
  return { format: formatOf(node.options), columns: outputs(shape) }
}

function tableShape(node: CopyStmt, walk: Walk): Shape {
  if (!node.relation) return new Shape([])
  const { shape } = relationEntry(node.relation, walk)
  const named = strings(node.attlist)
  if (named.length === 0) return shape.without(generated(node.relation, walk))
  const columns: ScopeColumn[] = []
  for (const name of named) {
    const column = shape.column(name)
    if (column) columns.push(column)
    else walk.report.doubts(`no column ${name} is known in ${node.relation.relname ?? 'the table'}`)
  }
  return new Shape(columns)
}

/** What the server computes is not copied with the rest. */
function generated({ schemaname, relname = '' }: RangeVar, walk: Walk): ReadonlySet<string> {
  const columns = walk.catalog.relation(schemaname, relname, walk.searchPath ?? [])?.columns ?? []
  return new Set(columns.flatMap(({ name, generatedFrom }) => (generatedFrom === undefined ? [] : [name])))
}

function copyIn(node: CopyStmt, walk: Walk): void {
  if (!node.relation) return
  const target = relationEntry(node.relation, walk)
  const table = node.relation.relname ?? ''
  const relation = walk.catalog.relation(node.relation.schemaname, table, walk.searchPath ?? [])
  if (relation) {
    const full = tableId(relation.schema, relation.name)
    walk.report.written.add(full)
    changesThrough(relation, walk, ['insert'])
  }
  const named = strings(node.attlist)
  for (const name of named) walk.report.touch(target.shape.column(name)?.value.sources ?? new Set())
  for (const { name, value } of target.shape.columns) {
    if (named.length === 0 || named.includes(name)) collides(value.sources, 'lookup', walk)
  }
  // It looks at what comes in, not at what is there; its functions count all the same.
  predicate(walk, [node.whereClause], { ...topScope, entries: [target] })
}

/** Only the default text format can be masked row by row; `other` is text under other rules. */
function formatOf(options: readonly Node[] | undefined): 'text' | 'csv' | 'binary' | 'other' {
  let other = false
  let format: 'text' | 'csv' | 'binary' = 'text'
  for (const option of options ?? []) {
    if (!('DefElem' in option)) continue
    const { defname } = option.DefElem
    if (defname === 'format') {
      const name = textOf(option.DefElem)
      if (name === 'csv' || name === 'binary') format = name
      else if (name !== 'text') other = true
    } else if (defname !== 'freeze' && defname !== 'oids') other = true
  }
  return format === 'text' && other ? 'other' : format
}

function textOf(element: DefElem): string | undefined {
  return literalText(element.arg) ?? undefined
}

/** A boolean option of EXPLAIN and the like: named alone it is on. */
export function isOn(options: readonly Node[] | undefined, name: string): boolean {
  return (options ?? []).some((option) => {
    if (!('DefElem' in option) || option.DefElem.defname !== name) return false
    const text = option.DefElem.arg ? textOf(option.DefElem) : 'true'
    return !['false', 'off', '0', 'no', 'none'].includes((text ?? 'true').toLowerCase())
  })
}
