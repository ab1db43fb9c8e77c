/** What an expression is of, as far as the grammar minds. */
export type Kind = 'text' | 'int' | 'bool' | 'date' | 'json' | 'array' | 'other'

/** What an expression is made of. */
export interface Parts {
  /** Another expression. */
  of(kind: Kind): string
  /** A column. */
  column(kind?: Kind): string
  condition(): string
  /** What may decide over rows. */
  steering(kind: Kind): string
  /** A whole row. */
  row: string
  n: number
  pick(n: number): number
}

type Expression = (parts: Parts) => string

const fields = ['id', 's_t', 'c_t', 'l_t', 'name']

/** `risky` may fail over what a value is, or counts rows by it: it is let through seldom where that is masked. */
export const expressions: Readonly<Record<Kind, { safe: readonly Expression[]; risky: readonly Expression[] }>> = {
  text: {
    safe: [
      ({ of }) => `lower(${of('text')})`,
      ({ of }) => `(${of('text')} || ${of('text')})`,
      ({ of }) => `coalesce(${of('text')}, ${of('text')})`,
      ({ of, condition }) => `case when ${condition()} then ${of('text')} else ${of('text')} end`,
      ({ of, n }) => `left(${of('text')}, ${n})`,
      ({ of }) => `md5(${of('text')})`,
      ({ column }) => `replace(${column('text')}, 'a', 'b')`,
      ({ of }) => `split_part(${of('text')}, 'a', 1)`,
      ({ of, n }) => `substring(${of('text')}, ${n})`,
      ({ column }) => `regexp_replace(${column('text')}, '[0-9]+', 'n')`,
      ({ of }) => `concat_ws('-', ${of('text')}, ${of('int')}, ${of('other')})`,
      ({ of }) => `format('%s', ${of('text')})`,
      ({ of }) => `nullif(${of('text')}, ${of('text')})`,
      ({ of }) => `greatest(${of('text')}, ${of('text')})`,
      ({ of, pick }) => `(${of((['int', 'date', 'json', 'array', 'other'] as const)[pick(5)] ?? 'int')})::text`,
      ({ row, pick }) => `to_jsonb(${row}) ->> '${fields[pick(fields.length)]}'`,
      ({ column }) => `(${column('json')} ->> 'a')`,
      ({ of }) => `array_to_string(${of('array')}, ',')`,
      ({ row }) => `${row}::text`,
      ({ of }) => `(array[${of('text')}])[1]`,
      ({ column }) => `to_char(${column('date')}, 'YYYY-MM')`,
      ({ of }) => `quote_literal(${of('text')})`,
      () => "(select string_agg(z.c_t, ',' order by z.id) from ledger z where z.id < 4)",
      ({ of, row, steering }) => `lag(${of('text')}) over (order by ${steering('int')}, ${row}.id)`,
      ({ of, row, steering, n }) =>
        `first_value(${of('text')}) over (partition by ${steering('int')} order by ${row}.id rows between ${n} preceding and current row)`,
      ({ of, n }) => `lpad(${of('text')}, ${n})`,
      ({ of }) => `overlay(${of('text')} placing 'x' from 1)`,
      ({ of }) => `(row(${of('text')}, ${of('int')}))::text`,
      ({ of }) => `pg_typeof(${of('other')})::text`,
      ({ of }) => `btrim(${of('text')}, ${of('text')})`,
      ({ of }) => `json_build_object('k', ${of('text')}) ->> 'k'`,
      ({ of }) => `translate(${of('text')}, 'abc', 'x')`,
      ({ of }) => `initcap(reverse(${of('text')}))`,
    ],
    risky: [
      ({ of }) => `(select max(z.name) from plain z where z.name <> ${of('text')})`,
      ({ of }) => `encode(sha256(convert_to(${of('text')}, 'UTF8')), 'hex')`,
      ({ of }) => `(array[${of('text')}, ${of('text')}])[1]`,
      ({ of, n }) => `repeat(${of('text')}, ${n})`,
      ({ of }) => `(${of('text')})::varchar(3)`,
      ({ of }) => `chr(${of('int')})`,
      ({ of }) => `to_hex(${of('int')}::int)`,
      ({ of }) => `(${of('text')} collate "C")`,
      ({ of }) => `substring(${of('text')} from ${of('int')}::int)`,
      ({ of }) => `reveal(${of('int')}::bigint)`,
      ({ row }) => `whose(${row})`,
    ],
  },
  int: {
    safe: [
      ({ of }) => `length(${of('text')})`,
      ({ of, n }) => `coalesce(${of('int')}, ${n})`,
      ({ row, steering }) => `row_number() over (order by ${steering('int')}, ${row}.id)::int`,
      ({ of }) => `cardinality(${of('array')})`,
      ({ column }) => `extract(year from ${column('date')})`,
      ({ of }) => `num_nulls(${of('text')}, ${of('other')})`,
      ({ of }) => `hashtext(${of('text')})`,
      ({ of }) => `position('a' in ${of('text')})`,
      ({ of }) => `greatest(${of('int')}, ${of('int')})`,
      ({ of }) => `pg_column_size(${of('text')})`,
      ({ of }) => `array_length(${of('array')}, 1)`,
      ({ of, condition }) => `case when ${condition()} then ${of('int')} end`,
      ({ of }) => `(select count(${of('text')}))`,
    ],
    risky: [
      ({ of, n }) => `(${of('int')} + ${n})`,
      ({ of }) => `(${of('int')} / nullif(${of('int')}, 0))`,
      ({ of }) => `(100 / ${of('int')})`,
      ({ of }) => `(select count(*) from plain z where z.id < ${of('int')})`,
      ({ steering }) => `plus(${steering('int')}::int)`,
      ({ row }) => `grouping(${row}.id)`,
      ({ of }) => `(${of('text')})::int`,
      ({ of }) => `-${of('int')}`,
      ({ of }) => `abs(${of('int')})`,
      ({ of }) => `sqrt(${of('int')})`,
      ({ of }) => `try(${of('text')})`,
      ({ of }) => `width_bucket(${of('int')}, 1, 5, 4)`,
    ],
  },
  bool: {
    safe: [
      ({ condition }) => condition(),
      ({ of }) => `(${of('text')} like 'a%')`,
      ({ of }) => `(${of('text')} ~ '[0-9]')`,
      ({ of, n }) => `(${of('int')} > ${n})`,
      ({ of }) => `(${of('other')} is null)`,
      ({ of }) => `(${of('text')} in ('a', 'b'))`,
      ({ column }) => `(${column('json')}::jsonb @> '{"a": 1}')`,
      ({ of }) => `starts_with(${of('text')}, 'a')`,
    ],
    risky: [
      ({ of }) => `(${of('text')} ~ ${of('text')})`,
      ({ of }) => `(${of('text')} like ${of('text')})`,
      ({ of }) => `(${of('text')})::bool`,
      ({ of }) => `(${of('text')} is json)`,
    ],
  },
  date: {
    safe: [
      ({ column }) => `date_trunc('month', ${column('date')})`,
      ({ of }) => `coalesce(${of('date')}, ${of('date')})`,
    ],
    risky: [
      ({ column, n }) => `(${column('date')} + ${n} * interval '1 day')`,
      ({ of }) => `(${of('text')})::date`,
      ({ column }) => `age(${column('date')})`,
    ],
  },
  json: {
    safe: [
      ({ of }) => `to_jsonb(${of('text')})`,
      ({ column }) => `(${column('json')} -> 'a')`,
      ({ of }) => `jsonb_build_object('k', ${of('text')})`,
      ({ row }) => `row_to_json(${row})`,
      ({ of }) => `json_build_array(${of('int')}, ${of('text')})`,
      ({ row }) => `(select json_agg(z) from (select ${row}.id) z)`,
    ],
    risky: [
      ({ of }) => `(${of('text')})::json`,
      ({ column }) => `(${column('json')} #> '{a,b}')`,
      ({ of }) => `jsonb_build_object(${of('text')}, 1)`,
      ({ column }) => `jsonb_path_query_first(${column('json')}::jsonb, '$.a')`,
    ],
  },
  array: {
    safe: [({ of }) => `array[${of('text')}]`, ({ of }) => `string_to_array(${of('text')}, 'a')`],
    risky: [
      ({ of }) => `(${of('array')} || array['x'])`,
      ({ of }) => `regexp_split_to_array(${of('text')}, 'a')`,
      ({ of }) => `array[${of('array')}, ${of('array')}]`,
      ({ of }) => `array_fill(1, array[${of('int')}::int])`,
    ],
  },
  other: { safe: [], risky: [({ of }) => `(${of('other')})::text::xml`] },
}
