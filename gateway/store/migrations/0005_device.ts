import type { Migration } from './migration.ts'

/** What the client calls the computer that a request is made on. */
export const device: Migration = {
  id: 5,
  name: 'device',
  sql: `
alter table tunnel_tickets add column device text;
alter table requests add column device text;
`,
}
