/** Attempts with rows whose columns can't be listed, and with functions that are called like columns. As `techniques.ts`. */
export const rowTechniques: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'functions called like columns': [
    ['select (1::bigint).reveal'],
    ['select (id).reveal from orders'],
    ['select (o.id).reveal || $$$$ from orders o'],
    ['select t.reveal from unnest(array[1::bigint, 2]) t'],
    ['select bypass.t.reveal from unnest(array[1::bigint, 2]) t'],
    ['select (t).reveal from unnest(array[1::bigint, 2]) t'],
    ['select (t.t).reveal from unnest(array[1::bigint, 2]) t'],
    ['select ((1::bigint).reveal).upper'],
    ['select (max(id)).reveal from orders'],
    ['select x.reveal from generate_series(1::bigint, 3) x'],
    ['select (o).told from orders o'],
    ['select o.told from orders o'],
    ['select (select o from orders o limit 1).told'],
    ['select ((o).id).reveal from orders o'],
    ['select t.told from unnest(array(select o from orders o)) t'],
    ['select * from orders where (id).reveal is not null'],
    ['select id from orders order by (id).reveal limit 3'],
    ["select ('/etc/passwd'::text).pg_read_file"],
    ['select (1::oid).lo_get'],
    ['select (n.pid).pg_stat_get_backend_activity from (select 1::int as pid) n'],
    ['insert into notes values (91, (1::bigint).reveal) returning note'],
    ['with r as (select (1::bigint).reveal as x) select x from r'],
    ['create function pg_temp.f(n bigint) returns text language sql as $$ select n.reveal $$', 'select pg_temp.f(1)'],
    [
      'create function pg_temp.g() returns text language plpgsql as $$ declare n bigint := 1; begin return (n).reveal; end $$',
      'select pg_temp.g()',
    ],
    ['create view pg_temp.v as select (1::bigint).reveal as x', 'select x from pg_temp.v'],
    ['delete from notes where id = 91'],
  ],
  'a row beside one whose columns can not be listed': [
    ['select (c).ssn from customers c, unnest(array[1]) u'],
    ['select lower((c).ssn) from customers c, unnest(array[1]) u'],
    ['select c::text from customers c, unnest(array[1]) u'],
    ['select to_jsonb(c) from customers c, unnest(array[1]) u(v)'],
    ['select c from customers c cross join unnest(array[1]) u'],
    ['select md5(c::text) from customers c, unnest(array[1]) u'],
    ['select (select c::text) from customers c, unnest(array[1]) u'],
    ['select c::text from customers c, lateral (select c) s, unnest(array[1]) u'],
    ['select row_to_json(customers) from customers, unnest(array[1]) u'],
    ['select count(*), left(email, 1) as e from customers, unnest(array[1]) u group by e'],
    ['select left(ssn, 1) as e, count(*) from customers, unnest(array[1]) u group by e order by e'],
  ],
  'columns that are somewhere else than they seem': [
    ["select h || '' from (select * from unnest(array[(1, 'x')::pair]) u, customers) s(a, b, c, d, e, f, g, h)"],
    ["select f || '' from (select * from unnest(array[(1, 'x')::pair]) u, customers) s(a, b, c, d, e, f, g, h)"],
    [
      "select h || '' from (select u.*, c.* from unnest(array[(1, 'x')::pair]) u, customers c) s(a, b, c, d, e, f, g, h)",
    ],
    [
      "with s(a, b, c, d, e, f, g, h) as (select * from unnest(array[(1, 'x')::pair]) u, customers) select h || '' from s",
    ],
    ["select s.h || '' from (unnest(array[(1, 'x')::pair]) u cross join customers) as s(a, b, c, d, e, f, g, h)"],
    ["select b || '' from (select c.name as a, u.* from customers c, unnest(array[(1, c.ssn)::pair]) u) s(x, y, b)"],
    [
      "select z || '' from (select 1::bigint, 'x', 'y', 'z', 'a', 'b', 'c', 'd', now(), 1 union all select u.*, c.* from unnest(array[(1, 'x')::pair]) u, customers c) s(a, b, c, d, e, f, g, z)",
    ],
    [
      "select h || '' from (select u.*, c.* from unnest(array[(1, 'x')::pair]) u, customers c union all select 1, 'x', 1, 'x', 'x', 'x', 'x', 'x', 'x', null) s(a, b, c, d, e, f, g, h)",
    ],
    [
      "insert into notes select * from (select a, h from (select * from unnest(array[(1, 'x')::pair]) u, customers) s(a, b, c, d, e, f, g, h)) t returning *",
    ],
    [
      "select x.h || '' from orders o, lateral (select * from unnest(array[(1, 'x')::pair]) u, customers) x(a, b, c, d, e, f, g, h)",
    ],
    [
      "select n.b || '' from (select * from rows from (unnest(array[(1, 'x')::pair]), unnest(array(select ssn from customers))) r) n(a, c, b)",
    ],
  ],
}
