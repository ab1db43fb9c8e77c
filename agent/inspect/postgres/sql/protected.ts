import type { ColumnId } from '../analysis.ts'
import { words } from './function-lists.ts'

const values = `most_common_vals histogram_bounds most_common_elems range_length_histogram range_bounds_histogram
  n_distinct correlation most_common_freqs most_common_elem_freqs elem_count_histogram`

/**
 * Columns of PostgreSQL's own catalogs and statistics that show values of other tables, other people's statements, or secrets.
 * Wherever any column is masked for a person, these are closed to that person too.
 * Also how many values there are, which are alike and how they are ordered, and whether an update left them as they were: with a value of one's own
 * beside them that is a comparison.
 */
const catalog: Readonly<Record<string, string>> = {
  pg_statistic: `stavalues1 stavalues2 stavalues3 stavalues4 stavalues5 stadistinct stanumbers1 stanumbers2 stanumbers3 stanumbers4
    stanumbers5`,
  pg_stats: values,
  pg_statistic_ext_data: 'stxdmcv stxdexpr stxdndistinct stxddependencies',
  pg_stats_ext:
    'most_common_vals most_common_val_nulls most_common_freqs most_common_base_freqs n_distinct dependencies',
  pg_stats_ext_exprs: values,
  ...Object.fromEntries(
    ['all', 'sys', 'user', 'xact_all', 'xact_sys', 'xact_user'].map((which) => [
      `pg_stat_${which}_tables`,
      'n_tup_hot_upd n_tup_newpage_upd',
    ]),
  ),
  pg_stat_activity: 'query',
  // How much a statement had to put aside shows how long the values were that it computed.
  pg_stat_database: 'temp_files temp_bytes',
  pg_backend_memory_contexts: 'total_bytes total_nblocks free_bytes free_chunks used_bytes',
  pg_largeobject: 'data',
  pg_attribute: 'attmissingval',
  pg_authid: 'rolpassword',
  pg_shadow: 'passwd',
  pg_user_mapping: 'umoptions',
  pg_user_mappings: 'umoptions',
  pg_subscription: 'subconninfo',
  pg_stat_wal_receiver: 'conninfo',
  pg_hba_file_rules: 'database user_name address netmask auth_method options error',
  pg_ident_file_mappings: 'map_name sys_name pg_username error',
  pg_file_settings: 'setting error',
  pg_stat_statements: 'query',
}
const informationSchema: Readonly<Record<string, string>> = {
  user_mapping_options: 'option_value',
  _pg_user_mappings: 'umoptions',
}

const columns: ReadonlySet<ColumnId> = new Set([
  ...ids('pg_catalog', catalog),
  ...ids('information_schema', informationSchema),
])

/** pg_stat_statements is an extension's view, in whatever schema it was put. */
export function isProtected(schema: string, table: string, column: string): boolean {
  if (table === 'pg_stat_statements') return column === 'query' || column.startsWith('temp_')
  return columns.has(`${schema}.${table}.${column}`)
}

function ids(schema: string, tables: Readonly<Record<string, string>>): ColumnId[] {
  return Object.entries(tables).flatMap(([table, names]) => words(names).map((name) => `${schema}.${table}.${name}`))
}
