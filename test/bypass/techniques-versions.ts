/** Attempts with what PostgreSQL 14 to 18 brought, and with what a server tells beside its answers. As `techniques.ts`. */
export const versionTechniques: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'JSON by the standard': [
    ['select json_array(select ssn from customers limit 2)'],
    ['select json_objectagg(ssn : 1 with unique keys) from customers'],
    ['select json(ssn) from customers'],
    ['select ssn is json with unique keys from customers'],
    ["select json_query(json_array(ssn), '$[0]' omit quotes) from customers"],
    [
      "select * from json_table((select json_arrayagg(ssn) from customers), '$[*]' columns (s text path '$')) t limit 1",
    ],
    ["select t.* from customers c, json_table('1', '$' passing c.ssn as s columns (x text path '$s')) t limit 1"],
    [`select json_exists('1', '$ ? ($s starts with "5")' passing ssn as s) from customers`],
    ["select json_value('1', '$s' passing (select ssn from customers where id = 1) as s)"],
    ["select name from customers order by json_value(to_jsonb(ssn), '$')"],
    ["select json_value('{}', '$.a' default (select ssn from customers limit 1) on empty)"],
  ],
  'ranges, multiranges and grouping': [
    ['select range_agg(int4range(1, length(ssn))) from customers'],
    ['select int4multirange(int4range(1, ascii(ssn))) from customers'],
    ['select unnest(int4multirange(int4range(1, length(ssn)))) from customers'],
    ['select grouping(ssn), count(*) from customers group by cube (ssn)'],
    ['select count(*) from customers group by distinct rollup (ssn, email), rollup (ssn, id)'],
    ['select id from customers tablesample bernoulli ((select ascii(ssn) from customers limit 1))'],
    [
      'with recursive t as (select id, ssn from customers where id = 1 union all select id + 1, ssn from t where id < 2) search breadth first by ssn set o select o from t',
    ],
    [
      'with recursive t as (select id, ssn from customers where id = 1 union all select id + 1, ssn from t where id < 2) cycle ssn set c using p select p, c from t',
    ],
  ],
  'changes that give something back': [
    [
      'merge into customers c using (values (1)) v(i) on c.id = v.i when matched then do nothing returning old, new, c.ssn',
    ],
    [
      'copy (merge into customers c using (values (1)) v(i) on c.id = v.i when matched then update set name = c.name returning old.ssn, new.email) to stdout',
    ],
    ["copy (update customers set name = name where id = 1 returning old.ssn || 'x') to stdout"],
    ['copy notes (note) from stdin where note = (reveal(1))'],
    ["insert into notes select 5, 'z' where exists (select from customers where ssn like '5%')"],
  ],
  'constraints, generated columns and statistics': [
    ['alter table customers add g text generated always as (ssn) virtual', 'select g from customers limit 1'],
    [
      'alter table notes add g text generated always as (note) stored',
      'alter table notes alter g set expression as (reveal(id))',
      'select g from notes',
      'alter table notes drop column if exists g',
    ],
    ['alter table customers add constraint nn not null ssn not valid', 'alter table customers validate constraint nn'],
    ['alter table notes alter note type text using reveal(id)', 'select note from notes'],
    ["alter table customers add constraint cc check (ssn > '5') not enforced"],
    [
      'create statistics zt on (ssn || $$x$$), name from customers',
      'analyze customers',
      'select * from pg_stats_ext_exprs',
    ],
    [
      'create table zp (id int, s text) partition by list (s)',
      'insert into zp select id, ssn from customers where id = 1',
      'drop table if exists zp',
    ],
    ["create publication zz for table customers where (ssn = '5')"],
  ],
  'what the server tells beside': [
    ['explain (analyze, memory, buffers, wal, settings, serialize binary) select ssn from customers limit 1'],
    ['vacuum (verbose, analyze) customers', 'analyze verbose customers'],
    [
      "set client_min_messages = log; set log_statement = 'all'; set log_min_duration_statement = 0",
      'select ssn from customers where id = 1',
      'reset all; set search_path = bypass',
    ],
    [
      'set client_min_messages = debug5; set debug_print_parse = on; set debug_print_rewritten = on',
      "select name from customers where ssn = '5'",
      'select email from customers where id = 1',
      'reset all; set search_path = bypass',
    ],
    [
      'select pg_advisory_lock(ascii(ssn)) from customers where id = 1',
      "select objid from pg_locks where locktype = 'advisory'",
    ],
    ["select pg_try_advisory_lock(id) from customers where ssn = '5'"],
    ["select pg_logical_emit_message(false, 'x', ssn) from customers where id = 1"],
    ['select setseed(ascii(ssn) / 1000.0) from customers where id = 1', 'select random()'],
    ['create sequence zs', "select setval('zs', ascii(ssn)) from customers where id = 1", 'drop sequence if exists zs'],
    ['select pg_restore_attribute_stats($$relation$$, $$customers$$, $$attname$$, ssn) from customers'],
    ['select lo_put(lo_create(0), 0, ssn::bytea) from customers where id = 1'],
    ["select 1 / (case when exists (select from customers where ssn like '5%') then 0 else 1 end)"],
    ["select name from customers where id = 1 and case when ssn like '5%' then pg_sleep(0) is null else true end"],
  ],
  'functions that are new': [
    ['select any_value(ssn || $$$$) from customers'],
    ['select array_sample(array_agg(ssn), 1), array_shuffle(array_agg(email)) from customers'],
    ['select casefold(ssn), crc32c(ssn::bytea), reverse(ssn::bytea) from customers'],
    ['select to_bin(ascii(ssn)), random(1, ascii(ssn)) from customers'],
    ["select string_to_table(ssn, '-'), parse_ident(email) from customers"],
    [
      "select ('{' || ssn || '}')::text[], array_position(array[ssn], '5'), array_remove(array[ssn], '5') from customers",
    ],
    ["select to_regtype(ssn), has_table_privilege(ssn, 'select') from customers"],
    ['select pg_get_viewdef(ssn), pg_size_bytes(email) from customers'],
  ],
}
