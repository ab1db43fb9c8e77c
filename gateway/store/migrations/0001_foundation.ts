import type { Migration } from './migration.ts'

export const foundation: Migration = {
  id: 1,
  name: 'foundation',
  sql: `
create table identities (
  id text primary key,
  kind text not null check (kind in ('user', 'machine')),
  name text not null,
  groups jsonb not null,
  issuer text,
  subject text,
  created_at timestamptz not null default now(),
  seen_at timestamptz,
  disabled_at timestamptz,
  unique (issuer, subject)
);

create table oidc_payloads (
  model text not null,
  id_hash text not null,
  payload_sealed bytea not null,
  grant_id text,
  account_id text,
  user_code_hash text,
  uid_hash text,
  expires_at timestamptz,
  consumed_at timestamptz,
  primary key (model, id_hash)
);
create index oidc_payloads_grant on oidc_payloads (grant_id) where grant_id is not null;
create index oidc_payloads_account on oidc_payloads (account_id) where account_id is not null;
create unique index oidc_payloads_user_code on oidc_payloads (user_code_hash) where user_code_hash is not null;
create index oidc_payloads_uid on oidc_payloads (uid_hash) where uid_hash is not null;
create index oidc_payloads_expiry on oidc_payloads (expires_at);

create table machines (
  client_id text primary key,
  name text not null,
  groups jsonb not null,
  secret_hash text,
  id_token jsonb,
  updated_at timestamptz not null default now(),
  removed_at timestamptz,
  check ((secret_hash is null) <> (id_token is null))
);

create table connections (
  name text primary key,
  kind text not null,
  environment text not null,
  tags jsonb not null,
  description text not null,
  position integer not null,
  target_sealed bytea not null,
  updated_at timestamptz not null default now(),
  removed_at timestamptz
);

create table sessions (
  id text primary key,
  principal_id text not null,
  principal jsonb not null,
  connection_name text not null,
  connection jsonb not null,
  door text not null check (door in ('desktop', 'cli', 'endpoint', 'native')),
  annotations text not null check (annotations in ('machine', 'text')),
  state text not null check (state in ('opening', 'live', 'ended')),
  replica text not null,
  source_ip text not null,
  mfa boolean not null,
  started_at timestamptz not null default now(),
  ended_at timestamptz,
  end_reason text,
  allowed integer not null default 0,
  masked integer not null default 0,
  granted integer not null default 0,
  blocked integer not null default 0,
  held integer not null default 0,
  bytes_in bigint not null default 0,
  bytes_out bigint not null default 0
);
create index sessions_started on sessions (started_at desc);
create index sessions_principal on sessions (principal_id, started_at desc);
create index sessions_open on sessions (replica) where state <> 'ended';

create table session_tokens (
  token_hash text primary key,
  principal_id text not null,
  principal jsonb not null,
  connection_name text not null,
  access_token_id text not null,
  mfa boolean not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  revoked_at timestamptz
);
create index session_tokens_expiry on session_tokens (expires_at);
create index session_tokens_principal on session_tokens (principal_id);

create table tunnel_tickets (
  ticket_hash text primary key,
  session_id text not null,
  principal_id text not null,
  principal jsonb not null,
  connection_name text not null,
  door text not null,
  annotations text not null,
  access_token_id text not null,
  source_ip text not null,
  mfa boolean not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  used_at timestamptz
);
create index tunnel_tickets_expiry on tunnel_tickets (expires_at);

create table requests (
  id text primary key,
  kind text not null check (kind in ('once', 'grant')),
  state text not null check (state in ('pending', 'approved', 'denied', 'expired', 'cancelled', 'revoked')),
  requester_id text not null,
  requester jsonb not null,
  connection_name text not null,
  connection jsonb not null,
  reason text not null,
  policy jsonb not null,
  approval jsonb not null,
  session_id text,
  action text,
  text_sealed bytea,
  text_sha256 text,
  tables jsonb not null,
  binding jsonb not null,
  actions jsonb not null,
  data_classes jsonb not null,
  duration_seconds integer,
  source_ip text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  decided_at timestamptz
);
create index requests_created on requests (created_at desc);
create index requests_pending on requests (expires_at) where state = 'pending';
create index requests_requester on requests (requester_id, created_at desc);

create table reviews (
  id bigint generated always as identity primary key,
  request_id text not null references requests (id),
  reviewer_id text not null,
  verdict text not null check (verdict in ('approve', 'deny')),
  reason text not null,
  at timestamptz not null default now(),
  unique (request_id, reviewer_id)
);

create table grants (
  id text primary key,
  request_id text not null references requests (id),
  principal_id text not null,
  connection_name text not null,
  actions jsonb not null,
  data_classes jsonb not null,
  approved_by jsonb not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  revoked_at timestamptz,
  revoked_by text,
  check (ends_at > starts_at)
);
create index grants_principal on grants (principal_id, ends_at);
create index grants_ends on grants (ends_at);

create table audit (
  seq bigint primary key,
  at timestamptz not null,
  actor text not null,
  action text not null,
  subject text not null,
  detail text not null,
  prev_hash text not null,
  hash text not null,
  signature text not null
);
create index audit_at on audit (at);

create function audit_is_append_only() returns trigger language plpgsql as $$
begin
  raise exception 'the audit log is append only';
end
$$;
create trigger audit_append_only before update or delete on audit
  for each row execute function audit_is_append_only();
create trigger audit_no_truncate before truncate on audit
  for each statement execute function audit_is_append_only();

create table events (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  type text not null,
  audience jsonb not null,
  payload jsonb not null
);
create index events_at on events (at);

create table keys (
  name text primary key,
  key_sealed bytea not null,
  created_at timestamptz not null default now()
);

create table policy_sets (
  version text primary key,
  files jsonb not null,
  loaded_at timestamptz not null default now()
);
`,
}
