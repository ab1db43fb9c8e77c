import { describe, expect, it } from 'vitest'
import { stand } from './enter.ts'

const mail = '(select email from public.customers where id = 1)'
const says = `begin raise notice '%', ${mail};`

/**
 * Code that the server runs by itself: what aggregates are made of, what puts values of a type in order, what indexes and statistics compute, what
 * the planner finds constant in them, and what events of the schema set off.
 */
const at = stand({
  prepare: `set role app;
    create function joins(s text, v text) returns text language plpgsql as $$ ${says} return s || v; end $$;
    create function ends(s text) returns text language sql stable as $$ select ${mail} || s $$;
    create function quietly(s text, v text) returns text language sql immutable as $$ select s || v $$;
    create aggregate spied(text) (sfunc = joins, stype = text, initcond = '');
    create aggregate shown(text) (sfunc = textcat, stype = text, initcond = '', finalfunc = ends);
    create aggregate moving(text) (sfunc = textcat, stype = text, initcond = '', msfunc = joins, minvfunc = joins, mstype = text, minitcond = '');
    create aggregate runs(text) (sfunc = ts_rewrite, stype = tsquery, initcond = 'a');
    create aggregate plain(text) (sfunc = quietly, stype = text, initcond = '');
    create aggregate total(int) (sfunc = int4pl, stype = int, initcond = '0');
    create function below(bigint, bigint) returns boolean language plpgsql immutable as $$ begin return $1 < $2; end $$;
    create function not_below(bigint, bigint) returns boolean language plpgsql immutable as $$ ${says} return $1 >= $2; end $$;
    create operator <!< (leftarg = bigint, rightarg = bigint, function = below, negator = >!>);
    create operator >!> (leftarg = bigint, rightarg = bigint, function = not_below, negator = <!<);
    create operator <?< (leftarg = bigint, rightarg = bigint, function = below);
    create table limited (id bigint, check (not (id <!< 2::bigint)));
    create function loud(int) returns text language plpgsql immutable as $$ ${says} return 'x'; end $$;
    create function quiet(int) returns text language sql immutable as $$ select 'x'::text $$;
    -- Quiet while it is made.
    create function planned(int) returns text language sql immutable as $$ select email from public.customers where id = $1 $$;
    create table asks (loudly boolean); insert into asks values (false);
    create function hushed(int) returns text language plpgsql immutable as $$ begin
      if (select loudly from public.asks) then raise notice '%', ${mail}; end if; return 'x'; end $$;
    create table indexed (id int, note text); insert into indexed values (1, 'a'); create index by_note on indexed (hushed(id));
    create table counted (id int, note text); insert into counted select i, 'a' from generate_series(1, 9) i;
    create statistics about on (hushed(id)), note from counted;
    create table partly (id int, note text); create index on partly (note) where hushed(1) = 'x';
    create table checked (id int check (hushed(1) = 'x'), note text);
    create table checked_too () inherits (checked);
    create table guessed (id int, note text); create statistics guesses on (hushed(1)), id from guessed;
    create view over_partly as select id, note from partly;
    create table fine (id int, note text); create index on fine (quiet(id)); create index on fine (id) where quiet(1) = 'x';
    create materialized view kept as select id, note from indexed; create index on kept (hushed(id));
    reset role;
    create type pair as (a int, b text); create type calm as (a int, b text);
    do $do$ declare t text; begin foreach t in array array['pair', 'calm'] loop
      execute format('create function %1$s_lt(%1$s, %1$s) returns boolean language sql immutable as $$ select $1.a < $2.a $$;
        create function %1$s_eq(%1$s, %1$s) returns boolean language sql immutable as $$ select $1.a = $2.a $$;
        create operator <<<< (leftarg = %1$s, rightarg = %1$s, function = %1$s_lt);
        create operator ==== (leftarg = %1$s, rightarg = %1$s, function = %1$s_eq);
        create function %1$s_hash(%1$s) returns int language plpgsql immutable as $$ begin %2$s return $1.a; end $$;
        create function %1$s_cmp(%1$s, %1$s) returns int language plpgsql immutable as $$ begin %2$s return $1.a - $2.a; end $$;
        create operator class %1$s_ops default for type %1$s using btree as operator 1 <<<<, operator 3 ====, function 1 %1$s_cmp(%1$s, %1$s);
        create operator class %1$s_hashes default for type %1$s using hash as operator 1 ====, function 1 %1$s_hash(%1$s)',
        t, case t when 'pair' then 'if (select loudly from public.asks) then raise notice ''%'', ${mail.replaceAll("'", "''")}; end if;' else '' end);
    end loop; end $do$;
    create type pairs as range (subtype = pair);
    create table paired (id int, p pair); insert into paired values (1, (1, 'a')), (2, (2, 'b')), (3, (1, 'c'));
    create index on paired (p);
    create table calmed (id int, p calm); insert into calmed values (1, (1, 'a')), (2, (2, 'b'));
    alter table paired owner to app; alter table calmed owner to app;
    create function one_pair() returns pair language sql stable as $$ select row(1, 'x')::pair $$;
    create view sorted_pairs as select id from paired order by p;
    update asks set loudly = true`,
})

const secret = /c\d+@example/

describe('code that the server runs by itself', () => {
  it.each([
    // Aggregates
    'select spied(note) from orders where id = 1',
    'select shown(note) from orders where id = 1',
    'select spied(note) over (order by id) from orders where id = 1',
    'select moving(note) over (order by id rows between 1 preceding and current row) from orders where id < 3',
    `select runs('select ''a''::tsquery, to_tsquery(ssn) from public.customers')`,
    'select id from orders group by id having spied(note) is null',
    // What the planner takes in place of an operator
    'select id from orders where not (id::bigint <!< 2::bigint)',
    'insert into limited values (3)',
    // Comparisons of a type's values
    'select p from paired order by p',
    'select distinct p from paired',
    'select count(distinct p) from paired',
    'select p from paired group by p',
    'select p from paired union select p from paired',
    'select array[p] from paired order by array[p]',
    'select id from paired order by row(p, 1)',
    "select greatest(p, row(1, 'a')::pair) from paired",
    "select pairs(row(1, 'a')::pair, row(2, 'b')::pair)",
    'select one_pair() union select one_pair()',
    'select id from sorted_pairs',
    "insert into paired values (4, row(9, 'x'))",
    'update paired set id = 5 where id = 1',
    'analyze paired',
    'create index on paired (id, p)',
    // What puts rows into indexes and statistics again
    'analyze counted',
    'analyze',
    'vacuum full indexed',
    'reindex table indexed',
    'reindex index by_note',
    'reindex schema public',
    'cluster indexed using by_note',
    'alter table indexed alter column note type varchar(99)',
    'alter table checked add column more float default random()',
    'refresh materialized view kept',
    // What the planner computes
    'select id from partly where id = 1',
    'select id from over_partly',
    "update partly set note = 'x' where id = 1",
    'select id from guessed where id = 1',
    'select id from checked',
    'explain select id from partly',
  ])('%s', async (text) => {
    const { bytes, errors } = await at.client.query(text)
    expect(bytes.toString('latin1')).not.toMatch(secret)
    expect(errors).toEqual([expect.objectContaining({ sqlstate: 'SPB01' })])
  })

  it.each([
    'select plain(note), total(id) from orders',
    'select id from orders where not (id::bigint <?< 2::bigint) and id < 4',
    'select p from calmed order by p',
    'select distinct p from calmed',
    'analyze calmed, fine, orders',
    'reindex table fine',
    'select id, note from fine where id = 1',
    'select id from paired where id = 2',
    'select id from indexed where id = 1',
    'select id from counted where id = 1',
    'insert into orders (id, note) values (1001, $$x$$)',
  ])('leaves alone: %s', async (text) => {
    const { errors } = await at.client.query(text)
    expect(errors).toEqual([])
  })

  it('counts where events of the schema set it off', async () => {
    const { postgres, client, door } = at
    await postgres.direct(`create function heard() returns event_trigger language plpgsql as $$ begin
      if tg_tag = 'COMMENT' then raise notice 'right'; end if; end $$;
      create event trigger heard on ddl_command_end execute function heard()`)
    await door.catalogs.get(postgres.target).refresh()
    expect((await client.query('create table heard_of (id int)')).errors).toEqual([])
    expect((await client.query("comment on table heard_of is 'x'")).bytes.toString('latin1')).toContain('right')
    await postgres.direct(`create function tells() returns event_trigger language plpgsql as $$ ${says} end $$;
      create event trigger tells on ddl_command_end execute function tells()`)
    await door.catalogs.get(postgres.target).refresh()
    for (const text of [
      'create table told (id int)',
      'create table told as select 1 as x',
      'select 1 as x into told',
      'drop table heard_of',
      'create index on orders (note)',
      "comment on table orders is 'x'",
      'alter table orders add column told int',
      'grant select on orders to legacy',
    ]) {
      const { bytes, errors } = await client.query(text)
      expect(bytes.toString('latin1'), text).not.toMatch(secret)
      expect(errors, text).toEqual([expect.objectContaining({ sqlstate: 'SPB01' })])
    }
    await postgres.direct('alter event trigger tells disable')
    await door.catalogs.get(postgres.target).refresh()
    expect((await client.query('create table told (id int)')).errors).toEqual([])
  })

  it('shows nothing as a statement is planned, where a class may be computed with', async () => {
    const { client, door } = at
    door.people.use = 'any'
    door.people.epoch++
    for (const text of [
      'select planned(1)::int',
      'select id from orders where id = planned(1)::int',
      'select planned(1)',
    ]) {
      await client.query('set client_min_messages = log; set debug_print_plan = on')
      const { bytes, heard } = await client.extended(text)
      const shown = bytes.toString('latin1')
      expect(shown, text).not.toMatch(secret)
      expect(shown, text).not.toContain('PLANNEDSTMT')
      expect(
        heard.some(({ type }) => type === 'E'),
        text,
      ).toBe(text.includes('::int'))
    }
    door.people.use = 'lookup'
    door.people.epoch++
  })
})
