import { describe, expect, it } from 'vitest'
import { forbid, stand } from './enter.ts'

/**
 * A guess that is written tells whether it is right, where an index or a foreign key compares it with what is there. `ssn` may not even
 * be looked up, `email` may.
 */
const at = stand({
  prepare: `create extension btree_gist; set role app;
    create unique index on customers (ssn); create unique index on customers (email);
    create table refs (id int, s text references customers (ssn), m text references customers (email));
    create table codes (code text primary key, note text); insert into codes select '900-00-0001', '' union all select 'free', '';
    create table patients (id int, ssn text references codes); insert into patients values (1, '900-00-0001');
    create table wards (id int, name text, ssn text, exclude using gist (ssn with =)); insert into wards values (1, 'a', '900-00-0001');
    create table people (id int, ssn text) partition by list (id); create table people_1 partition of people for values in (1);
    create unique index on people_1 (lower(ssn)); insert into people values (1, '900-00-0001');
    create table plain (id int primary key, ssn text); insert into plain values (1, '900-00-0001');
    create table keyed (id int, name text, ssn text, key text generated always as (md5(ssn)) stored unique);
    create table twice (id int, name text, ssn text, key text generated always as (name || ssn) stored unique);
    create table labelled (id int, name text, ssn text, label text generated always as (name || ssn) stored);
    insert into keyed values (1, 'a', '900-00-0001'); insert into twice values (1, 'a', '900-00-0001'), (2, 'b', '900-00-0002');
    insert into labelled values (1, 'a', '900-00-0001');
    create table staged (id int, mail text); insert into staged values (7000, 'c1@example.com');
    create view shown as select id, name, ssn as number from customers;
    reset role`,
  opened: (door) => {
    door.people.masked = new Set(
      ['customers', 'patients', 'wards', 'people', 'plain', 'keyed', 'twice', 'labelled']
        .map((table) => `public.${table}.ssn`)
        .concat('public.customers.email'),
    )
    forbid(door, (column) => column === 'ssn')
  },
  begins: true,
})

const guess = "'900-00-0001'"

describe('a guess that is written', () => {
  it.each([
    `insert into customers (id, name, ssn) values (9000, 'x', ${guess})`,
    "insert into customers values (9000, 'x', 'm', '900-00-0001', 1, now())",
    `insert into customers (id, name, ssn) select 9000, 'x', ${guess} on conflict do nothing returning id`,
    "insert into customers (id, name, ssn) select 9000 + n, 'x', '900-00-' || lpad(n::text, 4, '0') from generate_series(1, 50) n on conflict do nothing returning id",
    "insert into customers (id, name, email) select 9000 + n, 'x', 'c' || n || '@example.com' from generate_series(1, 50) n on conflict do nothing returning id",
    "insert into customers (id, name, email) select id, 'x', mail from staged",
    `update customers set ssn = ${guess} where id = 3`,
    `update customers set (name, ssn) = ('x', ${guess}) where id = 3`,
    `update shown set number = ${guess} where id = 3`,
    `insert into shown values (9000, 'x', ${guess})`,
    `merge into customers c using (values (9000)) v(i) on c.id = v.i when not matched then insert (id, name, ssn) values (v.i, 'x', ${guess})`,
    `merge into customers c using (values (3)) v(i) on c.id = v.i when matched then update set ssn = ${guess}`,
    'copy customers from stdin',
    'copy customers (id, name, ssn) from stdin',
    `insert into refs (id, s) values (1, ${guess})`,
    `update refs set s = ${guess} where id = 1`,
    'copy refs (s) from stdin',
    'insert into refs (id, m) select id, mail from staged',
    `delete from codes where code = ${guess}`,
    `update codes set code = 'other' where code = ${guess}`,
    `insert into wards (id, ssn) values (2, ${guess})`,
    `insert into people values (1, ${guess})`,
    `insert into people_1 values (1, ${guess})`,
    `insert into keyed (id, ssn) values (2, ${guess})`,
    `insert into keyed (id, ssn) values (2, ${guess}) on conflict do nothing`,
    `update keyed set ssn = ${guess} where id = 3`,
    "update twice set name = 'b' where id = 1",
    `do $$ begin insert into customers (id, name, ssn) values (9000, 'x', ${guess}); exception when unique_violation then null; end $$`,
  ])('is refused: %s', async (sql) => {
    expect((await at.client.query(sql)).errors).toMatchObject([{ sqlstate: 'SPB01' }])
  })

  it.each([
    "insert into customers (id, name, email) values (9000, 'x', 'new@example.com')",
    "update customers set email = lower('New@example.com') where id = 3",
    "insert into customers (id, name, email) values (9001, 'x', 'c1@example.com') on conflict do nothing",
    "update customers set name = 'y' where id = 3",
    "insert into refs (id, m) values (1, 'c1@example.com')",
    "update codes set note = 'y' where code = 'free'",
    `insert into plain values (2, ${guess})`,
    `update plain set ssn = ${guess} where id = 1`,
    "update keyed set name = 'y' where id = 1",
    "update labelled set name = 'y' where id = 1",
    `update labelled set ssn = ${guess} where id = 1`,
    "update wards set name = 'y' where id = 1",
    'delete from patients where id = 1',
    'copy staged from stdin',
  ])('is one’s own business: %s', async (sql) => {
    expect((await at.client.query(sql)).errors.filter(({ sqlstate }) => sqlstate === 'SPB01')).toEqual([])
  })
})
