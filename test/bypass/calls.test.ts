import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Door, openDoor } from '../../agent/inspect/postgres/testing/door.ts'
import { startPostgres, type TestPostgres } from '../../agent/inspect/postgres/testing/postgres.ts'
import { say } from '../../agent/inspect/postgres/testing/wire.ts'
import type { RawPostgres } from '../support/raw-postgres.ts'
import { enter } from './enter.ts'

/** A function that is called by its number: what it gives comes past RowDescription and rows. */
let postgres: TestPostgres
let door: Door
let client: RawPostgres

beforeAll(async () => {
  postgres = await startPostgres()
  await postgres.direct(`set role app;
    create function mail_of(int) returns text language sql stable as $$ select email from public.customers where id = $1 $$;
    create function total_of(int) returns numeric language sql stable as $$ select total from public.orders where id = $1 $$;
    create function shout(text) returns text language plpgsql as $$ begin raise notice '%', $1; return 'x'; end $$;
    create function calm(text) returns text language plpgsql immutable as $$ begin raise warning 'saw %', $1; return 'x'; end $$;
    create function tells() returns int language plpgsql as $$ begin raise notice '%', (select email from public.customers where id = 1); return 1; end $$;
    create procedure gives(inout mail text) language sql as $$ select email from public.customers where id = 1 $$;
    create procedure gives_again(inout mail text) language plpgsql as $$ begin call public.gives(mail); end $$;
    create function quiet(text) returns int language sql stable as $$ select length($1) $$;
    create function joined(text) returns text language sql immutable as $$ select $1 || (select email from public.customers where id = 1) $$;
    create type guess as (id int, ssn text);
    reset role`)
  door = await openDoor(postgres.target)
  // And derived values come as NULL.
  door.people.use = 'any'
  client = await enter(door)
})
afterAll(async () => {
  client?.close()
  await door?.close()
  await postgres?.close()
})

async function call(name: string, ...values: string[]) {
  const { rows } = await postgres.direct(`select '${name}'::regproc::oid::int as oid`)
  return client.send([say.call(rows[0].oid, ...values)])
}

describe('a function that is called by its number', () => {
  it('does not show what it would show masked in a SELECT', async () => {
    const selected = await client.query('select mail_of(1)')
    expect(selected.bytes.includes('@example.com')).toBe(false)
    expect(selected.errors).toEqual([])
    const called = await call('mail_of', '1')
    expect(called.bytes.includes('@example.com')).toBe(false)
    expect(called.errors).toMatchObject([{ sqlstate: 'SPB01' }])
    expect((await client.query('select 7')).rows).toBe(1)
  })

  it('gives what is not masked', async () => {
    const called = await call('total_of', '1')
    expect(called.heard.map(({ type }) => type)).toEqual(['V', 'Z'])
  })
})

describe('values of a class that may be used in any way, and is shown to nobody', () => {
  it.each([
    "do $$ begin raise notice '%', (select email from customers where id = 1); end $$",
    "do $$ begin raise exception '%', (select email from customers where id = 1); end $$",
    "do $$ declare m text; begin select email into m from customers where id = 1; raise notice '%', m; end $$",
    'do $$ begin assert false, (select email from customers where id = 1); end $$',
    'select shout(email) from customers where id = 1',
    'select calm(email) from customers where id = 1',
    'select * from shout((select email from customers where id = 1))',
    'select (email).shout from customers where id = 1',
    'select tells()',
    // What is immutable is called by the planner, and shown in its plan.
    "explain verbose select joined('x')",
    "explain select id from orders where note = joined('x')",
    "explain (analyze, verbose) select id, joined('x') from orders where id = 1",
    "explain (format json) select 1 from orders order by note <> joined('x')",
    "call gives('')",
    "call gives_again('')",
    "do $$ declare m text; begin call gives(m); raise notice '%', m; end $$",
    "listen leak; select pg_notify('leak', email) from customers where id = 1",
    "select pg_notify(email, 'x') from customers where id = 1",
    "select set_config('app.mail', email, false) from customers where id = 1; show app.mail",
    'prepare p(text) as select $1; execute p(mail_of(1))',
    'select mail_of(1), quiet(email), lower(email) from customers where id = 1',
    'select xmlelement(name x, email) from customers where id = 1',
    'select lo_from_bytea(0, email::bytea) from customers where id = 1',
    'select pg_advisory_lock(hashtext(email)) from customers where id = 1',
  ])('%s', async (sql) => {
    const answer = await client.query(sql)
    expect(answer.bytes.toString('latin1')).not.toContain('@example.com')
    const after = await client.query('select 7')
    expect(after.bytes.toString('latin1')).not.toContain('@example.com')
    expect(after.rows).toBe(1)
    await client.query('deallocate all; unlisten *; reset all')
  })
})

describe('columns that can not be listed', () => {
  it('are no way to join by what is masked', async () => {
    door.people.use = 'none'
    door.people.epoch++
    for (const sql of [
      "select count(*) from customers natural join unnest(array[(1, '900-00-0001')::guess]) u",
      "select count(*) from unnest(array[(1, '900-00-0001')::guess]) u natural join customers",
      "select count(*) from customers join unnest(array[(1, '900-00-0001')::guess]) u using (ssn)",
      "select count(*) from customers natural join (select * from unnest(array[(1, '900-00-0001')::guess]) u) s",
      "select count(*) from customers c, unnest(array[(1, '900-00-0001')::guess]) u where c.ssn = u.ssn",
    ]) {
      const { errors } = await client.query(sql)
      expect(errors, sql).toMatchObject([{ sqlstate: 'SPB01' }])
      expect(errors[0]?.message, sql).toMatch(/NATURAL|known on both sides|public.customers.ssn/)
    }
    door.people.use = 'any'
    door.people.epoch++
  })
})
