import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Catalog } from './analysis.ts'
import { createCatalogSource } from './catalog/catalog.ts'
import { analyse } from './classify.ts'
import { planMasks } from './mask/plan.ts'
import { loadParser } from './parser.ts'
import { startPostgres, type TestPostgres } from './testing/postgres.ts'

/** Functions, procedures, triggers and DO blocks of people's own: followed where they can be, refused with the reason where not. */
describe('code in the database', () => {
  let server: TestPostgres
  let catalog: Catalog
  const source = createCatalogSource()

  beforeAll(async () => {
    server = await startPostgres()
    await loadParser()
    await server.direct(schema)
    catalog = await source.get({ ...server.target, user: 'postgres' }).ready()
  })

  afterAll(async () => {
    await source.close()
    await server.close()
  })

  const unmask = { verdict: 'masked' as const, policy: { id: 'mask', reason: 'Masked.' } }
  const outcome = (sql: string): string => {
    const analysis = analyse(sql, catalog, { searchPath: ['public'] })
    if (!analysis.ok) return analysis.message
    const reasons = analysis.statements.map((statement) => {
      const plan = planMasks(statement, (_, table, column) =>
        table === 'customers' && ['email', 'ssn'].includes(column)
          ? { dataClass: 'pii', unmask, use: 'none', derived: 'null', mask: () => '***' }
          : undefined,
      )
      if (!plan.ok) return plan.message
      return plan.columns.some((mask) => mask !== null) ? 'masked' : 'runs'
    })
    return reasons.at(-1) ?? 'nothing'
  }

  it.each([
    'select code.tidy(name) from customers',
    'select code.tidy_atomic(name), id from customers',
    'select code.total_of(5), code.total_of(customer => 6) from orders',
    'select * from code.orders_of(5) o where o.total > 3',
    'select o.note from code.orders_of(5) as o',
    'select code.counted(3)',
    'select * from unnest(array[1, 2]) u',
    'select u.*, o.id from orders o, unnest(array[o.note, o.note]) u',
    'select * from orders o, lower(o.note) l, coalesce(o.note, o.note) c, current_date d',
    'select * from unnest(array[1, 2], array[3, 4]) with ordinality u(a, b, n)',
    'select * from (select lower(note) as low from orders) o, unnest(array[low, low]) u(v) natural join (select 1 as one) s',
    'select t.n from code.table_of(3) t',
    'update orders set total = 1 where id = 1',
    "insert into code.audited (note) values ('x') returning id",
    'call code.settle(5)',
    // A foreign key carries nothing on here.
    'insert into code.owners values (1)',
    'delete from code.kept where id = 1',
    'update code.emptied set id = 2 where id = 1',
    'truncate code.kept',
    'insert into code.shown_owners values (1)',
    "do $$ declare n int := 0; r record; begin for r in select id, total from orders loop n := n + r.id; end loop; raise notice '%', n; end $$",
    // As migration tools write what may be there already.
    "do 'begin create type mood as enum (''a'', ''b''); exception when duplicate_object then null; end'",
    'do $$ begin alter table orders add constraint more foreign key (customer_id) references customers(id); exception when duplicate_object then null; end $$',
    "do $$ begin if not exists (select 1 from pg_type where typname = 'mood') then create type mood as enum ('a'); end if; end $$",
    'select code.tidy(email_free) from (select name as email_free from customers) s',
    'select code.caller(7)',
    'select code.as_owner_of_its_own_path()',
    "do $$ declare c cursor for select id from orders; d refcursor; r record; begin open c; fetch c into r; open d for select 1; fetch d into r; raise notice '%', r; end $$",
  ])('%s → runs', (sql) => {
    expect(outcome(sql)).toBe('runs')
  })

  it.each<[string, RegExp]>([
    ['select code.reveal(1)', /public\.customers\.email \(pii\)/],
    ['select code.reveal_atomic(1)', /public\.customers\.email/],
    ['select code.row_text(1)', /public\.customers\.(email|ssn)/],
    ['select code.tidy(email) from customers', /public\.customers\.email/],
    ['select code.guesses(name) from customers', /public\.customers\.ssn/],
    ['select * from code.everything()', /public\.customers\.(email|ssn)/],
    ['select code.indirect(1)', /public\.customers\.email/],
    ["select code.dynamic('x')", /code\.dynamic does can't be told: it builds SQL while it runs/],
    ['select code.loops(1)', /calls itself/],
    ['select code.makes()', /it makes a table/],
    ['select code.sets()', /code\.sets does can't be told/],
    ['select code.unknown_table()', /no table or view nowhere is known/],
    ["update customers set name = 'x' where id = 1", /public\.customers\.(email|ssn)/],
    ['update code.parent set note = 1', /public\.customers\.email/],
    // By way of foreign keys.
    ['delete from code.owners where id = 1', /public\.customers\.email/],
    ['update code.owners set id = 2 where id = 1', /public\.customers\.email/],
    ['delete from code.above where id = 1', /public\.customers\.email/],
    ['delete from code.emptied where id = 1', /public\.customers\.email/],
    ['merge into code.owners o using orders n on o.id = n.id when matched then delete', /public\.customers\.email/],
    ['with d as (delete from code.owners where id = 1 returning id) select id from d', /public\.customers\.email/],
    ['insert into code.owners values (1) on conflict (id) do update set id = 9', /public\.customers\.email/],
    ['select code.deletes()', /public\.customers\.email/],
    ['do $$ begin delete from code.above; end $$', /public\.customers\.email/],
    // Through a view.
    ['update code.shown set note = 1 where note = 2', /public\.customers\.email/],
    ['delete from code.shown_owners where id = 1', /public\.customers\.email/],
    // TRUNCATE has triggers of its own.
    ['truncate code.kept cascade', /public\.customers\.email/],
    ['truncate code.things', /public\.customers\.email/],
    ['call code.leaks()', /public\.customers\.email/],
    ["do $$ begin raise notice '%', (select email from customers limit 1); end $$", /public\.customers\.email/],
    ["do $$ begin execute 'select 1'; end $$", /builds SQL while it runs/],
    [
      "do $$ declare d text; begin update customers set name = null where id = 1; exception when others then get stacked diagnostics d = pg_exception_detail; raise notice '%', d; end $$",
      /public\.customers\.(email|ssn)/,
    ],
    ["do language plpython3u 'x'", /not followed/],
    ['select code.as_owner()', /depends on a search_path/],
    ['select code.as_user()', /depends on a search_path/],
    ['select code.sets_two()', /public\.customers\.email/],
    ...[
      "do $$ declare c refcursor := 'own'; r record; begin fetch c into r; raise notice '%', r; end $$",
      "do $$ declare c cursor for select 1; r record; begin c := 'own'; fetch c into r; end $$",
      "do $$ declare c refcursor; r record; begin select 'own' into c; fetch c into r; end $$",
      'do $$ declare c refcursor; r record; begin get diagnostics c = pg_context; fetch c into r; end $$',
      'do $$ declare c refcursor; r record; begin call code.names(c); fetch c into r; end $$',
      "select code.fetches('own')",
      'select code.fetches_out()',
    ].map((sql): [string, RegExp] => [sql, /a cursor that it may not have opened itself/]),
    ['do $$ begin commit; end $$', /ends transactions/],
    ["do $$ begin perform set_config('search_path', 'other', false); end $$", /can't be told/],
    ['do $$ begin alter table customers add constraint one unique (email); end $$', /public\.customers\.email/],
    ['do $$ begin create table kept as select email from customers; end $$', /not followed/],
    ['do $$ begin create index on orders (code.reveal(id)); end $$', /public\.customers\.email|can't be told/],
    [
      'do $$ begin alter table orders add column more int; perform note from orders; end $$',
      /more beside that than look at the catalog/,
    ],
    ['do $$ begin alter table orders add column more int; delete from orders; end $$', /it changes definitions/],
    ['do $$ begin create table made(a int); perform code.tidy(null); end $$', /more beside that/],
    ['create function f() returns int language sql as $$ select 1 $$', /not followed/],
  ])('%s is refused', (sql, reason) => {
    expect(outcome(sql)).toMatch(reason)
  })

  it('says what code does besides', () => {
    const only = (sql: string) => {
      const analysis = analyse(sql, catalog, { searchPath: ['public'] })
      return analysis.ok ? analysis.statements[0] : undefined
    }
    expect(only('call code.settle(5)')).toMatchObject({ action: 'sql:update', written: ['public.orders'] })
    expect(only('select code.settles(5)')).toMatchObject({ action: 'sql:update', written: ['public.orders'] })
    expect(only('do $$ begin delete from orders; end $$')).toMatchObject({ written: ['public.orders'] })
    const adds = 'do $$ begin alter table orders add column more int; exception when others then null; end $$'
    expect(only(adds)).toMatchObject({
      ...{ action: 'sql:alter', written: ['public.orders'], complete: true },
      effects: [{ kind: 'ddl', changes: new Set(['orders']) }],
    })
    expect(only('select code.tidy(name) from customers')).toMatchObject({
      functions: ['code.tidy', 'pg_catalog.btrim'],
      columns: ['public.customers.name'],
    })
  })
})

const schema = `
  create schema code;
  set search_path = public;
  create function code.tidy(text) returns text language sql immutable as $$ select trim($1) $$;
  create function code.tidy_atomic(x text) returns text language sql immutable return lower(x);
  create function code.total_of(customer int) returns numeric language plpgsql stable as $$
    declare result numeric; n int := 0;
    begin
      select sum(o.total) into result from public.orders o where o.customer_id = customer;
      if result is null then result := 0; end if;
      while n < 3 loop n = n + 1; exit when n > 2; end loop;
      return total_of.result_or(result, n);
    exception when others then return 0; end $$;
  create schema total_of;
  create function total_of.result_or(numeric, int) returns numeric language sql as 'select coalesce($1, $2)';
  create function code.orders_of(int) returns setof public.orders language sql stable as $$ select * from orders where customer_id = $1 $$;
  create function code.table_of(int) returns table (n int, t numeric) language plpgsql as $$
    begin return query select o.id, o.total from public.orders o where o.id < $1; n := 1; t := 2; return next; end $$;
  create function code.counted(n int, out a int, out b text) language plpgsql as $$ begin a := n; b := 'x'; end $$;
  create function code.caller(int) returns numeric language plpgsql as $$ begin return code.total_of($1) + (select count(*) from code.orders_of($1)); end $$;
  create function code.stamp() returns trigger language plpgsql as $$ begin new.note := now()::text; return new; end $$;
  create trigger stamp before update on orders for each row execute function code.stamp();
  create table code.audited (id int generated always as identity, note text);
  create table code.log (at timestamptz, what jsonb);
  create function code.audit() returns trigger language plpgsql as $$
    begin if tg_op = 'INSERT' then insert into code.log values (now(), to_jsonb(new)); end if; return null; end $$;
  create trigger audit after insert on code.audited for each row execute function code.audit();
  create trigger audit after update on public.customers for each row execute function code.audit();
  create procedure code.settle(int) language plpgsql as $$ begin update public.orders set total = 0 where id = $1; end $$;
  create function code.settles(int) returns void language sql as $$ update public.orders set total = 0 where id = $1 $$;
  create function code.reveal(int) returns text language sql as $$ select email from public.customers where id = $1 $$;
  create function code.reveal_atomic(int) returns text language sql return (select email from public.customers where id = $1);
  create function code.row_text(int) returns text language plpgsql as $$ declare c public.customers; begin select * into c from public.customers where id = $1; return c::text; end $$;
  create function code.guesses(text) returns boolean language plpgsql as $$ begin return exists (select from public.customers c where c.ssn like $1); end $$;
  create function code.everything() returns setof public.customers language plpgsql as $$ begin return query table public.customers; end $$;
  create function code.indirect(int) returns text language plpgsql as $$ begin return code.reveal($1); end $$;
  create function code.makes() returns int language sql as $$ select 1 as n into made union select 2; select 1 $$;
  create function code.dynamic(text) returns text language plpgsql as $$ declare r text; begin execute 'select ' || $1 into r; return r; end $$;
  create function code.loops(int) returns int language plpgsql as $$ begin return code.loops($1 - 1); end $$;
  create function code.sets() returns void language plpgsql as $$ begin set search_path = code; end $$;
  create function code.unknown_table() returns int language plpgsql as $$ begin return (select count(*) from nowhere); end $$;
  create table code.parent (note int);
  create table code.child () inherits (code.parent);
  create function code.tell() returns trigger language plpgsql as $$ begin raise notice '%', (select max(email) from public.customers); return new; end $$;
  create trigger tell before update on code.child for each row execute function code.tell();
  create procedure code.names(inout c refcursor) language plpgsql as $$ begin c := 'own'; end $$;
  create function code.fetches(c refcursor) returns text language plpgsql as $$ declare r record; begin fetch c into r; return r::text; end $$;
  create function code.fetches_out(out c refcursor) language plpgsql as $$ declare r record; begin fetch c into r; end $$;
  create function code.as_owner() returns bigint language sql security definer as $$ select count(*) from orders $$;
  create function code.as_user() returns bigint language sql set search_path = "$user", public as $$ select count(*) from orders $$;
  create function code.as_owner_of_its_own_path() returns bigint language sql security definer set search_path = public as $$ select count(*) from orders $$;
  create schema shadow;
  create view shadow.orders as select id, email as note from public.customers;
  create function code.sets_two() returns text language sql set statement_timeout = '5s' set search_path = shadow, public
    as $$ select max(note) from orders $$;
  create table code.owners (id int primary key);
  create table code.above (id int primary key);
  create table code.emptied (id int primary key);
  create table code.kept (id int primary key);
  create table code.between (id int primary key references code.above on delete cascade);
  create table code.things (id int references code.owners on delete cascade on update cascade, above int references code.between on delete cascade,
    emptied int references code.emptied on delete set null, kept int references code.kept);
  create trigger tell before update or delete on code.things for each row execute function code.tell();
  create trigger tells after truncate on code.things for each statement execute function code.tell();
  create function code.deletes() returns void language sql as $$ delete from code.owners $$;
  create view code.shown as select note from code.child;
  create view code.shown_owners as select id from code.owners;
  create procedure code.leaks() language plpgsql as $$ begin raise notice '%', (select max(email) from public.customers); end $$;
`
