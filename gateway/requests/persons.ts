import type { Kysely } from 'kysely'
import type { Principal } from '../../shared/principal.ts'
import type { Database } from '../store/database.ts'

/** Somebody who is known here and not turned off, with the person behind them: a machine's owner, else themselves. */
export interface Known extends Principal {
  person: string
}

/** Those of them that are still there. */
export async function knownAmong(db: Kysely<Database>, ids: readonly string[]): Promise<ReadonlyMap<string, Known>> {
  if (ids.length === 0) return new Map()
  const rows = await db
    .selectFrom('identities')
    .select(['id', 'kind', 'name', 'groups', 'owner'])
    .where('id', 'in', [...new Set(ids)])
    .where('disabled_at', 'is', null)
    .execute()
  return new Map(rows.map(({ owner, ...principal }) => [principal.id, { ...principal, person: owner ?? principal.id }]))
}

/** Who stands behind an id that may have been turned off since. */
export async function personBehind(db: Kysely<Database>, id: string): Promise<string> {
  const row = await db.selectFrom('identities').select('owner').where('id', '=', id).executeTakeFirst()
  return row?.owner ?? id
}

/** The persons behind machines, also of those that were turned off. */
export async function ownersOf(db: Kysely<Database>): Promise<ReadonlyMap<string, string>> {
  const rows = await db.selectFrom('identities').select(['id', 'owner']).where('owner', 'is not', null).execute()
  return new Map(rows.flatMap(({ id, owner }) => (owner === null ? [] : [[id, owner] as const])))
}
