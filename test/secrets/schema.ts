import type { Sensitivity } from '../../agent/inspect/port.ts'

/**
 * One schema in two worlds: the same rows, but for what is in its masked columns. Every type comes three times, by the beginning of
 * a column's name: `s_` may not even be computed with, `c_` may be computed with where that can't fail, `l_` may be looked up besides.
 * What a class lets be told is the same in both: NULLs stand in the same rows, and no constant of a statement is among the values. So is
 * how much room a row takes, which `filler` evens out.
 */
export type WorldName = 'a' | 'b'

export const classes = ['s', 'c', 'l'] as const

/** The value of row `i` in a world, by a salt of the column's. Texts are numbers, spaces or JSON in some rows, others in each world. */
const types: Readonly<Record<string, { type: string; value(world: WorldName, salt: string): string }>> = {
  t: { type: 'text', value: text },
  v: { type: 'varchar(12)', value: text },
  h: { type: 'char(12)', value: text },
  i: { type: 'int', value: number },
  w: { type: 'bigint', value: (world, salt) => `(${number(world, salt)})::bigint * 1000000007` },
  n: {
    type: 'numeric',
    value: (world, salt) => `case ${number(world, salt)} when 3 then 'NaN' else ${number(world, salt)} / 4.0 end`,
  },
  f: {
    type: 'float8',
    value: (world, salt) => `case ${number(world, salt)} when 3 then 'Infinity' else ${number(world, salt)} / 3.0 end`,
  },
  b: { type: 'boolean', value: (world, salt) => `${number(world, salt)} % 2 = 0` },
  d: {
    type: 'date',
    value: (world, salt) =>
      `case ${number(world, salt)} when 4 then 'infinity' else date '1990-01-01' + 97 * (${number(world, salt)}) end`,
  },
  z: {
    type: 'timestamptz',
    value: (world, salt) => `timestamptz '1990-01-01 00:00Z' + ${number(world, salt)} * interval '97 hours'`,
  },
  q: { type: 'interval', value: (world, salt) => `${number(world, salt)} * interval '7 hours'` },
  u: { type: 'uuid', value: (world, salt) => `${hash(world, salt)}::uuid` },
  j: { type: 'jsonb', value: document },
  k: { type: 'json', value: document },
  a: { type: 'text[]', value: (world, salt) => `array_fill(${text(world, salt)}, array[${number(world, salt)} % 3])` },
  x: { type: 'int[]', value: (world, salt) => `array[${number(world, salt)}, i]` },
  r: {
    type: 'int4range',
    value: (world, salt) => `int4range(${number(world, salt)}, ${number(world, salt)} + ${number(world, salt)} % 3)`,
  },
  e: { type: 'mood', value: (world, salt) => `(enum_range(null::mood))[1 + ${number(world, salt)} % 4]` },
  o: { type: 'short', value: text },
  p: { type: 'pair', value: (world, salt) => `row(${number(world, salt)}, ${text(world, salt)})::pair` },
  y: { type: 'bytea', value: (world, salt) => `decode(${hash(world, salt)}, 'hex')` },
  m: { type: 'inet', value: (world, salt) => `('10.0.0.' || ${number(world, salt)})::inet` },
  g: { type: 'tsvector', value: (world, salt) => `to_tsvector('simple', ${text(world, salt)})` },
}

export const typeOf: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(types).map(([letter, { type }]) => [letter, type]),
)

function hash(world: WorldName, salt: string): string {
  return `md5('${world}${salt}' || i)`
}

/** 0 … 10, in another order in each world, and of other numbers. */
function number(world: WorldName, salt: string): string {
  return `(('x' || substr(${hash(world, salt)}, 1, 7))::bit(28)::int % ${world === 'a' ? 11 : 10})`
}

function text(world: WorldName, salt: string): string {
  return `case ${number(world, salt)} when 0 then '000000000042' when 1 then '            ' when 2 then '{"a": "bcd"}'
    when 3 then '2024-01-02  ' else substr(${hash(world, salt)}, 1, 12) end`
}

function document(world: WorldName, salt: string): string {
  return `(case ${number(world, salt)} when 0 then '[1, 2, 3, "xyz"]' when 1 then '"a string only"'
    else '{"a": ' || ${number(world, salt)} % 10 || ', "b": "' || substr(${hash(world, salt)}, 1, 6) || '"}' end)::jsonb::json`
}

/** Tables whose columns with these beginnings are masked, wherever else a name begins so. */
const masked = new Set(['vault', 'ledger', 'parts', 'parts_1', 'parts_2', 'elder', 'younger'])
const unmask = { verdict: 'masked' as const, policy: { id: 'mask', reason: 'It is masked.' } }
const found: Readonly<Record<string, Sensitivity>> = {
  s_: { dataClass: 'sealed', unmask, use: 'none', derived: 'block', mask: () => '•••' },
  c_: { dataClass: 'computed', unmask, use: 'none', derived: 'null', mask: () => '•••' },
  l_: { dataClass: 'looked-up', unmask, use: 'lookup', derived: 'null', mask: () => '•••' },
}

export function sensitivity(_schema: string, table: string, column: string): Sensitivity | undefined {
  return masked.has(table) ? found[column === 'filler' ? 's_' : column.slice(0, 2)] : undefined
}

/** How many views, functions and tables with triggers there are beside (`shelf.ts`). */
export const shelved = 24

/** Rows of the big table. */
export const rows = 24

const columns = classes.flatMap((name) =>
  Object.entries(types).map(([letter, of]) => ({ name: `${name}_${letter}`, ...of })),
)

const known = 'id, grp, name, val, day, doc, tags'

/** What the tables hold in a world; said again, it brings them back to that. */
export function fill(world: WorldName): string {
  const every = columns.map(({ name, value }) => `case when i % 8 <> 7 then ${value(world, name)} end`)
  const some = (salt: string) => `${text(world, salt)}, ${number(world, salt)}`
  return `
    set search_path = worlds;
    truncate vault, ledger, parts, elder, younger, plain, refs, watched, log;
    create temp table fresh (like vault);
    insert into fresh (${known}, ${columns.map(({ name }) => name).join(', ')})
      select i, i % 4, 'name ' || i % 9, i * 3 % 17, date '2024-01-01' + i, jsonb_build_object('n', i), array['x', 'y' || i % 3], ${every.join(', ')}
      from generate_series(1, ${rows}) i;
    insert into vault (${known}, ${columns.map(({ name }) => name).join(', ')}, filler)
      select ${known}, ${columns.map(({ name }) => name).join(', ')}, repeat('x', 1490 - pg_column_size(f)) from fresh f order by id;
    drop table fresh;
    insert into ledger (id, vault_id, memo, s_t, s_i, c_t, c_i) select i, 1 + i % ${rows}, 'memo ' || i % 5, ${some('ls')}, ${some('lc')} from generate_series(1, 40) i;
    insert into parts (id, grp, note, s_t, s_i, c_t, c_i) select i, 1 + i % 2, 'note ' || i, ${some('ps')}, ${some('pc')} from generate_series(1, 20) i;
    insert into elder (id, note, s_t, c_i) select i, 'elder ' || i, ${some('e')} from generate_series(1, 5) i;
    insert into younger (id, note, s_t, c_i, toy) select i, 'younger ' || i, ${some('y')}, 'toy ' || i from generate_series(6, 9) i;
    insert into plain select i, i % 3, 'plain ' || i, i * 5 % 7, date '2024-02-01' + i from generate_series(1, 12) i;
    insert into refs select i, i from generate_series(1, 6) i;
    insert into watched select i, 'watched ' || i from generate_series(1, 4) i;
    refresh materialized view kept;
    analyze;`
}

/** Made once in each world, and filled by `fill`. */
export const schema = `
  drop schema if exists worlds cascade;
  create schema worlds;
  set search_path = worlds;
  create type mood as enum ('sad', 'ok', 'happy', 'wild');
  create domain short as text check (length(value) < 60);
  create type pair as (a int, b text);
  create table vault (id bigint primary key, grp int, name text, val int, day date, doc jsonb, tags text[],
    ${columns.map(({ name, type }) => `${name} ${type}`).join(', ')},
    filler text, up text generated always as (upper(c_t)) stored, more int generated always as (s_i + 1) stored,
    check (s_i >= -1000), check (c_i <> 100000));
  create index on vault (c_i); create index on vault (l_t); create index on vault (lower(s_t)); create index on vault using gin (c_j);
  create statistics vault_stats on c_i, l_i, s_i from vault;
  create table ledger (id int primary key, vault_id bigint, memo text, s_t text, s_i int, c_t text, c_i int);
  create table parts (id int, grp int, note text, s_t text, s_i int, c_t text, c_i int) partition by list (grp);
  create table parts_1 partition of parts for values in (1); create table parts_2 partition of parts for values in (2);
  create table elder (id int, note text, s_t text, c_i int); create table younger (toy text) inherits (elder);
  create table plain (id int primary key, grp int, name text, val int, day date);
  create table refs (id int primary key, vault_id bigint references vault (id) on delete cascade);
  create table watched (id int, note text); create table log (at serial, line text);
  create view everything as select * from vault;
  create view lowered as select id, grp, lower(s_t) as low, c_i + 1 as next, l_t as looked, name from vault;
  create view totals as select grp, count(*) as n, max(s_t) as top, sum(c_i) as total, min(val) as least from vault group by grp;
  create view chosen as select id, name, grp from vault where s_b;
  create view joined as select v.id, v.name, l.memo, v.c_t || l.c_t as both, l.s_t from vault v join ledger l on l.vault_id = v.id;
  create view sorted as select id, name from vault order by c_i, id;
  create view barred with (security_barrier) as select id, name, val, s_t, c_t, l_t from vault where val > 3;
  create materialized view kept as select id, grp, s_t, c_i, l_t, name from vault;
  create sequence numbers;
  create function plus(int) returns int language sql immutable as $$ select $1 + 1 $$;
  create function reveal(bigint) returns text language sql stable as $$ select s_t from worlds.vault where id = $1 $$;
  create function many() returns bigint language sql stable as $$ select count(*) from worlds.vault $$;
  create function some_of(int) returns setof worlds.plain language sql stable as $$ select * from worlds.plain where grp = $1 $$;
  create function all_of(int) returns setof worlds.vault language sql stable as $$ select * from worlds.vault where grp = $1 $$;
  create function names(int) returns table (id bigint, name text, c text) language sql stable as $$ select id, name, c_t from worlds.vault where grp = $1 $$;
  create function try(text) returns int language plpgsql as $$ begin return $1::int; exception when others then return -1; end $$;
  create function whose(worlds.vault) returns text language sql stable as $$ select $1.s_t $$;
  create function logs() returns trigger language plpgsql as $$ begin insert into worlds.log (line) values (new.note); return new; end $$;
  create trigger logs after insert or update on watched for each row execute function logs();
`
