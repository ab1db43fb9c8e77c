import { type Kysely, sql } from 'kysely'
import type { Principal } from '../../shared/principal.ts'
import type { MachineEntry } from '../config-schema.ts'
import type { Identities } from '../services.ts'
import { type Database, json } from '../store/database.ts'
import { hashSecret, verifySecret } from './secrets.ts'

/** What the upstream provider says of a person. */
export interface UpstreamPerson {
  issuer: string
  subject: string
  username: string
  name: string
  groups: string[]
}

/** A person who may not sign in, and why, in words for them. */
export class SignInRefused extends Error {
  override readonly name = 'SignInRefused'
}

export interface IdentityStore extends Identities {
  /**
   * Creates or updates the identity of someone who signed in. The upstream account (`issuer`, `subject`) owns the name for good:
   * another account never becomes the same principal, whatever it calls itself.
   * @throws {SignInRefused}
   */
  provision(person: UpstreamPerson): Promise<Principal>
  /** Makes machines and their identities what the configuration says; those no longer in it are turned off. */
  syncMachines(machines: readonly MachineEntry[]): Promise<void>
  /**
   * Off-boards: nothing this person holds is accepted any more. False when there is none, or they are turned off already.
   * A machine is turned off where it is turned on: in the configuration.
   */
  disable(id: string): Promise<boolean>
  /**
   * Takes `disable` back; what had ended stays ended. False when no such person is turned off. Nothing has changed where
   * `record` rejects.
   */
  enable(id: string, record: () => Promise<void>): Promise<boolean>
}

const columns = ['id', 'kind', 'name', 'groups'] as const

/** What a login name may look like: it becomes an entity id in policy, a file in an export, `user%connection` in ssh. */
const usernamePattern = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$/

export function createIdentities(db: Kysely<Database>): IdentityStore {
  const enabled = () => db.selectFrom('identities').select(columns).where('disabled_at', 'is', null)
  return {
    get: (id) => enabled().where('id', '=', id).executeTakeFirst(),
    list: () => enabled().orderBy('id').execute(),
    members: (group) =>
      enabled()
        .where(sql<boolean>`groups @> ${json([group])}::jsonb`)
        .orderBy('id')
        .execute(),

    async provision({ issuer, subject, username, name, groups }) {
      if (!usernamePattern.test(username)) {
        throw new SignInRefused(
          `The sign-in provider gave a login name that cannot be used here (letters, digits and . _ @ - only, at most 63). Ask the IT desk to change it.`,
        )
      }
      return db.transaction().execute(async (tx) => {
        const known = await tx
          .selectFrom('identities')
          .select(['id', 'disabled_at'])
          .where('issuer', '=', issuer)
          .where('subject', '=', subject)
          .forUpdate()
          .executeTakeFirst()
        if (known !== undefined && known.disabled_at !== null) {
          throw new SignInRefused(
            `The account ${known.id} was turned off at this gateway. Ask the IT desk to turn it on.`,
          )
        }
        const values = { name, groups: json(groups), seen_at: new Date() }
        if (known !== undefined) {
          await tx.updateTable('identities').set(values).where('id', '=', known.id).execute()
          return { kind: 'user', id: known.id, name, groups }
        }
        const created = await tx
          .insertInto('identities')
          .values({ id: username, kind: 'user', issuer, subject, ...values })
          .onConflict((conflict) => conflict.column('id').doNothing())
          .returning('id')
          .executeTakeFirst()
        if (created === undefined) {
          throw new SignInRefused(
            `The login name ${username} belongs to another account at this gateway. Ask the IT desk which of the two is yours.`,
          )
        }
        return { kind: 'user', id: username, name, groups }
      })
    },

    async syncMachines(machines) {
      for (const machine of machines) await syncMachine(db, machine)
      const kept = machines.map((machine) => machine.clientId)
      const gone = await db
        .updateTable('machines')
        .set({ removed_at: new Date() })
        .where('removed_at', 'is', null)
        .$if(kept.length > 0, (query) => query.where('client_id', 'not in', kept))
        .returning('client_id')
        .execute()
      if (gone.length === 0) return
      await db
        .updateTable('identities')
        .set({ disabled_at: new Date() })
        .where('kind', '=', 'machine')
        .where(
          'id',
          'in',
          gone.map((row) => row.client_id),
        )
        .execute()
    },

    async disable(id) {
      const { numUpdatedRows } = await db
        .updateTable('identities')
        .set({ disabled_at: new Date() })
        .where('id', '=', id)
        .where('kind', '=', 'user')
        .where('disabled_at', 'is', null)
        .executeTakeFirst()
      if (numUpdatedRows === 0n) return false
      await db.deleteFrom('oidc_payloads').where('account_id', '=', id).execute()
      return true
    },

    enable: (id, record) =>
      db.transaction().execute(async (tx) => {
        const { numUpdatedRows } = await tx
          .updateTable('identities')
          .set({ disabled_at: null })
          .where('id', '=', id)
          .where('kind', '=', 'user')
          .where('disabled_at', 'is not', null)
          .executeTakeFirst()
        if (numUpdatedRows === 0n) return false
        await record()
        return true
      }),
  }
}

async function syncMachine(db: Kysely<Database>, machine: MachineEntry): Promise<void> {
  const { clientId, name } = machine
  const groups = json(machine.groups)
  const owner = machine.owner ?? null
  const claimed = await db
    .insertInto('identities')
    .values({ id: clientId, kind: 'machine', name, groups, owner, issuer: null, subject: null })
    .onConflict((conflict) =>
      conflict
        .column('id')
        .doUpdateSet({ name, groups, owner, disabled_at: null })
        .where('identities.kind', '=', 'machine'),
    )
    .returning('id')
    .executeTakeFirst()
  if (claimed === undefined) {
    throw new Error(
      `machines: ${clientId} is the login name of a person at this gateway. Give the machine another clientId.`,
    )
  }
  const before = await db
    .selectFrom('machines')
    .select('secret_hash')
    .where('client_id', '=', clientId)
    .executeTakeFirst()
  const values = {
    name,
    groups,
    secret_hash: await secretHash(machine.clientSecret, before?.secret_hash ?? null),
    id_token: machine.idToken === undefined ? null : json(machine.idToken),
    updated_at: new Date(),
    removed_at: null,
  }
  await db
    .insertInto('machines')
    .values({ client_id: clientId, ...values })
    .onConflict((conflict) => conflict.column('client_id').doUpdateSet(values))
    .execute()
}

/** Keeps the hash of an unchanged secret, so that replicas which start together do not take turns changing it. */
async function secretHash(secret: string | undefined, before: string | null): Promise<string | null> {
  if (secret === undefined) return null
  return before !== null && (await verifySecret(secret, before)) ? before : hashSecret(secret)
}
