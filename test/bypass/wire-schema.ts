import type { Sensitivity } from '../../agent/inspect/port.ts'

const unmask = { verdict: 'masked' as const, policy: { id: 'mask', reason: 'Personal data is masked.' } }
const masked = (dataClass: string, rest: Pick<Sensitivity, 'use' | 'derived'>): Sensitivity => ({
  dataClass,
  unmask,
  mask: () => '•••',
  ...rest,
})

/** Of `customers`: `email` and `phone` may be looked up, `ssn` and `card_number` not even that. */
export const classes: Partial<Record<string, Sensitivity>> = {
  email: masked('email', { use: 'lookup', derived: 'null' }),
  phone: masked('phone', { use: 'lookup', derived: 'null' }),
  ssn: masked('ssn', { use: 'none', derived: 'block' }),
  card_number: masked('card_number', { use: 'none', derived: 'block' }),
}

/** What the attempts on the wire stand on. */
export const schema = `
  create schema if not exists bypass;
  set search_path = bypass;
  create table customers (id bigint primary key, name text, email text, phone text, ssn text, card_number text, country text,
    created_at timestamptz default now());
  insert into customers (id, name, email, phone, ssn, card_number, country) select i, 'Name ' || i, 'first.last' || i || '@inbox.example',
    '+49 123 ' || lpad(i::text, 7, '0'), '523-45-' || lpad(i::text, 4, '0'), '4000' || lpad(i::text, 12, '0'), 'DE' from generate_series(1, 60) i;
  create table orders as select i::bigint as id, (i % 60 + 1)::bigint as customer_id, 'paid'::text as status, 1.5 * i as total, now() as placed_at
    from generate_series(1, 100) i;
  alter table orders add primary key (id);
  create table notes (id bigint, note text);
  insert into notes select n, 'note ' || n from generate_series(1, 5) n;
  create sequence s;
  create table owners (id bigint primary key);
  create table things (owner bigint references owners on delete cascade on update cascade);
  insert into owners select generate_series(1, 9); insert into things select id from owners;
  create function tells() returns trigger language plpgsql as $$ begin raise notice '%', (select min(email) from bypass.customers); return coalesce(new, old); end $$;
  create trigger tells before update or delete on things for each row execute function tells();
  create trigger tells_all after truncate on things for each statement execute function tells();
  create view owned as select id from owners;
  create type pair as (a bigint, b text);
  create type pairs as range (subtype = pair);
  create domain paired as pair;
  create function of_two(n bigint, out a bigint) language sql as $$ select 1::bigint $$;
  create function of_two(t text, out a bigint, out b text) language sql as $$ select 1::bigint, 'x' $$;
  create function as_domain() returns paired language sql as $$ select (1, 'x')::pair::paired $$;
  create function max_of(anyarray) returns anyelement language sql as $$ select $1[1] $$;
  create function reveal(bigint) returns text language sql stable as $$ select ssn from bypass.customers where id = $1 $$;
  create function told(orders) returns text language sql stable as $$ select email from bypass.customers where id = $1.id $$;
`
