import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { enter, stand, whileItWaits } from './enter.ts'

/**
 * Statements that wait, while somebody takes away what a name in them stood for when they were decided on: PostgreSQL looks the name up
 * when they run, and finds something else by it.
 */
const at = stand({
  prepare: `set role app;
    create function tells(orders) returns text language sql stable as $$ select email from public.customers where id = 1 $$;
    create function length_of(text) returns int language sql immutable as $$ select length($1) $$; reset role`,
})
const secret = /c\d+@example|900-00-\d{4}/
const mine = `set role app; drop table if exists mine; create table mine (id int, email text, ssn text, c text, customers text, to_json text,
  tells text, length_of text); insert into mine values (1, 'e', 's', 'c', 'x', 'j', 't', 'l');
  drop table if exists more; create table more (id int, note text); insert into more values (1, 'note 1'); reset role`

beforeAll(() => at.postgres.direct(mine))
afterAll(() => at.postgres.direct('drop table mine, more'))
beforeEach(() => at.client.query("set lock_timeout = '20s'"))

/** `text` waits while somebody for whom as much is masked changes a table of their own. */
async function meanwhile(change: string, text: string) {
  const { postgres, door } = at
  const came = await whileItWaits(at, text, async () => {
    const other = await enter(door)
    expect((await other.query(change)).errors).toEqual([])
    other.close()
  })
  await postgres.direct(mine)
  await door.catalogs.get(postgres.target).refresh()
  return came
}

describe('a name that is found elsewhere once its column is gone', () => {
  it.each([
    ['email', "select (select email || '' from mine) from customers where id = 1"],
    ['email', 'select (select email from mine) from customers where id = 1'],
    ['email', "select s.e from customers c, lateral (select email || '' as e from mine) s where c.id = 1"],
    ['email', "select s.email || '' from (select (select email from mine), c.id from customers c) s where id = 1"],
    ['c', 'select (select c::text from mine) from customers c where id = 1'],
    ['customers', 'select (select customers::text from mine) from customers where id = 1'],
    ['customers', 'select customers::text from mine, customers where customers.id = 1'],
    ['tells', 'select mine.tells from (select * from mine) s, mine'],
    ['to_json', 'select s.to_json from (select mine.*, c.ssn as s from mine, customers c where c.id = 1) s'],
    ['to_json', 'select (s).to_json from (select mine.*, c.ssn as s from mine, customers c where c.id = 1) s'],
    [
      'email',
      "insert into more select c.id, (select email from mine) from customers c where id = 1 returning note || ''",
    ],
  ])('shows nothing: %s, %s', async (column, text) => {
    for (const change of ['drop column', 'rename column']) {
      const to = change === 'rename column' ? ' to gone' : ''
      const { bytes } = await meanwhile(`alter table mine ${change} ${column}${to}`, text)
      expect(bytes.toString('latin1')).not.toMatch(secret)
    }
  })

  it.each([
    ['email', "select id from customers where exists (select from mine where email like 'c1@%')"],
    ['email', 'select s.i from (select mine.*, c.id as i from mine, customers c order by email desc limit 3) s'],
    ['email', 'select s.i from (select distinct on (email) mine.*, c.id as i from mine, customers c) s'],
    ['c', 'select left(email, 1) as c, count(*) from customers, mine group by c'],
  ])('steers nothing: %s, %s', async (column, text) => {
    const { errors, rows } = await meanwhile(`alter table mine drop column ${column}`, text)
    expect(errors).toMatchObject([{ sqlstate: 'SPB01', message: expect.stringContaining('public.customers.email') }])
    expect(rows).toBe(0)
  })

  it('joins nothing by a column that came', async () => {
    const change = "alter table more add column ssn text default '900-00-0001'"
    const { errors } = await meanwhile(change, 'select more.id from more natural join customers')
    expect(errors).toMatchObject([{ sqlstate: 'SPB01', message: expect.stringContaining('a NATURAL JOIN') }])
  })

  it.each([
    'select (select m.email from mine m) as x from customers where id = 1',
    "select (select e || '' from (select m.email as e from mine m) s) as x from customers where id = 1",
    'select (select note from orders o where o.customer_id = c.id limit 1) from customers c where id = 1',
    'select name from customers where id in (select id from mine)',
    'select mine.id, customers.name from mine join customers using (id) order by name',
    'select * from mine order by email',
    'select to_json, length_of, tells from mine',
    'select mine.to_json, mine.length_of from mine',
    'select more.id from more natural join orders',
  ])('keeps nobody from work: %s', async (text) => {
    const { errors, rows, notices } = await at.client.query(text)
    expect(errors).toEqual([])
    expect(rows).toBe(1)
    expect(notices).not.toContain('SPM01')
  })
})

describe('places that move while a statement waits', () => {
  const swap = 'alter table listed drop column name; alter table listed add column name text'
  beforeAll(async () => {
    at.door.people.masked.add('public.listed.email')
  })
  beforeEach(async () => {
    await at.postgres.direct(`set role app; drop table if exists listed; create table listed as select id, name, email from customers where id < 4;
      reset role`)
    await at.door.catalogs.get(at.postgres.target).refresh()
  })
  const texts = [
    "select j.k || '' from (mine cross join listed) as j(a, b, c, d, e, f, g, h, i, k)",
    "with s(a, b, c, d, e, f, g, h, i, k) as (select * from mine, listed) select k || '' from s",
    "select s.name || '' from (select * from listed union all select * from listed where false) s",
    'select 0, $$$$, $$$$ union all select * from listed',
    "select s.b || '' from listed s(a, b)",
    'copy listed to stdout',
    'copy (select * from listed) to stdout',
    'select * from listed',
  ]

  it.each(texts)('show nothing, and the session ends where that is not all: %s', async (text) => {
    const answer = await meanwhile(`${swap}; alter table mine drop column c`, text)
    expect(answer.bytes.toString('latin1')).not.toMatch(secret)
    expect(answer.closed).toBe(true)
  })

  it.each(texts)('are what they were by then: %s', async (text) => {
    const { errors, rows } = await meanwhile('alter table more add column z int; create table new_one (id int)', text)
    await at.postgres.direct('drop table new_one')
    expect(errors).toEqual([])
    expect(rows).toBeGreaterThan(1)
  })

  it.each([false, true])('show nothing, and can be asked for again (extended protocol: %s)', async (extended) => {
    const { client, postgres, door } = at
    const text = texts[0] ?? ''
    const other = await enter(door)
    await other.query('begin; alter table mine drop column c')
    const answer = extended ? client.extended(text) : client.query(text)
    const waits = async () =>
      (await postgres.direct("select from pg_locks where locktype = 'relation' and not granted")).rows.length > 0
    while (!(await waits()));
    await other.query('commit')
    other.close()
    const { errors, rows } = await answer
    expect(errors).toMatchObject([{ sqlstate: 'SPB01', message: expect.stringContaining('public.mine changed since') }])
    expect(rows).toBe(0)
    expect((await client.query('select 7')).rows).toBe(1)
    expect(
      (await client.query("select j.h || '' as h from (mine cross join listed) as j(a, b, c, d, e, f, g, h)")).errors,
    ).toEqual([])
    await postgres.direct(mine)
    await door.catalogs.get(postgres.target).refresh()
  })

  it('are those of what a text made and committed itself', async () => {
    const text = 'begin; alter table listed add column z text; commit; select name, id from listed'
    const { errors, rows } = await at.client.query(text)
    expect([errors, rows]).toEqual([[], 3])
  })
})
