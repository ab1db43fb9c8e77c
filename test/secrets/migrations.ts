import type { Writer } from './writer.ts'

/** What migrations do in one transaction: definitions change, and what they are by then is used before COMMIT. */

const tables = ['ledger', 'parts', 'parts_1', 'elder', 'younger', 'plain', 'refs', 'watched', 'made', 'other'] as const
const names = ['ledger', 'parts', 'plain', 'elder', 'made', 'other', 'spare', 'kept', 'lowered', 'vault'] as const
const columns = ['s_t', 's_i', 'c_t', 'c_i', 'id', 'memo', 'note', 'name', 'val', 'grp', 'vault_id', 'x', 'y'] as const
const types = ['text', 'int', 'bigint', 'varchar(20)', 'serial', 'text[]', 'mood', 'short', 'pair', 'ledger'] as const

export function migration(w: Writer): string[] {
  const steps = ['begin']
  for (let i = 2 + w.pick(6); i > 0; i--) steps.push(w.pick(5) < 3 ? change(w) : use(w))
  steps.push(use(w), use(w), w.seldom(6) ? 'commit' : w.one(['rollback', 'rollback', 'savepoint a']))
  steps.push(use(w), 'rollback', use(w))
  return steps
}

function change(w: Writer): string {
  const [of, name, column, other, type] = [w.one(tables), w.one(names), w.one(columns), w.one(columns), w.one(types)]
  return w.one<() => string>([
    () => `alter table ${of} rename to ${name}`,
    () => `alter table ${of} rename column ${column} to ${other}`,
    () => `alter table ${of} rename column ${column} to ${w.one(['x', 'y', 's_x', 'c_x'])}`,
    () =>
      `alter table ${of} add column ${column} ${type}${w.maybe(w.one([" default 'x'", ' default 1', ' unique', ' references vault (id)', ' not null']))}`,
    () => `alter table ${of} add column ${w.one(['x', 'y'])} ${type}, drop column ${column}`,
    () => `alter table ${of} drop column ${column}${w.maybe(' cascade')}`,
    () => `alter table ${of} alter column ${column} type ${type}${w.maybe(` using ${other}::${type}`)}`,
    () =>
      `alter table ${of} add constraint made ${w.one([`unique (${column})`, `check (${column} is not null)`, `foreign key (${column}) references ${w.one(['vault', 'plain', 'made'])} (id)`, `primary key (${column})`])}`,
    () =>
      `alter table ${of} ${w.one([`alter ${column} set default ${w.one(["'x'", '1'])}`, `alter ${column} drop not null`, `inherit elder`, 'no inherit elder', 'set schema scratch', 'disable trigger all', 'enable row level security', `set (fillfactor = 50)`])}`,
    () =>
      `alter view ${w.one(['lowered', 'joined', 'totals', 'barred', 'made'])} rename ${w.one([`to ${name}`, `column ${w.one(['low', 'looked', 'name', 'memo'])} to x`])}`,
    () => `create table ${w.one(['made', 'other', name])} (id int primary key, ${column} ${type}, ${other} text)`,
    () =>
      `create ${w.maybe('temp ')}table ${w.one(['made', 'other'])} (${column} int, x text${w.one(['', ', check (x <> $$q$$)', ', unique (x)'])})`,
    () => `create table ${w.one(['made', 'other'])} (like ${of})`,
    () => `create table ${w.one(['made', 'other'])} as select ${column}, ${other} from ${of}`,
    () => `create table ${w.one(['made', 'other'])} partition of parts for values in (7)`,
    () => `create table ${w.one(['made', 'other'])} (toy text) inherits (${of})`,
    () =>
      `create ${w.maybe('or replace ')}view ${w.one(['made', 'other', 'lowered'])} as select ${column}, ${other} as x from ${of}`,
    () =>
      `create ${w.maybe('or replace ')}function plus(int) returns int language sql as $$ select ${w.one(['$1', 's_i from ledger limit 1', '2'])} $$`,
    () =>
      `create function whatever() returns text language sql begin atomic select ${column}::text from ${of} limit 1; end`,
    () => `create index on ${of} (${column})`,
    () => `create trigger made after insert on ${of} for each row execute function logs()`,
    () => `drop table ${w.maybe('if exists ')}${of}${w.maybe(' cascade')}`,
    () => `drop view ${w.one(['lowered', 'joined', 'totals', 'barred', 'everything', 'made'])}${w.maybe(' cascade')}`,
    () => `alter type ${w.one(['pair', 'mood', 'short'])} rename to ${w.one(['pair2', 'mood', 'x'])}`,
    () => 'create schema other_schema',
    () => `set search_path = ${w.one(['worlds', 'scratch, worlds', 'worlds, scratch', 'pg_temp, worlds'])}`,
    () => 'savepoint a',
    () => 'rollback to a',
    () => 'release a',
  ])()
}

function use(w: Writer): string {
  const [of, column, other] = [w.one([...tables, ...names]), w.one(columns), w.one(columns)]
  return w.one<() => string>([
    () => `select * from ${of}`,
    () => `select * from ${of}`,
    () => `select ${column}, ${other} from ${of}`,
    () => `select ${column} from ${of} order by id`,
    () => `select t, t.${column} from ${of} t`,
    () => `select row_to_json(t) from ${of} t`,
    () => `select max(${column}::text) from ${of}`,
    () => `select count(*) from ${of} where ${column}::text > 'a'`,
    () => `insert into ${of} (id, ${column}) values (90, ${w.one(["'x'", '1'])}) returning *`,
    () => `insert into ${of} select * from ${w.one(tables)} returning *`,
    () => `insert into made (id, ${column}) select id, ${other} from ${of}`,
    () => `insert into other (x) select ${column}::text from ${of}`,
    () => `update ${of} set ${column} = ${other} returning *`,
    () => `update ${of} set ${column} = (select ${other} from ${w.one(tables)} limit 1) returning ${column}`,
    () => `delete from ${of} where id = 1 returning *`,
    () => `copy ${of} to stdout`,
    () => `select * from ${w.one(['lowered', 'joined', 'totals', 'barred', 'everything', 'kept', 'made'])}`,
    () => `select plus(val) from plain`,
    () => `explain (verbose, costs off) select ${column} from ${of}`,
    () => `table ${of}`,
    () => `truncate ${of}`,
    () => w.query(0),
  ])()
}
