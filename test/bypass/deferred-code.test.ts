import { describe, expect, it } from 'vitest'
import { say } from '../../agent/inspect/postgres/testing/wire.ts'
import { bind, execute } from '../support/raw-postgres.ts'
import { stand } from './enter.ts'

const secret = /c\d+@example/

/** Code looks its names up when it runs: under the search_path of that moment, not of the statement that named it. */
const at = stand({
  prepare: `set role app;
    create schema mine; create table mine.customers (id int, email text); insert into mine.customers values (1, 'harmless');
    create table payments (id int primary key, note text); insert into payments values (1, 'cash');
    create table refunds (id int primary key, note text); insert into refunds values (1, 'cash');
    create function who(i int) returns text language plpgsql stable as $$ begin return (select email from customers where id = i); end $$;
    create function safe(i int) returns text language plpgsql stable set search_path = mine as $$ begin return (select email from customers where id = i); end $$;
    create function always(i int) returns text language plpgsql immutable as $$ begin return (select email from customers where id = i); end $$;
    create function tidy(t text) returns text language sql immutable as $$ select lower(trim(t)) $$;
    create function tells() returns trigger language plpgsql as $$ begin raise notice '%', (select email from customers where id = 1); return new; end $$;
    create function counts() returns trigger language plpgsql as $$ begin raise notice '%', (select count(*) from public.orders); return new; end $$;
    create constraint trigger t after update on payments deferrable initially deferred for each row execute function tells();
    create constraint trigger t after update on refunds deferrable initially deferred for each row execute function counts();
    reset role`,
})

async function run(texts: readonly string[]) {
  const answers = []
  for (const text of texts) answers.push(await at.client.query(text))
  return { bytes: answers.map(({ bytes }) => bytes.toString('latin1')).join(''), answers }
}

describe('code that runs when search_path is another', () => {
  it.each([
    ['a cursor', ['begin; declare c cursor for select public.who(1)', 'set local search_path = public', 'fetch c']],
    [
      'a cursor in one text',
      ['begin; declare c cursor for select public.who(1); set local search_path = public; fetch c'],
    ],
    [
      'a cursor opened behind a change',
      [
        'begin',
        'set local search_path = public; set local search_path = mine; declare c cursor for select public.who(1)',
        'set local search_path = public',
        'fetch c',
      ],
    ],
    [
      'a cursor WITH HOLD',
      [
        'begin',
        'declare c cursor with hold for select public.who(1)',
        'set local search_path = public; commit',
        'fetch c',
      ],
    ],
    [
      'a deferred trigger',
      ['begin', "update public.payments set note = 'y'", 'set local search_path = public', 'commit'],
    ],
    ['set_config beside it', ["select set_config('search_path', 'public', true), public.who(1)"]],
    [
      'a default',
      [
        'create table public.d1 (id int, x text default public.who(1))',
        'set search_path = public',
        'insert into d1 (id) values (1) returning x',
      ],
    ],
    [
      'a default that is set',
      [
        'create table public.d2 (id int, x text)',
        'alter table public.d2 alter x set default public.who(1)',
        'set search_path = public',
        'insert into d2 (id) values (1) returning x',
      ],
    ],
    [
      'an index',
      [
        'create table public.d3 (id int)',
        'create unique index on public.d3 (public.always(id))',
        'set search_path = public',
        'insert into d3 values (1)',
        'insert into d3 values (1)',
      ],
    ],
  ])('shows nothing masked: %s', async (_name, texts) => {
    const { bytes } = await run(['set search_path = mine', ...texts])
    expect(bytes).not.toMatch(secret)
  })

  it.each([
    ['a check', ["create table public.e1 (id int check (public.who(id) not like 'c1@%'))"]],
    [
      'a check that is added',
      ['create table public.e2 (id int)', "alter table public.e2 add check (public.who(id) like 'c1@%')"],
    ],
    [
      'a row policy',
      ['create table public.e3 (id int)', "create policy p on public.e3 using (public.who(id) like 'c1@%')"],
    ],
    ['a domain', ["create domain public.e4 as int check (public.who(value) not like 'c1@%')"]],
  ])('is not kept to tell about what is masked: %s', async (_name, texts) => {
    const { answers } = await run(['set search_path = mine', ...texts])
    expect(answers.at(-1)?.errors).toMatchObject([{ sqlstate: 'SPB01' }])
  })

  it('says how a function would be understood', async () => {
    const { answers } = await run(['set search_path = mine', 'create index on public.payments (public.always(id))'])
    expect(answers.at(-1)?.errors).toMatchObject([
      { message: expect.stringContaining('SET search_path in its definition') },
    ])
  })

  it('is judged again in a portal that was bound before', async () => {
    await at.client.query('set search_path = mine')
    const bound = [say.parse('s', 'select public.who(1)'), bind('P', 's')]
    const set = [say.parse('t', 'set local search_path = public'), bind('Q', 't'), execute('Q')]
    await at.client.query('begin')
    await at.client.send([...bound, say.sync])
    await at.client.query('set local search_path = public')
    const later = await at.client.send([execute('P'), say.sync])
    expect(later.bytes.toString('latin1')).not.toMatch(secret)
    expect(later.errors).toMatchObject([{ sqlstate: 'SPB01' }])
    await at.client.query('rollback')
    const pipelined = await at.client.send([bind('P', 's'), say.describe('P', 'P'), ...set, execute('P'), say.sync])
    expect(pipelined.bytes.toString('latin1')).not.toMatch(secret)
    const fetched = await at.client.send([
      bind('P', 's'),
      ...set,
      say.parse('f', 'fetch "P"'),
      bind('F', 'f'),
      execute('F'),
      say.sync,
    ])
    expect(fetched.bytes.toString('latin1')).not.toMatch(secret)
  })
})

describe('code that finds the same under every search_path', () => {
  it.each([
    ['begin', 'declare c cursor for select public.who(1)', 'fetch c', 'move c', 'commit'],
    ['begin', 'declare c cursor for select public.safe(1)', 'set local search_path = public', 'fetch c', 'commit'],
    [
      'begin',
      "declare c cursor with hold for select public.tidy('A')",
      'set local search_path = public',
      'commit',
      'fetch c',
    ],
    ['begin', "update public.refunds set note = 'y'", 'commit'],
    [
      "create table public.f1 (x text default public.tidy(' A ') check (public.tidy(x) = x))",
      'create index on public.f1 (public.tidy(x))',
    ],
    ['create table public.f2 (x text default public.safe(1))'],
    ["select set_config('work_mem', '5MB', false), public.who(1)"],
  ])('runs: %s, %s', async (...texts) => {
    const { answers } = await run(['set search_path = mine', ...texts.filter((text) => text !== undefined)])
    expect(answers.flatMap(({ errors }) => errors)).toEqual([])
  })

  it('runs in a portal, in as many steps as its rows are fetched', async () => {
    await at.client.query('set search_path = mine')
    const text = "select public.tidy('A') || public.who(1) from generate_series(1, 3)"
    const answer = await at.client.send([
      say.parse('s', text),
      bind('P', 's'),
      execute('P', 1),
      execute('P', 2),
      say.sync,
    ])
    expect([answer.errors, answer.rows]).toEqual([[], 3])
  })
})
