/** Constants of a type: one that nothing stumbles over, and those that much fails for. */
export interface Constants {
  harmless: string
  evil: readonly string[]
}

const texts: Constants = {
  harmless: '1',
  evil: [
    '(',
    '\\',
    '%',
    '{"a":"\\u0000"}',
    '{"a":1e999999}',
    '',
    '[1',
    '1e999999',
    '🙂',
    '-1',
    'x',
    'YYYY-MM FM',
    '\\1',
  ],
}
const wholes = ['0', '-1', '2147483647', '-2147483648']
const floats = ['0', '-1', 'NaN', 'Infinity', '1e38', '1e-38']
const arrays: Constants = { harmless: '{a,b}', evil: ['{}', '{NULL}', '{{a},{b}}', '{a,b,c}'] }

/** By the name that format_type gives a type. */
export const constants: Readonly<Record<string, Constants>> = {
  text: texts,
  'character varying': texts,
  character: texts,
  name: { harmless: 'a', evil: ['', '('] },
  '"char"': { harmless: 'a', evil: ['', '('] },
  boolean: { harmless: 'true', evil: ['false'] },
  smallint: { harmless: '1', evil: ['0', '-1', '32767', '-32768'] },
  integer: { harmless: '1', evil: [...wholes, '1114112', '55296'] },
  bigint: { harmless: '1', evil: [...wholes, '9223372036854775807', '-9223372036854775808'] },
  numeric: { harmless: '1', evil: [...wholes, 'NaN', 'Infinity', '1e100000'] },
  real: { harmless: '1', evil: floats },
  'double precision': { harmless: '1', evil: [...floats, '1e308', '1e-308'] },
  json: {
    harmless: '{"a":"1"}',
    evil: ['{"a":"\\u0000"}', '{"a":1e999999}', '1', '[]', '{"a":1,"a":2}', '{"a":"\\ud800"}'],
  },
  jsonb: { harmless: '{"a":"1"}', evil: ['1', '[]', '"x"', '{"a":[1]}', 'null', '1e10000'] },
  jsonpath: { harmless: '$.a', evil: ['strict $.x', '$.a.datetime()', '$[*] ? (@.b > 1)'] },
  bytea: { harmless: '\\x61', evil: ['\\xff', '\\x', '\\x00'] },
  date: { harmless: '2024-01-01', evil: ['infinity', '5874897-12-31', '4713-01-01 BC', '294276-12-31'] },
  'timestamp with time zone': {
    harmless: '2024-01-01 00:00Z',
    evil: ['infinity', '294276-12-31 00:00Z', '4713-01-01 00:00Z BC'],
  },
  'timestamp without time zone': { harmless: '2024-01-01', evil: ['infinity', '294276-12-31', '4713-01-01 BC'] },
  'time without time zone': { harmless: '01:00', evil: ['24:00'] },
  interval: { harmless: '1 day', evil: ['178000000 years', '-178000000 years', '0', '1 month'] },
  inet: { harmless: '10.0.0.1', evil: ['::/0', '255.255.255.255', '0.0.0.0'] },
  uuid: { harmless: '11111111-1111-1111-1111-111111111111', evil: ['00000000-0000-0000-0000-000000000000'] },
  int4range: { harmless: '[1,2)', evil: ['empty', '(,)', '[2147483646,]'] },
  int4multirange: { harmless: '{[1,2)}', evil: ['{}'] },
  tsvector: { harmless: 'b', evil: ['', 'a:1'] },
  tsquery: { harmless: 'b', evil: ['', '!a', 'a & b'] },
  xml: { harmless: '<b/>', evil: ['<a>1</a>', 'text'] },
  'bit varying': { harmless: '1', evil: ['', '101'] },
  point: { harmless: '(1,1)', evil: ['(NaN,1)'] },
  money: { harmless: '1', evil: ['-92233720368547758.08'] },
  regclass: { harmless: 'pg_proc', evil: ['pg_class'] },
  oid: { harmless: '1259', evil: ['0'] },
  'text[]': arrays,
  'integer[]': { harmless: '{1}', evil: ['{}', '{NULL}', '{{1},{2}}', '{-1}'] },
}

/** Of which type a polymorphic argument is here. */
export const standsFor: Readonly<Record<string, string>> = {
  any: 'text',
  anyelement: 'text',
  anycompatible: 'text',
  anynonarray: 'text',
  anyarray: 'text[]',
  anycompatiblearray: 'text[]',
  anyrange: 'int4range',
  anymultirange: 'int4multirange',
}

export function literal(type: string, text: string): string {
  return `'${text.replaceAll("'", "''")}'::${type}`
}
