import type { Kysely } from 'kysely'
import type { Purpose } from '../shared/api/models.ts'
import type { Principal } from '../shared/principal.ts'
import { newSecret } from './secrets.ts'
import type { Identities } from './services.ts'
import type { Database } from './store/database.ts'
import { sha256 } from './store/seal.ts'
import type { RunPrepared, Store } from './store/store.ts'

/**
 * Session tokens (the password at a native listener) and tunnel tickets. Both are stored as hashes.
 * A token opens several connections within its life, because pools and pgbench do; a ticket opens one tunnel.
 */

/** Whom a token or ticket lets in, and where. */
export interface Admission {
  principal: Principal
  connection: string
  accessTokenId: string
  mfa: boolean
}

export interface TicketAdmission extends Admission {
  sessionId: string
  door: 'desktop' | 'cli' | 'endpoint'
  annotations: 'machine' | 'text'
  /** Work, if unsaid. */
  purpose?: Purpose | undefined
  sourceIp: string
  /** The computer, as its client calls it. */
  device?: string | undefined
}

export interface Issued {
  secret: string
  expiresAt: Date
}

export const tokenSeconds = 600
const ticketSeconds = 60
/** Kept a while after their end, so that “expired” can be told from “unknown”. */
const keptMs = 3_600_000

export type Redeemed<T> = { ok: true; admission: T } | { ok: false; why: 'unknown' | 'expired' | 'used' | 'revoked' }

/** Asked for each session: a token, with whom it is for as they are now. Who was turned off is nobody. */
const checkToken = {
  name: 'check_token',
  text: `select t.connection_name, t.access_token_id, t.mfa, t.expires_at, t.revoked_at, i.id, i.kind, i.name, i.groups
    from session_tokens t left join identities i on i.id = t.principal_id and i.disabled_at is null
    where t.token_hash = $1`,
}

type CheckedToken = {
  connection_name: string
  access_token_id: string
  mfa: boolean
  expires_at: Date
  revoked_at: Date | null
} & (Principal | { id: null })

export class Tokens {
  readonly #db: Kysely<Database>
  readonly #prepared: RunPrepared
  readonly #identities: Identities

  constructor({ db, prepared }: Pick<Store, 'db' | 'prepared'>, identities: Identities) {
    this.#db = db
    this.#prepared = prepared
    this.#identities = identities
  }

  async issueToken(admission: Admission): Promise<Issued> {
    const secret = newSecret('spt')
    const expiresAt = new Date(Date.now() + tokenSeconds * 1000)
    await this.#db
      .insertInto('session_tokens')
      .values({
        token_hash: sha256(secret),
        principal_id: admission.principal.id,
        principal: JSON.stringify(admission.principal),
        connection_name: admission.connection,
        access_token_id: admission.accessTokenId,
        mfa: admission.mfa,
        expires_at: expiresAt,
      })
      .execute()
    return { secret, expiresAt }
  }

  /** Checks a token; the principal comes with the groups it has now. */
  async checkToken(secret: string): Promise<Redeemed<Admission>> {
    const [row] = await this.#prepared<CheckedToken>(checkToken, [sha256(secret)])
    if (row === undefined) return { ok: false, why: 'unknown' }
    if (row.revoked_at !== null) return { ok: false, why: 'revoked' }
    if (row.expires_at.getTime() <= Date.now()) return { ok: false, why: 'expired' }
    if (row.id === null) return { ok: false, why: 'revoked' }
    const { kind, id, name, groups } = row
    return {
      ok: true,
      admission: {
        principal: { kind, id, name, groups },
        connection: row.connection_name,
        accessTokenId: row.access_token_id,
        mfa: row.mfa,
      },
    }
  }

  async issueTicket(admission: TicketAdmission): Promise<Issued> {
    const secret = newSecret('spk')
    const expiresAt = new Date(Date.now() + ticketSeconds * 1000)
    await this.#db
      .insertInto('tunnel_tickets')
      .values({
        ticket_hash: sha256(secret),
        session_id: admission.sessionId,
        principal_id: admission.principal.id,
        principal: JSON.stringify(admission.principal),
        connection_name: admission.connection,
        door: admission.door,
        annotations: admission.annotations,
        purpose: admission.purpose ?? 'work',
        access_token_id: admission.accessTokenId,
        source_ip: admission.sourceIp,
        mfa: admission.mfa,
        device: admission.device ?? null,
        expires_at: expiresAt,
      })
      .execute()
    return { secret, expiresAt }
  }

  /** Takes a ticket. Of any number of attempts at once, one succeeds. */
  async redeemTicket(secret: string): Promise<Redeemed<TicketAdmission>> {
    const hash = sha256(secret)
    const row = await this.#db
      .updateTable('tunnel_tickets')
      .set({ used_at: new Date() })
      .where('ticket_hash', '=', hash)
      .where('used_at', 'is', null)
      .where('expires_at', '>', new Date())
      .returningAll()
      .executeTakeFirst()
    if (row === undefined) {
      const found = await this.#db
        .selectFrom('tunnel_tickets')
        .select('used_at')
        .where('ticket_hash', '=', hash)
        .executeTakeFirst()
      if (found === undefined) return { ok: false, why: 'unknown' }
      return { ok: false, why: found.used_at === null ? 'expired' : 'used' }
    }
    const principal = await this.#identities.get(row.principal_id)
    if (principal === undefined) return { ok: false, why: 'revoked' }
    return {
      ok: true,
      admission: {
        principal,
        connection: row.connection_name,
        accessTokenId: row.access_token_id,
        mfa: row.mfa,
        sessionId: row.session_id,
        door: row.door,
        annotations: row.annotations,
        purpose: row.purpose,
        sourceIp: row.source_ip,
        device: row.device ?? undefined,
      },
    }
  }

  /** From here on nothing that was issued to the principal (or for one access token) opens anything. */
  async revoke(who: { principalId: string } | { accessTokenId: string }): Promise<void> {
    const [column, value] =
      'principalId' in who
        ? (['principal_id', who.principalId] as const)
        : (['access_token_id', who.accessTokenId] as const)
    const now = new Date()
    await this.#db.updateTable('session_tokens').set({ revoked_at: now }).where(column, '=', value).execute()
    await this.#db.updateTable('tunnel_tickets').set({ expires_at: now }).where(column, '=', value).execute()
  }

  async sweep(): Promise<void> {
    const before = new Date(Date.now() - keptMs)
    await this.#db.deleteFrom('session_tokens').where('expires_at', '<', before).execute()
    await this.#db.deleteFrom('tunnel_tickets').where('expires_at', '<', before).execute()
  }
}
