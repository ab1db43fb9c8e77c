import type { Kysely } from 'kysely'
import type { ConnectionRef } from '../../shared/connection.ts'
import type { ConnectionEntry } from '../config-schema.ts'
import type { Connections, GatewayConnection } from '../services.ts'
import { type Database, json } from '../store/database.ts'
import type { Sealer } from '../store/seal.ts'

/** The connections of the configuration: in memory for this process, and in the store, sealed, for what refers to them. */
export function createConnections(entries: readonly ConnectionEntry[]): Connections {
  const connections = entries.map(
    ({ name, kind, environment, tags, description, target, limits = {} }): GatewayConnection => ({
      ref: { name, kind, environment, tags },
      description,
      target,
      limits,
    }),
  )
  const byName = new Map(connections.map((connection) => [connection.ref.name, connection]))
  return { list: () => connections, get: (name) => byName.get(name) }
}

/** Those in force, and those that were removed, which sessions and requests of the past name. */
export async function everyConnection(db: Kysely<Database>, connections: Connections): Promise<ConnectionRef[]> {
  const known = await db.selectFrom('connections').select(['name', 'kind', 'environment', 'tags']).execute()
  const inForce = connections.list().map(({ ref }) => ref)
  return [...inForce, ...known.filter(({ name }) => connections.get(name) === undefined)]
}

/** Makes the store's connections what the configuration says. */
export async function syncConnections(
  db: Kysely<Database>,
  sealer: Sealer,
  connections: readonly GatewayConnection[],
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    for (const [position, { ref, description, target }] of connections.entries()) {
      const values = {
        kind: ref.kind,
        environment: ref.environment,
        tags: json(ref.tags),
        description,
        position,
        target_sealed: sealer.seal(JSON.stringify(target), `connections/${ref.name}`),
        updated_at: new Date(),
        removed_at: null,
      }
      await tx
        .insertInto('connections')
        .values({ name: ref.name, ...values })
        .onConflict((conflict) => conflict.column('name').doUpdateSet(values))
        .execute()
    }
    const kept = connections.map(({ ref }) => ref.name)
    await tx
      .updateTable('connections')
      .set({ removed_at: new Date() })
      .where('removed_at', 'is', null)
      .$if(kept.length > 0, (query) => query.where('name', 'not in', kept))
      .execute()
  })
}
