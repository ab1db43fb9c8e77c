import type pg from 'pg'
import type { Secrets } from './leaks.ts'

/**
 * The demo's schema with what the corpus needs besides, small, in a schema of its own in staging. Made at the target itself:
 * policy masks `*.customers.*` wherever it is.
 */
export const schema = 'bypass'

const make = `
drop schema if exists ${schema} cascade;
drop schema if exists other cascade;
create schema ${schema};
set search_path = ${schema};
create table customers as select * from public.customers where id <= 60;
alter table customers add primary key (id);
create table orders as select * from public.orders where customer_id <= 60;
alter table orders add primary key (id);
create table payments as select p.* from public.payments p join orders o on o.id = p.order_id;
create table audit_log as select * from public.audit_log where id <= 20;
create table notes (id bigint, note text);
insert into notes select n, 'note ' || n from generate_series(1, 5) n;
create table watched (id bigint, note text);
insert into watched values (1, 'watched');
create table people (id bigint, email text);
create table people_2024 () inherits (people);
insert into people_2024 values (1, 'nobody@example.org');
create table "cust.omers" (id bigint, email text);
create view order_totals as
  select c.country, count(*) as orders, sum(o.total) as total from customers c join orders o on o.customer_id = c.id group by 1;
create view contacts as select id, email as address from customers;
create view contact_names as select id, lower(address) as who from contacts;
create view gmail as select id from customers where email like '%@inbox.example';
create sequence s;
create function reveal(bigint) returns text language sql as $$ select email from ${schema}.customers where id = $1 $$;
create function tidy(text) returns text language sql immutable as $$ select trim($1) $$;
create function reverse(text) returns text language plpgsql immutable as $$ declare r text; begin execute 'select ssn from ${schema}.customers limit 1' into r; return r; end $$;
create function shout() returns trigger language plpgsql as $$ begin perform pg_notify('changes', (select max(email) from ${schema}.customers)); return new; end $$;
create trigger shouts before update on watched for each row execute function shout();
create view secretive as select reveal(1) as x;
create schema other;
create table other.customers (id bigint, email text);
insert into other.customers values (1, 'someone.else1@mailbox.example');
analyze;
`

export async function build(owner: pg.Client): Promise<{ all: Secrets[]; few: Secrets[] }> {
  await owner.query(make)
  const secrets = 'email, phone, ssn, card_number'
  const { rows: all } = await owner.query<Secrets>(`select ${secrets} from public.customers`)
  const { rows: few } = await owner.query<Secrets>(`select ${secrets} from ${schema}.customers`)
  return { all, few }
}

/** Schema of a test of the editor, which may come and go beside this one. */
const elsewhere = 'parcels'

/** Everything that the corpus could have changed, in one line. */
export async function fingerprint(owner: pg.Client): Promise<string> {
  const tables = ['customers', 'orders', 'payments', 'audit_log', 'notes', 'watched', 'people', '"cust.omers"']
  const hashes = tables.map(
    (table) => `(select md5(string_agg(t::text, '' order by t::text)) from ${schema}.${table} t)`,
  )
  const { rows } = await owner.query<{ of: string }>(
    `select concat_ws(' ', ${hashes.join(', ')},
      (select md5(string_agg(c.relname || c.relkind::text || a.attname::text, ' ' order by c.relname, a.attname)) from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
        where c.relnamespace in ('${schema}'::regnamespace, 'other'::regnamespace)),
      (select count(*) from pg_namespace where nspname !~ '^pg_(toast_)?temp' and nspname <> '${elsewhere}'),
      (select count(*) from pg_largeobject_metadata),
      (select count(*) from pg_proc where pronamespace::regnamespace::text <> '${elsewhere}'),
      (select count(*) from pg_extension)) as of`,
  )
  return rows[0]?.of ?? ''
}

export async function remove(owner: pg.Client): Promise<void> {
  await owner.query(`drop schema if exists ${schema} cascade; drop schema if exists other cascade`)
}
