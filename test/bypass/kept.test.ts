import { describe, expect, it } from 'vitest'
import { cstring, frontend, int16, int32, message, messages } from '../../agent/inspect/postgres/messages.ts'
import { stand } from './enter.ts'

/** What a change of the schema copies, renames or leads to, and code that others left where a statement runs it without naming it. */
const at = stand({
  prepare: `create extension unaccent; set role app;
    create function first_mail() returns text language sql stable as $$ select email from public.customers where id = 1 $$;
    create function shown(text) returns text language sql immutable as $$ select $1 || (select email from public.customers where id = 1) $$;
    create function wipe() returns text language sql as $$ delete from public.orders where id = 100 returning 'x'::text $$;
    create function code() returns text language sql as $$ select 'A-' || 7 $$;
    create function greet(n text default public.first_mail()) returns text language sql as $$ select n $$;
    create function hello(n text default 'you') returns text language sql as $$ select 'hello ' || n $$;
    create type kind as (a int, b text);
    create table parts (x text) partition by list (x);
    create table loose (x text);
    create table bookings (room int, "from" int, "to" int);
    create table arrays (a int[]); insert into arrays values ('{1}');
    create table welcomed (id int, mail text default public.first_mail(), note text default 'n');
    create table coded (id int, code text default public.code());
    create table checked (id int, note text check (note <> public.first_mail()));
    create domain mail as text default public.first_mail();
    create table typed (id int, mail mail);
    create table indexed (id int, note text); create unique index on indexed (shown(note)); insert into indexed values (1, 'x');
    create table ordered (id int, note text); create index on ordered (id) where shown(note) > 'a';
    create table divided (note text) partition by list (shown(note));
    create function plain(text) returns text language sql immutable as $$ select public.unaccent('public.unaccent', lower($1)) $$;
    create table accented (id int, name text); create index on accented (plain(name));
    create table watched (id int, note text); insert into watched values (1, 'a');
    create function tells() returns trigger language plpgsql as $$ begin raise notice '%', (select email from public.customers where id = 2); return coalesce(new, old); end $$;
    create trigger tells before insert or update or delete on watched for each row execute function tells();
    create domain guessed as text check (value <> public.first_mail());
    create type boxed as (n int, g guessed); create type crate as (b boxed[]);
    create table boxes (id int, b boxed); create table crates (id int, c crate);
    create function welcome(guessed) returns text language sql as $$ select 'hi' $$;
    create function checks(t text) returns text language plpgsql as $$ declare g guessed; begin g := t; return 'fine'; end $$;
    create view casting as select note::guessed from orders;
    create function mine(text) returns boolean language plpgsql as $$ begin return $1 < (select email from public.customers where id = 2); end $$;
    create function tenant() returns text language sql as $$ select current_setting('app.tenant', true) $$;
    create table guarded (id int, note text); insert into guarded values (1, 'a'), (2, 'd');
    alter table guarded enable row level security; alter table guarded force row level security;
    create policy p on guarded using (public.mine(note));
    create table rented (id int, note text); insert into rented values (1, 'a');
    alter table rented enable row level security; alter table rented force row level security;
    create policy p on rented using (note = coalesce(public.tenant(), note));
    create view guards as select id from guarded;
    create view once as select id, note from watched;
    create view twice as select id, note from once;
    create view thrice as select * from twice;
    create view plainly as select id, note from orders;
    create view plain_again as select id, note from plainly;
    reset role`,
  begins: true,
})

const secret = /c\d+@example|900-00-\d/

/** One after the other in a transaction: every byte that came back. */
async function bytes(steps: readonly string[]): Promise<string> {
  let all = ''
  for (const [i, step] of steps.entries()) {
    await at.client.query(`savepoint s${i}`)
    const answer = await at.client.query(step)
    all += answer.bytes.toString('latin1')
    if (answer.errors.length > 0) await at.client.query(`rollback to s${i}`)
  }
  return all
}

async function errors(steps: readonly string[]): Promise<readonly string[]> {
  const out: string[] = []
  for (const step of steps) out.push(...(await at.client.query(step)).errors.map(({ message }) => message))
  return out
}

describe('what is renamed', () => {
  it.each([
    [['alter index customers rename to c2', 'select email from c2 where id = 1']],
    [['alter table customers rename to c2', 'select email from c2 where id = 1']],
    [['alter type customers rename attribute email to e', 'select e from customers where id = 1']],
    [['alter type public.customers rename attribute ssn to e cascade', 'select e from customers where id = 1']],
  ])('does not come out under its new name: %j', async (steps) => {
    expect(await bytes(steps)).not.toMatch(secret)
    // Others would read it in clear once it is over.
    expect((await at.client.query(steps[0] ?? '')).errors).toMatchObject([{ sqlstate: 'SPB01' }])
  })

  it('may not be a view that shows what is masked: who waits for a lock would read it under a name that stood for another', async () => {
    expect(await errors(['alter view contacts rename to people'])).toMatchObject([/public\.customers\.email/])
    expect(await errors(['alter table contacts rename to people'])).toMatchObject([/public\.customers\.email/])
  })

  it('may be an index, a view, or an attribute of a type that is no table', async () => {
    const steps = [
      'create index by_note on orders (note)',
      'alter index by_note rename to notes',
      'alter view plainly rename to people',
      'alter type kind rename attribute b to c',
    ]
    expect(await errors(steps)).toEqual([])
  })

  it('may not be a view whose columns are masked by its name', async () => {
    at.door.people.masked.add('public.plainly.note')
    expect(await errors(['alter view plainly rename to p'])).toMatchObject([/public\.plainly\.note/])
    at.door.people.masked.delete('public.plainly.note')
  })
})

describe('what a definition keeps', () => {
  const mails = "query_to_xml('select ssn, email from public.customers where id < 3', true, false, '')::text"
  const bound = 'select pg_get_expr(relpartbound, oid) from pg_class where relname in ($$part$$, $$loose$$)'

  it.each([
    [[`create table part partition of parts for values in (${mails})`, bound]],
    [['create table part partition of parts for values in (first_mail())', bound]],
    [[`alter table parts attach partition loose for values in (${mails})`, bound]],
    [['create table out (x text, exclude using btree (shown(x) with =))', "insert into out values ('x'), ('x')"]],
    [[`create table out (x text, exclude using btree ((shown(x)) with =))`, "insert into out values ('x'), ('x')"]],
    [["select email into out from customers union all select 'a' union all select 'b'", 'select * from out']],
  ])('shows nothing: %j', async (steps) => {
    expect(await bytes(steps)).not.toMatch(secret)
    expect((await at.client.query(steps[0] ?? '')).errors).toMatchObject([{ sqlstate: 'SPB01' }])
  })

  it('is seen by policy for the code in it', async () => {
    at.door.people.requests.length = 0
    await at.client.query('create table part partition of parts for values in (wipe())')
    expect(at.door.people.requests.map(({ action }) => action)).toContain('sql:unknown')
  })

  it('may be any value of one’s own', async () => {
    await at.client.query('rollback')
    const steps = [
      "create table part partition of parts for values in ('a', lower('B'))",
      "alter table parts attach partition loose for values in ('c')",
      'create table ranged (n int) partition by range (n)',
      'create table low partition of ranged for values from (minvalue) to (10)',
      'create table high partition of ranged for values from (10) to (MAXVALUE)',
      'create table hashed (n int) partition by hash (n)',
      'create table hash0 partition of hashed for values with (modulus 1, remainder 0)',
      'create table rest partition of ranged default',
      'create table rooms (during int4range, f int, t int, exclude using gist (during with &&, int4range(f, t) with &&))',
    ]
    expect(await errors(steps)).toEqual([])
  })
})

describe('what an INSERT computes beside its values', () => {
  const place = 'a[(select right(ssn, 4)::int from customers where id = 7)]'

  it.each([
    [`insert into arrays (${place}) values (5) returning array_lower(a, 1)`],
    [
      `merge into arrays using (values (1)) v(n) on false when not matched then insert (${place}) values (5) returning array_lower(a, 1)`,
    ],
  ])('is refused where it is masked: %s', async (sql) => {
    expect((await at.client.query(sql)).errors).toMatchObject([{ sqlstate: 'SPB01' }])
  })

  it('may be a place of its own', async () => {
    expect(await errors(['insert into arrays (a[1], a[1 + 1]) values (5, 6)'])).toEqual([])
  })
})

describe('code that a statement runs without naming it', () => {
  it.each([
    ['select greet()'],
    ["select greet('x'), greet()"],
    ['insert into welcomed default values returning *'],
    ['insert into welcomed (id) values (1) returning *'],
    ['insert into welcomed values (1, default) returning *'],
    ['insert into typed (id) values (1) returning *'],
    ["insert into checked values (1, 'x')"],
    ["insert into indexed values (1, 'x')"],
    ["update ordered set note = 'y'"],
    ["insert into ordered values (1, 'x')"],
    ["insert into divided values ('x')"],
    ["update twice set note = 'x'"],
    ["update thrice set note = 'x'"],
    ["insert into thrice values (5, 'y')"],
    ['delete from twice where id = 1'],
    ["with u as (update twice set note = 'q' returning id) select * from u"],
    ["do $$ begin update thrice set note = 'do'; end $$"],
    ["merge into thrice t using (values (1)) v(i) on t.id = v.i when matched then update set note = 'm'"],
    ['copy thrice from stdin'],
    ["insert into boxes values (1, row(1, 'c1@example.com'))"],
    ["insert into crates values (1, row(array[row(1, 'c1@example.com')]))"],
    ["update boxes set b.g = 'c1@example.com'"],
    ['select id from guarded'],
    ['select count(*) from guarded'],
    ['select id from guards'],
    ['with g as (select * from guarded) select 1 from g'],
    ["insert into guarded values (3, 'b')"],
    ['delete from guarded where id = 9'],
    ['copy guarded to stdout'],
  ])('shows nothing, and is refused: %s', async (sql) => {
    const { bytes: came, errors: said } = await at.client.query(sql)
    expect(came.toString('latin1')).not.toMatch(secret)
    expect(said).toMatchObject([{ sqlstate: 'SPB01' }])
  })

  it('runs where it touches nothing that is masked', async () => {
    const steps = [
      'select hello()',
      'insert into coded (id) values (1) returning *',
      "update plain_again set note = 'x' where id = 1",
      "insert into accented values (1, 'É')",
      "select id from accented where plain(name) = 'e'",
      'select * from rented',
      "insert into rented values (2, 'b')",
    ]
    expect(await errors(steps)).toEqual([])
  })

  it('is looked at again when a default, a domain or an index changes', async () => {
    await at.client.query('rollback')
    expect(await errors(['insert into coded (id) values (1)', "insert into typed values (1, 'x')"])).toMatchObject([
      /email/,
    ])
    await at.postgres.direct(
      `alter domain mail set default 'nobody'; alter table coded alter code set default public.first_mail();
      create unique index on bookings ((public.shown(room::text)))`,
    )
    await at.door.catalogs.get(at.postgres.target).refresh()
    expect(await errors(['insert into typed (id) values (1)'])).toEqual([])
    expect(await errors(['insert into bookings values (1, 2, 3)'])).toMatchObject([/email/])
    const coded = await at.client.query('insert into coded (id) values (2) returning code')
    expect(coded.bytes.toString('latin1')).not.toMatch(secret)
    expect(coded.errors).toMatchObject([{ sqlstate: 'SPB01' }])
  })

  it('is looked at again when a row policy changes', async () => {
    await at.client.query('rollback')
    expect(await errors(['select id from rented'])).toEqual([])
    await at.postgres.direct('alter policy p on rented using (public.mine(note))')
    await at.door.catalogs.get(at.postgres.target).refresh()
    expect(await errors(['select id from rented'])).toMatchObject([/email/])
    await at.postgres.direct('alter table rented disable row level security')
    await at.door.catalogs.get(at.postgres.target).refresh()
    expect(await errors(['select id from rented'])).toEqual([])
  })

  it.each([
    ['select wipe()', 'sql:delete'],
    ['create table t1 as select wipe()', 'sql:unknown'],
    ['select wipe() into t1', 'sql:unknown'],
    ['create materialized view t1 as select wipe()', 'sql:unknown'],
    ['alter table coded add x text default wipe()', 'sql:unknown'],
    ['alter table coded alter code type text using wipe()', 'sql:unknown'],
    ['explain analyze create table t1 as select wipe()', 'sql:unknown'],
    ['create table t1 as select code()', 'sql:create'],
    ['create view t1 as select wipe()', 'sql:create'],
  ])('is seen by policy: %s', async (sql, action) => {
    at.door.people.requests.length = 0
    await at.client.query(sql)
    expect(at.door.people.requests.at(-1)?.action).toBe(action)
  })

  it('is in the tables that policy sees, through views on views', async () => {
    at.door.people.requests.length = 0
    await at.client.query("update plain_again set note = 'y' where id = 1")
    const tables = at.door.people.requests.flatMap((request) => request.tables ?? [])
    expect(tables).toEqual(expect.arrayContaining(['public.orders', 'public.plainly', 'public.plain_again']))
  })
})

describe('a domain whose check reads what is masked', () => {
  it.each([
    "select 'c1@example.com'::guessed",
    "select guessed 'c1@example.com'",
    "select cast('{c1@example.com}' as guessed[])",
    "select row(1, 'c1@example.com')::boxed",
    `select * from json_populate_record(null::boxed, '{"g": "c1@example.com"}')`,
    `select * from json_populate_record((select b from boxes limit 1), '{"g": "c1@example.com"}')`,
    `select * from json_to_record('{"g": "c1@example.com"}') as t (g guessed)`,
    "select * from xmltable('/a' passing '<a>c1@example.com</a>' columns g guessed path '.')",
    'prepare p (guessed) as select 1',
    "do $$ declare g guessed; begin g := 'c1@example.com'; end $$",
    "do $$ declare b boxed; begin b.g := 'c1@example.com'; end $$",
    "select welcome('c1@example.com')",
    "select checks('c1@example.com')",
    'select * from casting',
    'create table t1 (g guessed)',
    "alter table watched add g guessed default 'c1@example.com'",
    "copy (select 'c1@example.com'::public.guessed) to stdout",
  ])('tells nothing: %s', async (sql) => {
    expect((await at.client.query(sql)).errors).toMatchObject([{ sqlstate: 'SPB01' }])
  })

  it('tells nothing of a parameter either', async () => {
    const { rows } = await at.postgres.direct("select 'public.guessed'::regtype::oid::int as oid")
    const text = message(
      frontend.parse,
      cstring(''),
      cstring('select 1 where $1 is null'),
      int16(1),
      int32(rows[0].oid),
    )
    expect((await at.client.send([text, messages.sync])).errors).toMatchObject([{ sqlstate: 'SPB01' }])
    const plain = message(frontend.parse, cstring(''), cstring('select 1 where $1 is null'), int16(1), int32(25))
    await at.client.query('rollback')
    expect((await at.client.send([plain, messages.sync])).errors).toEqual([])
  })

  it('is no concern of a type beside it', async () => {
    expect(
      await errors([
        "select 1::int, row(1, 'x')::kind",
        'select hello()',
        "do $$ declare k kind; begin k.b := 'x'; end $$",
      ]),
    ).toEqual([])
  })
})

describe('a prepared statement', () => {
  it('does what its parameters do', async () => {
    await at.client.query('prepare pp(text) as select $1 as v')
    for (const use of ['lookup', 'any'] as const) {
      at.door.people.use = use
      at.door.people.epoch++
      await at.client.query('savepoint s')
      const { bytes: came, errors: said } = await at.client.query('execute pp(first_mail())')
      expect(came.toString('latin1')).not.toMatch(secret)
      expect(said).toMatchObject([{ sqlstate: 'SPB01' }])
      await at.client.query('rollback to s')
    }
    at.door.people.use = 'lookup'
    at.door.people.epoch++
    at.door.people.requests.length = 0
    await at.client.query('execute pp(wipe())')
    expect(at.door.people.requests.at(-1)).toMatchObject({ action: 'sql:delete' })
    expect(await errors(["execute pp('x')", 'execute pp(hello())'])).toEqual([])
  })

  it('is not taken for a setting where EXPLAIN runs it', async () => {
    await at.client.query('prepare d as delete from orders where id = 99')
    at.door.people.masked = new Set()
    at.door.people.epoch++
    at.door.people.requests.length = 0
    await at.client.query('explain (analyze, costs off) execute d')
    expect(at.door.people.requests.at(-1)?.action).toMatch(/^sql:(delete|unknown)$/)
  })
})

describe('a table that is about to exist', () => {
  it('is named in the first schema of the path that is there', async () => {
    await at.client.query('set local search_path = nowhere, other, public')
    at.door.people.requests.length = 0
    await at.client.query('create table fresh (id int)')
    expect(at.door.people.requests.at(-1)?.tables).toEqual(['other.fresh'])
  })
})
