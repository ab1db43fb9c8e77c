import type { PolicyRef } from '../shared/decision.ts'
import type { DecisionRequest } from './inspect/port.ts'

/** Of every request in a session for the catalog that is none for the catalog. */
export const catalogOnly: PolicyRef = {
  id: 'catalog-session',
  reason: 'This session was opened to read what the database holds, and nothing else can be asked in it.',
}

/** Tables that say what there is in a database. None of them holds a value from its rows (`pg_statistic` does) or a password. */
const tables = new Set(
  `pg_aggregate pg_am pg_amop pg_amproc pg_attrdef pg_attribute pg_class pg_collation pg_constraint pg_description pg_enum pg_index
  pg_inherits pg_language pg_namespace pg_operator pg_policy pg_proc pg_range pg_rewrite pg_sequence pg_trigger pg_type`
    .split(/\s+/)
    .map((name) => `pg_catalog.${name}`),
)

/** Functions that put definitions into words, and those that take such words together. */
const functions = new Set(
  `array_agg col_description concat format_type json_agg json_build_array obj_description pg_get_constraintdef pg_get_expr
  pg_get_function_arguments pg_get_function_identity_arguments pg_get_function_result pg_get_functiondef pg_get_indexdef
  pg_get_partkeydef pg_get_ruledef pg_get_triggerdef pg_get_viewdef quote_ident quote_literal string_agg unnest`
    .split(/\s+/)
    .map((name) => `pg_catalog.${name}`),
)

/** Whether a request reads what a database holds, and does nothing else: whatever is not known to be that is not. */
export function readsStructure({
  action,
  complete,
  tables: read = [],
  functions: called = [],
}: DecisionRequest): boolean {
  return (
    action === 'sql:select' &&
    complete === true &&
    read.every((name) => tables.has(name)) &&
    called.every((name) => functions.has(name))
  )
}
