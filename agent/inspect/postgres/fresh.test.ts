import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask } from './testing/asking.ts'
import { type Door, openDoor } from './testing/door.ts'
import { startPostgres, type TestPostgres } from './testing/postgres.ts'
import { say, summary, talk } from './testing/wire.ts'

/** Tables that a transaction makes, fills and reads before it is committed, as migrations do. */

let postgres: TestPostgres
let door: Door

beforeAll(async () => {
  postgres = await startPostgres()
  door = await openDoor(postgres.target)
})
afterAll(async () => {
  await door?.close()
  await postgres?.close()
})

describe('a table that its transaction changes', () => {
  beforeAll(async () => {
    await postgres.direct(`set role app; create type state as enum ('a', 'b');
      create table things(id serial primary key, name varchar(10), old int, state state default 'a', payload json);
      create table parts(id serial primary key, thing int, label text); create view labels as select label from parts;
      insert into things(name) values ('one'); insert into parts(thing, label) values (1, 'x'); reset role`)
  })

  it.each([
    'alter table things add column more int not null default 3',
    'alter table things alter column name type text, alter column name set not null, alter column name set default 1',
    'alter table things drop column old cascade',
    'alter table things drop column if exists old, add column if not exists name text',
    'alter table parts add constraint of_thing foreign key (thing) references things on delete cascade',
    'alter table things add constraint named unique (name), add check (old > 0)',
    'alter table things add constraint named unique (name); alter table things drop constraint named cascade',
    'create table if not exists things (id int)',
    "alter type state add value 'c'",
    'create type state_2 as enum ($$a$$); alter table things alter column state drop default, alter column state type state_2 using state::text::state_2; drop type state; alter type state_2 rename to state',
    "do $d$ begin create type mood as enum ('x'); exception when duplicate_object then null; end $d$; alter table things add column mood mood",
    'drop table if exists gone cascade',
    'create schema made; create table made.gone (id int); drop table made.gone cascade',
  ])('is used before COMMIT: %s', async (ddl) => {
    const client = await door.client()
    await client.query('begin')
    for (const one of [ddl, 'create index on things (name)', 'update things set name = $$1$$ where id = 1'])
      await client.query(one)
    expect(
      (
        await client.query(
          'select t.name, p.label, c.email from things t join parts p on p.thing = t.id join customers c on c.id = t.id',
        )
      ).rows,
    ).toEqual([{ name: '1', label: 'x', email: '***.com' }])
    await client.query('insert into things(name) values ($1)', ['2'])
    await client.query('rollback')
    await client.end()
  })

  it('is used under the names that it gave', async () => {
    const client = await door.client()
    await client.query('begin')
    await client.query('alter table things rename column name to called')
    await client.query('alter table things rename to objects')
    await client.query('alter table objects add column more text')
    await client.query("insert into objects(called, more) values ('b', 'c')")
    expect((await client.query('select called, more from objects order by id')).rows).toEqual([
      { called: 'one', more: null },
      { called: 'b', more: 'c' },
    ])
    await client.query('rollback')
    expect((await client.query('select name from things')).rows).toEqual([{ name: 'one' }])
    await client.end()
  })

  it('may have gone, and another of its name been made', async () => {
    const client = await door.client()
    await client.query('begin')
    await client.query('drop table if exists things cascade')
    await client.query('create table things(id int, said text)')
    await client.query('alter table things add column more int')
    await client.query("insert into things values (1, 'y', 2)")
    expect((await client.query('select * from things')).rows).toEqual([{ id: 1, said: 'y', more: 2 }])
    await client.query('rollback')
    await client.end()
  })

  it('keeps its masks, and a column that is added has those of its name', async () => {
    door.people.masked.add('public.customers.secret')
    const client = await door.client()
    await client.query('begin')
    await client.query("alter table customers add column open text default 'o', add column secret text default 's'")
    expect((await client.query('select email, ssn, open, secret from customers where id = 1')).rows).toEqual([
      { email: '***.com', ssn: '***0001', open: 'o', secret: null },
    ])
    for (const sql of [
      'select customers from customers',
      'update customers set open = email where id = 1',
      'select upper(email) from customers',
    ]) {
      await client.query('savepoint s')
      const shown = await client.query(sql).then(
        ({ rows }) => JSON.stringify(rows),
        ({ message }: Error) => message,
      )
      expect(shown).not.toMatch(/@example/i)
      await client.query('rollback to s')
      await client.query('select 1')
    }
    await client.query('rollback')
    door.people.masked.delete('public.customers.secret')
    await client.end()
  })

  it('is not known where another session changed it first', async () => {
    const client = await door.client()
    await client.query('select old from things')
    await postgres.direct('begin; alter table things rename column old to secret')
    door.people.masked.add('public.things.secret')
    await client.query('begin')
    const waiting = client.query('alter table things add column more int')
    await postgres.direct('commit')
    await waiting
    const shown = await client.query('select * from things').then(
      ({ rows }) => JSON.stringify(rows),
      ({ code }: { code: string }) => code,
    )
    expect(shown).toBe('SPB01')
    await client.query('rollback')
    await postgres.direct('alter table things rename column secret to old')
    door.people.masked.delete('public.things.secret')
    await client.end()
  })
})

describe('a table that its transaction made', () => {
  it('is filled, changed and read before COMMIT', async () => {
    const client = await door.client()
    await client.query('begin')
    await client.query(
      "create table made(id serial primary key, parent int references made(id), customer int references customers(id), note varchar(20) default 'x', at timestamptz default now(), tags text[])",
    )
    await client.query('alter table made add constraint made_note unique (note)')
    await client.query('create index on made (customer)')
    await client.query('alter table made add column more int not null default 0')
    await client.query("comment on table made is 'made'")
    expect((await client.query("insert into made(customer, note) values (1, 'a') returning id, note")).rows).toEqual([
      { id: 1, note: 'a' },
    ])
    await client.query('insert into made(customer, note) values ($1, $2)', [2, 'b'])
    await client.query('update made set note = upper(note) where id = 2')
    expect(
      (
        await client.query(
          'select m.note, m.more, c.name, c.email from made m join customers c on c.id = m.customer order by 1',
        )
      ).rows,
    ) // one of each
      .toEqual([
        { note: 'B', more: 0, name: 'Name 2', email: '***.com' },
        { note: 'a', more: 0, name: 'Name 1', email: '***.com' },
      ])
    await client.query('commit')
    expect((await client.query('select note, tags from made order by id')).rows).toEqual([
      { note: 'a', tags: null },
      { note: 'B', tags: null },
    ])
    await client.query('drop table made')
  })

  it.each([
    [
      'create table made as select id, name, 1 + id as more from customers',
      'select more, made.name from made where id = 1',
    ],
    ['select id as more, name into temp made from customers', 'select * from made where more = 1'],
    ['create temp table made(more, name) on commit drop as values (1, $$Name 1$$)', 'select more, name from made'],
    ['create table if not exists made(more int, name text)', 'insert into made values (1, $$Name 1$$) returning *'],
    ['create table if not exists made as select 1 as more, $$Name 1$$::text as name', 'select * from made'],
  ])('is read before COMMIT: %s', async (make, read) => {
    const client = await door.client()
    await client.query('begin')
    await client.query(make)
    await client.query('create index on made (more)')
    await client.query('alter table made add column last int default 7')
    const shown = (await client.query(read)).rows.at(0)
    const joined = 'select m.last, email from made m join customers c on c.name = m.name where c.id = 1'
    const first = (await client.query(joined)).rows.at(0)
    await client.query('rollback')
    expect([shown, first]).toMatchObject([{ name: 'Name 1' }, { last: 7, email: '***.com' }])
    await expect(client.query('select 1 from made')).rejects.toMatchObject({
      code: expect.stringMatching(/42P01|SPB01/),
    })
    await client.end()
  })

  it('is another than it says, where somebody else made one first', async () => {
    const client = await door.client()
    await client.query('begin')
    await client.query('select 1 from customers')
    await postgres.direct(
      'set role app; create view public.raced as select 1 as id, email as note from customers; reset role',
    )
    try {
      await client.query('create table if not exists raced(id int, note text)')
      const shown = await client.query('select upper(note) as note from raced order by 1 limit 1').then(
        ({ rows }) => rows,
        ({ message }: Error) => message,
      )
      expect(JSON.stringify(shown)).not.toMatch(/@example/i)
      await client.query('rollback')
      // In the same text and in a pipeline nothing can be read between.
      const text = 'begin; create table if not exists raced_2(id int, note text); select note from raced_2'
      await expect(client.query(text)).rejects.toMatchObject({ code: 'SPB01' })
      const pipeline = [
        ...ask.run('create table if not exists raced_2(id int, note text)'),
        ...ask.run('select note from raced_2'),
        say.sync,
      ]
      expect(summary(await talk(door.port, pipeline)).join()).toContain('SPB01')
    } finally {
      await client.end()
      await postgres.direct('drop view public.raced')
    }
  })

  it('is what its transaction made of that name while more was shown', async () => {
    const client = await door.client()
    const shows = (email: boolean): void => {
      if (email) door.people.masked.delete('public.customers.email')
      else door.people.masked.add('public.customers.email')
      door.people.epoch++
    }
    await client.query('begin')
    shows(true)
    try {
      await client.query('create view later as select email as a from customers')
    } finally {
      shows(false)
    }
    await client.query('create table if not exists later(a text)')
    const shown = await client.query('select upper(a) from later limit 1').then(JSON.stringify, String)
    expect(shown).toContain('Blocked by sallyport')
    await client.end()
  })

  it('is known within one text, and in a pipeline', async () => {
    const client = await door.client()
    await client.query(`create table whole(id int primary key, note text); create table pieces(id int, made int);
      alter table pieces add foreign key (made) references whole (id); insert into whole values (1, 'a'); insert into pieces values (1, 1)`)
    expect((await client.query('select note from whole join pieces on made = whole.id')).rows).toEqual([{ note: 'a' }])
    await client.query('drop table pieces, whole')
    const pipeline = [
      ...ask.run('create temp table whole(id int, note text) on commit drop'),
      ...ask.run("insert into whole values (1, 'b')"),
      ...ask.run('select note from whole'),
      say.sync,
    ]
    expect(summary(await talk(door.port, pipeline))).toEqual([
      ...['1', '2', 'C CREATE TABLE', '1', '2', 'C INSERT 0 1', '1', '2', 'D b', 'C SELECT 1', 'Z I'],
    ])
  })

  it('has columns of an enumeration that the transaction made as well, and of no type with code', async () => {
    const client = await door.client()
    await client.query('begin')
    await client.query("create type mood as enum ('good', 'bad')")
    await client.query("create table moods(id serial primary key, mood mood default 'good')")
    await client.query('create index on moods (mood)')
    expect((await client.query("insert into moods(mood) values ('bad') returning mood")).rows).toEqual([
      { mood: 'bad' },
    ])
    expect((await client.query('select email from customers where id = 1')).rows).toEqual([{ email: '***.com' }])
    await client.query('rollback')
    await postgres.direct(`set role app; create function leaks(text) returns boolean language plpgsql as $$ begin
      raise notice '%', (select email from public.customers limit 1); return true; end $$;
      create domain coded as text check (leaks(value)); reset role`)
    await client.query('create table settled(a int)')
    await client.query('begin')
    await client.query('create table moods(a coded)').catch(() => {})
    await expect(client.query("insert into moods values ('x')")).rejects.toMatchObject({
      code: expect.stringMatching(/SPB01|25P02|42P01/),
    })
    expect(client.notices.filter(({ message }) => message.includes('@example'))).toEqual([])
    await client.query('rollback')
  })

  it('takes COPY', async () => {
    const copied = await talk(door.port, [
      say.query('begin; create table whole(id int, note text)'),
      ...ask.copyIn('copy whole from stdin', '1\ta\n'),
      say.query('copy whole to stdout'),
      say.query('rollback'),
    ])
    expect(summary(copied)).toEqual([
      ...['C BEGIN', 'C CREATE TABLE', 'Z T', 'G', 'C COPY 1', 'Z T', 'H', 'd 1\ta', 'c', 'C COPY 1', 'Z T'],
      ...['C ROLLBACK', 'Z I'],
    ])
  })

  it('is masked by its name, as it will be once it is committed', async () => {
    door.people.masked.add('public.made.secret')
    const client = await door.client()
    await client.query('begin')
    await client.query('create table made(id int, secret text)')
    await client.query("insert into made values (1, 'hush')")
    expect((await client.query('select id, secret from made')).rows).toEqual([{ id: 1, secret: null }])
    await client.query('rollback')
  })

  it.each([
    [
      'a column with a mask is copied into',
      'create table made(a text)',
      'insert into made select email from customers',
    ],
    [
      'it hides another table',
      'create temp table customers(id int, email text)',
      'rollback; select email from customers where id = 1',
    ],
    [
      'a savepoint takes it back',
      'savepoint s; create temp table customers(id int, email text); rollback to s',
      'select upper(email) from customers where id = 1',
    ],
    [
      'it is dropped',
      'create temp table customers(id int, email text); drop table customers',
      'select upper(email) from customers where id = 1',
    ],
    [
      'another takes its name',
      'create table made(a text); drop table made; create view made as select email from customers',
      'select a from made',
    ],
    [
      'it becomes a part of another',
      'create table made(id int, name text, email text, ssn text, balance numeric, born date); alter table customers inherit made',
      'select upper(email) from made',
    ],
    [
      'it is made of a column with a mask',
      'create table made as select email as a from customers',
      'rollback; select a from made',
    ],
    [
      'it was something else before it was to be made unless it is there',
      'create temp table made as select email as a from customers; create temp table if not exists made(a text)',
      'select a from made',
    ],
    [
      'another was made of its query in its place',
      'create table made as select 1 as a; drop table made; create view made as select email as a from customers',
      'select a from made',
    ],
    [
      'its name is that of another',
      'create temp table customers as select 1 as id, name from customers',
      'select upper(email) from public.customers',
    ],
    ['it takes columns from another', 'create table made(like customers)', 'select upper(email) from made'],
    [
      'code may have changed it',
      "create table made(a text); do $$ begin execute 'drop table made'; end $$",
      'select a from made',
    ],
  ])('shows nothing masked where %s', async (_, make, read) => {
    const client = await door.client()
    await client.query('begin')
    await client.query(make).catch(() => {})
    const shown = await client.query(read).then(
      (result) => JSON.stringify([result].flat().flatMap(({ rows }) => rows)),
      (error: Error) => error.message,
    )
    expect(shown).not.toMatch(/c1@example|C1@EXAMPLE|@example/i)
    await client.query('rollback').catch(() => {})
    await client.end()
  })

  it.each([
    'rollback to s; select upper(email) from customers where id = 1',
    'set local search_path = public; rollback to s; select upper(email) from customers where id = 1',
    'rollback to s; execute p',
    'set local search_path = public; rollback to s; execute p',
    'drop table customers; execute p',
  ])('is none any more within a text either: %s', async (text) => {
    const client = await door.client()
    await client.query('begin')
    await client.query('savepoint s')
    await client.query('create temp table customers(id int, email text)')
    await client.query('prepare p as select upper(email) from customers where id = 1')
    const shown = await client.query(text).then(JSON.stringify, (error: Error) => error.message)
    expect(shown).not.toMatch(/@example/i)
    await client.query('rollback')
    await client.query('deallocate all')
  })

  it('is none where it was made behind a savepoint that takes it back', async () => {
    const client = await door.client()
    await client.query('begin')
    await client.query('savepoint s')
    await client.query('create temp table customers(id int, email text)')
    expect((await client.query('select email from customers')).rows).toEqual([])
    // In one text, and afterwards.
    const back: unknown = await client.query('rollback to s; select upper(email) from customers where id = 1')
    expect(back).toMatchObject([{ command: 'ROLLBACK' }, { rows: [{ upper: null }] }])
    await client.query('rollback to s')
    await expect(client.query('select upper(email) from customers where id = 1')).rejects.toMatchObject({
      code: 'SPB01',
    })
    await client.query('rollback')
    expect((await client.query('select email from customers where id = 1')).rows).toEqual([{ email: '***.com' }])
  })
})

describe('a table that a text makes', () => {
  it.each([
    'begin; create table own (id int); insert into own values (1); select id from own; rollback',
    'begin; create temp table own (id int); insert into own values (1); select id from own; drop table own; commit',
    'begin; create table own (id int); insert into own values (1); select id from own; commit; drop table own',
    'create table own (id int); insert into own values (1); select id from own; drop table own',
    'create table own as select id from customers where id = 1; alter table own add column more text; select id, more from own; drop table own',
  ])('is read by it, and is gone at its end: %s', async (text) => {
    const rows = summary(await talk(door.port, [say.query(text)])).filter((one) => /^[DE]/.test(one))
    expect(rows).toHaveLength(1)
    expect(rows[0]).toMatch(/^D 1/)
  })
})

describe('what a transaction made that no catalog shows yet', () => {
  it.each([
    'create view seen as select id from orders',
    'create temp view seen as select id from orders',
    'create table if not exists seen (id int)',
  ])('is refused with what helps: %s', async (made) => {
    const client = await door.client()
    const refused = {
      code: 'SPB01',
      message: expect.stringContaining('seen was made or changed in this transaction'),
      hint: expect.stringContaining('COMMIT'),
    }
    await expect(client.query(`${made}; select id from seen`)).rejects.toMatchObject(refused)
    if (made.startsWith('create table')) return
    await client.query('begin')
    await client.query(made)
    await expect(client.query('select id from seen')).rejects.toMatchObject(refused)
    await client.query('rollback')
  })
})
