import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Door, openDoor } from './testing/door.ts'
import { startPostgres, type TestPostgres } from './testing/postgres.ts'

let postgres: TestPostgres
let door: Door

beforeAll(async () => {
  postgres = await startPostgres()
  await postgres.direct(`
    alter table customers add constraint one_ssn unique (ssn);
    create table cards (id int, ssn text references customers (ssn) deferrable initially deferred);
    insert into cards values (1, '900-00-0500');
    grant all on cards to app`)
})
afterAll(async () => postgres?.close())
beforeEach(async () => {
  door = await openDoor(postgres.target)
})
afterEach(async () => door.close())

/** Ways in which a server tells of a value after the statement that had to do with it, or beside its result. */
describe('what comes beside a result', () => {
  const secret = '900-00-0500'

  it.each([
    ['at COMMIT', ['begin', 'delete from customers where id = 500', 'commit']],
    [
      'when constraints are looked at',
      ['begin', 'delete from customers where id = 500', 'set constraints all immediate'],
    ],
    ['at the end of one message', ['delete from customers where id = 500; select 1']],
    ['at Sync', [{ text: 'delete from customers where id = $1', values: [500] }]],
  ])('an error of a deferred constraint quotes nothing: %s', async (_, steps) => {
    const client = await door.client()
    const errors: unknown[] = []
    for (const step of steps) await client.query(step).catch((error: unknown) => errors.push(error))
    expect(errors).toHaveLength(1)
    expect(errors[0]).toMatchObject({ code: '23503', detail: undefined })
    expect(JSON.stringify(errors)).not.toContain(secret)
    await client.query('rollback')
    // And it is over then: other errors are whole again.
    const own = await client.query("insert into orders (id, note) values (1, 'x')").catch((error: unknown) => error)
    expect(own).toMatchObject({ code: '23505', detail: 'Key (id)=(1) already exists.' })
  })

  it('an error in a table that a foreign key changed quotes nothing', async () => {
    await postgres.direct(`
      create table regions (code text primary key);
      create table members (ssn text, region text references regions on update cascade check (region <> 'XX'));
      insert into regions values ('A'); insert into members values ('${secret}', 'A');
      grant all on regions to app`)
    door.people.masked.add('public.members.ssn')
    const client = await door.client()
    const error = await client.query("update regions set code = 'XX'").catch((one: unknown) => one)
    expect(error).toMatchObject({ code: '23514', detail: undefined })
    expect(JSON.stringify(error)).not.toContain(secret)
  })

  it('how much the server sorted is not told', async () => {
    const client = await door.client()
    await client.query('set trace_sort = on')
    await client.query('set client_min_messages = log')
    await client.query('select id from orders order by note')
    expect(client.notices.length).toBeGreaterThan(0)
    client.notices.length = 0
    await client.query(
      `select x from (select id, coalesce(nullif(left(ssn, 1), '9'), '${'x'.repeat(100)}') as x from customers offset 0) s order by id`,
    )
    expect(client.notices.map(({ code }) => code)).toEqual(['SPM01'])
    for (const column of ['temp_bytes', 'temp_files']) {
      const { rows } = await client.query(`select ${column} as x from pg_stat_database`)
      expect(new Set(rows.map((row: { x: unknown }) => row.x))).toEqual(new Set([null]))
    }
    await expect(client.query('select pg_stat_get_db_temp_bytes(1)')).rejects.toMatchObject({ code: 'SPB01' })
  })

  it('a statement that was refused for its encoding runs in another, and the other way round', async () => {
    const client = await door.client()
    const read = () => client.query('select ssn from customers where id = 1')
    expect((await read()).rows).toEqual([{ ssn: '***0001' }])
    await client.query("set client_encoding = 'JOHAB'")
    await expect(read()).rejects.toMatchObject({ code: 'SPB01' })
    await client.query("set client_encoding = 'UTF8'")
    expect((await read()).rows).toEqual([{ ssn: '***0001' }])
  })

  it('triggers and functions that touch nothing masked run, and what they do is on the record', async () => {
    await postgres.direct(`
      create or replace function stamp() returns trigger language plpgsql as $$ begin new.note := 'stamped'; return new; end $$;
      create or replace trigger stamp before update on orders for each row execute function stamp();
      create or replace function spent(int) returns numeric language sql stable as $$ select sum(total) from orders where customer_id = $1 $$;
      create or replace function named(int) returns text language sql stable as $$ select email from customers where id = $1 $$`)
    const client = await door.client()
    expect((await client.query('update orders set total = 5 where id = 9 returning note')).rows).toEqual([
      { note: 'stamped' },
    ])
    expect((await client.query('select spent(9)')).rows).toEqual([{ spent: '5' }])
    const refused = client.query('select named(9)')
    await expect(refused).rejects.toMatchObject({
      code: 'SPB01',
      message: expect.stringContaining('public.customers.email'),
    })
  })
})
