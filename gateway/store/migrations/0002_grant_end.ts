import type { Migration } from './migration.ts'

/** Of several replicas, the one that sets `ended_at` tells of a grant's end: once, also when all were stopped at that time. */
export const grantEnd: Migration = {
  id: 2,
  name: 'grant end',
  sql: `
alter table grants add column ended_at timestamptz;
create index grants_open on grants (ends_at) where ended_at is null;
`,
}
