import type { Migration } from './migration.ts'

/** What people outside the client still have to be told: stored with the change, sent until it arrives. */
export const outbox: Migration = {
  id: 4,
  name: 'outbox',
  sql: `
create table outbox (
  id bigint generated always as identity primary key,
  created_at timestamptz not null default now(),
  destination jsonb not null,
  message jsonb not null,
  attempts integer not null default 0,
  next_at timestamptz not null default now(),
  sent_at timestamptz,
  failed_at timestamptz,
  error text
);
create index outbox_due on outbox (next_at) where sent_at is null and failed_at is null;
`,
}
