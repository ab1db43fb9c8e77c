import type { Masked } from '../shared/decision.ts'
import type { Explanation, SchemaTable } from '../shared/link.ts'
import type { SessionPolicy } from './decide.ts'
import type { DecisionRequest } from './inspect/port.ts'
import type { Catalog, CatalogRelation, StatementAnalysis } from './inspect/postgres/analysis.ts'
import { upperFirst } from './inspect/postgres/annotations.ts'
import { analyse } from './inspect/postgres/classify.ts'
import { inherited } from './inspect/postgres/inherited.ts'
import { planMasks, type SensitivityOf } from './inspect/postgres/plan.ts'
import { viewSources } from './inspect/postgres/view-sources.ts'

type Explained = Explanation['statements'][number]

/** What would be decided for SQL, statement by statement, without running it. */
export function explainSql(
  sql: string,
  catalog: Catalog,
  searchPath: readonly string[],
  policy: SessionPolicy,
): Explanation {
  const analysis = analyse(sql, catalog, { searchPath })
  if (!analysis.ok) {
    const decision = policy.decide({ action: 'sql:unknown', complete: false })
    const unknown = { start: 0, end: sql.length, action: 'sql:unknown', decision, masks: [], tables: [] }
    return { statements: [{ ...unknown, detail: analysis.message }] }
  }
  const scope = { count: analysis.statements.length, anyMasked: anyMasked(catalog, policy), catalog }
  return { statements: analysis.statements.map((statement) => explainStatement(statement, scope, policy)) }
}

interface Scope {
  /** Statements in the text. */
  count: number
  /** Some column of the target is masked for this person; else nothing needs proof. */
  anyMasked: boolean
  catalog: Catalog
}

function anyMasked(catalog: Catalog, policy: SessionPolicy): boolean {
  for (const { schema, name, columns } of catalog.relations()) {
    for (const column of columns) {
      if (policy.sensitivity(schema, name, column.name)?.unmask.verdict === 'masked') return true
    }
  }
  return false
}

function explainStatement(statement: StatementAnalysis, scope: Scope, policy: SessionPolicy): Explained {
  const { start, end, action, tables } = statement
  const decision = policy.decide(requestOf(statement, scope.count))
  const base = { start, end, action, tables }
  if (decision.verdict === 'block') {
    return { ...base, decision, masks: [], ...(statement.doubt === undefined ? {} : { detail: statement.doubt }) }
  }
  const plan = planMasks(statement, sensitivityOf(policy, scope.catalog), { anyMasked: scope.anyMasked })
  if (plan.ok) return { ...base, decision, masks: plan.masked }
  return {
    ...base,
    decision: { verdict: 'block', policy: plan.policy },
    masks: plan.columns,
    detail: `${upperFirst(plan.message)} ${plan.hint}`.trim(),
  }
}

function requestOf(statement: StatementAnalysis, statementCount: number): DecisionRequest {
  const { action, tables, columns, functions, hasWhere, complete } = statement
  return { action, tables, columns, functions, hasWhere, complete, statementCount }
}

/** What would be decided for a command line. Its output is masked by value, so the classes are named, not the places. */
export function explainCommand(command: string, policy: SessionPolicy): Explanation {
  const decision = policy.decide({ action: 'ssh:exec', command })
  const masks = decision.verdict === 'block' ? [] : policy.textMasks().map(textMasked)
  return { statements: [{ start: 0, end: command.length, action: 'ssh:exec', decision, masks, tables: [] }] }
}

function textMasked({ dataClass, unmask }: ReturnType<SessionPolicy['textMasks']>[number]): Masked {
  const requestable = unmask.approval !== undefined
  return { source: '', label: dataClass, position: -1, dataClass, policy: unmask.policy, requestable }
}

/** Tables and columns as this principal sees them: which are sensitive, and which of those are masked. */
export function schemaOf(catalog: Catalog, policy: SessionPolicy): SchemaTable[] {
  const found: SchemaTable[] = []
  for (const relation of catalog.relations()) {
    const kind = tableKind(relation)
    if (kind === undefined || isSystem(relation.schema)) continue
    const sources = kind === 'view' || kind === 'materialized' ? viewSources(relation, catalog) : undefined
    found.push({
      schema: relation.schema,
      name: relation.name,
      kind,
      columns: relation.columns.map(({ name, typeName }, i) => ({
        name,
        type: typeName,
        ...columnMask(
          [`${relation.schema}.${relation.name}.${name}`, ...(sources?.[i] ?? [])],
          sensitivityOf(policy, catalog),
        ),
      })),
    })
  }
  return found.sort((a, b) => compare(a.schema, b.schema) || compare(a.name, b.name))
}

/** The first sensitive one of the columns that a value comes from. */
function columnMask(columns: readonly string[], sensitive: SensitivityOf): { dataClass?: string; masked: boolean } {
  for (const column of columns) {
    const [schema = '', table = '', ...rest] = column.split('.')
    const found = sensitive(schema, table, rest.join('.'))
    if (found) return { dataClass: found.dataClass, masked: found.unmask.verdict === 'masked' }
  }
  return { masked: false }
}

function sensitivityOf(policy: SessionPolicy, catalog: Catalog): SensitivityOf {
  return inherited(catalog, (schema, table, column) => policy.sensitivity(schema, table, column))
}

function tableKind(relation: CatalogRelation): SchemaTable['kind'] | undefined {
  switch (relation.kind) {
    case 'sequence':
      return undefined
    case 'partitioned':
      return 'table'
    default:
      return relation.kind
  }
}

function isSystem(schema: string): boolean {
  return schema === 'information_schema' || schema.startsWith('pg_')
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
