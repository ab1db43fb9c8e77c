import type { Migration } from './migration.ts'

/** When the requester last reminded those who decide, and how often they did. */
export const reminders: Migration = {
  id: 6,
  name: 'reminders',
  sql: `
alter table requests
  add column reminded_at timestamptz,
  add column reminders integer not null default 0;
`,
}
