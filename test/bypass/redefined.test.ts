import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { cstring, frontend, int16, int32, message } from '../../agent/inspect/postgres/messages.ts'
import { type Door, openDoor } from '../../agent/inspect/postgres/testing/door.ts'
import { startPostgres, type TestPostgres } from '../../agent/inspect/postgres/testing/postgres.ts'
import { say } from '../../agent/inspect/postgres/testing/wire.ts'
import { bind, execute, type RawPostgres } from '../support/raw-postgres.ts'
import { enter } from './enter.ts'

/** What was prepared, bound or opened before others define a domain, a function or a view anew: what it runs by then counts. */
let postgres: TestPostgres
let door: Door
let client: RawPostgres

const secret = /c\d+@example/
const refused = [{ sqlstate: 'SPB01' }]
const harmless =
  "create or replace function word(n int) returns text language plpgsql stable as $$ begin return 'ok'; end $$"
const telling =
  'create or replace function word(n int) returns text language plpgsql stable as $$ begin return (select email from public.customers where id = n); end $$'
const guarding = 'alter domain guess add constraint c check (value <> public.first_mail())'

beforeAll(async () => {
  postgres = await startPostgres()
  await postgres.direct(`set role app;
    create function first_mail() returns text language sql stable as $$ select email from public.customers where id = 1 $$;
    create domain guess as text; create table held (id int, g guess);
    create type pair as (n int, g guess);
    create table notes (id int, note text); insert into notes values (1, 'n');
    create view shown as select id, note from notes; ${harmless};
    reset role`)
  door = await openDoor(postgres.target)
})
afterAll(async () => {
  await door?.close()
  await postgres?.close()
})
beforeEach(async () => {
  client = await enter(door)
})
afterEach(async () => {
  client.close()
  await postgres.direct(`set role app; alter domain guess drop constraint if exists c;
    create or replace view shown as select id, note from notes; ${harmless}; reset role`)
  await door.catalogs.get(postgres.target).refresh()
})

/** By a colleague for whom nothing is masked, in a session of their own. */
async function others(sql: string): Promise<void> {
  const { masked } = door.people
  door.people.masked = new Set()
  door.people.epoch++
  const other = await enter(door)
  expect((await other.query(sql)).errors).toEqual([])
  other.close()
  door.people.masked = masked
  door.people.epoch++
}

const typeOf = async (name: string): Promise<number> =>
  (await postgres.direct(`select 'public.${name}'::regtype::oid::int as oid`)).rows[0].oid

const declared = (name: string, text: string, oid: number) =>
  message(frontend.parse, cstring(name), cstring(text), int16(1), int32(oid))

describe('a domain that is checked by what is masked from now on', () => {
  it.each([
    ['prepare p (guess) as select $1 is null', "execute p('c1@example.com')"],
    ['prepare p (pair) as select $1 is null', "execute p('(1,c1@example.com)')"],
    ['prepare p (guess[]) as select 1', "execute p('{c1@example.com}')"],
    ['prepare p (text) as select $1::guess is null', "execute p('c1@example.com')"],
    ['prepare p (text) as insert into held values (1, $1)', "execute p('c1@example.com')"],
    ['prepare p as select 1', "prepare q (guess) as select 1; execute q('c1@example.com')"],
  ])('tells nothing of a parameter: %s, %s', async (prepare, sql) => {
    expect((await client.query(prepare)).errors).toEqual([])
    await others(guarding)
    expect((await client.query(sql)).errors).toMatchObject(refused)
  })

  it.each(['guess', 'pair', '_guess'])('tells nothing of one that Parse declared to be %s', async (type) => {
    const values = { guess: 'c1@example.com', pair: '(1,c1@example.com)', _guess: '{c1@example.com}' }
    const value = values[type as keyof typeof values]
    const parsed = await client.send([declared('s', 'select $1 is null', await typeOf(type)), say.sync])
    expect(parsed.errors).toEqual([])
    expect((await client.send([say.bindTo('', 's', value), execute(''), say.sync])).rows).toBe(1)
    await others(guarding)
    for (const one of [value, value.replace('c1', 'c2')]) {
      const bound = await client.send([say.bindTo('', 's', one), execute(''), say.sync])
      expect(bound.errors).toMatchObject(refused)
    }
    // It has the target's attention all the same.
    expect((await client.query('select 7')).rows).toBe(1)
  })

  it('tells nothing of one whose type the target found, before anything is executed', async () => {
    expect((await client.send([say.parse('s', 'insert into held values (1, $1)'), say.sync])).errors).toEqual([])
    await others(guarding)
    for (const one of ['c1@example.com', 'c2@example.com']) {
      expect((await client.send([say.bindTo('', 's', one), say.sync])).errors).toMatchObject(refused)
    }
  })

  it('is recorded as what was asked for', async () => {
    await client.send([declared('s', 'select $1 is null', await typeOf('guess')), say.sync])
    await others(guarding)
    door.people.events.length = 0
    await client.send([say.bindTo('', 's', 'c1@example.com'), execute(''), say.sync])
    expect(door.people.events.filter(({ type }) => type === 'request')).toMatchObject([
      { outcome: 'blocked', text: expect.stringContaining('select $1 is null') },
    ])
  })

  it('is no concern of those for whom nothing is masked', async () => {
    const { masked } = door.people
    await client.send([declared('s', 'select $1 is null', await typeOf('guess')), say.sync])
    await others(guarding)
    door.people.masked = new Set()
    door.people.epoch++
    expect((await client.send([say.bindTo('', 's', 'c2@example.com'), execute(''), say.sync])).rows).toBe(1)
    door.people.masked = masked
    door.people.epoch++
  })

  it('is no concern where its check looks at nothing that is masked', async () => {
    await client.send([declared('s', 'select $1 is null', await typeOf('guess')), say.sync])
    await others(`create or replace function plain(text) returns boolean language sql as $$ select $1 <> 'x' $$;
      alter domain guess add constraint c check (public.plain(value))`)
    expect((await client.send([say.bindTo('', 's', 'c2@example.com'), execute(''), say.sync])).rows).toBe(1)
    const again = [
      declared('', 'select $1 is null', await typeOf('guess')),
      say.bindTo('', '', 'x'),
      execute(''),
      say.sync,
    ]
    expect((await client.send(again)).errors).toMatchObject([{ sqlstate: '23514' }])
  })
})

describe('a function that is another by the time that more rows are fetched', () => {
  /** Rows are computed one by one. The read of a table has the session learn of the change. */
  const rows = 'select word(n) from generate_series(1, 9) n'

  it('shows nothing through a cursor', async () => {
    for (const sql of ['begin', `declare c cursor for ${rows}`, 'fetch 1 from c']) await client.query(sql)
    await others(telling)
    expect((await client.query('select count(*) from notes')).rows).toBe(1)
    const fetched = await client.query('fetch 1 from c')
    expect(fetched.bytes.toString('latin1')).not.toMatch(secret)
    expect(fetched.errors).toMatchObject(refused)
  })

  it('shows nothing through a cursor of a prepared statement, nor in one text', async () => {
    await client.query(`prepare p as ${rows}`)
    for (const sql of ['begin', `declare c cursor for ${rows}`, 'fetch 1 from c']) await client.query(sql)
    await others(telling)
    const all = await client.query('select count(*) from notes; fetch 1 from c')
    expect(all.bytes.toString('latin1')).not.toMatch(secret)
    await client.query('rollback')
    expect((await client.query('execute p')).errors).toMatchObject(refused)
  })

  it('shows nothing through a portal', async () => {
    await client.query('begin')
    const first = await client.send([say.parse('s', rows), bind('P', 's'), execute('P', 1), say.sync])
    expect([first.errors, first.rows]).toEqual([[], 1])
    await others(telling)
    expect((await client.query('select count(*) from notes')).rows).toBe(1)
    const next = await client.send([execute('P', 1), say.sync])
    expect(next.bytes.toString('latin1')).not.toMatch(secret)
    expect(next.errors).toMatchObject(refused)
  })

  it('shows nothing through one where the change comes from past the gateway, and was seen since', async () => {
    await client.query('begin')
    await client.send([say.parse('s', rows), bind('P', 's'), execute('P', 1), say.sync])
    await postgres.direct(telling)
    await door.catalogs.get(postgres.target).refresh()
    await client.query('select count(*) from notes')
    expect((await client.send([execute('P', 1), say.sync])).errors).toMatchObject(refused)
  })

  it('goes on where what it is now is as harmless, and where other things changed', async () => {
    await client.query('begin')
    await client.send([say.parse('s', rows), bind('P', 's'), execute('P', 1), say.sync])
    await client.query(`declare c cursor for ${rows}; declare d cursor for select email from customers order by id`)
    await client.query('fetch 1 from c; fetch 1 from d')
    await others(
      "create or replace function word(n int) returns text language plpgsql as $$ begin return 'new'; end $$",
    )
    await others('create or replace view shown as select id, upper(note) as note from notes')
    for (const sql of ['select count(*) from notes', 'fetch 1 from c', 'fetch 1 from d']) {
      const { errors, bytes } = await client.query(sql)
      expect(errors, sql).toEqual([])
      expect(bytes.toString('latin1')).not.toMatch(secret)
    }
    expect((await client.send([execute('P', 1), say.sync])).rows).toBe(1)
  })
})

describe('a view that shows something else by now', () => {
  it('is masked in what was prepared before', async () => {
    await client.query('prepare p as select note from shown')
    await client.send([say.parse('s', "select note || '' from shown"), say.sync])
    await others('create or replace view shown as select id, email as note from customers')
    for (const answer of [await client.query('execute p'), await client.send([bind('', 's'), execute(''), say.sync])]) {
      expect(answer.bytes.toString('latin1')).not.toMatch(secret)
    }
  })
})
