import type { Kysely } from 'kysely'
import type { Database } from './database.ts'
import type { Sealer } from './seal.ts'

/**
 * A key of the gateway itself, made by the first replica that needs it and the same for all of them from then on.
 * @param name `oauth/signing`, `oauth/cookies`, `audit/signing`
 */
export async function loadOrCreateKey(
  db: Kysely<Database>,
  sealer: Sealer,
  name: string,
  create: () => Promise<string> | string,
): Promise<string> {
  const read = () => db.selectFrom('keys').select('key_sealed').where('name', '=', name).executeTakeFirst()
  let row = await read()
  if (row === undefined) {
    const key_sealed = sealer.seal(await create(), `keys/${name}`)
    await db
      .insertInto('keys')
      .values({ name, key_sealed })
      .onConflict((conflict) => conflict.column('name').doNothing())
      .execute()
    row = await read()
  }
  if (row === undefined) throw new Error(`The store did not keep the key ${name}.`)
  return sealer.open(row.key_sealed, `keys/${name}`)
}
