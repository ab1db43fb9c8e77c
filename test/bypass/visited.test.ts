import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Node } from 'libpg-query'
import { beforeAll, describe, expect, it } from 'vitest'
import { analyseNode } from '../../agent/inspect/postgres/classify.ts'
import { planMasks } from '../../agent/inspect/postgres/mask/plan.ts'
import { loadParser, parse } from '../../agent/inspect/postgres/parser.ts'
import { cases } from './cases.ts'
import { demoCatalog, demoSensitivity } from './demo-catalog.ts'
import { everyPlace } from './every-place.ts'

/**
 * Wherever PostgreSQL's grammar takes an expression or a query, one that is put there is found: no place is passed over. Which places
 * there are say the types of the parser's own tree, so that a new version with more of them fails here.
 */
const catalog = demoCatalog()

/** Nodes that the parser itself makes none of: they come of analysis, planning, or of the parser's library. */
const later = new Set(
  `ParseResult ScanResult OidList IntList TableFunc Var Param Aggref WindowFunc WindowFuncRunCondition SubscriptingRef FuncExpr OpExpr
  DistinctExpr NullIfExpr ScalarArrayOpExpr SubPlan AlternativeSubPlan FieldSelect FieldStore RelabelType CoerceViaIO ArrayCoerceExpr
  ConvertRowtypeExpr CollateExpr CaseTestExpr ArrayExpr RowCompareExpr JsonConstructorExpr JsonExpr JsonTablePathScan
  JsonTableSiblingJoin MergeAction CoerceToDomain CoerceToDomainValue NextValueExpr InferenceElem ReturningExpr TargetEntry FromExpr
  OnConflictExpr Query RangeTblEntry RangeTblFunction TableSampleClause WithCheckOption WindowClause SetOperationStmt PLAssignStmt
  PartitionRangeDatum RawStmt SummaryResult`.split(/\s+/),
)

/** Literals are all that the grammar takes there. */
const literals = new Set(
  'TypeName.typmods VariableSetStmt.args CTECycleClause.cycle_mark_value CTECycleClause.cycle_mark_default DefElem.arg'.split(
    ' ',
  ),
)

/** Fields that hold names, options, types, or parts whose own fields are looked at. */
const noExpressions = new Set(
  `Alias.colnames IntoClause.colNames IntoClause.options GroupingFunc.refs SubLink.operName RowExpr.colnames XmlExpr.arg_names
  JsonValueExpr.formatted_expr JoinExpr.larg JoinExpr.rarg JoinExpr.usingClause TypeName.names TypeName.arrayBounds
  ColumnRef.fields A_Expr.name CollateClause.collname FuncCall.funcname A_Indirection.indirection ResTarget.indirection SortBy.useOp
  RangeFunction.coldeflist RangeTableFunc.columns RangeTableSample.relation RangeTableSample.method ColumnDef.cooked_default
  ColumnDef.constraints ColumnDef.fdwoptions IndexElem.collation IndexElem.opclass IndexElem.opclassopts LockingClause.lockedRels
  PartitionElem.collation PartitionElem.opclass PartitionSpec.partParams WithClause.ctes InferClause.indexElems OnConflictClause.targetList
  CTESearchClause.search_col_list CTECycleClause.cycle_col_list 
  CommonTableExpr.aliascolnames CommonTableExpr.ctecolnames CommonTableExpr.ctecoltypes CommonTableExpr.ctecoltypmods
  CommonTableExpr.ctecolcollations MergeWhenClause.targetList ReturningClause.options ReturningClause.exprs JsonFuncExpr.passing
  JsonTable.passing JsonTable.columns JsonTableColumn.columns JsonObjectConstructor.exprs InsertStmt.cols DeleteStmt.usingClause
  UpdateStmt.targetList UpdateStmt.fromClause MergeStmt.sourceRelation MergeStmt.mergeWhenClauses SelectStmt.targetList
  SelectStmt.fromClause SelectStmt.windowClause SelectStmt.sortClause SelectStmt.lockingClause CreateSchemaStmt.schemaElts
  AlterTableStmt.cmds AlterCollationStmt.collname AlterDomainStmt.typeName GrantStmt.objects GrantStmt.privileges GrantStmt.grantees
  ObjectWithArgs.objname ObjectWithArgs.objargs ObjectWithArgs.objfuncargs AccessPriv.cols GrantRoleStmt.granted_roles
  GrantRoleStmt.grantee_roles GrantRoleStmt.opt AlterDefaultPrivilegesStmt.options CopyStmt.attlist CopyStmt.options 
  CreateStmt.tableElts CreateStmt.inhRelations CreateStmt.constraints CreateStmt.nnconstraints CreateStmt.options Constraint.keys
  Constraint.including Constraint.options Constraint.fk_attrs Constraint.pk_attrs Constraint.fk_del_set_cols Constraint.old_conpfeqop
  CreateTableSpaceStmt.options AlterTableSpaceOptionsStmt.options AlterTableMoveAllStmt.roles CreateExtensionStmt.options
  AlterExtensionStmt.options AlterExtensionContentsStmt.object CreateFdwStmt.func_options CreateFdwStmt.options AlterFdwStmt.func_options
  AlterFdwStmt.options CreateForeignServerStmt.options AlterForeignServerStmt.options CreateForeignTableStmt.options
  CreateUserMappingStmt.options AlterUserMappingStmt.options ImportForeignSchemaStmt.table_list ImportForeignSchemaStmt.options
  CreatePolicyStmt.roles AlterPolicyStmt.roles CreateAmStmt.handler_name CreateTrigStmt.funcname CreateTrigStmt.args CreateTrigStmt.columns
  CreateTrigStmt.transitionRels CreateEventTrigStmt.whenclause CreateEventTrigStmt.funcname CreatePLangStmt.plhandler
  CreatePLangStmt.plinline CreatePLangStmt.plvalidator CreateRoleStmt.options AlterRoleStmt.options DropRoleStmt.roles CreateSeqStmt.options
  AlterSeqStmt.options DefineStmt.defnames DefineStmt.args DefineStmt.definition CreateDomainStmt.domainname CreateDomainStmt.constraints
  CreateOpClassStmt.opclassname CreateOpClassStmt.opfamilyname CreateOpClassStmt.items CreateOpClassItem.order_family
  CreateOpClassItem.class_args CreateOpFamilyStmt.opfamilyname AlterOpFamilyStmt.opfamilyname AlterOpFamilyStmt.items DropStmt.objects
  TruncateStmt.relations CommentStmt.object SecLabelStmt.object IndexStmt.indexParams IndexStmt.indexIncludingParams IndexStmt.options
  IndexStmt.excludeOpNames CreateStatsStmt.defnames CreateStatsStmt.stat_types CreateStatsStmt.exprs CreateStatsStmt.relations
  AlterStatsStmt.defnames AlterStatsStmt.stxstattarget CreateFunctionStmt.funcname CreateFunctionStmt.parameters CreateFunctionStmt.options
  AlterFunctionStmt.actions DoStmt.args CallStmt.outargs RenameStmt.object AlterObjectDependsStmt.object AlterObjectSchemaStmt.object
  AlterOwnerStmt.object AlterOperatorStmt.options AlterTypeStmt.typeName AlterTypeStmt.options TransactionStmt.options
  CompositeTypeStmt.coldeflist CreateEnumStmt.typeName CreateEnumStmt.vals CreateRangeStmt.typeName CreateRangeStmt.params
  AlterEnumStmt.typeName ViewStmt.aliases ViewStmt.options CreatedbStmt.options AlterDatabaseStmt.options DropdbStmt.options
  ClusterStmt.params VacuumStmt.options VacuumStmt.rels VacuumRelation.va_cols ExplainStmt.options LockStmt.relations
  ConstraintsSetStmt.constraints ReindexStmt.params CreateConversionStmt.conversion_name CreateConversionStmt.func_name PrepareStmt.argtypes
  DropOwnedStmt.roles ReassignOwnedStmt.roles AlterTSDictionaryStmt.dictname AlterTSDictionaryStmt.options AlterTSConfigurationStmt.cfgname
  AlterTSConfigurationStmt.tokentype AlterTSConfigurationStmt.dicts PublicationTable.columns CreatePublicationStmt.options
  CreatePublicationStmt.pubobjects AlterPublicationStmt.options AlterPublicationStmt.pubobjects CreateSubscriptionStmt.publication
  CreateSubscriptionStmt.options AlterSubscriptionStmt.publication AlterSubscriptionStmt.options FuncCall.agg_order WindowDef.orderClause
  JsonAggConstructor.agg_order Constraint.exclusions CaseExpr.args XmlExpr.named_args RangeFunction.functions RangeTableFunc.namespaces
  JsonArrayConstructor.exprs SelectStmt.valuesLists CreateFunctionStmt.sql_body`.split(/\s+/),
)

/** A column of JSON_TABLE has its path as a literal: the grammar takes nothing else. */
const literalOnly = (path: readonly string[]) => path.at(-2) === 'JsonTableColumn.pathspec'

interface Field {
  type: string
  list: boolean
}

/** Fields of each kind of node that hold nodes, or structures which may. */
let schema: ReadonlyMap<string, ReadonlyMap<string, Field>>

beforeAll(async () => {
  await loadParser()
  const text = await readFile(types, 'utf8')
  const kinds = new Map(
    [...text.matchAll(/export interface (\w+) \{([\s\S]*?)\n\}/g)].map(([, name = '', body = '']) => [name, body]),
  )
  schema = new Map(
    [...kinds].map(([name, body]) => [
      name,
      new Map(
        [...body.matchAll(/^\s*(\w+)\??: (\w+)(\[\])?;/gm)].flatMap(
          ([, field = '', type = '', list]): [string, Field][] =>
            type === 'Node' || kinds.has(type) ? [[field, { type, list: list !== undefined }]] : [],
        ),
      ),
    ]),
  )
})

/** The types of its tree come beside the parser. */
const types = join(
  dirname(fileURLToPath(import.meta.resolve('libpg-query'))),
  '..',
  '..',
  '@pgsql',
  'types',
  'types.d.ts',
)

const marker = 'no_function_of_this_name'
const expression: Node = { FuncCall: { funcname: [{ String: { sval: marker } }] } }
/** What may neither be shown nor computed with. */
const secret: Node = {
  SubLink: {
    subLinkType: 'EXPR_SUBLINK',
    subselect: {
      SelectStmt: {
        targetList: [{ ResTarget: { val: { ColumnRef: { fields: [{ String: { sval: 'ssn' } }] } } } }],
        fromClause: [{ RangeVar: { schemaname: 'public', relname: 'customers', inh: true, relpersistence: 'p' } }],
        limitOption: 'LIMIT_OPTION_DEFAULT',
        op: 'SETOP_NONE',
      },
    },
  },
}
const query: Node = {
  SelectStmt: {
    targetList: [{ ResTarget: { val: expression } }],
    limitOption: 'LIMIT_OPTION_DEFAULT',
    op: 'SETOP_NONE',
  },
}

const expressions = new Set(
  `A_Const ColumnRef ParamRef A_Expr BoolExpr FuncCall TypeCast CollateClause SubLink CaseExpr CoalesceExpr MinMaxExpr RowExpr A_ArrayExpr
  A_Indirection NullTest BooleanTest NamedArgExpr GroupingFunc SQLValueFunction XmlExpr XmlSerialize JsonFuncExpr JsonParseExpr JsonScalarExpr
  JsonSerializeExpr JsonObjectConstructor JsonArrayConstructor JsonArrayQueryConstructor JsonObjectAgg JsonArrayAgg JsonIsPredicate
  MergeSupportFunc`.split(/\s+/),
)

interface Place {
  /** `SelectStmt.whereClause`, and those around it before. */
  path: readonly string[]
  put(node: Node): () => void
  holds: 'expression' | 'query'
}

type Fields = Record<string, unknown>
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Each place in a tree in which there is an expression or a query. */
function* places(kind: string, fields: Fields, path: readonly string[]): Generator<Place> {
  // `(a, b) = (SELECT …)` has its source once for each column.
  if (kind === 'MultiAssignRef' && fields.colno !== 1) return
  for (const [name, { type }] of schema.get(kind) ?? []) {
    const held = fields[name]
    const here = [...path, `${kind}.${name}`]
    const list: unknown[] = Array.isArray(held) ? held : held === undefined ? [] : [held]
    for (const [i, one] of list.entries()) {
      if (!isFields(one)) continue
      const put = (node: Node) => {
        if (Array.isArray(held)) held[i] = node
        else fields[name] = node
        return () => {
          if (Array.isArray(held)) held[i] = one
          else fields[name] = one
        }
      }
      if (type !== 'Node') {
        yield* places(type, one, here)
        continue
      }
      const [tag = ''] = Object.keys(one)
      if (expressions.has(tag)) yield { path: here, put, holds: 'expression' }
      else if (tag === 'SelectStmt') yield { path: here, put, holds: 'query' }
      const inner = one[tag]
      if (isFields(inner)) yield* places(tag, inner, here)
    }
  }
}

/** Of the places of a text: those where what is put is not found, and all. */
function tried(sql: string): { missed: string[]; all: string[] } {
  const parsed = parse(sql)
  if (!parsed.ok) throw new Error(`${sql}: ${parsed.message}`)
  const missed: string[] = []
  const all: string[] = []
  for (const raw of parsed.statements) {
    const [tag = ''] = Object.keys(raw.node)
    const fields: unknown = Object.values(raw.node)[0]
    if (!isFields(fields)) continue
    for (const { path, put, holds } of places(tag, fields, [])) {
      if (literalOnly(path)) continue
      const place = path.at(-1) ?? ''
      if (literals.has(place)) continue
      const back = put(holds === 'query' ? query : expression)
      const { doubt } = analyseNode(raw, catalog, ['public'])
      back()
      all.push(place)
      if (doubt === undefined) missed.push(path.join(' > '))
      if (holds === 'query') continue
      const again = put(secret)
      if (planMasks(analyseNode(raw, catalog, ['public']), demoSensitivity).ok)
        missed.push(`a secret in ${path.join(' > ')}`)
      again()
    }
  }
  return { missed, all }
}

describe('every place for an expression', () => {
  it('is looked at, in each statement of the attempts', () => {
    const missed = new Set(cases.flatMap(({ sql }) => (parse(sql).ok ? tried(sql).missed : [])))
    expect([...missed]).toEqual([])
  })

  it('is looked at, in each kind of statement', () => {
    for (const sql of everyPlace) expect(tried(sql).missed, sql).toEqual([])
  })

  it('is among them, as PostgreSQL’s parser has it', () => {
    const seen = new Set([...everyPlace.flatMap((sql) => tried(sql).all), ...literals, ...noExpressions])
    const known = [...schema].flatMap(([kind, fields]) =>
      later.has(kind)
        ? []
        : [...fields].flatMap(([field, { type }]) => (type === 'Node' && field !== 'xpr' ? [`${kind}.${field}`] : [])),
    )
    expect(known.filter((field) => !seen.has(field))).toEqual([])
  })
})
