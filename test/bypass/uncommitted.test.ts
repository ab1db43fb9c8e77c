import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Door, openDoor } from '../../agent/inspect/postgres/testing/door.ts'
import { startPostgres, type TestPostgres } from '../../agent/inspect/postgres/testing/postgres.ts'

/** The catalog's own connection does not see what a transaction changed until it is over. */
let postgres: TestPostgres
let door: Door
let client: Awaited<ReturnType<Door['client']>>

beforeAll(async () => {
  postgres = await startPostgres()
  await postgres.direct(`set role app;
    create schema shade; create table shade.customers (id int, email text); insert into shade.customers values (1, 'nobody');
    create table parent (id int, note text); create table child () inherits (parent); insert into child values (1, 'note');
    create table payments (id int, customer_id int, note text); insert into payments values (1, 1, 'cash');
    create function tells() returns trigger language plpgsql as $$ begin raise notice '%', (select email from public.customers where id = 2); return old; end $$;
    create trigger tells after delete on payments for each row execute function tells();
    create table accounts (id int primary key); insert into accounts values (1);
    create type pair as (a int, b text);
    create function pairs() returns setof parent language sql stable as $$ select 1, 'x'::text $$;
    create function shown(int) returns text language sql stable as $$ select note from payments where id = $1 $$;
    reset role`)
  door = await openDoor(postgres.target)
  client = await door.client()
})
afterAll(async () => {
  await door?.close()
  await postgres?.close()
})
beforeEach(() => client.query('begin'))
afterEach(() => client.query('rollback'))

const masked = [{ email: '***.com' }]
const read = () => client.query('select email from customers where id = 1')
const refused = { code: 'SPB01' }

describe('what changed in a transaction that is not over', () => {
  it.each([
    'create temp table mine (id int, note text)',
    'create table mine (id serial primary key, note text default now()::text)',
    'create temp table mine as select id, total from orders',
    'select id, total into temp mine from orders',
    'create view mine as select id, total from orders',
    'create sequence mine',
    'create index mine on orders (total)',
    'create schema mine',
    'alter table payments add column more int, alter column note set default 1',
    'alter table payments rename to paid',
    'alter table payments rename column note to words',
  ])('leaves other tables readable, with their masks: %s', async (ddl) => {
    await client.query(ddl)
    expect((await read()).rows).toEqual(masked)
    expect((await client.query('select count(*)::int as n from orders')).rows).toEqual([{ n: 100 }])
    await expect(client.query("select 1 from customers where email like 'c%'")).rejects.toMatchObject(refused)
  })

  it('does not matter any more once it is over', async () => {
    await client.query('alter table payments add column more int generated always as (id) stored')
    await expect(client.query('select note from payments')).rejects.toMatchObject(refused)
    await client.query('rollback')
    expect((await client.query('select note from payments')).rows).toEqual([{ note: 'cash' }])
  })

  it.each([
    // A name that means something else.
    ['create temp table customers (id int, email text)', 'select email from customers'],
    [
      'create temp table customers (id int, email text)',
      'select address from (select email as address from public.customers) c',
    ],
    ['drop table shade.customers', 'select email || $$$$ from customers'],
    ['drop table shade.customers cascade', 'select email || $$$$ from customers'],
    // What is made in a schema that was, and would be in another, is not what has its name there.
    ['create schema app; create table customers (id int, note text)', 'select c from public.customers c where id = 1'],
    [
      'create schema app; savepoint t; rollback to t; create table customers (id int, note text)',
      'select c from public.customers c where id = 1',
    ],
    [
      'create schema app; create table customers (id int, note text); savepoint t; rollback to t; drop table customers; create table customers (id int, note text)',
      'select c from public.customers c where id = 1',
    ],
    // What is not known of it any more is not known again by what is done to it next.
    [
      'alter table customers add column copy text generated always as (email) stored; alter table customers add column more int',
      'select copy from customers',
    ],
    ['drop table shade.customers; alter table customers add column more int', 'select customers from customers'],
    [
      'alter table payments rename to paid; create view payments as select email from customers',
      'select * from payments',
    ],
    [
      'alter table customers rename column name to email_2; alter table customers rename column email to name',
      'select name from customers',
    ],
    ['alter table customers alter column email type text using name', 'select email from customers'],
    ['alter table customers drop column email cascade', 'select * from contacts'],
    [
      'do $d$ begin alter table payments add column email text; end $d$; alter table customers add column more int',
      'select p, c from payments p, customers c',
    ],
    ['do $d$ begin create table app.customers (note text); end $d$', 'select customers from customers'],
    // A savepoint takes a change back, and with it what was known by it.
    [
      'alter table customers add column copy text; savepoint t; alter table customers drop column copy; rollback to t',
      'select upper(email) from customers',
    ],
    [
      'savepoint t; alter table shade.customers rename to other; rollback to t; alter table other.orders rename to kept',
      'select email || $$$$ from customers',
    ],
    ['alter table shade.customers rename to old', 'select email || $$$$ from customers'],
    ['alter table payments rename to customers_2', 'select id from customers_2'],
    // A table, or what follows its columns.
    ['alter table payments add column more int', 'select * from payments'],
    ['alter table parent add column more text', 'select * from child'],
    ['alter table parent rename column note to words', 'select note from child'],
    // What looks names up by itself, or has a row's columns.
    ['create temp table payments (id int, note text)', 'select shown(1)'],
    [
      'alter table parent add column more text',
      'select f || $$$$ from (select p.*, c.* from pairs() p, customers c) s(a, b, c, d, e, f)',
    ],
    // What may change everything.
    ['create type mood as enum ($$a$$)', 'select email from customers'],
    ['create domain mine as text', 'select email from customers'],
    ['create table mine () inherits (customers)', 'select email from customers'],
    ['create table part partition of parent for values in (1)', 'select email from customers'],
    ['drop table payments cascade', 'select email from customers'],
    ['alter type pair add attribute c text', 'select email from customers'],
    ['alter table payments disable trigger tells', 'select email from customers'],
    ['create or replace view contacts as select id, name as email from customers', 'select email from customers'],
    // Triggers that a foreign key brings along.
    [
      'alter table payments add foreign key (id) references accounts on delete cascade, add column more int',
      'delete from accounts where id = 1',
    ],
    [
      'create table between (id int primary key references accounts on delete cascade); alter table payments add foreign key (id) references between on delete cascade',
      'insert into between values (1); delete from accounts where id = 1',
    ],
    ['alter table payments add foreign key (id) references accounts on delete cascade', 'delete from accounts'],
    ['create domain mine as text', 'delete from payments'],
  ])('is not read past: %s, then %s', async (ddl, sql) => {
    const search = ddl.includes('shade') ? 'set local search_path = shade, public' : 'select 1'
    await client.query(search)
    await client.query('savepoint s')
    await client.query(ddl).catch(() => client.query('rollback to s'))
    const answer = await client.query(sql).catch((error: { code: string }) => error)
    if ('rows' in answer) expect(JSON.stringify(answer.rows)).not.toMatch(/c\d+@example|900-00/)
    else expect(answer.code).toMatch(/^(SPB01|42)/)
    for (const { message } of client.notices) expect(message).not.toMatch(/c\d+@example/)
  })

  it('is not known again by what is done next to it', async () => {
    await client.query('alter table payments add column twice int generated always as (2 * id) stored')
    await client.query('alter table payments add column more int')
    await expect(client.query('select note from payments')).rejects.toMatchObject(refused)
  })

  it('may be what has the name of a relation that is not there', async () => {
    const missing = { code: '42P01', message: 'relation "nowhere" does not exist' }
    await client.query('savepoint s')
    await expect(client.query('select note from nowhere')).rejects.toMatchObject(missing)
    await client.query('rollback to s')
    await expect(client.query('select note from nowhere, lateral (select note) n')).rejects.toMatchObject(missing)
    await client.query('rollback to s')
    // What is masked is spoken of first, and a sequence that comes with a column is there.
    await expect(client.query('select upper(email) from customers, nowhere')).rejects.toMatchObject(refused)
    await client.query('rollback to s')
    await client.query('create table made (id serial)')
    await expect(client.query('select * from made_id_seq')).rejects.toMatchObject(refused)
    await client.query('rollback to s')
    await expect(client.query('select * from made_id_seq')).rejects.toMatchObject(refused)
  })

  it('adds up, and what a savepoint takes back counts as changed all the same', async () => {
    await client.query('savepoint a')
    await client.query('create temp table mine (id int)')
    await client.query('create temp table orders (id int)')
    await client.query('rollback to a')
    expect((await read()).rows).toEqual(masked)
    await expect(client.query('select total from orders')).rejects.toMatchObject(refused)
    await client.query('rollback to a')
    await client.query('create domain mine as text')
    await expect(read()).rejects.toMatchObject(refused)
  })
})
