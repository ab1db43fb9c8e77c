import { frontend, message } from '../messages.ts'
import { writeStartup } from '../start/startup.ts'
import { ask } from './asking.ts'
import { openDoor } from './door.ts'
import type { TestPostgres } from './postgres.ts'
import { type Heard, say, talk } from './wire.ts'

/** What the scripts expect to find. */
export const prepareScripts = `
    create table inbox(id int, body text); grant all on inbox to open;
    create schema mine authorization open; create table mine.t(a int); insert into mine.t values (1);
    grant all on mine.t to open; create table public.t(a int); insert into public.t values (2); grant all on public.t to open;
    create function make_cursor() returns void language plpgsql as
      $$ declare c refcursor := 'made'; begin open c for select 1 as one; end $$;
    create function make_prepared() returns void language plpgsql as
      $$ begin execute 'prepare by_code as select 5 as five'; end $$`

/** A query of bytes, written as in C. */
function inBytes(text: string): Buffer {
  const bytes = Buffer.from(
    text.replaceAll(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  )
  return message(frontend.query, bytes, Buffer.from([0]))
}

/** What a client hears must be the same, to the byte, with and without a door at which everything is allowed. */
export const scripts: Readonly<Record<string, readonly Buffer[]>> = {
  'what does not parse, in the target’s own words': [
    say.query('selec 1'),
    say.query("select 'a"),
    say.query('select 1; selec 2; select 3'),
    say.query('begin'),
    say.query('select 1 from'),
    say.query('select 2'),
    say.query('rollback'),
    ...ask.named('s', 'selec $1'),
    say.sync,
    say.parse('', 'select 1'),
    say.sync,
    say.parse('', 'selec 2'),
    say.sync,
    ...ask.again(''),
    say.sync,
    say.query("select U&'wrong: +0061' UESCAPE '+'"),
    ...ask.named('two', 'select 1; select 2'),
    say.sync,
    ...ask.again('two'),
    say.sync,
    say.parse('', 'select 1; select 2'),
    ...ask.again(''),
    say.sync,
  ],
  'names that nobody made': [
    say.query('execute nothing'),
    say.query('fetch all from nothing'),
    say.query('close nothing'),
    say.query('deallocate nothing'),
    ...ask.again('nothing'),
    say.sync,
    say.execute('nowhere'),
    say.sync,
    say.describe('S', 'nothing'),
    say.sync,
    say.describe('P', 'nothing'),
    say.sync,
  ],
  'names that code made': [
    say.query('begin'),
    say.query('select make_cursor()'),
    say.query('fetch all from made'),
    say.execute('made'),
    say.sync,
    say.query('commit'),
    say.query('do $$ begin execute $a$ prepare by_do as select 7 as seven $a$; end $$'),
    say.query('execute by_do'),
    say.query('select make_prepared()'),
    say.bindTo('', 'by_code'),
    say.describe('P', ''),
    say.execute(''),
    say.sync,
    say.query('deallocate by_code'),
  ],
  'cursors and prepared statements around statements that can’t be followed': [
    say.query('begin; declare c scroll cursor for select g from generate_series(1, 5) g; prepare p as select 1'),
    say.query('fetch 2 from c'),
    say.query("do $$ begin raise notice 'hello'; end $$"),
    say.query('fetch 1 from c'),
    say.query('execute p'),
    say.query('savepoint a'),
    say.query('select 1/0'),
    say.query('rollback to a'),
    say.query('fetch backward 1 from c'),
    say.query('move last in c'),
    say.query('commit'),
    say.query('fetch 1 from c'),
    say.query('execute p'),
  ],
  'settings and the end of a transaction in one message': [
    say.query('begin; set local search_path to mine; select a from t; commit; select a from t'),
    say.query('set search_path to mine; select a from t'),
    say.query('begin; set search_path to public; rollback; select a from t'),
    say.query('reset search_path; select a from t'),
    say.query('begin; savepoint x; set search_path to mine; rollback to x; select a from t; commit'),
    say.query("select set_config('search_path', 'mine', false)"),
    say.query('select a from t; discard all; select a from t'),
    say.query('commit'),
  ],
  'a failed transaction after a setting': [
    say.query('begin'),
    say.query('set search_path to mine'),
    say.query('select 1/0'),
    ...ask.run('select $1::int', '1'),
    say.sync,
    say.parse('n', 'select a from t'),
    say.sync,
    say.bindTo('', 'n'),
    say.sync,
    say.query('rollback'),
    say.query('select a from t'),
  ],
  'calls by function number': [
    say.call(89),
    say.call(1_000_000_000),
    say.call(1257),
    // lower(text), wrong number of arguments, lo_creat(int4), text to int4 with what is none
    say.call(870, 'SHOUT'),
    say.call(870),
    say.call(870, 'A', 'B'),
    say.query('begin'),
    say.call(764, '0'),
    say.call(1081, 'x', 'y'),
    say.query('select 1'),
    say.query('rollback'),
  ],
  'copy in every direction and format': [
    ...ask.copyIn('copy inbox from stdin', '1\tone\n2\t', 'two\n\\.\n'),
    say.query('copy inbox from stdin (format csv)'),
    say.copyData('3,"th""ree"\n'),
    say.copyFail('changed my mind'),
    ...ask.copyIn('copy inbox from stdin', 'not a number\n'),
    say.query('copy inbox to stdout'),
    say.query('copy inbox to stdout (format csv, header)'),
    say.query('copy (select id from inbox) to stdout (format binary)'),
    say.query('truncate inbox; copy inbox to stdout; select count(*) from inbox'),
  ],
  'binary values and row limits': [
    say.parse('b', 'select $1::int8 + g as n, g::text, now() is null, null::date from generate_series(1, 4) g'),
    say.bindBinary('b', Buffer.from([0, 0, 0, 0, 0, 0, 0, 9])),
    say.describe('P', ''),
    say.executeRows('', 3),
    say.executeRows('', 3),
    say.executeRows('', 3),
    say.sync,
    say.describe('S', 'b'),
    say.bindBinary('b', Buffer.from([1])),
    say.execute(''),
    say.sync,
    say.close('S', 'b'),
    say.close('P', 'never'),
    say.flush,
    say.sync,
  ],
  'notices, warnings and what the server says by itself': [
    say.query('rollback'),
    say.query('set datestyle to sql'),
    say.query("set application_name to 'x'; set timezone to 'UTC'; reset timezone"),
    say.query('set client_encoding to latin1'),
    say.query("select 'é'"),
    say.query('set client_encoding to utf8'),
    say.query("do $$ begin raise warning 'careful' using detail = 'why', hint = 'then', errcode = '01234'; end $$"),
    say.query('drop table if exists nowhere'),
    say.query('create temp table q(a int primary key); insert into q values (1), (1)'),
    say.query('set standard_conforming_strings to on'),
    say.query(''),
    say.query(';;'),
  ],
  'strings in which a backslash escapes': [
    say.query("select 'a\\'"),
    say.query('set standard_conforming_strings to off'),
    say.query("select 'it\\'s', 'a\\\\b' as \"c\\d\", E'\\'', $$\\'$$, 1 /* ' */ -- '"),
    say.query("select 'a\\''\n'b\\'' as two, N'n', b'1', x'f'"),
    say.query("select N'n'"),
    say.query("select U&'d\\0061t'"),
    say.query("select 'open\\'"),
    say.query("select 'x\\'; select 1/0 --'"),
    say.query("set standard_conforming_strings to on; select 'a\\'' as still_off"),
    say.query("select 'a\\', 'b'"),
    ...ask.run('set standard_conforming_strings to off'),
    ...ask.named('later', "select 'in the same segment: \\''"),
    say.sync,
    say.query('begin; set standard_conforming_strings to on'),
    say.query("select 'on\\'"),
    say.query('select 1/0'),
    say.query("rollback; select 'off\\''"),
    say.query("select set_config('standard_conforming_strings', 'on', false)"),
    say.query("select 'on\\'"),
    say.query("do $$ begin perform set_config('standard_conforming_strings', 'off', false); end $$"),
    say.query("select 'off\\''"),
    say.query("update pg_settings set setting = 'on' where name = 'standard_conforming_strings'"),
    say.query("select 'on\\'"),
    say.query('set standard_conforming_strings to maybe'),
    say.query("reset standard_conforming_strings; select 'on\\'"),
  ],
  'row policies that depend on each other': [
    say.query('create table mine.ra (x int); create table mine.rb (y int); insert into mine.ra values (1)'),
    say.query('alter table mine.ra enable row level security; alter table mine.rb enable row level security'),
    say.query('alter table mine.ra force row level security; alter table mine.rb force row level security'),
    say.query('create policy a on mine.ra using (x in (select y from mine.rb))'),
    say.query('create policy b on mine.rb using (y in (select x from mine.ra))'),
    say.query('alter policy a on mine.ra using (x = (select max(y) from mine.rb) or x in (select x from mine.ra))'),
    say.query('create view mine.va as select * from mine.ra'),
    say.query('alter policy b on mine.rb using (y in (select x from mine.va))'),
    say.query(
      'select x + 0 from mine.ra; select y + 0 from mine.rb; select x + 0 from mine.va; insert into mine.ra values (2)',
    ),
    say.query('drop table mine.ra, mine.rb cascade'),
  ],
  'client encodings': [
    say.query('set client_encoding to win1252'),
    inBytes('select \'caf\\xe9 \\x80\' as "na\\xefve"'),
    inBytes('select * from "\\xe9t\\xe9"'),
    say.query('set client_encoding to euc_jp'),
    inBytes("select '\\xc6\\xfc' as one, length('\\xc6\\xfc')"),
    inBytes("select '\\xc6'"),
    say.query('set client_encoding to sjis'),
    say.query("select 'ascii'"),
    say.query('set client_encoding to no_such'),
    say.query('reset client_encoding'),
  ],
  'a pipeline that breaks': [
    ...ask.run('select 1'),
    ...ask.run('select 1/0'),
    ...ask.named('later', 'select 2'),
    say.sync,
    say.parse('', 'select 3; select 4'),
    say.sync,
    ...ask.run(''),
    say.sync,
  ],
}

/**
 * What a client that signs in as `open` hears for a script: at the target itself, and through a door at which everything is allowed.
 */
export async function both(
  postgres: Pick<TestPostgres, 'target' | 'direct'>,
  script: readonly Buffer[],
  hear: (messages: readonly Heard[]) => string[] = heard,
): Promise<{ direct: string[]; through: string[] }> {
  const target = { ...postgres.target, user: 'open' }
  const startup = writeStartup([
    ['user', 'open'],
    ['database', target.database],
  ])
  const door = await openDoor(target)
  // As native tools are served.
  door.people.annotations = 'text'
  door.people.masked = new Set()
  try {
    const clean = 'truncate inbox'
    await postgres.direct(clean)
    const through = hear(await talk(door.port, script))
    await postgres.direct(clean)
    const direct = hear(await talk(target.port, script, startup))
    return { direct, through }
  } finally {
    await door.close()
  }
}

/** What a sign-in consists of, with the words of its notices; keys and how many parameters there are is each way's own. */
export function greeted(messages: readonly Heard[]): string[] {
  const said = messages.map(({ type, bytes }) => (type === 'N' ? `N ${bytes.toString('latin1', 5)}` : type))
  return said.filter((one, i) => one !== 'S' || said[i - 1] !== 'S')
}

/** After the first ReadyForQuery: before it each way has its own keys and sign-in. A temporary schema is numbered by its process. */
function heard(messages: readonly Heard[]): string[] {
  const ready = messages.findIndex((one) => one.type === 'Z')
  return messages
    .slice(ready + 1)
    .map(({ type, bytes }) => `${type} ${bytes.toString('latin1', 5).replaceAll(/pg_temp_\d+/g, 'pg_temp')}`)
}
