import type { Sensitivity } from '../../agent/inspect/port.ts'
import type { CatalogColumn, CatalogFunction, CatalogRelation } from '../../agent/inspect/postgres/analysis.ts'
import { Snapshot } from '../../agent/inspect/postgres/catalog/catalog.ts'

/** A hand-made catalog of the demo schema (INTERFACES.md), with some of PostgreSQL's own tables and functions. */

const words = (text: string): string[] => text.trim().split(/\s+/)

const tables: Record<string, string> = {
  'public.customers':
    'id:int8 name:text email:text phone:text ssn:text card_number:text country:text created_at:timestamptz',
  'public.orders': 'id:int8 customer_id:int8 status:text total:numeric placed_at:timestamptz',
  'public.payments': 'id:int8 order_id:int8 method:text card_last4:text amount:numeric paid_at:timestamptz',
  'public.audit_log': 'id:int8 actor:text action:text at:timestamptz',
  'public.notes': 'id:int8 note:text',
  'public.watched': 'id:int8 note:text',
  'public.people': 'id:int8 email:text',
  'public.people_2024': 'id:int8 email:text',
  'other.customers': 'id:int8 email:text',
  'public.cust.omers': 'id:int8 email:text',
  'pg_catalog.pg_class': 'oid:oid relname:name relnamespace:oid relkind:char reltuples:float4',
  'pg_catalog.pg_namespace': 'oid:oid nspname:name',
  'pg_catalog.pg_attribute': 'attrelid:oid attname:name attnum:int2 attmissingval:anyarray',
  'pg_catalog.pg_settings': 'name:text setting:text',
  'pg_catalog.pg_statistic': 'starelid:oid staattnum:int2 stavalues1:anyarray',
  'pg_catalog.pg_stats':
    'schemaname:name tablename:name attname:name null_frac:float4 avg_width:int4 n_distinct:float4 most_common_vals:anyarray histogram_bounds:anyarray',
  'pg_catalog.pg_stats_ext': 'tablename:name most_common_vals:text',
  'pg_catalog.pg_stat_activity': 'pid:int4 usename:name state:text query:text',
  'pg_catalog.pg_largeobject': 'loid:oid pageno:int4 data:bytea',
  'pg_catalog.pg_authid': 'oid:oid rolname:name rolpassword:text',
  'pg_catalog.pg_user_mappings': 'srvname:name umoptions:text',
  'pg_toast.pg_toast_16384': 'chunk_id:oid chunk_seq:int4 chunk_data:bytea',
}

const views: Record<string, { columns: string; definition: string }> = {
  'public.order_totals': {
    columns: 'country:text orders:int8 total:numeric',
    definition: `SELECT c.country, count(*) AS orders, sum(o.total) AS total
      FROM (public.customers c JOIN public.orders o ON ((o.customer_id = c.id))) GROUP BY c.country;`,
  },
  'public.contacts': {
    columns: 'id:int8 address:text',
    definition: 'SELECT customers.id, customers.email AS address FROM public.customers;',
  },
  'public.contact_names': {
    columns: 'id:int8 who:text',
    definition: 'SELECT contacts.id, lower(contacts.address) AS who FROM public.contacts;',
  },
  'public.gmail': {
    columns: 'id:int8',
    definition: "SELECT customers.id FROM public.customers WHERE (customers.email ~~ '%@gmail.com'::text);",
  },
  'public.secretive': { columns: 'x:text', definition: 'SELECT public.reveal(1) AS x;' },
}

/** name:volatility, with * for sets. */
const builtIn = words(`
  lower:i upper:i length:i substring:i substr:i left:i right:i concat:s concat_ws:s md5:i replace:i position:i strpos:i split_part:i
  repeat:i format:s count:i sum:i min:i max:i avg:i array_agg:i string_agg:i json_agg:s jsonb_agg:s row_to_json:s to_json:s to_jsonb:s
  json_build_object:s json_object_agg:s array_to_string:s string_to_array:i regexp_replace:i regexp_matches:i* regexp_split_to_table:i*
  unnest:i* generate_series:i* json_each:i* jsonb_each_text:i* json_populate_record:s coalesce:i now:s random:v pg_sleep:v nextval:v
  setval:v currval:v set_config:v current_setting:s pg_notify:v pg_advisory_lock:v pg_terminate_backend:v pg_reload_conf:v ts_stat:v*
  query_to_xml:v table_to_xml:s database_to_xml:s cursor_to_xml:v pg_read_file:v pg_ls_dir:v* lo_get:v lo_import:v
  pg_stat_get_activity:s* pg_logical_slot_get_changes:v* row_number:i lag:i first_value:i rank:i percentile_disc:i obj_description:s
  pg_get_viewdef:s pg_table_is_visible:s pg_relation_size:v format_type:s encode:i convert_to:s to_char:s date_trunc:s extract:i
  xpath:i query_to_xmlschema:v pg_stat_file:v ts_rewrite:v hashtext:i num_nulls:i pg_typeof:s starts_with:i bool_or:i every:i lead:i
  quote_literal:s reverse:i translate:i ascii:i btrim:i lpad:i pg_column_size:s cardinality:i int4:i text:i pg_export_snapshot:v
  similar_to_escape:i pg_backend_pid:s txid_current:s gen_random_uuid:v version:s pg_mystery:v pg_input_is_valid:s
`)

let nextOid = 20_000

function relation(
  full: string,
  kind: CatalogRelation['kind'],
  columns: string,
  extra: Partial<CatalogRelation> = {},
): CatalogRelation {
  const dot = full.indexOf('.')
  return {
    oid: nextOid++,
    schema: full.slice(0, dot),
    name: full.slice(dot + 1),
    kind,
    columns: words(columns).map((column, i): CatalogColumn => {
      const [name = '', typeName = ''] = column.split(':')
      return { name, attnum: i + 1, typeOid: 25, typeName }
    }),
    parents: [],
    hasRules: full === 'public.watched',
    ...extra,
  }
}

function fn(schema: string, name: string, rest: Partial<CatalogFunction>): CatalogFunction {
  return {
    oid: nextOid++,
    schema,
    name,
    language: 'internal',
    volatility: 'immutable',
    securityDefiner: false,
    returnsSet: false,
    ...rest,
  }
}

export function demoCatalog(): Snapshot {
  const relations = Object.entries(tables).map(([name, columns]) => relation(name, 'table', columns))
  const people = relations.find(({ name }) => name === 'people')
  const all = relations.map((one) => (one.name === 'people_2024' && people ? { ...one, parents: [people.oid] } : one))
  for (const [name, { columns, definition }] of Object.entries(views))
    all.push(relation(name, 'view', columns, { definition }))
  const functions = builtIn.map((entry) => {
    const [name = '', how = ''] = entry.split(':')
    const volatility = how.startsWith('i') ? 'immutable' : how.startsWith('s') ? 'stable' : 'volatile'
    return fn('pg_catalog', name, { volatility, returnsSet: how.endsWith('*') })
  })
  functions.push(
    fn('public', 'reveal', { language: 'plpgsql', volatility: 'volatile' }),
    fn('public', 'tidy', { language: 'sql', volatility: 'immutable' }),
    fn('public', 'similarity', { language: 'c' }),
    fn('public', 'dblink', { language: 'c', volatility: 'volatile', returnsSet: true }),
    // A trap: a user's own function beside a built-in one.
    fn('public', 'reverse', { language: 'plpgsql' }),
  )
  return new Snapshot(1, 'orders', { own: { relations: all, functions } })
}

const policy = { id: 'mask-personal', reason: 'Personal data is masked.' }
const approval = { group: 'dba', count: 1, windowSeconds: 1800, notify: [] }

function masked(dataClass: string, use: Sensitivity['use'], derived: Sensitivity['derived']): Sensitivity {
  return { dataClass, use, derived, unmask: { verdict: 'masked', policy, approval }, mask: () => '•••' }
}

const sensitive: Record<string, Sensitivity> = {
  email: masked('contact', 'lookup', 'null'),
  phone: masked('contact', 'any', 'null'),
  ssn: masked('national-id', 'none', 'block'),
  card_number: masked('card', 'none', 'block'),
}

/** As the demo policy classifies: e-mail may be looked up, phone may be used in any way, the others in none. */
export function demoSensitivity(schema: string, table: string, column: string): Sensitivity | undefined {
  if (schema === 'public' && table === 'customers') return sensitive[column]
  return schema === 'public' && (table === 'people' || table === 'cust.omers') && column === 'email'
    ? sensitive.email
    : undefined
}
