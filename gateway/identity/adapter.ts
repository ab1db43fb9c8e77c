import type { Kysely } from 'kysely'
import { type Adapter, type AdapterFactory, type AdapterPayload, errors } from 'oidc-provider'
import type { Database } from '../store/database.ts'
import { type Sealer, sha256 } from '../store/seal.ts'
import { machineClient } from './clients.ts'

/** Tokens outlive their `exp` by this in the table, so that one used a moment too late is told apart from one unknown. */
const graceMs = 60_000

/**
 * Where oidc-provider keeps codes, tokens, grants and browser sessions. Ids are stored as hashes and payloads sealed, because an
 * id is the very token that a client shows. Clients are read from the machines of the configuration.
 */
export function createAdapter(db: Kysely<Database>, sealer: Sealer): AdapterFactory {
  return (model) => (model === 'Client' ? clientAdapter(db) : payloadAdapter(db, sealer, model))
}

function payloadAdapter(db: Kysely<Database>, sealer: Sealer, model: string): Adapter {
  const context = (idHash: string) => `oidc/${model}/${idHash}`

  const findBy = async (column: 'id_hash' | 'user_code_hash' | 'uid_hash', value: string) => {
    const row = await db
      .selectFrom('oidc_payloads')
      .select(['id_hash', 'payload_sealed', 'consumed_at'])
      .where('model', '=', model)
      .where(column, '=', sha256(value))
      .executeTakeFirst()
    if (row === undefined) return undefined
    const payload: AdapterPayload = JSON.parse(sealer.open(row.payload_sealed, context(row.id_hash)))
    return row.consumed_at === null ? payload : { ...payload, consumed: seconds(row.consumed_at) }
  }

  return {
    async upsert(id, payload, expiresIn) {
      const id_hash = sha256(id)
      const values = {
        payload_sealed: sealer.seal(JSON.stringify(payload), context(id_hash)),
        // A grant is found by its own id when everything of a sign-in goes.
        grant_id: model === 'Grant' ? id : (payload.grantId ?? null),
        account_id: payload.accountId ?? null,
        user_code_hash: payload.userCode === undefined ? null : sha256(payload.userCode),
        uid_hash: payload.uid === undefined ? null : sha256(payload.uid),
        expires_at: expiresIn === undefined ? null : new Date(Date.now() + expiresIn * 1000 + graceMs),
      }
      await db
        .insertInto('oidc_payloads')
        .values({ model, id_hash, ...values })
        .onConflict((conflict) => conflict.columns(['model', 'id_hash']).doUpdateSet(values))
        .execute()
    },
    find: (id) => findBy('id_hash', id),
    findByUserCode: (userCode) => findBy('user_code_hash', userCode),
    findByUid: (uid) => findBy('uid_hash', uid),
    async consume(id) {
      // Of two requests that show the same code or refresh token at once, one gets here first and the other gets nothing.
      const { numUpdatedRows } = await db
        .updateTable('oidc_payloads')
        .set({ consumed_at: new Date() })
        .where('model', '=', model)
        .where('id_hash', '=', sha256(id))
        .where('consumed_at', 'is', null)
        .executeTakeFirst()
      if (numUpdatedRows === 0n) throw new errors.InvalidGrant('already used')
    },
    async destroy(id) {
      await db.deleteFrom('oidc_payloads').where('model', '=', model).where('id_hash', '=', sha256(id)).execute()
    },
    async revokeByGrantId(grantId) {
      await db.deleteFrom('oidc_payloads').where('model', '=', model).where('grant_id', '=', grantId).execute()
    },
  }
}

function clientAdapter(db: Kysely<Database>): Adapter {
  const readOnly = () => Promise.reject(new Error('Clients come from the configuration.'))
  return {
    async find(id) {
      const machine = await db
        .selectFrom('machines')
        .select(['client_id', 'name', 'secret_hash'])
        .where('client_id', '=', id)
        .where('removed_at', 'is', null)
        .executeTakeFirst()
      return machine === undefined ? undefined : machineClient(machine)
    },
    findByUserCode: async () => undefined,
    findByUid: async () => undefined,
    upsert: readOnly,
    consume: readOnly,
    destroy: readOnly,
    revokeByGrantId: readOnly,
  }
}

function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000)
}
