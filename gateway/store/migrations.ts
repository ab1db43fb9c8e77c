import type { Pool } from 'pg'
import { foundation } from './migrations/0001_foundation.ts'
import { grantEnd } from './migrations/0002_grant_end.ts'
import { access } from './migrations/0003_access.ts'
import { outbox } from './migrations/0004_outbox.ts'
import { device } from './migrations/0005_device.ts'
import { reminders } from './migrations/0006_reminders.ts'
import { recordSessions } from './migrations/0007_record_sessions.ts'
import { purpose } from './migrations/0008_purpose.ts'
import type { Migration } from './migrations/migration.ts'

/** Every step, in order. A new one gets its own file `migrations/NNNN_name.ts`. */
export const migrations: readonly Migration[] = [
  foundation,
  grantEnd,
  access,
  outbox,
  device,
  reminders,
  recordSessions,
  purpose,
]

/** The store was written by a newer gateway. */
export class NewerStore extends Error {
  override readonly name = 'NewerStore'
}

/** Held while migrating, so that replicas which start together take turns. The number is arbitrary and only ours. */
const migrationLock = 7_717_001

/**
 * Brings the store to the newest version, all steps in one transaction.
 * Rejects when the store is newer than this gateway: an old replica must not write what it does not understand.
 */
export async function migrate(pool: Pool, steps: readonly Migration[] = migrations): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    await client.query('select pg_advisory_xact_lock($1)', [migrationLock])
    await client.query(
      'create table if not exists migrations (id integer primary key, name text not null, at timestamptz not null default now())',
    )
    const { rows } = await client.query<{ version: number }>('select coalesce(max(id), 0) as version from migrations')
    const version = rows[0]?.version ?? 0
    const newest = steps.at(-1)?.id ?? 0
    if (version > newest) {
      throw new NewerStore(
        `The store is at version ${version}, this gateway knows ${newest}. Start the newer gateway, or use another store.`,
      )
    }
    for (const step of steps) {
      if (step.id <= version) continue
      await client.query(step.sql)
      await client.query('insert into migrations (id, name) values ($1, $2)', [step.id, step.name])
    }
    await client.query('commit')
  } catch (error) {
    await client.query('rollback')
    throw error
  } finally {
    client.release()
  }
}
