import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Door, hold, openDoor } from '../../agent/inspect/postgres/testing/door.ts'
import { startPostgres, type TestPostgres } from '../../agent/inspect/postgres/testing/postgres.ts'
import type { RawPostgres } from '../support/raw-postgres.ts'
import { enter } from './enter.ts'

/** People agree to what a statement says. While they are asked, its names are made to stand for something else. */
let postgres: TestPostgres
let door: Door
let client: RawPostgres

beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(async () => postgres?.close())
beforeEach(async () => {
  await postgres.direct(`set role app; drop schema if exists mine cascade; create schema mine;
    create table mine.scratch (id int, note text); insert into mine.scratch values (1, 'x');
    create table mine.other (id int, note text, more text); insert into mine.other values (1, 'x');
    create view mine.some as select * from mine.scratch where id = 1;
    create function mine.clean() returns void language sql as 'delete from mine.scratch where id = 1';
    create function mine.twice() returns void language sql as 'select mine.clean()';
    create function mine.same(int, int) returns bool language sql immutable as 'select $1 = $2';
    create operator mine.=== (leftarg = int, rightarg = int, function = mine.same);
    create function mine.goes() returns trigger language plpgsql as 'begin return old; end';
    create trigger goes before delete on mine.other for each row execute function mine.goes(); reset role`)
  door = await openDoor(postgres.target)
  door.people.masked.clear()
  client = await enter(door)
})
afterEach(async () => {
  client.close()
  await door.close()
})

async function approvedAfter(text: string, change: (other: RawPostgres) => Promise<void>, prepared = false) {
  door.people.rule = hold('sql:delete', 'sql:call', 'sql:update')
  const held = door.people.nextHold()
  const answer = prepared ? client.extended(text) : client.query(text)
  await held
  const other = await enter(door)
  await change(other)
  other.close()
  door.people.holds[0]?.settle({ kind: 'approved', by: ['grace'] })
  return answer
}

const swaps: Readonly<Record<string, readonly [text: string, ...changes: string[]]>> = {
  'a table that is another’s name': [
    'delete from mine.scratch where id = 1',
    'alter table mine.scratch rename to old',
    'alter table mine.other rename to scratch',
  ],
  'a view in its place': [
    'delete from mine.scratch where id = 1',
    'alter table mine.scratch rename to old',
    'create view mine.scratch as select id, note from public.orders',
  ],
  'a view that shows more': ['delete from mine.some', 'create or replace view mine.some as select * from mine.scratch'],
  'a function that does more': [
    'select mine.clean()',
    "create or replace function mine.clean() returns void language sql as 'delete from mine.scratch where id >= 1'",
  ],
  'a function that is called by another': [
    'select mine.twice()',
    "create or replace function mine.clean() returns void language sql as 'delete from mine.scratch where id >= 1'",
  ],
  'an operator that compares more': [
    'delete from mine.scratch where id operator(mine.===) 1',
    "create or replace function mine.same(int, int) returns bool language sql immutable as 'select true'",
  ],
  'a trigger that does more': [
    'delete from mine.other where id = 1',
    "create or replace function mine.goes() returns trigger language plpgsql as 'begin return null; end'",
  ],
  'a column by the name of another': [
    "update mine.other set note = 'y' where id = 1",
    'alter table mine.other rename note to was',
    'alter table mine.other rename more to note',
  ],
  'one of several': [
    'select 1; delete from mine.scratch where id = 1',
    'alter table mine.scratch rename to old',
    'alter table mine.other rename to scratch',
  ],
}

describe('what people agreed to', () => {
  it.each(Object.entries(swaps))('is what runs, or nothing does: %s', async (_, [text, ...changes]) => {
    const { errors } = await approvedAfter(text, async (other) => {
      for (const change of changes) expect((await other.query(change)).errors, change).toEqual([])
    })
    expect(errors).toMatchObject([{ sqlstate: 'SPB01', message: expect.stringContaining('changed while it waited') }])
    const { rows } = await postgres.direct('select count(*)::int as n from public.orders')
    expect(rows).toEqual([{ n: 100 }])
    expect(door.people.events.findLast((event) => event.type === 'request')).toMatchObject({ outcome: 'blocked' })
  })

  it('is noticed where it changed past the gateway', async () => {
    const { errors } = await approvedAfter('delete from mine.scratch where id = 1', async () => {
      await postgres.direct('alter table mine.scratch rename to old; alter table mine.other rename to scratch')
    })
    expect(errors).toMatchObject([{ sqlstate: 'SPB01' }])
  })

  it.each([false, true])('runs where other things changed (extended protocol: %s)', async (prepared) => {
    const { errors, tags } = await approvedAfter(
      'delete from mine.scratch where id = 1',
      async (other) => {
        expect((await other.query('create table mine.more (id int)')).errors).toEqual([])
      },
      prepared,
    )
    expect(errors).toEqual([])
    expect(tags).toContain('DELETE 1')
  })
})
