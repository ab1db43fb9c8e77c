import type { Migration } from './migration.ts'

/** What a session is for. `record_sessions` is as before, with it; a replica that does not say opens sessions for work. */
export const purpose: Migration = {
  id: 8,
  name: 'purpose',
  sql: `
alter table tunnel_tickets add column purpose text not null default 'work' check (purpose in ('work', 'catalog'));
alter table sessions add column purpose text not null default 'work' check (purpose in ('work', 'catalog'));
create or replace function record_sessions(
  after_seq bigint, after_hash text, records jsonb, opened jsonb, closed jsonb, told jsonb,
  out newest_seq bigint, out newest_hash text
) language plpgsql as $$
declare
  e record;
begin
  perform pg_advisory_xact_lock(7717002);
  select a.seq, a.hash into newest_seq, newest_hash from audit a order by a.seq desc limit 1;
  if not found then
    newest_seq := 0;
    newest_hash := repeat('0', 64);
  end if;
  if newest_seq <> after_seq or newest_hash <> after_hash then
    return;
  end if;
  if jsonb_array_length(opened) > 0 then
    insert into sessions (id, principal_id, principal, connection_name, connection, door, annotations, purpose, state, replica,
      source_ip, mfa, started_at)
    select o.id, o.principal_id, o.principal, o.connection_name, o.connection, o.door, o.annotations,
      coalesce(o.purpose, 'work'), 'live', o.replica, o.source_ip, o.mfa, o.started_at
    from jsonb_to_recordset(opened) as o(id text, principal_id text, principal jsonb, connection_name text, connection jsonb,
      door text, annotations text, purpose text, replica text, source_ip text, mfa boolean, started_at timestamptz);
  end if;
  -- One after the other: each is found by its key, where a join with all of them would read the whole table.
  for e in
    select * from jsonb_to_recordset(closed) as c(id text, ended_at timestamptz, reason text, allowed int, masked int,
      granted int, blocked int, held int, bytes_in bigint, bytes_out bigint)
  loop
    update sessions as s set
      state = 'ended', ended_at = e.ended_at, end_reason = e.reason,
      allowed = coalesce(e.allowed, s.allowed), masked = coalesce(e.masked, s.masked),
      granted = coalesce(e.granted, s.granted), blocked = coalesce(e.blocked, s.blocked), held = coalesce(e.held, s.held),
      bytes_in = coalesce(e.bytes_in, s.bytes_in), bytes_out = coalesce(e.bytes_out, s.bytes_out)
    where s.id = e.id and s.state <> 'ended';
  end loop;
  insert into audit (seq, at, actor, action, subject, detail, prev_hash, hash, signature)
  select r.seq, r.at, r.actor, r.action, r.subject, r.detail, r.previous, r.hash, r.signature
  from jsonb_to_recordset(records) as r(seq bigint, at timestamptz, actor text, action text, subject text, detail text,
    previous text, hash text, signature text);
  select r.seq, r.hash into newest_seq, newest_hash
  from jsonb_to_recordset(records) as r(seq bigint, hash text) order by r.seq desc limit 1;
  perform pg_advisory_xact_lock(7717003);
  insert into events (type, audience, payload)
  select t.payload ->> 'type', t.audience, t.payload from jsonb_to_recordset(told) as t(audience jsonb, payload jsonb);
  perform pg_notify('sallyport_events', t.type)
  from (select distinct payload ->> 'type' as type from jsonb_to_recordset(told) as t(payload jsonb, silent boolean)
    where silent is not true) as t;
end
$$;
`,
}
