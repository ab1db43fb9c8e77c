import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { stand, whileItWaits } from './enter.ts'

/**
 * Statements that wait, while somebody for whom nothing is masked changes what they stand on: not what is named in them, but what that
 * leads to. Nobody means harm, and what comes must be masked, or not come, all the same.
 */
const at = stand({ prepare: 'grant create on database postgres to app' })
const secret = /c\d+@example|900-00-\d{4}/

const reset = `drop schema if exists app cascade; drop schema if exists over cascade;
  do $$ begin if to_regclass('public.ours') is not null then alter table customers no inherit ours; end if; exception when others then null; end $$;
  drop table if exists ours, plain, tracked cascade; drop function if exists leads, tells, sets cascade`
const before = `${reset}; set role app; create schema over;
  create table ours (id int, email text); create table plain (id int, note text); insert into plain values (1, 'note');
  create table tracked (id int, note text);
  create view over.inner_one as select id, name as n from customers; create view over.outer_one as select n || '' as n from over.inner_one;
  create function leads() returns text language sql stable as $$ select 'x' $$;
  create function over.calls() returns text language sql stable as $$ select public.leads() || '' $$;
  reset role`
const email = '(select email from public.customers where id = 1)'
const tells = `create function tells() returns text language sql stable as $$ select ${email} $$`

beforeAll(() => at.postgres.direct(before))
afterAll(() => at.postgres.direct(reset))
beforeEach(async () => {
  await at.postgres.direct(before)
  await at.door.catalogs.get(at.postgres.target).refresh()
  await at.client.query("set lock_timeout = '20s'; prepare waits as select n from over.outer_one")
})

const changed = (text: string, change: string) =>
  whileItWaits(at, text, async () => {
    await at.postgres.direct(`set role app; ${change}; reset role`)
    at.door.catalogs.get(at.postgres.target).outdate()
  })

describe('a statement that waits while what it leads to changes', () => {
  it.each([
    ['a table inherits from what it reads', 'alter table customers inherit ours', 'select email from ours'],
    [
      'a view in its view',
      'create or replace view over.inner_one as select id, email as n from customers',
      'select n from over.outer_one',
    ],
    [
      'a view in its view, computed',
      'create or replace view over.inner_one as select id, email as n from customers',
      "select n || '' as n from over.outer_one",
    ],
    [
      'a view in what EXECUTE stands for',
      'create or replace view over.inner_one as select id, email as n from customers',
      'execute waits',
    ],
    [
      'a function that its function calls',
      `create or replace function leads() returns text language sql stable as $$ select ${email} $$`,
      'select over.calls()',
    ],
    [
      'a trigger that comes',
      `create function sets() returns trigger language plpgsql as $$ begin new.note := ${email}; return new; end $$;
       create trigger t before insert on tracked for each row execute function sets()`,
      "insert into tracked values (1, 'a') returning note || '' as n",
    ],
    [
      'a default that comes',
      `${tells}; alter table tracked alter note set default tells()`,
      "insert into tracked (id) values (5) returning note || '' as n",
    ],
    [
      'a view in front of its table',
      'create schema app; create view app.plain as select id, email as note from public.customers',
      "select note || '' as n from plain",
    ],
    [
      'a view in front of what its text made',
      'create schema app; create view app.own as select id, email as note from public.customers',
      'create table public.own (id int, note text); select note from own; drop table public.own',
    ],
    [
      'a function in front of its function',
      `create schema app; create function app.leads() returns text language sql stable as $$ select ${email} $$`,
      "select leads() || '' as n",
    ],
    [
      'a row policy that comes',
      `${tells}; alter table plain enable row level security; alter table plain force row level security;
       create policy p on plain using (note < tells())`,
      'select note from plain',
    ],
  ])('shows nothing: %s', async (_name, change, text) => {
    const { bytes, closed } = await changed(text, change)
    expect(bytes.toString('latin1')).not.toMatch(secret)
    expect(closed).toBe(true)
  })

  it.each([
    [
      'an error',
      `create function sets() returns trigger language plpgsql as $$ begin raise exception 'not %', ${email}; end $$;
       create trigger t before insert on tracked for each row execute function sets()`,
      "insert into tracked values (1, 'a')",
    ],
    [
      'a notice',
      `create function sets() returns trigger language plpgsql as $$ begin raise notice 'it is %', ${email}; return new; end $$;
       create trigger t before insert on tracked for each row execute function sets()`,
      "insert into tracked values (1, 'a')",
    ],
    [
      'an error of a function',
      `create or replace function leads() returns text language sql stable as $$ select ${email}::int::text $$`,
      'select over.calls()',
    ],
  ])('says nothing on its way: %s', async (_name, change, text) => {
    const { bytes } = await changed(text, change)
    expect(bytes.toString('latin1')).not.toMatch(secret)
  })

  it.each([
    'select n from over.outer_one',
    'execute waits',
    'select over.calls()',
    "insert into tracked values (1, 'a') returning note || '' as n",
    "begin; create table own (id int); insert into own values (1); select id from own; select note || '' as n from plain; rollback",
    'select email from customers',
  ])('is as it was where something else changes: %s', async (text) => {
    const { errors, closed } = await changed(
      text,
      `create table else_one (id int); create view else_two as select id from else_one; create index on tracked (id); drop table else_one cascade;
       alter table ours add column more text; ${tells}`,
    )
    expect([errors, closed]).toEqual([[], false])
  })
})
