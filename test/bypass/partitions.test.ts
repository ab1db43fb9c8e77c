import { describe, expect, it } from 'vitest'
import { stand } from './enter.ts'

/** Tables divided by a masked column: which part a row is in says within which bounds the column is. */
const at = stand({
  prepare: `set role app;
    create table divided (id int, email text, note text) partition by range (email);
    create table divided_low partition of divided for values from (minvalue) to ('c5');
    create table divided_rest partition of divided default partition by hash (note);
    create table divided_rest_1 partition of divided_rest for values with (modulus 1, remainder 0);
    insert into divided select id, email, name from customers where id < 20;
    create table computed (id int, email text) partition by list ((left(email, 2)));
    create table computed_1 partition of computed for values in ('c1'); insert into computed select id, email from customers where id = 1;
    create view through as select id, note from divided; create view which as select id, tableoid as place from divided;
    create table monthly (id int, at date, email text) partition by range (at);
    create table monthly_1 partition of monthly for values from ('2026-01-01') to ('2026-02-01');
    create table monthly_rest partition of monthly default;
    insert into monthly values (1, '2026-01-05', 'c1@example.com');
    reset role`,
  opened: ({ people }) => {
    for (const table of ['divided', 'computed', 'monthly']) people.masked.add(`public.${table}.email`)
  },
})

describe('the partition that a row is in', () => {
  it.each([
    "select id from divided where tableoid = 'divided_low'::regclass",
    'select count(*) from divided group by tableoid',
    'select id from divided order by tableoid',
    'select id from which where place is null',
    'select id, tableoid::regclass from divided',
    'select id from divided_low',
    'select count(*) from only divided_rest_1',
    'select count(*) from computed_1',
    "update divided_low set note = 'x' where id = 1",
    'delete from divided_low where id = 7',
    'copy divided_low (id) to stdout',
    'explain analyze select id from divided where id = 7',
    'explain analyze select id from through where id = 7',
    "explain analyze update divided set note = 'x' where id = 7",
    "create table more partition of divided for values from ('c7') to ('c8')",
    'alter table divided detach partition divided_low',
  ])('tells nothing: %s', async (text) => {
    const { errors } = await at.client.query(text)
    expect(errors).toEqual([expect.objectContaining({ sqlstate: 'SPB01' })])
  })

  it.each([
    'select id, tableoid as place from divided',
    'update divided set note = note where id = 7 returning id, tableoid as place',
    'select id, place from which',
  ])('is not shown: %s', async (text) => {
    const client = await at.door.client()
    const { rows } = await client.query<{ id: number; place: unknown }>(text)
    expect(rows.length).toBeGreaterThan(0)
    for (const row of rows) expect(row).toEqual({ id: expect.any(Number), place: null })
  })

  it.each([
    'select id, note from divided where id = 7',
    'explain select id from divided where id = 7',
    'select id, tableoid::regclass from monthly',
    'select id, email from monthly_1',
    'explain analyze select id from monthly where id = 1',
    "create table monthly_2 partition of monthly for values from ('2026-02-01') to ('2026-03-01')",
    'select tableoid::regclass from orders where id = 1',
    'analyze divided, monthly',
  ])('is open where its key is: %s', async (text) => {
    expect((await at.client.query(text)).errors).toEqual([])
  })
})
