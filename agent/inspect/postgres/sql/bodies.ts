import type { Node } from 'libpg-query'
import { literal } from '../../../../shared/sql/literal.ts'
import type { CatalogRelation } from '../analysis.ts'
import { objects, open, parse, parsePlpgsql, strings } from '../parser.ts'
import { readsOneWay } from '../text/strings.ts'
import { splitId } from './ids.ts'
import { intoOf } from './into.ts'
import { literalText } from './literals.ts'
import { identified } from './relations.ts'
import { Report } from './report.ts'
import { type Entry, entry, type Scope, topScope } from './scope.ts'
import { parseSearchPath, settingEffect } from './settings.ts'
import { typesNamedIn } from './types.ts'
import { opaque, Shape } from './value.ts'
import type { Walk } from './walk.ts'

/**
 * What code in SQL or PL/pgSQL does, statement by statement, whatever it is given. Its control flow and variables are not followed:
 * every column that it touches at all may steer it, fail in it, and be in what it returns. So code that touches nothing masked
 * is as good as any built-in function, and code that does is refused for that column.
 *
 * `row`: the relation whose rows a trigger gets as NEW and OLD.
 */
export function codeReport(
  definition: string,
  walk: Pick<Walk, 'searchPath'>,
  nested: NestedWalk,
  row?: CatalogRelation,
): Report {
  const report = new Report('sql:select')
  const parsed = parse(definition)
  const [statement] = parsed.ok ? parsed.statements : []
  const opened = statement && open(statement.node)
  if (!statement || opened?.tag !== 'CreateFunctionStmt') {
    report.doubts('it has a definition that can’t be read')
    return report
  }
  const { options = [], funcname, parameters = [], sql_body } = opened.node
  const option = (name: string): Node | undefined => {
    for (const one of options) if ('DefElem' in one && one.DefElem.defname === name) return one.DefElem.arg
    return undefined
  }
  const security = option('security')
  const asOwner = security !== undefined && 'Boolean' in security && security.Boolean.boolval === true
  // "$user" in the session's path is somebody else in code that runs as its owner.
  let path = asOwner ? undefined : walk.searchPath
  for (const each of options) {
    const set = 'DefElem' in each && each.DefElem.defname === 'set' ? each.DefElem.arg : undefined
    if (set && 'VariableSetStmt' in set) path = pathOf(set, path)
  }
  const inner = nested(path, report)
  typesNamedIn(definition, inner)
  for (const one of parameters) {
    // Names in a default were resolved when it was made: they come qualified.
    const value = 'FunctionParameter' in one ? one.FunctionParameter.defexpr : undefined
    if (value) report.touch(nested([], report).expression(value, topScope).sources)
  }
  const names = parameters.flatMap((one) =>
    'FunctionParameter' in one && one.FunctionParameter.name !== undefined ? [one.FunctionParameter.name] : [],
  )
  const scope = variables(strings(funcname).at(-1) ?? '', names, [], row, inner)
  const language = literalText(option('language')) ?? 'sql'
  const [text] = textsOf(option('as'))
  if (sql_body) standardBody(sql_body, inner, scope)
  else if (text !== undefined && !readsOneWay(text)) report.doubts(twofold)
  else if (text === undefined) report.doubts('it has a body that can’t be read')
  else if (language === 'sql') statements(text, inner, scope)
  else if (language === 'plpgsql') procedural(definition, inner, strings(funcname).at(-1) ?? '', row)
  else report.doubts(`it is written in ${language}, which is not followed`)
  return steered(report)
}

/** A DO block's: code without a name. */
export function blockReport(text: string, walk: Walk, nested: NestedWalk): Report {
  const report = new Report('sql:do')
  if (!readsOneWay(text)) {
    report.doubts(twofold)
    return report
  }
  const inner = nested(walk.searchPath, report)
  typesNamedIn(text, inner)
  procedural(`create function f() returns void language plpgsql as ${literal(text)}`, inner, '', undefined)
  // Of what stands behind them nobody could say what it reads: IF NOT EXISTS (SELECT … FROM pg_type) is all that may stand there.
  if (report.definitions.length > 0 && !readsCatalogAlone(report)) {
    report.doubts('it changes definitions, and does more beside that than look at the catalog')
  }
  return steered(report)
}

function readsCatalogAlone({ tables, written, functions, runsCode }: Report): boolean {
  const builtIn = (id: string) => ['pg_catalog', 'information_schema'].includes(splitId(id)[0] ?? '')
  return written.size === 0 && !runsCode && [...tables, ...functions].every(builtIn)
}

/** A body is read when it runs, under the setting of that moment. */
const twofold =
  "it holds a string with a backslash outside of E'…', which standard_conforming_strings may read in two ways"

/** A walk under a search_path of its own, whose findings go to a report of its own. */
export type NestedWalk = (searchPath: readonly string[] | undefined, report: Report) => Walk

/** Whatever is touched may decide what happens. Settings that code changes outlive it, so that later names could mean something else. */
function steered(report: Report): Report {
  report.use(report.touched, 'predicate')
  if (report.effects.length > 0) report.doubts('it changes settings or definitions')
  return report
}

function pathOf(
  set: Extract<Node, { VariableSetStmt: unknown }>,
  outer: readonly string[] | undefined,
): readonly string[] | undefined {
  const effect = settingEffect(set.VariableSetStmt)
  if (effect?.kind !== 'set') return undefined
  if (effect.name !== 'search_path') return ['role', 'session_authorization'].includes(effect.name) ? undefined : outer
  const names = effect.value === null ? undefined : parseSearchPath(effect.value)
  return names?.includes('$user') ? undefined : names
}

function textsOf(as: Node | undefined): string[] {
  const items = as && 'List' in as ? (as.List.items ?? []) : as ? [as] : []
  return items.flatMap((item) => literalText(item) ?? [])
}

/** BEGIN ATOMIC … END, or RETURN. */
function standardBody(body: Node, walk: Walk, scope: Scope): void {
  const opened = open(body)
  if (opened?.tag === 'List') for (const item of opened.node.items ?? []) standardBody(item, walk, scope)
  else if (opened?.tag === 'ReturnStmt') {
    if (opened.node.returnval) walk.report.touch(walk.expression(opened.node.returnval, scope).sources)
  } else one(body, walk, scope)
}

function statements(text: string, walk: Walk, scope: Scope): void {
  const parsed = parse(text)
  if (!parsed.ok) walk.report.doubts('it holds SQL that can’t be read')
  else for (const { node } of parsed.statements) one(node, walk, scope)
}

function one(node: Node, walk: Walk, scope: Scope): void {
  const { report } = walk
  const opened = open(node)
  switch (opened?.tag) {
    case 'SelectStmt':
    case 'InsertStmt':
    case 'UpdateStmt':
    case 'DeleteStmt':
    case 'MergeStmt': {
      if (opened.tag === 'SelectStmt' && intoOf(opened.node)) report.doubts('it makes a table')
      report.touch(walk.query(node, scope).row.sources)
      return
    }
    case 'CallStmt':
      if (opened.node.funccall) report.touch(walk.expression({ FuncCall: opened.node.funccall }, scope).sources)
      return
    case 'CreateEnumStmt':
    case 'CreateSchemaStmt':
    case 'CreateStmt':
    case 'AlterTableStmt':
    case 'IndexStmt':
    case 'CommentStmt':
      if (report.action !== 'sql:do') report.doubts('it changes definitions')
      report.definitions.push(node)
      return
    default:
      report.doubts(`it holds a statement that is not followed (${opened?.tag ?? 'none'})`)
  }
}

/** What PL/pgSQL may do whose effect is all in the SQL that it holds. */
const followed = new Set(
  `block assign if case loop while fori fors forc foreach_a exit return return_next return_query raise assert execsql getdiag
  open fetch close perform call`
    .split(/\s+/)
    .map((name) => `PLpgSQL_stmt_${name}`),
)

function procedural(definition: string, walk: Walk, name: string, row: CatalogRelation | undefined): void {
  const { report } = walk
  const tree = parsePlpgsql(definition)
  if (tree === undefined) {
    report.doubts('it has a body that can’t be read')
    return
  }
  const scalars: string[] = []
  const records: string[] = []
  const all = [...nodes(tree)]
  for (const [kind, datum] of all) {
    const refname = typeof datum.refname === 'string' ? datum.refname : undefined
    if (refname === undefined) continue
    if (kind === 'PLpgSQL_var' || kind === 'PLpgSQL_promise') scalars.push(refname)
    // A variable of a row's type is one or the other.
    if (kind === 'PLpgSQL_rec' || kind === 'PLpgSQL_row') records.push(refname)
  }
  const labels = all.flatMap(([, { label }]) => (typeof label === 'string' ? [label] : []))
  const scope = variables(name, scalars, records, row, walk, labels)
  for (const [kind, node] of all) {
    if (kind.startsWith('PLpgSQL_stmt_')) {
      if (!followed.has(kind)) report.doubts('it builds SQL while it runs, or ends transactions')
      // RETURN QUERY EXECUTE, OPEN … FOR EXECUTE.
      if ('dynquery' in node) report.doubts('it builds SQL while it runs')
    }
    if (kind === 'PLpgSQL_expr') fragment(node, walk, scope)
  }
  const kinds = new Set(all.map(([kind]) => kind))
  if (kinds.has('PLpgSQL_exception_block')) caught(walk)
  // Messages are passed on as they are.
  if (kinds.has('PLpgSQL_stmt_raise') || kinds.has('PLpgSQL_stmt_assert')) report.use(report.touched, 'write')
  if (fetchesOthers(all, tree)) report.doubts('it reads from a cursor that it may not have opened itself')
}

/**
 * A cursor variable holds a name, and any portal of the session may have it. The code's own is one that nothing but OPEN gives its
 * name to: a local variable without a default, that is assigned nowhere.
 */
function fetchesOthers(all: readonly PlpgsqlNode[], tree: unknown): boolean {
  const fetched = new Set(all.flatMap(([kind, { curvar }]) => (kind === 'PLpgSQL_stmt_fetch' ? [curvar] : [])))
  if (fetched.size === 0) return false
  // Which variables a procedure gives values to is only known when it runs.
  if (all.some(([kind]) => kind === 'PLpgSQL_stmt_call')) return true
  const given = assigned(tree)
  for (const number of fetched) if (given.has(number) || !isOwnCursor(all, number)) return true
  return false
}

function isOwnCursor(all: readonly PlpgsqlNode[], number: unknown): boolean {
  const datums = all.flatMap(([kind, node]) => (kind === 'PLpgSQL_function' ? [node.datums] : []))
  const list: readonly unknown[] = Array.isArray(datums[0]) ? datums[0] : []
  const datum = typeof number === 'number' ? list[number] : undefined
  const variable = isRecord(datum) ? datum.PLpgSQL_var : undefined
  // Parameters are declared on no line.
  return isRecord(variable) && typeof variable.lineno === 'number' && variable.default_val === undefined
}

/** Numbers of the variables that statements give values to. */
function assigned(tree: unknown): ReadonlySet<unknown> {
  const found = new Set<unknown>()
  for (const one of objects(tree)) {
    for (const [key, value] of Object.entries(one)) if (key === 'varno' || key === 'target') found.add(value)
  }
  return found
}

/** Who catches an error has its detail, which shows whole rows of the tables that were written. */
function caught({ report, catalog, relation }: Walk): void {
  for (const table of report.written) {
    const { relation: found } = identified(catalog, table)
    if (found) report.touch(relation(found).shape.row.sources)
  }
}

/** How a piece of SQL in PL/pgSQL is to be read (RawParseMode). */
const modes = { statement: 0, type: 1, expression: 2 } as const

function fragment({ query, parseMode }: Record<string, unknown>, walk: Walk, scope: Scope): void {
  if (typeof query !== 'string') return
  if (parseMode === modes.type) return
  if (parseMode === undefined || parseMode === modes.statement) statements(query, walk, scope)
  else if (parseMode === modes.expression) statements(`SELECT ${query}`, walk, scope)
  else {
    const value = /^[^[\](){}'"$]*?:?=(?<value>[\s\S]*)$/.exec(query)?.groups?.value
    if (value === undefined) walk.report.doubts('it assigns in a way that is not followed')
    else statements(`SELECT ${value}`, walk, scope)
  }
}

type PlpgsqlNode = readonly [kind: string, node: Record<string, unknown>]

/** Every node of PL/pgSQL's tree, by its kind. */
function* nodes(root: unknown): Generator<PlpgsqlNode> {
  for (const one of objects(root)) {
    for (const [key, value] of Object.entries(one)) {
      if (key.startsWith('PLpgSQL_') && isRecord(value)) yield [key, value]
    }
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The scope around a body's statements: its parameters and variables, bare, or by the name of the function or of a block. */
function variables(
  name: string,
  scalars: readonly string[],
  records: readonly string[],
  row: CatalogRelation | undefined,
  walk: Walk,
  labels: readonly string[] = [],
): Scope {
  const all = new Shape([...new Set([...scalars, ...records])].map((variable) => ({ name: variable, value: opaque })))
  const own = row && walk.relation(row).shape
  const rows = new Set(row ? ['new', 'old'] : [])
  const entries: Entry[] = [
    ...[...rows].flatMap((one) => (own ? [{ ...entry(one, own), columnsVisible: false }] : [])),
    ...[...new Set([...records, ...scalars])]
      .filter((record) => !rows.has(record))
      .map((record) => ({ ...entry(record, new Shape([], opaque)), columnsVisible: false })),
    ...[name, ...labels].map((one) => ({ ...entry(one, all), columnsVisible: false })),
    entry(undefined, new Shape(all.columns.filter((column) => !rows.has(column.name)))),
  ]
  return { ...topScope, entries }
}
