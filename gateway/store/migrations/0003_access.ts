import type { Migration } from './migration.ts'

/** What a reviewer sees and decides by, starts that were chosen, escalation, break-glass, and whose machine it is. */
export const access: Migration = {
  id: 3,
  name: 'access',
  sql: `
alter table requests
  add column mfa boolean,
  add column client text,
  add column columns jsonb not null default '[]',
  add column hidden_classes jsonb not null default '[]',
  add column redacted_sealed bytea,
  add column estimate jsonb,
  add column row_count jsonb,
  add column starts_at timestamptz,
  add column extends_grant text,
  add column escalated jsonb not null default '[]',
  add column broken_at timestamptz,
  add column after_state text check (after_state in ('open', 'accepted', 'disputed')),
  add column after_by text,
  add column after_reason text,
  add column after_at timestamptz;
create index requests_after on requests (created_at) where after_state = 'open';

alter table grants add column extends_grant text;

alter table identities add column owner text;
`,
}
