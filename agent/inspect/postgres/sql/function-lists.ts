import type { Action } from '../../../../shared/actions.ts'

/**
 * What is known of PostgreSQL's own functions (13 to 18) by name. Read against pg_proc:
 * whatever is not listed here and is built in, immutable or stable takes values and returns values, no more.
 */

export const words = (text: string): readonly string[] => text.trim().split(/\s+/)

/**
 * Never fail because of the data they get, so that an expression of these alone gives nothing away but its value.
 * Not here: what makes a value much longer than it was, and what refuses some arrays.
 */
export const safeFunctions: ReadonlySet<string> = new Set(
  words(`
  lower upper initcap char_length character_length octet_length bit_length btrim ltrim rtrim reverse left right
  md5 sha224 sha256 sha384 sha512 quote_literal quote_nullable quote_ident concat concat_ws
  position strpos starts_with translate string_to_array
  to_json to_jsonb row_to_json array_to_json json_build_array jsonb_build_array json_strip_nulls jsonb_strip_nulls jsonb_pretty
  json_typeof jsonb_typeof num_nulls num_nonnulls pg_typeof pg_column_size hashtext hashtextextended record_out
  count any_value json_agg jsonb_agg json_agg_strict jsonb_agg_strict string_agg xmlagg bool_and bool_or every
  first_value last_value lag lead row_number rank dense_rank percent_rank cume_dist mode
  array_to_string array_length array_upper array_lower array_ndims array_dims cardinality
  text name
  json_extract_path json_extract_path_text jsonb_extract_path jsonb_extract_path_text
  json_object_field json_object_field_text jsonb_object_field jsonb_object_field_text
  `),
)

/** Take a whole row by themselves, so that `t.to_json` is one where `t` has no column of that name. */
export const rowFunctions: ReadonlySet<string> = new Set(
  words(`
  any_value array_agg concat hash_record json_agg json_agg_strict json_build_array json_build_object jsonb_agg jsonb_agg_strict
  jsonb_build_array jsonb_build_object max min num_nonnulls num_nulls pg_collation_for pg_column_compression pg_column_size
  pg_column_toast_chunk_id quote_literal quote_nullable record_out record_send row_to_json to_json to_jsonb
  `),
)

/** Volatile, and of no consequence to anybody else. */
export const harmlessVolatile: ReadonlySet<string> = new Set(
  words(`
  array_sample array_shuffle clock_timestamp timeofday gen_random_uuid uuidv4 uuidv7 random random_normal setseed
  pg_sleep pg_sleep_for pg_sleep_until currval lastval pg_sequence_last_value pg_get_sequence_data pg_is_in_recovery
  pg_relation_size pg_table_size pg_total_relation_size pg_indexes_size pg_database_size pg_tablespace_size
  pg_partition_tree pg_partition_ancestors pg_export_snapshot pg_collation_actual_version pg_database_collation_actual_version
  pg_current_wal_lsn pg_current_wal_insert_lsn pg_current_wal_flush_lsn pg_last_wal_receive_lsn pg_last_wal_replay_lsn
  pg_last_xact_replay_timestamp pg_is_wal_replay_paused pg_get_wal_replay_pause_state pg_last_committed_xact
  pg_xact_commit_timestamp pg_xact_commit_timestamp_origin pg_xact_status txid_status pg_control_checkpoint pg_control_init
  pg_control_recovery pg_control_system pg_blocking_pids pg_safe_snapshot_blocking_pids pg_isolation_test_session_is_blocked
  pg_lock_status pg_notification_queue_usage pg_jit_available pg_get_wait_events pg_stat_clear_snapshot pg_stat_have_stats
  pg_stat_get_xact_blocks_fetched pg_stat_get_xact_blocks_hit pg_stat_get_xact_function_calls pg_stat_get_xact_function_self_time
  pg_stat_get_xact_function_total_time pg_stat_get_xact_numscans pg_stat_get_xact_tuples_deleted pg_stat_get_xact_tuples_fetched
  pg_stat_get_xact_tuples_inserted
  pg_stat_get_xact_tuples_returned pg_stat_get_xact_tuples_updated pg_stat_get_backend_io pg_stat_get_backend_wal pg_stat_get_io
  pg_get_shmem_allocations pg_get_loaded_modules amvalidate bernoulli system
  pg_prepared_xact pg_show_replication_origin_status set_config
  `),
)

/** Of extensions that come with PostgreSQL, in C. */
export const harmlessExtension: ReadonlySet<string> = new Set(
  words(`
  uuid_generate_v1 uuid_generate_v1mc uuid_generate_v4 uuid_nil uuid_ns_dns uuid_ns_url uuid_ns_oid uuid_ns_x500
  gen_random_bytes gen_random_uuid gen_salt show_limit set_limit postgis_version postgis_full_version postgis_lib_version
  unaccent
  `),
)

/** Change something: the statement's action becomes at least this. */
export const effects: ReadonlyMap<string, Action> = new Map([
  ...each('sql:call', 'nextval setval'),
  ...each('sql:notify', 'pg_notify'),
  ...each(
    'sql:lock',
    `pg_advisory_lock pg_advisory_lock_shared pg_advisory_xact_lock pg_advisory_xact_lock_shared pg_try_advisory_lock
    pg_try_advisory_lock_shared pg_try_advisory_xact_lock pg_try_advisory_xact_lock_shared pg_advisory_unlock
    pg_advisory_unlock_shared pg_advisory_unlock_all`,
  ),
  ...each(
    'sql:system',
    `pg_cancel_backend pg_terminate_backend pg_reload_conf pg_rotate_logfile pg_rotate_logfile_old pg_switch_wal pg_promote
    pg_create_restore_point pg_backup_start pg_backup_stop pg_start_backup pg_stop_backup pg_wal_replay_pause pg_wal_replay_resume
    pg_stat_reset pg_stat_reset_shared pg_stat_reset_single_table_counters pg_stat_reset_single_function_counters
    pg_stat_reset_slru pg_stat_reset_backend_stats pg_stat_reset_replication_slot pg_stat_reset_subscription_stats
    pg_stat_force_next_flush pg_log_backend_memory_contexts pg_log_standby_snapshot pg_import_system_collations
    pg_stop_making_pinned_objects pg_nextoid pg_stat_statements_reset
    pg_clear_attribute_stats pg_clear_relation_stats pg_restore_attribute_stats pg_restore_relation_stats`,
  ),
  ...each(
    'sql:reindex',
    'brin_desummarize_range brin_summarize_new_values brin_summarize_range gin_clean_pending_list',
  ),
  ...each(
    'sql:replication',
    `pg_logical_emit_message pg_replication_slot_advance pg_drop_replication_slot pg_create_physical_replication_slot
    pg_create_logical_replication_slot pg_copy_physical_replication_slot pg_copy_logical_replication_slot pg_sync_replication_slots
    pg_replication_origin_advance pg_replication_origin_create pg_replication_origin_drop pg_replication_origin_progress
    pg_replication_origin_session_is_setup pg_replication_origin_session_progress pg_replication_origin_session_reset
    pg_replication_origin_session_setup pg_replication_origin_xact_reset pg_replication_origin_xact_setup`,
  ),
])

/** Refused wherever a value is masked, with what they do; the action says what policy is asked about besides. */
export const refused: ReadonlyMap<string, { action: Action; why: string }> = new Map([
  ...refuse(
    'sql:unknown',
    'runs SQL that it gets as text',
    `query_to_xml query_to_xmlschema query_to_xml_and_xmlschema ts_stat ts_rewrite dblink dblink_connect dblink_connect_u
    dblink_exec dblink_open dblink_fetch dblink_send_query dblink_get_result dblink_build_sql_insert dblink_build_sql_update
    dblink_build_sql_delete dblink_get_connections dblink_error_message dblink_get_notify dblink_get_pkey dblink_is_busy
    dblink_cancel_query dblink_close dblink_disconnect crosstab crosstab2 crosstab3 crosstab4 crosstabn connectby xpath_table`,
  ),
  ...refuse(
    'sql:select',
    'reads a table, cursor or schema that it gets by name',
    `table_to_xml table_to_xmlschema table_to_xml_and_xmlschema schema_to_xml schema_to_xmlschema schema_to_xml_and_xmlschema
    database_to_xml database_to_xmlschema database_to_xml_and_xmlschema cursor_to_xml cursor_to_xmlschema currtid currtid2
    get_raw_page heap_page_items heap_page_item_attrs bt_page_items brin_page_items gist_page_items hash_page_items page_header
    fsm_page_contents tuple_data_split heap_tuple_infomask_flags pgstattuple pgstattuple_approx pgrowlocks`,
  ),
  ...refuse(
    'sql:copy-file',
    "reads or writes the server's files",
    `pg_read_file pg_read_file_old pg_read_binary_file pg_stat_file pg_ls_dir pg_ls_logdir pg_ls_waldir pg_ls_tmpdir
    pg_ls_archive_statusdir pg_ls_logicalmapdir pg_ls_logicalsnapdir pg_ls_replslotdir pg_ls_summariesdir pg_current_logfile
    pg_file_read pg_file_write pg_file_rename pg_file_unlink pg_file_sync pg_file_length pg_logdir_ls pg_logfile_rotate
    lo_import lo_export pg_hba_file_rules pg_ident_file_mappings pg_show_all_file_settings pg_wal_summary_contents
    pg_available_wal_summaries pg_get_wal_records_info pg_get_wal_block_info pg_get_wal_record_info pg_get_wal_stats`,
  ),
  ...refuse(
    'sql:call',
    'reads or writes large objects',
    `lo_close lo_creat lo_create lo_from_bytea lo_get lo_lseek lo_lseek64 lo_open lo_put lo_tell lo_tell64 lo_truncate
    lo_truncate64 lo_unlink lo_manage loread lowrite`,
  ),
  ...refuse(
    'sql:replication',
    "reads other sessions' changes from the log",
    `pg_logical_slot_get_changes pg_logical_slot_get_binary_changes pg_logical_slot_peek_changes
    pg_logical_slot_peek_binary_changes pg_stat_get_wal_receiver`,
  ),
  ...refuse(
    'sql:select',
    "shows other sessions' statements",
    'pg_stat_get_activity pg_stat_get_backend_activity pg_stat_statements pg_stat_statements_info pg_stat_get_progress_info',
  ),
  ...refuse(
    'sql:select',
    'shows how much statements put aside',
    'pg_stat_get_db_temp_files pg_stat_get_db_temp_bytes pg_get_backend_memory_contexts',
  ),
  ...refuse(
    'sql:select',
    'shows whether updates left values as they were',
    `pg_stat_get_tuples_hot_updated pg_stat_get_xact_tuples_hot_updated pg_stat_get_tuples_newpage_updated
    pg_stat_get_xact_tuples_newpage_updated`,
  ),
  ...refuse(
    'sql:select',
    'shows values kept as statistics',
    'pg_mcv_list_items pg_mcv_list_out pg_mcv_list_send pg_ndistinct_out pg_dependencies_out',
  ),
  ...refuse(
    'sql:unknown',
    'is for internal use by the server',
    `pg_extension_config_dump tsvector_update_trigger tsvector_update_trigger_column suppress_redundant_updates_trigger
    unique_key_recheck plpgsql_call_handler plpgsql_inline_handler dsnowball_init`,
  ),
])

/** Columns of built-in functions in FROM, for a catalog that does not say (CatalogFunction.outputs). */
export const knownOutputs: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    aclexplode: words('grantor grantee privilege_type is_grantable'),
    pg_options_to_table: words('option_name option_value'),
    // One named OUT parameter names the column, whatever the alias.
    pg_partition_ancestors: ['relid'],
    json_array_elements: ['value'],
    jsonb_array_elements: ['value'],
    json_array_elements_text: ['value'],
    jsonb_array_elements_text: ['value'],
    json_each: words('key value'),
    jsonb_each: words('key value'),
    json_each_text: words('key value'),
    jsonb_each_text: words('key value'),
    pg_sequence_parameters: words(
      'start_value minimum_value maximum_value increment cycle_option cache_size data_type',
    ),
    pg_get_sequence_data: words('last_value is_called page_lsn'),
    pg_partition_tree: words('relid parentrelid isleaf level'),
    pg_get_keywords: words('word catcode barelabel catdesc baredesc'),
    pg_identify_object: words('type schema name identity'),
    pg_get_publication_tables: words('pubid relid attrs qual'),
    pg_control_system: words('pg_control_version catalog_version_no system_identifier pg_control_last_modified'),
    _pg_expandarray: words('x n'),
    ts_parse: words('tokid token'),
    ts_token_type: words('tokid alias description'),
    pg_input_error_info: words('message detail hint sql_error_code'),
  }),
)

/** The shape of their result depends on their arguments or on a column definition list. */
export const shapeless: ReadonlySet<string> = new Set(
  words(`json_populate_record jsonb_populate_record json_populate_recordset jsonb_populate_recordset json_to_record jsonb_to_record
  json_to_recordset jsonb_to_recordset`),
)

/** One column, unless an argument is an array, or a range, of rows. */
export const unnesting: ReadonlySet<string> = new Set(['unnest', 'lower', 'upper', 'any_value', 'max', 'min'])

/** PostgreSQL's own operators. One that is not here runs code that we do not know. */
export const knownOperators: ReadonlySet<string> = new Set(
  words(`!! !~ !~* !~~ !~~* # ## #- #> #>> % & && &< &<| &> * *< *<= *<> *= *> *>= + - -> ->> -|- / < <-> << <<= <<| <= <> <@ <^ =
  > >= >> >>= >^ ? ?# ?& ?- ?-| ?| ?|| @ @-@ @> @? @@ @@@ ^ ^@ | |&> |/ |>> || ||/ ~ ~* ~<=~ ~<~ ~= ~>=~ ~>~ ~~ ~~* != <>
  ~~~ ~~@ =@ #= %> <% %>> <<% <<-> <->> <<<-> <->>> ?~ ^? ^@> ^<@ ?@ ?<@ ~@ ~^`),
)

/** See `safeFunctions`: these fail for no value of theirs. */
export const safeOperators: ReadonlySet<string> = new Set(
  words('= <> != < <= > >= || ~ !~ ~* !~* ~~ !~~ ~~* !~~* ^@ -> ->> @> <@ ? ?| ?&'),
)

/** Of these: rows and arrays, or rows in arrays, are compared until they differ, and what stands behind that may not fit. */
export const comparing: ReadonlySet<string> = new Set(words('= <> != < <= > >= @> <@'))

/** Types whose literals mean what they say, so that a cast literal is still a constant. */
export const plainTypes: ReadonlySet<string> = new Set(
  words(`bool int2 int4 int8 float4 float8 numeric text varchar bpchar char name uuid date time timetz timestamp timestamptz interval
  json jsonb bytea money inet cidr macaddr oid bit varbit`),
)

function each(action: Action, names: string): [string, Action][] {
  return words(names).map((name) => [name, action])
}

function refuse(action: Action, why: string, names: string): [string, { action: Action; why: string }][] {
  return words(names).map((name) => [name, { action, why }])
}
