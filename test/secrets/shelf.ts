import { Random } from '../fuzz/random.ts'
import { shelved } from './schema.ts'
import { Writer } from './writer.ts'

/** Views, functions and triggers that others made: many of them look at what is masked. Not every one is accepted by every server. */
export function shelf(): string[] {
  return Array.from({ length: shelved }, (_, n) => one(n)).flat()
}

function one(n: number): string[] {
  const random = new Random(n + 1)
  const w = new Writer(Array.from({ length: 400 }, () => random.below(9973)))
  const [view, of] = [w.table(w.one(['vault', 'ledger', 'parts', 'joined', 'plain'])), w.from(0)]
  const { items } = of
  const value = w.one([w.shown('text', items, 1), w.steering('text', items)])
  const acts = [
    "raise notice 'x';",
    "raise notice '%', new.id;",
    "raise notice '%', new::text;",
    `insert into worlds.plain (id, name) select 100, (${value})::text from ${of.sql} limit 1;`,
    `if exists (select from ${of.sql} where ${w.condition(items)}) then return null; end if;`,
    `perform ${value} from ${of.sql};`,
    `update worlds.refs set id = id where id < (select count(*) from ${of.sql});`,
  ] as const
  return [
    `create view shelf_${n} as select ${view.alias}.id, (${w.shown('text', [view])})::text as x, (${w.steering('text', [view])})::text as y from ${view.sql} where ${w.condition([view])}`,
    `create function shelf_f_${n}(int) returns ${w.one(['text', 'setof text'])} language sql stable as $$ select (${value})::text from ${of.sql} $$`,
    `create function shelf_g_${n}(x text) returns int language plpgsql as $$ declare n int; begin select count(*) into n from ${of.sql} where ${w.condition(items)}; ${w.maybe(`perform ${value} from ${of.sql};`)} return n + length(x); ${w.maybe('exception when others then return -1;')} end $$`,
    `create table shelf_t_${n} as select i as id, 'note ' || i as note from generate_series(1, 5) i`,
    `create function shelf_h_${n}() returns trigger language plpgsql as $$ begin ${w.one(acts)} return new; end $$`,
    `create trigger made before insert or update on shelf_t_${n} for each row ${w.one(['', 'when (new.id > 3) '])}execute function shelf_h_${n}()`,
  ]
}
