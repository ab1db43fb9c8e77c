import { describe, expect, it } from 'vitest'
import { openDoor } from '../../agent/inspect/postgres/testing/door.ts'
import { say } from '../../agent/inspect/postgres/testing/wire.ts'
import { bind, execute } from '../support/raw-postgres.ts'
import { bytesOf, enter, stand } from './enter.ts'

const secret = 'c1@example'
const derived = "select email || '' as v from customers where id = 1"
const toMine = "select set_config('search_path', 'mine', false) as x"
const toPublic = "select set_config('search_path', 'public', false) as x"

/** A query that changes search_path, where it runs at another time than it is read, or not at all: what follows must not be judged as if it had. */
const at = stand({
  prepare: `set role app;
    create schema mine; create table mine.customers (id int, email text); insert into mine.customers values (1, 'harmless');
    create view moves as ${toPublic}; create view says as select set_config('app.word', 'w', false) as x;
    create schema app; create table app.people (id int, email text); insert into app.people values (1, 'harmless');
    reset role; create role bob; grant bob to app; create schema bob authorization bob; grant usage on schema app to bob;
    create table bob.people (id int, email text); insert into bob.people values (1, 'c1@example.com');
    grant usage on schema bob to app; grant select on bob.people, app.people to app, bob;
    create schema postgres; create table postgres.people (id int, email text)`,
  opened: (door) => {
    door.people.masked.add('bob.people.email')
  },
})

describe('a query that changes search_path', () => {
  it.each([
    // It does not run, or what it sets is taken back.
    [[`create view v as ${toMine}; ${derived}`]],
    [[`create table t as ${toMine} with no data; ${derived}`]],
    [[`create table if not exists orders as ${toMine}; ${derived}`]],
    [[`create materialized view m as ${toMine}; ${derived}`]],
    [['begin', `declare c cursor for ${toMine}`, `fetch 0 from c; ${derived}`]],
    [['begin', `declare c cursor for ${toMine}`, 'fetch c', 'set search_path = public', `fetch c; ${derived}`]],
    // It runs when something else does.
    [['set search_path = mine', 'select x from public.moves', derived]],
    [['set search_path = mine', `select x from public.moves; ${derived}`]],
    [['set search_path = mine', 'prepare p as select x from public.moves', 'execute p', derived]],
    [['set search_path = mine', 'copy (select x from public.moves) to stdout', derived]],
    [['set search_path = mine', `create view mine.own as ${toPublic}`, 'select x from mine.own', derived]],
    [['set search_path = mine', 'begin', `declare c cursor with hold for ${toPublic}`, 'commit', derived]],
    [['set search_path = mine', `begin; declare c cursor with hold for ${toPublic}; commit; ${derived}`]],
  ])('%j', async (texts) => {
    expect(await bytesOf(at.client, texts)).not.toContain(secret)
  })

  it('in a view, within a pipeline', async () => {
    await at.client.query('set search_path = mine')
    const { bytes } = await at.client.send([
      say.parse('v', 'select x from public.moves'),
      bind('V', 'v'),
      execute('V'),
      say.parse('d', derived),
      bind('D', 'd'),
      execute('D'),
      say.sync,
    ])
    expect(bytes.toString('latin1')).not.toContain(secret)
  })

  it('is no concern where no name depends on it', async () => {
    const word = "select set_config('app.word', 'w', false) as x"
    for (const text of [
      'select x from says',
      `create view word as ${word}`,
      `create table words as ${word}`,
      'begin',
      `declare c cursor for ${word}`,
      'fetch c',
      'commit',
    ]) {
      expect((await at.client.query(text)).errors, text).toEqual([])
    }
    expect((await at.client.query(`${toMine}; ${derived}`)).bytes.toString('latin1')).toContain('harmless')
  })
})

describe('"$user" on the search_path', () => {
  const people = "select email || '' as v from people"

  it.each([
    [['set role bob', `set search_path = "$user"; ${people}`]],
    [['set role bob', `begin; set local search_path = "$user", public; ${people}; commit`]],
    [['set role bob', `select set_config('search_path', '"$user"', false); ${people}`]],
    [['set role bob', 'set search_path = app', `prepare p as ${people}`, 'set search_path = "$user"; execute p']],
    [[`set role bob; set search_path = "$user"; ${people}`]],
    [[`set role bob; set search_path = app; set search_path = "$user"; ${people}`]],
    [['begin; set local role bob', `set search_path = "$user"; ${people}`]],
    [['set role bob', people]],
  ])('is the role that was taken: %j', async (texts) => {
    expect(await bytesOf(at.client, texts)).not.toContain(secret)
  })

  it.each([
    [['set session authorization bob', people]],
    [['set session authorization bob', `set search_path = "$user"; ${people}`]],
    [[`set session authorization bob; ${people}`]],
    [['begin', 'set local session authorization bob', people]],
  ])('is who the session is authorized as: %j', async (texts) => {
    const other = await openDoor({ ...at.postgres.target, user: 'postgres' })
    other.people.masked.add('bob.people.email')
    const superuser = await enter(other)
    const bytes = await bytesOf(superuser, texts)
    const { bytes: piped } = await superuser.send([
      say.parse('a', 'set session authorization bob'),
      bind('', 'a'),
      execute(''),
      say.parse('b', people),
      bind('', 'b'),
      execute(''),
      say.sync,
    ])
    superuser.close()
    await other.close()
    expect(bytes + piped.toString('latin1')).not.toContain(secret)
  })

  it('is the account where nothing was changed', async () => {
    expect((await at.client.query(`set search_path = "$user"; ${people}`)).bytes.toString('latin1')).toContain(
      'harmless',
    )
    await at.client.query('set role bob; reset role')
    expect((await at.client.query(people)).bytes.toString('latin1')).toContain('harmless')
  })
})
