import pg from 'pg'
import { constants, literal, standsFor } from './constants.ts'
import type { Worlds } from './worlds.ts'

/**
 * Statements that would tell by failing whether a guess is right. `coalesce(nullif(masked, guess), evil)` is a constant that much fails for
 * where the guess is right, which it is in the first world alone; so it stands as each argument of each function, operator and cast.
 */
export async function oracles({ ports }: Worlds): Promise<string[]> {
  const guesses = await guessesOf(ports)
  const { calls, operators } = await catalogOf(ports[0])
  return [
    ...calls.flatMap((call) => callsOf(call, guesses)),
    ...operators.flatMap((operator) => operationsOf(operator, guesses)),
    ...castsOf(guesses),
    ...otherForms(guesses),
    ...deepForms(guesses),
  ]
}

/** What is in a masked column of a row in the first world, and not in the second. */
interface Guess {
  id: number
  /** Undefined where the guess is wrong. */
  unless(evil: string): string
}

/** By type. */
type Guesses = ReadonlyMap<string, Guess>

const columns: Readonly<Record<string, string>> = {
  text: 'left(v.c_t, 1)',
  'character varying': 'v.c_v',
  character: 'v.c_h',
  integer: 'v.c_i',
  bigint: 'v.c_w',
  numeric: 'v.c_n',
  'double precision': 'v.c_f',
  boolean: 'v.c_b',
  date: 'v.c_d',
  'timestamp with time zone': 'v.c_z',
  interval: 'v.c_q',
  uuid: 'v.c_u',
  jsonb: 'v.c_j',
  'text[]': 'v.c_a',
  'integer[]': 'v.c_x',
  int4range: 'v.c_r',
  bytea: 'v.c_y',
  inet: 'v.c_m',
  tsvector: 'v.c_g',
  // Neither can be compared; what comes of another can't fail.
  json: 'to_json(left(v.c_t, 1))',
  smallint: 'v.c_i::smallint',
  real: 'v.c_i::real',
}

async function guessesOf(ports: readonly [number, number]): Promise<Guesses> {
  const names = Object.keys(columns)
  const every = names.map((name) => `(${columns[name]})::text`).join(', ')
  const text = `select v.id, ${every} from worlds.vault v where v.id % 8 <> 7 order by v.id`
  const [one, other] = await Promise.all(ports.map((port) => rowsOf<(string | null)[]>(port, text)))
  const out = new Map<string, Guess>()
  for (const [i, type] of names.entries()) {
    const at = one?.findIndex((row, n) => row[i + 1]?.trim() && row[i + 1] !== other?.[n]?.[i + 1]) ?? -1
    const [id, value] = [one?.[at]?.[0], one?.[at]?.[i + 1]]
    const column = columns[type] ?? ''
    if (id === undefined || id === null || value === undefined || value === null)
      throw new Error(`the worlds do not differ in a ${type}`)
    const guess =
      type === 'json'
        ? `to_json(nullif(left(v.c_t, 1), '${JSON.parse(value)}'))`
        : `nullif(${column}, ${literal(type, value)})`
    out.set(type, { id: Number(id), unless: (evil) => `coalesce(${guess}, ${evil})` })
  }
  return out
}

interface Call {
  name: string
  args: string[]
  variadic: boolean
  kind: 'f' | 'a' | 'w'
}

interface Operator {
  name: string
  left: string | null
  right: string
}

/** What waits, or does something to the server or to what is shared. */
const doing =
  /^(pg_sleep|pg_terminate|pg_cancel|pg_reload|pg_rotate|pg_promote|pg_stop|pg_backup|lo_|pg_read|pg_ls|setseed|pg_advisory|pg_try_advisory|pg_create|pg_drop|pg_wal|pg_switch|pg_log|pg_replication|pg_notify|pg_stat_reset|currval|nextval|setval|set_config)/

async function catalogOf(port: number): Promise<{ calls: Call[]; operators: Operator[] }> {
  const calls = await rowsOf<[string, string[], boolean, Call['kind']]>(
    port,
    `select proname::text, array(select format_type(t, null) from unnest(proargtypes) with ordinality as a (t, n) order by n), provariadic <> 0, prokind::text
      from pg_proc where pronamespace = 'pg_catalog'::regnamespace and prokind in ('f', 'a', 'w') and pronargs between 1 and 4
      and prorettype not in ('internal'::regtype, 'trigger'::regtype) order by oid`,
  )
  const operators = await rowsOf<[string, string | null, string]>(
    port,
    `select oprname::text, case when oprleft <> 0 then format_type(oprleft, null) end, format_type(oprright, null)
      from pg_operator where oprnamespace = 'pg_catalog'::regnamespace order by oid`,
  )
  return {
    calls: calls
      .map(([name, args, variadic, kind]) => ({ name, args, variadic, kind }))
      .filter((c) => !doing.test(c.name)),
    operators: operators.map(([name, left, right]) => ({ name, left, right })),
  }
}

/** The arguments, with each of the evil values at each place that a guess can stand in. */
function* spoilt(types: readonly string[], guesses: Guesses): Generator<{ args: string[]; id: number }> {
  const own = types.map((type) => standsFor[type] ?? type)
  const harmless = own.map((type) => constants[type] && literal(type, constants[type].harmless))
  if (!harmless.every((one) => one !== undefined)) return
  for (const [i, type] of own.entries()) {
    const guess = guesses.get(type)
    if (guess === undefined) continue
    for (const evil of constants[type]?.evil ?? []) {
      yield { args: harmless.with(i, guess.unless(literal(type, evil))), id: guess.id }
    }
  }
}

const shown = (expression: string, id: number) => `select ${expression} from vault v where v.id = ${id}`

function callsOf({ name, args: types, variadic, kind }: Call, guesses: Guesses): string[] {
  return [...spoilt(types, guesses)].map(({ args, id }) => {
    const passed = variadic ? args.with(-1, `variadic ${args.at(-1)}`) : args
    return shown(`pg_catalog."${name}"(${passed.join(', ')})${kind === 'w' ? ' over ()' : ''}`, id)
  })
}

function operationsOf({ name, left, right }: Operator, guesses: Guesses): string[] {
  const sign = `operator(pg_catalog.${name})`
  return [...spoilt(left === null ? [right] : [left, right], guesses)].map(({ args, id }) =>
    shown(args.length === 1 ? `${sign} (${args[0]})` : `(${args[0]}) ${sign} (${args[1]})`, id),
  )
}

function castsOf(guesses: Guesses): string[] {
  const targets = [
    ...Object.keys(constants),
    'numeric(3,1)',
    'bit(3)',
    'varchar(2)',
    'char(2)',
    'mood',
    'short',
    'pair',
  ]
  return [...guesses].flatMap(([type, { id, unless }]) =>
    (constants[type]?.evil ?? []).flatMap((evil) =>
      targets.map((target) => shown(`(${unless(literal(type, evil))})::${target}`, id)),
    ),
  )
}

/** What is no function by its name, of a type. */
const forms: Readonly<Record<'text' | 'integer' | 'boolean', readonly ((it: string) => string)[]>> = {
  text: [
    (it) => `substring('abc' similar ${it} escape '#')`,
    (it) => `'abc' similar to ${it}`,
    (it) => `'a' like 'b' escape ${it}`,
    (it) => `${it} is json`,
    (it) => `json_value(${it}, '$.a')`,
    (it) => `json_query(${it}, '$' error on error)`,
    (it) => `json_exists(${it}, '$.a' error on error)`,
    (it) => `json_scalar(${it})`,
    (it) => `json(${it})`,
    (it) => `json_serialize(${it})`,
    (it) => `json_object(${it} : 1, '1' : 2 with unique keys)`,
    (it) => `json_array(${it} format json)`,
    (it) => `xmlparse(content ${it})`,
    (it) => `xmlelement(name a, ${it})`,
    (it) => `xmlpi(name a, ${it})`,
    (it) => `xmlroot(xml '<a/>', version ${it})`,
    (it) => `timestamptz '2024-01-01 00:00Z' at time zone ${it}`,
    (it) => `normalize(${it}, nfkc)`,
    (it) => `trim(both ${it} from 'abc')`,
    (it) => `row(1, ${it})::pair`,
    (it) => `${it} between symmetric 'a' and 'b'`,
    // Rows of which the second columns do not fit, which is found where the first are the same.
    (it) => `array[row(${it}, 1)] @> array[row('x'::text, 'z'::text)]`,
    (it) => `row(${it}, v.id) = any (array[row('x'::text, 'z'::text)])`,
    (it) => `nullif(row(${it}, v.id), row('x'::text, 'z'::text)) is null`,
    (it) => `row(${it}, v.id) < (select r from (select row('x'::text, 'z'::text) as r offset 0) s)`,
  ],
  integer: [
    (it) => `overlay('abc' placing 'x' from ${it})`,
    (it) => `(array[1, 2])[${it}:${it}]`,
    (it) => `array[array['a'], array_fill('b'::text, array[${it}])]`,
    (it) => `lag(id, ${it}) over ()`,
    (it) => `ntile(${it}) over ()`,
    (it) => `nth_value(id, ${it}) over ()`,
    (it) => `sum(v.id) over (order by v.id rows ${it} preceding)`,
    (it) => `percentile_cont(${it}) within group (order by v.id)`,
    (it) => `1 / ${it}`,
    (it) => `greatest(1, 1 / ${it})`,
    (it) => `coalesce(nullif(${it}, 0), 1 / (v.id - v.id))`,
  ],
  boolean: [
    (it) => `case when ${it} then 1 / (v.id - v.id) else 1 end`,
    (it) => `${it} and 1 / (v.id - v.id) > 0`,
    (it) => `${it} or 1 / (v.id - v.id) > 0`,
    (it) => `(${it}::text || 'x')::boolean`,
  ],
}

/** Documents that end the stack of who reads them, in turn. */
function deepForms(guesses: Guesses): string[] {
  const [text, json] = [guesses.get('text'), guesses.get('json')]
  if (text === undefined || json === undefined) return []
  const deep = `${'['.repeat(18_000)}${']'.repeat(18_000)}`
  return [
    shown(`${text.unless(literal('text', '['.repeat(200_000)))} is json`, text.id),
    shown(`to_jsonb(${json.unless(literal('json', deep))})`, json.id),
    shown(`jsonb_build_object('k', ${json.unless(literal('json', deep))})`, json.id),
  ]
}

function otherForms(guesses: Guesses): string[] {
  return Object.entries(forms).flatMap(([type, of]) => {
    const guess = guesses.get(type)
    if (guess === undefined) throw new Error(`nothing is guessed of a ${type}`)
    const evil = (constants[type]?.evil ?? []).map((one) => guess.unless(literal(type, one)))
    return of.flatMap((form) => evil.map((it) => shown(form(it), guess.id)))
  })
}

async function rowsOf<T extends unknown[]>(port: number, text: string): Promise<T[]> {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' })
  await client.connect()
  try {
    await client.query('set search_path = worlds')
    return (await client.query<T>({ text, rowMode: 'array' })).rows
  } finally {
    await client.end()
  }
}
