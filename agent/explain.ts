import type { Decision, Masked } from '../shared/decision.ts'
import type { Explanation, SchemaTable } from '../shared/link.ts'
import type { SessionPolicy } from './decide.ts'
import type { Catalog, CatalogRelation } from './inspect/postgres/analysis.ts'
import { upperFirst } from './inspect/postgres/annotations.ts'
import { inherited } from './inspect/postgres/catalog/inherited.ts'
import { viewSources } from './inspect/postgres/catalog/view-sources.ts'
import { type ForeseeOptions, foresee } from './inspect/postgres/foreseeing.ts'
import type { Foreseen } from './inspect/postgres/gate.ts'
import type { SensitivityOf } from './inspect/postgres/mask/plan.ts'
import { requestOf } from './inspect/postgres/verdicts.ts'

type Explained = Explanation['statements'][number]

/** Statements of a text. */
const mostStatements = 200
/** PostgreSQL gives no result with more columns. */
const mostMasks = 1_664

/**
 * What would be decided for SQL, statement by statement, as the first of a session of its own: by what decides in a session, with a
 * catalog as fresh, and without running anything.
 */
export async function explainSql(
  sql: string,
  session: { policy: SessionPolicy } & Omit<ForeseeOptions, 'most'>,
): Promise<Explanation> {
  const { policy } = session
  const foresight = await foresee(sql, { ...session, most: mostStatements })
  if (foresight.ok) return { statements: foresight.statements.map((one) => explainStatement(one, policy)) }
  const decision = policy.decide({ action: 'sql:unknown', complete: false })
  const unknown = { start: 0, end: sql.length, action: 'sql:unknown', decision, masks: [], tables: [] }
  return { statements: [{ ...unknown, detail: foresight.message }] }
}

function explainStatement({ judged, verdict }: Foreseen, policy: SessionPolicy): Explained {
  const { analysis } = judged
  const { start, end, action, tables, doubt } = analysis
  const decision = policy.decide(requestOf(judged))
  const base = { start, end, action, tables }
  if (decision.verdict === 'block') {
    return { ...base, decision, masks: [], ...(doubt === undefined ? {} : { detail: doubt }) }
  }
  if (verdict.kind !== 'block') return { ...base, decision, masks: verdict.run.masked.slice(0, mostMasks) }
  const { message, hint, columns = [] } = verdict.refusal
  return {
    ...base,
    decision: { verdict: 'block', policy: verdict.refusal.policy },
    masks: columns.slice(0, mostMasks),
    detail: `${upperFirst(message)} ${hint}`.trim(),
  }
}

/** What somebody is told who may not open the connection, or not yet: nothing of what is in it. */
export function explainClosed(text: string, decision: Decision): Explanation {
  return { statements: [{ start: 0, end: text.length, action: 'connect', decision, masks: [], tables: [] }] }
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
