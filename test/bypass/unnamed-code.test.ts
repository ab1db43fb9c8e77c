import { describe, expect, it } from 'vitest'
import { stand } from './enter.ts'

const mails =
  "(xpath('//email/text()', query_to_xml('select email from public.customers where id = 1', true, false, '')))[1]::text"

/** Code that others left where a statement runs it by what it does, and by no name of a function: casts, operators, conditions, policies. */
const at = stand({
  prepare: `create extension citext; create extension pg_trgm; create extension hstore; set role app;
    create function mail_of(bigint) returns text language sql stable as $$ select email from public.customers where id = $1 $$;
    create function mails_of(bigint, bigint) returns text language sql stable as $$ select public.mail_of($1) $$;
    create type boxed as (e text);
    create function boxes(bigint) returns boxed language sql stable as $$ select row(public.mail_of($1))::public.boxed $$;
    create cast (bigint as boxed) with function boxes(bigint) as implicit;
    create function unboxes(boxed) returns text language sql stable as $$ select public.mail_of(2) $$;
    create cast (boxed as text) with function unboxes(boxed) as implicit;
    create table holds (id int, x boxed); insert into holds values (1, row('a'));
    create function orders_text(orders) returns text language sql stable as $$ select public.mail_of(3) $$;
    create cast (orders as text) with function orders_text(orders);
    create function points(point) returns int language sql stable as $$ select length(public.mail_of(4)) $$;
    create operator <<>> (leftarg = bigint, rightarg = bigint, function = mails_of);
    create schema evil; create operator evil.|| (leftarg = bigint, rightarg = bigint, function = mails_of);
    create type twin as (e text); create table twins (id int, x twin); insert into twins values (1, row('c1'));
    create function alike(twin, twin) returns boolean language sql stable as $$ select public.mail_of(1) like $1.e || '%' $$;
    create operator evil.= (leftarg = twin, rightarg = twin, function = alike);
    create table asks (id int, note text);
    create function quiet() returns trigger language plpgsql as $$ begin raise notice 'right'; return new; end $$;
    create trigger asks before insert on asks for each row when (new.note = public.mail_of(1)) execute function quiet();
    create table shows (id int, note text default ${mails}); create table tests (id int, note text check (note <> ${mails}));
    create domain mailed as text default ${mails}; create table domained (id int, m mailed);
    create domain read as text check (value <> pg_read_file('PG_VERSION'));
    create table moves (id int, x text default set_config('search_path', 'other', false));
    create table guarded (id int, note text); insert into guarded values (1, 'x'), (2, 'c1@example.com');
    create policy p on guarded using (note = (select email from public.customers where id = 1));
    create table guessed (id int, email text); insert into guessed values (1, 'someone@example.org');
    create policy p on guessed using (email like current_setting('app.guess', true) || '%');
    create function guess() returns text language sql stable as $$ select current_setting('app.guess', true) $$;
    create table guessed_too (id int, email text); create policy p on guessed_too using (email > public.guess());
    create table checked (id int, note text);
    create policy r on checked for select using (true);
    create policy w on checked for insert with check (note <> (select email from public.customers where id = 1));
    create domain guess as text check (value <> public.mail_of(1));
    create type pair as (n int, g guess);
    create table lists (id int, gs guess[], p pair); insert into lists values (1, '{a}', row(1, 'a'));
    create function is_email(t text) returns boolean language sql immutable as $$ select t like '%@%' $$;
    create domain email as text check (public.is_email(value)); create table contacts_2 (id int, mail email);
    create table mine (id int, email text); insert into mine values (1, 'app'), (2, 'c2@example.com');
    create policy p on mine using (email = current_user);
    create table by_setting (id int, email text, owner text); insert into by_setting values (1, 'c3@example.com', 'a');
    create policy p on by_setting using (email = current_setting('app.me', true) or owner = 'a');
    create table by_mail (id int, email text); insert into by_mail values (1, 'c3@example.com');
    create policy p on by_mail using (email = current_setting('app.me', true));
    create function add_money(boxed, boxed) returns boxed language sql immutable as $$ select $1 $$;
    create operator + (leftarg = boxed, rightarg = boxed, function = add_money);
    create table words (id int, word citext, tags hstore); insert into words values (1, 'Word', 'a=>1');
    create view similar_words as select id, word, tags -> 'a' as tag from words where word = 'word' and word % 'wort';
    do $$ declare t text; begin
      foreach t in array array['guarded', 'guessed', 'guessed_too', 'checked', 'mine', 'by_setting', 'by_mail'] loop
        execute format('alter table %I enable row level security, force row level security', t);
      end loop; end $$;
    reset role`,
  opened: (door) => {
    for (const table of ['guessed', 'guessed_too', 'mine', 'by_setting', 'by_mail'])
      door.people.masked.add(`public.${table}.email`)
  },
})

const secret = /c\d+@example|900-00-\d/i

describe('code that runs without its name', () => {
  it.each([
    // Casts
    'select (1::bigint)::boxed',
    'select ((1::bigint)::boxed).e',
    'select cast(id::bigint as public.boxed) from orders',
    "select (row('a')::boxed)::text",
    'select x::text from holds',
    'select upper(x) from holds',
    'insert into holds values (2, 3::bigint) returning x',
    'update holds set x = 3::bigint returning x',
    'select o::text from orders o',
    'do $$ declare b boxed; begin b := 1::bigint; raise notice $m$%$m$, b; end $$',
    // Operators
    'select 1::bigint <<>> 2',
    'set search_path = public, evil; select 1::bigint || 2::bigint',
    'set search_path = public, evil; select id::bigint || id::bigint from orders limit 1',
    'select id::bigint operator(evil.||) 1::bigint from orders limit 1',
    "set search_path = public, evil; select row('c1')::twin = row('x')::twin",
    "set search_path = public, evil; select id from twins where x = row('c1')::twin",
    "set search_path = public, evil; select id from twins where x in (row('c1')::twin)",
    "set search_path = public, evil; select case x when row('c1')::twin then 1 end from twins",
    'set search_path = public, evil; select count(*) from twins a join twins b using (x)',
    'set search_path = public, evil; select id from twins where x = any (select x from twins)',
    // Conditions, defaults and checks
    "insert into asks values (1, 'c1@example.com')",
    "update asks set note = 'x' where id = 9; insert into asks select 2, 'x'",
    'insert into shows default values returning *',
    'insert into shows (id) values (1) returning *',
    "insert into tests values (1, 'c1@example.com')",
    'insert into domained (id) values (1) returning *',
    "select 'x'::read",
    'insert into moves (id) values (1)',
    // Row policies
    'select * from guarded',
    'select count(*) from guarded',
    "insert into guarded values (3, 'c1@example.com')",
    'delete from guarded where id = 1',
    'copy guarded to stdout',
    "set app.guess = 's'; select id from guessed",
    'select id from guessed_too',
    "insert into checked values (1, 'c1@example.com')",
    // A literal beside a column of such a type
    "select id from lists where gs = '{c1@example.com}'",
    "select array_append(gs, 'c1@example.com') from lists",
    "select array_position(gs, 'c1@example.com') from lists",
    "select coalesce(p, '(1,c1@example.com)') from lists",
    "select gs from lists union all select '{c1@example.com}'",
    "update lists set gs = '{c1@example.com}'",
    `do $$ declare x U&"g\\0075ess"; begin x := 'c1@example.com'; end $$`,
    "do $$ declare r lists%rowtype; begin r.gs := '{c1@example.com}'; end $$",
    // The type by its number
    "select domain_in('c1@example.com', (select oid from pg_type where typname = 'gu' || 'ess'), -1) is null",
    "select array_in('{c1@example.com}', (select oid from pg_type where typname = 'gu' || 'ess'), -1)",
    "select record_in('(1,c1@example.com)', (select oid from pg_type where typname = 'pa' || 'ir'), -1)",
    "do $$ begin perform array_in('{c1@example.com}', (select oid from pg_type where typname = 'gu' || 'ess'), -1); end $$",
  ])('shows nothing, and is refused: %s', async (sql) => {
    const { bytes, errors } = await at.client.query(sql)
    expect(bytes.toString('latin1')).not.toMatch(secret)
    expect(errors).toMatchObject([{ sqlstate: 'SPB01' }])
  })

  it.each([
    "select 'a@b'::email",
    "insert into contacts_2 values (1, 'a@b')",
    "do $$ declare e email; begin e := 'a@b'; end $$",
    "select is_email('x')",
    'select id from lists',
    'select id from holds',
    'select * from similar_words',
    "select word = 'WORD', word || 'x', word % 'wort' from words",
    "select tags -> 'a', tags ? 'b' from words",
    "select * from words where word = 'WORD'",
    "select name from customers where email = 'c1@example.com'",
    "select 'a' || note, id + 1, id = any (array[1, 2]) from orders where note = 'note 1'",
    'select name from customers where email = current_user',
    "select name from customers where email = current_setting('app.me', true)",
    'select id from mine',
    "set app.me = 'c3@example.com'; select id from by_mail",
    'select * from checked',
    "insert into asks select 1, 'x' where false and asks_ is null from (select 1 as asks_) s",
  ])('runs where it touches nothing that is masked: %s', async (sql) => {
    const { errors, bytes } = await at.client.query(sql)
    expect(errors.filter(({ sqlstate }) => sqlstate.startsWith('SP'))).toEqual([])
    expect(bytes.toString('latin1')).not.toMatch(secret)
  })

  it('is followed where a policy compares what may not be looked up', async () => {
    at.door.people.use = 'none'
    at.door.people.epoch++
    const own = await at.client.query('select id from mine')
    const steered = await at.client.query("set app.me = 'c3@example.com'; select id from by_mail")
    at.door.people.use = 'lookup'
    at.door.people.epoch++
    expect([own.errors, own.rows]).toEqual([[], 1])
    expect(steered.errors).toMatchObject([{ sqlstate: 'SPB01' }])
  })

  it('is read again when a policy, a cast or an operator comes or goes', async () => {
    const read = async (sql: string) => (await at.client.query(sql)).errors.map(({ sqlstate }) => sqlstate)
    const again = async (sql: string): Promise<void> => {
      await at.postgres.direct(`set role app; ${sql}; reset role`)
      await at.door.catalogs.get(at.postgres.target).refresh()
    }
    expect(await read('select * from contacts_2')).toEqual([])
    await again('create operator ~~~> (leftarg = bigint, rightarg = bigint, function = mails_of)')
    expect(await read('select 1::bigint ~~~> 2')).toEqual(['SPB01'])
    await again(
      'create or replace function mails_of(bigint, bigint) returns text language sql stable as $$ select $1::text $$',
    )
    expect(await read('select 1::bigint ~~~> 2')).toEqual([])
    await again('alter table guarded rename column note to words')
    expect(await read('select * from guarded')).toEqual(['SPB01'])
    await again('alter policy p on guarded using (true)')
    expect(await read('select * from guarded')).toEqual([])
    // Its policy looks at a table whose own looks at it: PostgreSQL says that for who is no owner.
    await again(
      'create policy round on guarded using (exists (select from mine)); create policy back on mine using (exists (select from guarded))',
    )
    expect(await read('select * from guarded')).toEqual(['SPB01'])
    await again('drop policy round on guarded; drop policy back on mine')
    expect(await read('select * from guarded')).toEqual([])
    await again('drop cast (boxed as text)')
    expect(await read('select x::text from holds')).toEqual(['SPB01'])
    await again('drop cast (bigint as boxed)')
    expect(await read('select x::text from holds')).toEqual([])
    await at.postgres.direct('create cast (point as int) with function points(point) as assignment')
    await at.door.catalogs.get(at.postgres.target).refresh()
    expect(await read("insert into orders (id) values (point '(1,1)')")).toEqual(['SPB01'])
    expect(await read('select id from orders')).toEqual([])
  })
})

describe('what is refused for code that nobody named', () => {
  it.each([
    [
      'select mail_of(1)',
      /^Blocked by mask-pii: the function public\.mail_of looks at public\.customers\.email \(pii\)/,
    ],
    [
      "select 'x'::guess",
      /a domain’s check, a cast or a comparison of a type’s values looks at public\.customers\.email \(pii\)/,
    ],
    ['select 1::bigint <<>> 2', /the operator public\.<<>> looks at public\.customers\.email \(pii\)/],
    ["insert into asks values (1, 'x')", /index or trigger of public\.asks looks at public\.customers\.email \(pii\)/],
    [
      "insert into checked values (1, 'x')",
      /a row policy of public\.checked looks at public\.customers\.email \(pii\)/,
    ],
    ['do $$ begin perform mail_of(1); end $$', /the DO block looks at public\.customers\.email \(pii\)/],
    [
      'select nothing(1), email from customers',
      /the function nothing is not known here.* It reads public\.customers\.email \(pii\), masked for you\./,
    ],
    [
      "select 1 from customers where ssn like '9%' and mail_of(1) is null",
      /computes by public\.customers\.ssn \(pii\)/,
    ],
  ])('says what it is, and which column it is about: %s', async (sql, words) => {
    expect((await at.client.query(sql)).errors).toMatchObject([{ message: expect.stringMatching(words) }])
  })
})
