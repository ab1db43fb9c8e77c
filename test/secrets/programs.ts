import { migration } from './migrations.ts'
import { shelved } from './schema.ts'
import type { Step, Way } from './worlds.ts'
import { type Item, Writer } from './writer.ts'

/**
 * Programs of statements that told something once, or might: each feature of the server that shows values, counts, orders, failures or sizes,
 * filled with random expressions. `lasting`: it is not played in a transaction that is rolled back.
 */
export interface Program {
  name: string
  steps: readonly Step[]
  lasting: boolean
}

/** Schema of what programs make. It is empty before each that makes some. */
export const scratch = 'scratch'

type Template = (w: Writer) => readonly string[]

/** Played in a transaction that is rolled back. */
const passing: Readonly<Record<string, Template>> = {
  query: (w) => [w.query(2)],
  'a query that nobody reads': (w) => [
    `with x as materialized (${w.query(1)}) select 1 from x`,
    `with x as (${w.query(1)}) select count(*) from x`,
  ],
  'what is computed and not shown': (w) => {
    const { sql, items } = w.from()
    return [
      `select count(*) from (select ${w.targets(items)} from ${sql} offset 0) x`,
      `select 1 from ${sql} where (${w.shown('text', items)}) is null or true`,
    ]
  },
  sets: (w) => {
    const [one, other] = [w.from(0), w.from(0)]
    const how = w.one(['union all', 'union all', 'union', 'intersect', 'except', 'except all'])
    const of = ({ items }: { items: Item[] }) =>
      how === 'union all' || w.seldom(6) ? w.shown('text', items, 1) : w.steering('text', items)
    return [
      `select ${of(one)} as u from ${one.sql} ${how} select ${of(other)} from ${other.sql} ${w.maybe('order by 1')}`,
    ]
  },
  groups: (w) => {
    const { sql, items } = w.from()
    const [key, more] = [w.steering('text', items, 0), w.steering('int', items, 0)]
    const call = w.one(['max', 'min', 'count', 'json_agg', 'array_agg', 'count', 'any_value', 'count(distinct'])
    const value = w.shown('text', items, 1)
    const shown = call === 'count(distinct' ? `count(distinct ${value})` : `${call}(${value})`
    const filter = w.maybe(` filter (where ${w.condition(items)})`)
    const by = w.one([
      `${key}, ${more}`,
      `rollup (${key}, ${more})`,
      `cube (${key}, ${more})`,
      `grouping sets ((${key}), (${more}), ())`,
    ])
    return [
      `select ${key}, ${more}, ${shown}${filter} from ${sql} group by ${by}${w.maybe(` having count(*) > ${w.pick(3)}`)} order by 1, 2, 3`.replace(
        /, 3$/,
        w.maybe(', 3'),
      ),
    ]
  },
  windows: (w) => {
    const { sql, items } = w.from(0)
    const [value, key, by] = [w.shown('text', items, 1), w.steering('int', items, 0), w.steering('text', items, 0)]
    const call = w.one([
      `lag(${value})`,
      `lead(${value}, 2, 'none')`,
      `first_value(${value})`,
      `nth_value(${value}, 2)`,
      `max(${value})`,
      `count(${value})`,
      'rank()',
      'ntile(3)',
      `string_agg(${value}, ',')`,
    ])
    const frame = w.one([
      '',
      'rows between 1 preceding and 1 following',
      `range between ${w.steering('int', items, 0)} preceding and current row`,
      'groups between unbounded preceding and current row exclude ties',
      `rows ${w.pick(4)} preceding`,
    ])
    return [`select ${items[0]?.alias}.*, ${call} over (partition by ${by} order by ${key} ${frame}) from ${sql}`]
  },
  'distinct and first ones': (w) => {
    const { sql, items } = w.from(0)
    const key = w.steering('int', items, 0)
    return [
      `select distinct on (${key}) ${w.targets(items)} from ${sql} order by ${key}`,
      `select distinct ${w.one([w.steering('text', items), w.shown('text', items, 0)])} from ${sql}`,
    ]
  },
  'how many': (w) => {
    const { sql, items } = w.from(0)
    const many = w.one([
      `(select ${w.shown('int', [], 0)})`,
      `(select ${w.steering('int', items, 0)} from ${sql} limit 1)`,
      '3 ',
    ])
    return [
      `select ${w.targets(items)} from ${sql} order by 1 limit ${many}`,
      `select ${w.targets(items)} from ${sql} order by ${w.steering('int', items, 0)} fetch first 2 rows with ties`,
      `select count(*) from ${sql} tablesample system (50) repeatable (1)`.replace(/ t\d+ tablesample/, ' tablesample'),
    ]
  },
  recursion: (w) => {
    const of = w.table(w.one(['vault', 'ledger', 'parts']))
    const [value, next] = [w.shown('text', [of], 1), w.shown('text', [of], 0)]
    return [
      `with recursive r(n, x) as (select 1, ${value} from ${of.sql} where id = 2 union ${w.maybe('all')} select n + 1, ${w.one(['x', 'r.x || 1', next])} from r, ${of.sql} where n < 3 and id = n) ${w.maybe('search depth first by n set o')} select n, x from r`,
    ]
  },
  update: (w) => {
    const of = w.table(w.one(['vault', 'ledger', 'parts', 'elder', 'plain', 'barred']))
    const returning = w.maybe(
      ` returning ${w.one(['old.*', 'new.*', `old.id, new.id, ${w.shown('text', [of], 1)}`, '*', of.alias])}`,
    )
    const value = w.one([`'x'`, w.shown('text', [of], 1), w.steering('text', [of])])
    return [
      `update ${of.sql} set ${w.one([w.open(of, 'text'), w.masked(of, 'text')])} = ${value} where ${w.condition([of])}${returning}`,
      `update ${of.sql} set ${w.open(of, 'int')} = ${w.steering('int', [of])}${returning}`,
    ]
  },
  insert: (w) => {
    const of = w.table(w.one(['ledger', 'ledger', 'parts', 'elder']))
    const { sql, items } = w.from(0)
    const conflict = w.one([
      '',
      '',
      ' on conflict do nothing',
      ` on conflict (id) do update set s_t = ${w.one(['excluded.s_t', "'y'", `${of.alias}.c_t`])} where ${w.condition([of])}`,
    ])
    const returning = w.maybe(` returning ${w.one(['*', w.targets([of]), 'old.s_t, new.s_t'])}`)
    const name = of.sql.split(' ')[0] ?? ''
    return [
      `insert into ${name} as ${of.alias} (id, s_t, c_t) select ${w.pick(50)}, ${w.one(["'z'", w.shown('text', items, 1)])}, 'x' from ${sql} limit 1${conflict}${returning}`.replace(
        ' c_t)',
        name === 'elder' ? ' note)' : ' c_t)',
      ),
      `insert into ${name} as ${of.alias} (id, s_t) values (${w.pick(60)}, 'z')${conflict}${returning}`,
    ]
  },
  delete: (w) => {
    const of = w.table(w.one(['vault', 'ledger', 'parts', 'plain', 'refs']))
    return [
      `delete from ${of.sql} where ${w.condition([of])}${w.maybe(` returning ${w.targets([of])}`)}`,
      `select count(*) from ${of.sql}`,
    ]
  },
  merge: (w) => {
    const of = w.table(w.one(['ledger', 'parts', 'vault']))
    const from = w.relation()
    const [set, value] = [
      w.one([w.open(of, 'text'), w.masked(of, 'text')]),
      w.one(["'m'", w.shown('text', [from], 1), w.steering('text', [from])]),
    ]
    return [
      `merge into ${of.sql} using ${from.sql} on ${of.alias}.id = ${from.alias}.${w.open(from, 'int')} when matched${w.maybe(` and ${w.condition([of, from])}`)} then ${w.one([`update set ${set} = ${value}`, 'delete', 'do nothing'])}${w.maybe(` returning merge_action(), ${of.alias}.*`)}`,
      `select count(*) from ${of.sql}`,
    ]
  },
  cursor: (w) => [
    `declare c ${w.maybe('scroll ')}cursor for ${w.query(1)}`,
    w.one(['fetch 3 from c', 'fetch all from c', 'move 2 in c', 'fetch absolute 2 from c']),
    w.one(['fetch next from c', 'fetch backward 1 from c', 'move all in c']),
    'select name, statement from pg_cursors',
    'close c',
  ],
  prepared: (w) => [
    `prepare p (int, text) as ${w.query(1)}`,
    "execute p (1, 'a')",
    `explain (costs off) execute p (2, 'b')`,
  ],
  'what it counts on': (w) => [
    `explain ${w.maybe('(verbose, costs on) ')}${w.query(1)}`,
    `explain (analyze, timing off, summary off, buffers off) ${w.query(0)}`,
    `explain (format json) ${w.query(0)}`,
  ],
  'what it takes back': (w) => [
    'savepoint a',
    w.query(1),
    'rollback to a',
    'select 1',
    `insert into ledger (id) select ${w.steering('int', [w.relation()], 0).replace(/^.*$/, '77')}`,
    'release a',
  ],
  copy: (w) => [
    `copy (${w.query(1)}) to stdout${w.one(['', ' with csv header', ' (format binary)', ' with (header)'])}`,
    `copy ${w.one(['vault', 'ledger', 'kept', 'parts'])} to stdout`,
    `copy ledger (id, memo, s_t) to stdout`,
  ],
  notify: (w) => {
    const { sql, items } = w.from(0)
    return [
      'listen heard',
      `notify heard, 'x'`,
      `select pg_notify('heard', ${w.shown('text', items, 1)}) from ${sql} limit 1`,
      `select pg_notify('heard', ${w.steering('text', items)}) from ${sql} limit 2`,
      'commit',
      'select 1',
    ]
  },
  sequences: (w) => {
    const { sql, items } = w.from(0)
    return [
      `select setval('numbers', ${w.one([w.steering('int', items, 0), w.shown('int', items, 1)])}) from ${sql}`,
      `select nextval('numbers') from ${sql} where ${w.condition(items)}`,
      `select ${w.shown('int', items, 0)}, case when ${w.shown('bool', items, 1)} then nextval('numbers') end from ${sql}`,
      'select last_value, is_called from numbers',
      "select currval('numbers')",
    ]
  },
  settings: (w) => {
    const { sql, items } = w.from(0)
    return [
      `select set_config('x.y', ${w.one([w.shown('text', items, 1), w.steering('text', items, 0)])}, true) from ${sql} limit 1`,
      "select current_setting('x.y', true)",
      'show work_mem',
    ]
  },
  locks: (w) => {
    const { sql, items } = w.from(0)
    return [
      `select pg_advisory_xact_lock(${w.one([w.steering('int', items, 0), w.shown('int', items, 1)])}) from ${sql} limit 3`,
      `select pg_try_advisory_xact_lock(${w.shown('int', items, 0)}) from ${sql}`,
      `select locktype, objid, mode from pg_locks where locktype = 'advisory'`,
      `select 1 from ${w.table('vault').sql} where id = 1 for update nowait`,
    ]
  },
  blocks: (w) => {
    const { sql, items } = w.from(0)
    const value = w.one([w.shown('text', items, 1), w.steering('text', items, 1)])
    const act = w.one([
      `perform ${value} from ${sql};`,
      `insert into plain (id) select ${w.steering('int', items)} + 100 from ${sql};`,
      `perform 1 / ${w.steering('int', items, 0)} from ${sql};`,
      `raise notice '%', (select ${value} from ${sql} limit 1);`,
      `if exists (select from ${sql} where ${w.condition(items)}) then raise exception 'yes'; end if;`,
      `for i in 1 .. (select count(*) from ${sql} where ${w.condition(items)}) loop raise notice 'one'; end loop;`,
    ])
    return [
      `do $$ begin ${act} exception when others then raise notice '%', ${w.one(['sqlstate', 'sqlerrm', "'failed'"])}; end $$`,
      'select count(*) from plain',
    ]
  },
  documents: (w) => {
    const of = w.table('vault')
    const json = w.one([w.shown('json', [of], 1), `${of.alias}.doc`, `to_jsonb(${of.alias})`])
    return [
      `select ${of.alias}.id, x.* from ${of.sql}, json_table(${json}::jsonb, '$' columns (a int path '$.a' ${w.one(['null on error', 'error on error', ''])}, b text path '$.b')) x`,
      `select json_value(${json}, '$.a' ${w.one(['', 'returning int', 'default 1 on error', 'returning int error on error'])}), json_exists(${json}, '$.b') from ${of.sql}`,
      `select jsonb_path_query_first(${of.alias}.doc, '$.n'), (${json} is json) from ${of.sql}`,
      `select xmlelement(name a, ${w.shown('text', [of], 1)}), xmlforest(${of.alias}.name as n) from ${of.sql}`,
      `select x.* from ${of.sql}, xmltable('/a' passing xmlelement(name a, ${w.shown('text', [of], 0)}) columns t text path '.') x`,
    ]
  },
  'ranges and words': (w) => {
    const of = w.table('vault')
    return [
      `select ${of.alias}.id, lower(${of.alias}.c_r), upper(${of.alias}.l_r), isempty(${of.alias}.c_r) from ${of.sql}`,
      `select range_agg(${of.alias}.${w.one(['c_r', 'l_r', 's_r'])}) from ${of.sql}`,
      `select ${of.alias}.c_g, ts_rank(${of.alias}.c_g, 'a') from ${of.sql}`,
      `select ts_headline('simple', ${w.shown('text', [of], 1)}, 'a'::tsquery) from ${of.sql}`,
      `select ${of.alias}.c_e, ${of.alias}.c_e > 'ok', enum_range(${of.alias}.c_e, null), (${of.alias}.c_p).a, (${of.alias}.l_p).b from ${of.sql}`,
      `select ${of.alias}.c_a[1], ${of.alias}.c_x[1:2], 1 = any (${of.alias}.c_x), 'a' = any (${of.alias}.l_a) from ${of.sql}`,
    ]
  },
  'what the server knows': (w) => {
    const of = w.one(['vault', 'ledger', 'parts_1', 'kept'])
    return w.one<readonly string[]>([
      [
        `select attname, null_frac from pg_stats where tablename = '${of}'`,
        `select n_distinct, correlation from pg_stats where tablename = '${of}'`,
      ],
      [
        `select relpages, reltuples from pg_class where relname = '${of}'`,
        `select pg_relation_size('${of}') > 0, pg_column_size(v) from ${of} v`,
      ],
      [
        'select * from pg_prepared_statements',
        'select stxname, stxkeys from pg_statistic_ext',
        'select * from pg_stats_ext',
      ],
      [
        `select n_tup_ins >= 0, seq_scan >= 0 from pg_stat_user_tables where relname = '${of}'`,
        `select idx_tup_read >= 0 from pg_stat_user_indexes where relname = '${of}'`,
      ],
      [
        `select obj_description('${of}'::regclass), col_description('${of}'::regclass, 1)`,
        `select has_table_privilege('${of}', 'select'), has_column_privilege('${of}', 's_t', 'select')`,
      ],
      [
        `select pg_get_viewdef('lowered'::regclass)`,
        `select pg_get_indexdef(indexrelid) from pg_index where indrelid = '${of}'::regclass`,
        `select pg_get_constraintdef(oid) from pg_constraint where conrelid = '${of}'::regclass`,
      ],
      [
        `select ctid, tableoid::regclass, xmin is null from ${of} limit 3`,
        `select pg_indexes_size('${of}'), pg_total_relation_size('${of}') > 0`,
      ],
    ])
  },
  'what others made': (w) => {
    const [view, n] = [w.table(`shelf_${w.pick(shelved)}`), w.pick(shelved)]
    const other = w.relation()
    return [
      `select * from ${view.sql}`,
      `select lower(x), y from ${view.sql}${w.maybe(' order by id')}`,
      `select count(*), max(x) from ${view.sql} where ${w.condition([view])}`,
      `select shelf_f_${n}(${w.one([w.steering('int', [other], 0), w.shown('int', [other], 0)])}) from ${other.sql}`,
      `select shelf_g_${n}(${w.one([w.steering('text', [other], 0), w.shown('text', [other], 0)])}) from ${other.sql} limit 2`,
      `update shelf_t_${n} set note = 'y' where id < ${w.pick(5)} returning *`,
      `insert into shelf_t_${n} values (${w.pick(9)}, 'z')`,
      'select name from plain where id = 100',
    ]
  },
  functions: (w) => {
    const { sql, items } = w.from(0)
    return [
      `select try(${w.one([w.shown('text', items, 1), w.steering('text', items)])}) from ${sql}`,
      `select plus(${w.one([w.shown('int', items, 0), w.steering('int', items)])}) from ${sql}`,
      `select many(), f.* from some_of(${w.steering('int', [], 0)}) f`,
      `select x.id, x.c from names(${w.pick(4)}) x where ${w.one(['x.id > 3', 'x.c > $$m$$'])}`,
      'select reveal(1)',
      `select whose(v), v.whose from vault v`,
      `select f.name, f.c_t from all_of(${w.pick(4)}) f order by f.id`,
    ]
  },
}

/** Each statement by itself; what they make is in a schema of its own. */
const lasting: Readonly<Record<string, Template>> = {
  'a table of it': (w) => [
    `create table ${scratch}.t as ${w.query(1)}`,
    `select * from ${scratch}.t`,
    `select count(*) from ${scratch}.t`,
    `create temp table t as ${w.query(0)}`,
    'select * from pg_temp.t',
    'drop table pg_temp.t',
  ],
  'a view of it': (w) => {
    const { sql, items } = w.from(1)
    return [
      `create view ${scratch}.v as select ${items[0]?.alias}.id, ${w.shown('text', items)} as x, ${w.steering('text', items)} as y from ${sql} where ${w.condition(items)}`,
      `select * from ${scratch}.v`,
      `select lower(x), y from ${scratch}.v order by id`,
      `select count(*) from ${scratch}.v where y > 'a'`,
      `create materialized view ${scratch}.m as select x, y from ${scratch}.v`,
      `select * from ${scratch}.m`,
    ]
  },
  'a rule that it has to hold': (w) => {
    const of = w.table(w.one(['vault', 'ledger', 'parts', 'plain']))
    const name = of.sql.split(' ')[0]
    const bare = (text: string) => text.replaceAll(`${of.alias}.`, '')
    const value = bare(w.one([w.shown('int', [of], 0), w.steering('int', [of]), w.shown('text', [of], 0)]))
    return [
      `alter table ${name} add constraint made check (${bare(w.one([w.condition([of]), `${value} is not null`]))})`,
      `alter table ${name} alter column ${w.one([w.masked(of), w.open(of)])} set not null`,
      `create ${w.maybe('unique ')}index made_index on ${name} (${w.one([w.masked(of), w.open(of), `(${value})`])})`,
      `alter table ${name} add column made int generated always as (${bare(w.shown('int', [of], 1))}) stored`,
      `select made from ${name}`,
      `create statistics ${scratch}.made on ${w.masked(of)}, ${w.open(of)} from ${name}`,
      `analyze ${name}`,
      `alter table ${name} drop constraint if exists made`,
      `drop index if exists made_index`,
      `alter table ${name} drop column if exists made`,
    ]
  },
  'another type for it': (w) => {
    const of = w.table(w.one(['ledger', 'parts']))
    const name = of.sql.split(' ')[0]
    return [
      `alter table ${name} alter column ${w.masked(of)} type ${w.one(['text', 'int using 1', 'varchar(20)', 'varchar(3)', 'bigint using s_i', 'text using lower(s_t)'])}`,
      `select * from ${name}`,
    ]
  },
  'where it belongs': (w) => [
    `create table ${scratch}.p (like ${w.one(['ledger', 'parts'])}) partition by ${w.one(['list (s_i)', 'range (id)', 'hash (c_t)'])}`,
    `create table ${scratch}.p1 partition of ${scratch}.p for values ${w.one(['in (1, 2)', 'from (1) to (5)', 'with (modulus 2, remainder 0)'])}`,
    `insert into ${scratch}.p select * from ${w.one(['ledger', 'parts'])}`,
    `select count(*) from ${scratch}.p1`,
    `update parts set grp = ${w.one(['1', '3', 's_i', '1 + id % 2'])}`,
    `select grp, count(*) from parts group by grp order by 1`,
    'alter table parts detach partition parts_2',
    `alter table parts attach partition parts_2 for values in (${w.one(['2', '1', '3'])})`,
  ],
  'rows by policy': (w) => {
    const of = w.table('ledger')
    return [
      `alter table ledger enable row level security`,
      `create policy made on ledger using (${w.condition([of]).replaceAll(`${of.alias}.`, '')})`,
      'alter table ledger force row level security',
      'select count(*) from ledger',
      'drop policy if exists made on ledger',
      'alter table ledger disable row level security, no force row level security',
    ]
  },
  'a migration': migration,
  upkeep: (w) => [
    w.one([
      'vacuum ledger',
      'analyze vault',
      'reindex table ledger',
      'cluster vault using vault_pkey',
      'refresh materialized view kept',
      'vacuum full ledger',
      'analyze verbose ledger',
      'analyze (verbose) worlds.vault, ledger (s_t)',
      'vacuum verbose ledger',
    ]),
    "comment on column ledger.s_t is 'x'",
    'grant select (memo) on ledger to public',
    `select * from kept order by ${w.one(['id', 's_t'])}`,
    `truncate ${w.one(['refs', 'watched'])}`,
  ],
}

const ways: readonly [Way, ...Way[]] = ['simple', 'simple', 'extended', 'binary', 'one row']

export const names: readonly string[] = [...Object.keys(passing), ...Object.keys(lasting)]

/** The program that a tape stands for. */
export function programOf(tape: readonly number[]): Program {
  const w = new Writer(tape)
  const name = names[w.pick(names.length)] ?? 'query'
  const isLasting = lasting[name] !== undefined
  const template = passing[name] ?? lasting[name]
  const texts = template?.(w) ?? []
  const steps = texts.map((sql): Step => ({ sql, way: w.one(ways) }))
  const begin: Step = { sql: 'begin', way: 'simple', between: true }
  return { name, steps: isLasting ? steps : [begin, ...guarded(steps)], lasting: isLasting }
}

/** What fails does not keep the rest from being played. */
function guarded(steps: readonly Step[]): Step[] {
  const mark: Step = { sql: 'savepoint played', way: 'simple', between: true }
  const back: Step = { sql: 'rollback to played', way: 'simple', between: true }
  return steps.flatMap((step) =>
    /^(savepoint|rollback|release|commit|declare|fetch|move|close|prepare)/.test(step.sql)
      ? [step]
      : [mark, step, back],
  )
}
