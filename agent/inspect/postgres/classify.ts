import type { DeclareCursorStmt, ExecuteStmt, ExplainStmt, Node } from 'libpg-query'
import type { Action } from '../../../shared/actions.ts'
import type { Analysis, Catalog, ColumnUse, OutputColumn, StatementAnalysis } from './analysis.ts'
import { isKnown, withTables } from './catalog/fresh.ts'
import { createWalk, outputsOf } from './lineage.ts'
import { type Opened, open, parse, type RawStatement, strings } from './parser.ts'
import { alterTable } from './sql/alter.ts'
import { eventTriggers } from './sql/cascades.ts'
import { changeOf } from './sql/changed.ts'
import { alterFunction, changesBesides, changesCode, changesRows, define } from './sql/code-changes.ts'
import { copy, isOn } from './sql/copy.ts'
import * as ddl from './sql/ddl.ts'
import { freshAfter } from './sql/fresh.ts'
import { tableId } from './sql/ids.ts'
import { intoOf } from './sql/into.ts'
import { namesTables } from './sql/named.ts'
import { pathAfter, type SearchPath } from './sql/path-after.ts'
import { Report, stronger, TooComplex } from './sql/report.ts'
import { include, nothing, type Result } from './sql/result.ts'
import { topScope } from './sql/scope.ts'
import { declare, discard, doBlock, lock, prepare, setting, show, transaction } from './sql/session-statements.ts'
import { lookupsByType, typesIn, typesTouched } from './sql/types.ts'
import { utilities } from './sql/utility.ts'
import type { Shape } from './sql/value.ts'
import type { Walk } from './sql/walk.ts'

interface State {
  searchPath: readonly string[] | undefined
  /** Names are looked up now, and what it runs does so later, under whatever search_path. */
  deferred?: boolean
}

/** Says what each statement of `sql` does and where its values come from. Never throws. */
export function analyse(sql: string, catalog: Catalog, state: State): Analysis {
  const parsed = parse(sql)
  if (!parsed.ok) return parsed
  let path: SearchPath =
    state.searchPath === undefined ? { kind: 'lost' } : { kind: 'known', schemas: state.searchPath }
  const statements: StatementAnalysis[] = []
  let fresh = catalog.fresh ?? []
  let known = catalog
  try {
    for (const raw of parsed.statements) {
      const statement = analyseNode(raw, known, path.kind === 'lost' ? undefined : path.schemas, state.deferred)
      statements.push(statement)
      for (const effect of statement.effects) path = pathAfter(path, effect)
      const then = statement.effects.reduce(freshAfter, fresh)
      if (then !== fresh) known = withTables(catalog, then)
      fresh = then
    }
  } catch (error) {
    if (error instanceof TooComplex) return { ok: false, message: error.message }
    if (error instanceof RangeError) return { ok: false, message: new TooComplex().message }
    throw error
  }
  return { ok: true, statements }
}

/** Another statement in it. `given`: types of its parameters. */
type Nested = (node: Node, kept?: 'deferred', given?: readonly Node[]) => StatementAnalysis

/** What one statement does, as its tree says. */
export function analyseNode(
  raw: RawStatement,
  catalog: Catalog,
  searchPath: readonly string[] | undefined,
  deferred = false,
  parameters?: readonly Node[],
): StatementAnalysis {
  const opened = open(raw.node)
  const report = new Report('sql:session')
  const walk = createWalk(catalog, searchPath, report, { deferred })
  const nested: Nested = (node, kept, given) =>
    analyseNode({ ...raw, node }, catalog, searchPath, deferred || kept === 'deferred', given)
  typesIn(raw.node, walk)
  if (parameters) typesIn(parameters, walk)
  const result = opened ? contents(opened, raw.node, walk, nested) : nothing
  changesBesides(opened?.tag, report)
  typesTouched(walk)
  lookupsByType([raw.node, ...(parameters ?? [])], walk)
  return summary(raw, opened?.tag ?? 'none', report, result, catalog)
}

function summary(raw: RawStatement, tag: string, report: Report, result: Result, catalog: Catalog): StatementAnalysis {
  const uses: ColumnUse[] = []
  for (const column of report.lookups) uses.push({ column, how: 'lookup' })
  for (const column of report.predicates) uses.push({ column, how: 'predicate' })
  for (const column of report.writes) uses.push({ column, how: 'write' })
  for (const column of report.computedHere) uses.push({ column, how: 'compute' })
  for (const use of uses) report.touched.add(use.column)
  if (report.runsCode && report.setsMeaning) {
    report.doubts('code that it runs may do so before or after the setting that it changes')
  }
  const complete = report.doubt === undefined
  const fresh = (catalog.fresh ?? [])
    .filter((one) => one.oid < 0 && isKnown(one))
    .map(({ schema, name }) => tableId(schema, name))
    .filter((id) => report.tables.has(id))
  const analysis: StatementAnalysis = {
    start: raw.start,
    end: raw.end,
    node: tag,
    action: report.action,
    tables: [...report.tables].sort(),
    written: [...report.written].sort(),
    columns: [...report.touched].sort(),
    functions: [...report.functions].sort(),
    hasWhere: report.hasWhere,
    complete,
    ...(report.doubt === undefined ? {} : { doubt: report.doubt }),
    ...(report.missing === undefined ? {} : { missing: report.missing }),
    ...(fresh.length === 0 ? {} : { fresh: new Set(fresh) }),
    outputs: complete ? result.outputs : null,
    uses,
    effects: report.effects,
    ...(result.copyOut ? { copyOut: result.copyOut } : {}),
    ...(result.refers ? { refers: result.refers } : {}),
    literalFree: report.literalFree && queries.has(tag),
    ...(report.runsCode ? { code: true } : {}),
    ...(report.followed.size > 0 ? { followed: report.followed } : {}),
    ...(report.readers.size > 0 ? { readers: report.readers } : {}),
  }
  reportOf.set(analysis, report)
  return analysis
}

/** EXPLAIN alone asks for more of it than an analysis says. */
const reportOf = new WeakMap<StatementAnalysis, Pick<Report, 'computed' | 'coded' | 'replaced' | 'placed'>>()

const queries: ReadonlySet<string> = new Set(['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'])

function contents(opened: Opened, node: Node, walk: Walk, nested: Nested): Result {
  const { report } = walk
  switch (opened.tag) {
    case 'SelectStmt': {
      report.does('sql:select')
      const shape = walk.query(node, topScope)
      const into = intoOf(opened.node)
      if (!into) return { outputs: outputsOf(shape) }
      const kept = keptAs(into.rel, shape, walk)
      report.effects.push(changeOf(opened, walk, shape))
      return kept
    }
    case 'InsertStmt':
    case 'UpdateStmt':
    case 'DeleteStmt':
    case 'MergeStmt': {
      const shape = walk.query(node, topScope)
      return { outputs: opened.node.returningClause ? outputsOf(shape) : null }
    }
    case 'CopyStmt': {
      const copyOut = copy(opened.node, walk, outputsOf)
      return copyOut ? { outputs: null, copyOut } : nothing
    }
    case 'ExplainStmt':
      return explain(opened.node, walk, nested)
    case 'PrepareStmt':
      return opened.node.query
        ? prepare(opened.node.name ?? '', nested(opened.node.query, undefined, opened.node.argtypes), report)
        : nothing
    case 'ExecuteStmt':
      parameters(opened.node, walk)
      return { outputs: null, refers: { kind: 'prepared', name: opened.node.name ?? '' } }
    case 'DeclareCursorStmt':
      return opened.node.query ? cursor(opened.node, opened.node.query, report, nested) : nothing
    case 'FetchStmt':
      report.does('sql:fetch')
      return {
        outputs: null,
        refers: { kind: 'cursor', name: opened.node.portalname ?? '', moves: opened.node.ismove },
      }
    case 'ClosePortalStmt':
      report.effects.push({ kind: 'close-cursor', name: opened.node.portalname ?? null })
      return nothing
    case 'DeallocateStmt':
      report.effects.push({ kind: 'deallocate', name: opened.node.name ?? null })
      return nothing
    case 'DiscardStmt':
      return discard(opened.node.target, report)
    case 'TransactionStmt':
      return transaction(opened.node, report)
    case 'VariableSetStmt':
      return setting(opened.node, report)
    case 'VariableShowStmt':
      return show(opened.node.name ?? '', report)
    case 'LockStmt':
      return lock(opened.node, walk)
    case 'CallStmt':
      report.does('sql:call')
      // Its INOUT parameters come back as a row, which is not known here.
      if (opened.node.funccall) {
        report.use(walk.expression({ FuncCall: opened.node.funccall }, topScope).sources, 'write')
      }
      return nothing
    case 'DoStmt':
      report.does('sql:do')
      doBlock(opened.node, walk, nested)
      return nothing
    case 'VacuumStmt':
      report.does('sql:vacuum')
      if (opened.node.rels === undefined) ddl.maintains(undefined, walk)
      for (const item of opened.node.rels ?? []) {
        if ('VacuumRelation' in item) ddl.maintains(item.VacuumRelation.relation, walk)
      }
      return nothing
    default: {
      const result = schemaChange(opened, walk, nested)
      namesTables(opened, walk)
      if (opened.tag !== 'TruncateStmt') eventTriggers(walk)
      // What a view stands for runs when somebody reads it. TRUNCATE changes no definitions.
      if (opened.tag !== 'ViewStmt' && opened.tag !== 'TruncateStmt') changesRows(report)
      // A view's query does not run now, IF NOT EXISTS and WITH NO DATA leave one out, and a materialized view takes settings back.
      if (report.setsMeaning)
        report.doubts('its query changes settings, and whether they stay is only known when it runs')
      return result
    }
  }
}

function schemaChange(opened: Opened, walk: Walk, nested: Nested): Result {
  const { report } = walk
  const changes = (action: Action): void => {
    report.does(action)
    report.effects.push(changeOf(opened, walk))
  }
  switch (opened.tag) {
    case 'CreateTableAsStmt': {
      report.does('sql:create')
      const { query, into } = opened.node
      let shape: Shape | undefined
      if (query && 'ExecuteStmt' in query) {
        parameters(query.ExecuteStmt, walk)
        report.doubts('what EXECUTE gives is not known here, as it would be of its query itself')
      } else if (query) {
        shape = walk.query(query, topScope)
        ddl.keeps(shape, walk)
      }
      ddl.created(into?.rel, walk)
      report.effects.push(changeOf(opened, walk, shape))
      return nothing
    }
    case 'ViewStmt':
      changes('sql:create')
      if (opened.node.query) ddl.keeps(walk.query(opened.node.query, topScope), walk)
      ddl.created(opened.node.view, walk)
      if (opened.node.replace) ddl.replaces(opened.node.view, walk)
      return nothing
    case 'CreateStmt':
      report.does('sql:create')
      ddl.createTable(opened.node, walk)
      report.effects.push(changeOf(opened, walk))
      return nothing
    case 'IndexStmt':
      changes('sql:create')
      ddl.createIndex(opened.node, walk)
      return nothing
    case 'CreateSchemaStmt':
      changes('sql:create')
      for (const element of opened.node.schemaElts ?? []) include(nested(element), report)
      return nothing
    case 'CreateDomainStmt':
      changes('sql:create')
      ddl.createDomain(opened.node, walk)
      return nothing
    case 'CompositeTypeStmt':
      changes('sql:create')
      ddl.created(opened.node.typevar, walk)
      return nothing
    case 'CreateEnumStmt':
    case 'CreateRangeStmt':
      changes('sql:create')
      ddl.newType(strings(opened.node.typeName), walk)
      return nothing
    case 'AlterDomainStmt':
      changes('sql:alter')
      ddl.alterDomain(opened.node, walk)
      return nothing
    case 'CreateStatsStmt':
      changes('sql:create')
      ddl.createStatistics(opened.node, walk)
      return nothing
    case 'CreatePolicyStmt':
    case 'AlterPolicyStmt':
      changes(opened.tag === 'CreatePolicyStmt' ? 'sql:create' : 'sql:alter')
      ddl.policyExpressions(opened.node.table, [opened.node.qual, opened.node.with_check], walk)
      return nothing
    case 'DefineStmt':
      changes('sql:create')
      define(opened.node, report)
      return nothing
    case 'AlterTableStmt':
      report.does('sql:alter')
      alterTable(opened.node, walk)
      report.effects.push(changeOf(opened, walk))
      return nothing
    case 'RenameStmt':
      changes('sql:alter')
      ddl.rename(opened.node, walk)
      changesCode(opened.node.renameType, report)
      return nothing
    case 'AlterObjectSchemaStmt':
      changes('sql:alter')
      if (opened.node.relation) ddl.moves(opened.node.relation, walk)
      changesCode(opened.node.objectType, report)
      return nothing
    case 'AlterFunctionStmt':
      changes('sql:alter')
      alterFunction(opened.node, report)
      return nothing
    case 'DropStmt':
      changes('sql:drop')
      if (
        ['OBJECT_TABLE', 'OBJECT_VIEW', 'OBJECT_MATVIEW', 'OBJECT_FOREIGN_TABLE'].includes(opened.node.removeType ?? '')
      ) {
        for (const object of opened.node.objects ?? []) ddl.dropped(object, walk)
      }
      return nothing
    case 'TruncateStmt':
      report.does('sql:truncate')
      ddl.truncates(opened.node, walk)
      return nothing
    case 'RefreshMatViewStmt':
      report.does('sql:refresh')
      ddl.maintains(opened.node.relation, walk)
      return nothing
    case 'ReindexStmt':
      report.does('sql:reindex')
      ddl.maintains(opened.node.kind === 'REINDEX_OBJECT_TABLE' ? opened.node.relation : undefined, walk)
      return nothing
    case 'ClusterStmt':
      report.does('sql:reindex')
      if (opened.node.relation) ddl.sorted(opened.node.relation, walk)
      else report.doubts('which tables it sorts, and by which columns, is not known here')
      return nothing
    default: {
      const utility = utilities.get(opened.tag)
      report.does(utility?.action ?? 'sql:unknown')
      if (!utility) report.doubts(`the statement is not known here (${opened.tag})`)
      if (utility?.doubt !== undefined) report.doubts(utility.doubt)
      if (utility?.ddl) report.effects.push(changeOf(opened, walk))
      return nothing
    }
  }
}

/** SELECT INTO. */
function keptAs(rel: Parameters<typeof ddl.created>[0], shape: Shape, walk: Walk): Result {
  walk.report.does('sql:create')
  ddl.keeps(shape, walk)
  ddl.created(rel, walk)
  changesRows(walk.report)
  eventTriggers(walk)
  return nothing
}

function cursor(node: DeclareCursorStmt, query: Node, report: Report, nested: Nested): Result {
  const inner = nested(query)
  return declare(node, inner, inner.code ? nested(query, 'deferred') : inner, report)
}

/** What it is given may be all that the statement shows, and is computed before the statement's own names are looked up. */
function parameters(node: ExecuteStmt, walk: Walk): void {
  for (const param of node.params ?? []) walk.report.use(walk.expression(param, topScope).sources, 'write')
  if (walk.report.effects.length > 0) walk.report.doubts('its parameters change settings that its names may depend on')
}

const planText: readonly OutputColumn[] = [{ name: 'QUERY PLAN', sources: [], plain: false }]

/** With ANALYZE the statement runs, so its effect is the statement's; without, it is only planned. */
function explain(node: ExplainStmt, walk: Walk, nested: Nested): Result {
  const { report } = walk
  report.does('sql:explain')
  if (!node.query) return nothing
  const inner = nested(node.query)
  const runs = isOn(node.options, 'analyze')
  include(inner, report)
  if (inner.refers) report.doubts('what EXECUTE stands for is only known when it runs: EXPLAIN the statement itself')
  report.action = runs ? (inner.refers ? stronger(inner.action, 'sql:unknown') : inner.action) : 'sql:explain'
  report.hasWhere = inner.hasWhere
  const { computed, coded, replaced, placed } = reportOf.get(inner) ?? new Report('sql:explain')
  // The planner calls what is immutable, and shows what came of it.
  report.use(coded, 'write')
  if (runs) {
    for (const table of inner.written) report.written.add(table)
    // A cursor's query runs, and no cursor is opened.
    report.effects.push(...inner.effects.filter(({ kind }) => kind !== 'declare'))
    // The memory that a step took shows how long the values were that it kept, those that nobody gets to see too.
    report.use(computed, 'predicate')
    // The rows of each partition, within which bounds their keys are.
    report.use(placed, 'predicate')
    // And the log that it wrote, how much of a value was there before.
    report.use(replaced, 'predicate')
  }
  // The size of what would be sent tells about values, masked ones too.
  if (isOn(node.options, 'serialize')) {
    for (const output of inner.outputs ?? []) report.use(new Set(output.sources), 'predicate')
  }
  return { outputs: planText }
}
