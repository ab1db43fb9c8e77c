import { describe, expect, it } from 'vitest'
import type { Answer } from '../support/raw-postgres.ts'
import { forbid, stand } from './enter.ts'

/**
 * Whether a statement fails tells what it computed, even where nothing of that is shown: a value is made NULL, empty, or another by a
 * guess, and what it is handed to fails for all but that.
 */
const at = stand({
  prepare: `set role app; create table documents(of int, bad json, good json, tags text[]);
    insert into documents values (1, '{"a": "\\u0000"}', '{"a": "b"}', '{a}'); reset role`,
  opened: (door) => {
    forbid(door, (column) => column === 'ssn')
  },
})

/** A document that can't be read. */
const documents = '(select bad from documents where of = 1 offset 0) d'

/** What nobody sees is computed all the same. */
const unseen = (value: string, from = 'customers') =>
  `with x as materialized (select ${value} from ${from} where id = 1) select 1 from x`

/** What a client can tell from an answer, but for how long it took. */
const told = ({ heard, errors }: Answer) =>
  JSON.stringify([heard.filter(({ type }) => type !== 'N').map(({ type }) => type), errors])

const twoCollations = `customers, (select '' collate "C" as a, '' collate "POSIX" as b offset 0) s`

/** NULL where the guess of the first letter is right, by what counts as safe even where COALESCE stops. */
const gone = (guess: string) => `nullif(left(email, 1), ${guess})`

/** So much that a statement is read without it. */
const long = 'x'.repeat(2_200_000)

/** `empty`: '' where the guess of the first letter is right; `none`: NULL. */
const oracles: Readonly<Record<string, (empty: string, none: string, letter: string, guess: string) => string>> = {
  'a length that is kept': (empty) => unseen(`pg_catalog.varchar(${empty}, 4, false)`),
  'a length that is kept, padded': (empty) => unseen(`pg_catalog.bpchar((${empty})::bpchar, 4, false)`),
  'an encoding': (_, none) => unseen(`length('\\x61'::bytea, (${none})::name)`),
  'places beyond all': (_, none) => unseen(`overlay(${none} placing 'x' from 2147483647 for 2147483647)`),
  'a format of numbers': (_, none) => unseen(`to_char(length(${none}), 'SS')`),
  'a flag that does not fit': (_, none) => unseen(`regexp_match(${none}, 'a', 'g')`),
  'a time zone': (_, none) => unseen(`date_trunc('day', now() + length(${none}) * interval '1 s', 'nowhere')`),
  'a field from behind': (_, none) => unseen(`split_part(${none}, '@', 0)`),
  'arrays that do not join': (empty) => unseen(`string_to_array(${empty}, 'x') || '{{a,b}}'::text[]`),
  'arrays of another depth': (_, none) => unseen(`coalesce(${none}, (email || '{{a,b}}'::text[])::text)`),
  'JSON that can’t be read, a field': (_, __, ___, guess) =>
    unseen(`coalesce(to_json(${gone(guess)}), '{"a": "\\u0000"}'::json) ->> 'a'`),
  'JSON that can’t be read, a path': (_, __, ___, guess) =>
    unseen(`json_extract_path_text(coalesce(to_json(${gone(guess)}), '{"a": "\\u0000"}'), 'a')`),
  'JSON that can’t be read, by a path that is none': (_, __, ___, guess) =>
    unseen(`json_extract_path_text('{"a": "\\u0000"}', ${gone(guess)})`),
  'JSON that can’t be read, by a field that is none': (_, __, ___, guess) =>
    unseen(`'{"a": "\\u0000"}'::json ->> (${gone(guess)})`),
  'JSON that can’t be read, whole': (_, __, ___, guess) =>
    unseen(`to_jsonb(coalesce(to_json(${gone(guess)}), '"\\u0000"'))`),
  'JSON that can’t be read, in another': (_, __, ___, guess) =>
    unseen(`jsonb_build_object('k', coalesce(json_build_array(nullif(${gone(guess)}, '') || name), '1e999999'))`),
  'JSON that can’t be read, a number': (_, __, ___, guess) =>
    unseen(`jsonb_build_array(coalesce(to_json(${gone(guess)}), '1e999999'))`),
  'JSON that can’t be read, in a row': (_, __, ___, guess) =>
    unseen(
      'to_jsonb(s)',
      `(select 1 as id, coalesce(to_json(${gone(guess)}), '1e999999') as j from customers where id = 1 offset 0) s`,
    ),
  'JSON that can’t be read, in an array': (_, __, ___, guess) =>
    unseen(`to_jsonb(array[coalesce(to_json(${gone(guess)}), '1e999999')])`),
  'JSON that can’t be read, of a query': (_, __, ___, guess) =>
    unseen(`to_jsonb((select coalesce(to_json(${gone(guess)}), '1e999999')))`),
  'JSON that can’t be read, of the row before': (_, __, ___, guess) =>
    unseen(`to_jsonb(lag(to_json(${gone(guess)}), 0, '1e999999') over ())`),
  'rows that differ further on': (_, __, letter, guess) =>
    unseen(
      's = t',
      `(select ${letter} as a, 1 as b, id from customers offset 0) s, (select ${guess}::text as a, 'z'::text as b offset 0) t`,
    ),
  'rows that are the greater': (_, __, letter, guess) =>
    unseen(
      'greatest(s, t) is null',
      `(select ${letter} as a, 1 as b, 1 as id from customers where id = 1 offset 0) s, (select ${guess}::text as a, 'z'::text as b, 1 as c offset 0) t`,
    ),
  'rows that are the most': (_, __, letter, guess) =>
    unseen(
      'max(array[r])::text',
      `(values (1, row((select ${letter} from customers where id = 1), 1)), (1, row(${guess}::text, 'z'::text))) v (id, r)`,
    ),
  'rows that differ further on, in an array': (_, __, ___, guess) =>
    unseen(`array[row(left(email, 1), 1)] @> array[row(${guess}::text, 'z'::text)]`),
  'rows that differ further on, within an array': (_, __, ___, guess) =>
    unseen(`array[row(${guess}::text, 'z'::text)] <@ array[row(left(email, 1), 1)]`),
  'rows that differ further on, one of an array': (_, __, ___, guess) =>
    unseen(`row(left(email, 1), id) = any (array[row(${guess}::text, 'z'::text)])`),
  'rows that differ further on, of which one is written out': (_, __, ___, guess) =>
    unseen(`row(left(email, 1), id) < t.r`, `customers, (select row(${guess}::text, 'z'::text) as r offset 0) t`),
  'rows that differ further on, or are one': (_, __, ___, guess) =>
    unseen(`nullif(row(left(email, 1), id), row(${guess}::text, id::text)) is null`),
  'a pattern of which the end is not seen': (_, __, ___, guess) =>
    unseen(`(email like '${guess.slice(1, -1)}${'%'.repeat(600)}\\') is null, '${long}'`),
  'a format of which the end is not seen': (_, none) =>
    unseen(`format('${'-'.repeat(600)}%I', ${none}) || left('${long}', 1)`),
  'JSON that can’t be read, of a column': (_, __, ___, guess) =>
    unseen(`to_jsonb(coalesce(to_json(${gone(guess)}), d.bad))`, `customers, ${documents}`),
  'JSON that can’t be read, of a column by a field that is none': (_, __, ___, guess) =>
    unseen(`d.bad ->> (${gone(guess)})`, `customers, ${documents}`),
  'JSON that can’t be read, of a column by a path that is none': (_, __, ___, guess) =>
    unseen(`json_extract_path_text(d.bad, ${gone(guess)})`, `customers, ${documents}`),
  'JSON that can’t be read, of a column behind AND': (_, __, ___, guess) =>
    unseen(`left(email, 1) = ${guess} and to_jsonb(d.bad) is null`, `customers, ${documents}`),
  'JSON that can’t be read, a field of a column behind AND': (_, __, ___, guess) =>
    unseen(`left(email, 1) = ${guess} and d.bad ->> 'a' = 'b'`, `customers, ${documents}`),
  'JSON that is too deep': (_, __, ___, guess) =>
    unseen(`jsonb_build_object('k', coalesce(to_json(${gone(guess)}), '${'['.repeat(20_000)}${']'.repeat(20_000)}'))`),
  'two collations in a function': (_, none) => unseen(`lower(${none} || s.a || s.b)`, twoCollations),
  'two collations in a comparison': (_, none) => unseen(`${none} || s.a < s.b`, twoCollations),
  'two collations among many': (_, none) => unseen(`${none} || s.a in (s.b)`, twoCollations),
  'two collations in LIKE': (_, none) => unseen(`(${none} || s.a || s.b) like 'a%'`, twoCollations),
  'a text beyond what fits': (empty) => {
    let query = `select ${empty} as x from customers where id = 1 offset 0`
    for (let i = 0; i < 28; i++) query = `select x || x as x from (${query}) s offset 0`
    return `with x as materialized (select length(to_jsonb(x) ->> 0) as v from (${query}) s) select 1 from x`
  },
  'a text that doubles': (empty) =>
    `with recursive t(n, x) as (select 1, ${empty} from customers where id = 1 union all select n + 1, x || x from t where n < 29),
       y as materialized (select length(to_jsonb(x) ->> 0) from t where n = 29) select 1 from y`,
  'a text beside a long one': (_, none) => unseen(`to_jsonb(${none} || (select repeat('x', 268435455)))`),
  'quotes within quotes': (empty) => {
    let value = `quote_literal(${empty})`
    for (let i = 0; i < 26; i++) value = `quote_literal(${value})`
    return unseen(`length(to_jsonb(${value}) ->> 0)`)
  },
  'texts of many rows': (empty) =>
    `with x as materialized (select length(to_jsonb(string_agg(repeat(email, 60) || (${empty}), ''))  ->> 0) as v from customers,
       generate_series(1, 300000) where id = 1) select 1 from x`,
}

describe('a failure tells nothing', () => {
  it.each(Object.entries(oracles))('%s', async (_, oracle) => {
    const of = (column: string, guess: string) => {
      const first = `substring(${column}, 1, 1)`
      return oracle(`ltrim(${first}, ${guess})`, `nullif(${first}, ${guess})`, first, guess).replaceAll('email', column)
    }
    const right = await at.client.query(of('email', "'c'"))
    const wrong = await at.client.query(of('email', "'d'"))
    expect(told(right)).toBe(told(wrong))
    const hidden = await at.client.query(of('ssn', "'9'"))
    expect(hidden.errors).toMatchObject([{ sqlstate: 'SPB01' }])
    expect(hidden.rows).toBe(0)
  })

  it('nothing is computed of what may not be, seen or not', async () => {
    for (const value of [
      "ssn || ''",
      'lower(ssn)',
      'row(ssn)',
      'array[ssn]',
      'to_json(ssn)',
      'length(ssn)',
      'ssn is json',
    ]) {
      const { errors } = await at.client.query(unseen(value))
      expect(errors, value).toMatchObject([
        { sqlstate: 'SPB01', message: expect.stringContaining('public.customers.ssn') },
      ])
    }
  })

  it.each([
    "select lower(email) || ' ' || name as x from customers where id = 1",
    "select coalesce(email, '') || '!' as x from customers where id = 1",
    "select concat_ws(' ', name, email, $$x$$) as x from customers where id = 1",
    "select split_part(email, '@', 2) as x from customers where id = 1",
    'select max(lower(email)) as x from customers where id = 1',
    "select string_agg(email, ', ') as x from customers where id = 1",
    'select json_agg(c) as x from (select id, email from customers where id = 1) c',
    "select to_char(born, 'YYYY-MM') as x from customers where id = 1",
    "select date_trunc('month', born) as x from customers where id = 1",
    "select email = 'c1@example.com' as x from customers where id = 1",
    "select email in ('a', 'b') as x from customers where id = 1",
    'select greatest(email, name) as x from customers where id = 1',
    'select length(email) as x from customers where id = 1',
    'select to_json(lower(email)) as x from customers where id = 1',
    "select jsonb_build_object('key1', lower(email), 'n', 1, 'born', born) as x from customers where id = 1",
    "select json_build_object('mail', lower(email)) ->> 'mail' as x from customers where id = 1",
    "select coalesce(jsonb_agg(email), '[]') as x from customers where id = 1",
    "select coalesce(good ->> 'a', lower(email)) is null as x from customers, documents where id = 1",
    "select jsonb_build_object('mail', email, 'good', good) as x from customers, documents where id = 1",
    "select string_to_array(email, '@') <@ tags as x from customers, documents where id = 1",
    "select to_jsonb(string_to_array(email, '@')) @> '[1]' as x from customers where id = 1",
    "select (email, name) = ('a', 'b') as x from customers where id = 1",
    "select (email, name) in (('a', 'b'), ('c', 'd')) as x from customers where id = 1",
    "select to_jsonb(c) ->> 'email' as x from (select id, email from customers where id = 1) c",
    'select to_jsonb(array[email]) -> 0 as x from customers where id = 1',
    "select jsonb_build_array('a1', jsonb_build_object('k', email) -> 'k') as x from customers where id = 1",
    "with recursive t(n, x) as (select 1, ''::text union all select n + 1, x || (select email from customers where id = 1) from t where n < 3) select x from t where n = 3",
  ])('and what can’t fail comes as NULL: %s', async (text) => {
    const answer = await at.client.query(text)
    expect(answer.errors).toEqual([])
    expect(answer.rows).toBe(1)
    expect(answer.bytes.toString('latin1')).not.toMatch(/c1@|example\.com|1980/)
  })

  it.each([
    'select ssn from customers where id = 1',
    'select (c).ssn from customers c where id = 1',
    'select s.* from (select id, ssn from customers) s where id = 1',
    'with x as materialized (select ssn from customers where id = 1) select ssn from x',
    'select count(*) from (select ssn from customers) s',
    'select id, name from contacts_of where id = 1',
  ])('and what is only passed on comes masked: %s', async (text) => {
    await at.postgres.direct(
      `set role app; create or replace view contacts_of as select id, name, lower(ssn) as low from customers; reset role`,
    )
    const answer = await at.client.query(text)
    expect(answer.errors).toEqual([])
    expect(answer.rows).toBe(1)
    expect(answer.bytes.toString('latin1')).not.toContain('900-00')
  })
})
