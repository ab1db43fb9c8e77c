import type { ColumnType, Generated } from 'kysely'
import type { Estimate, RowCount } from '../../shared/api/models.ts'
import type { ConnectionKind, ConnectionRef, Environment } from '../../shared/connection.ts'
import type { Approval, PolicyRef } from '../../shared/decision.ts'
import type { PolicyFile } from '../../shared/link.ts'
import type { Principal } from '../../shared/principal.ts'

/**
 * The store's tables as Kysely sees them; `migrations/` creates them.
 * Times are `timestamptz` and come back as Date. `bigint` comes back as number (see `postgres.ts`).
 * JSON columns are written with `json(value)`: pg would turn a bare array into a PostgreSQL array.
 * A column that ends in `_sealed` is ciphertext of `seal.ts`; one that ends in `_hash` holds a hash, never the secret.
 */
export interface Database {
  identities: IdentityTable
  oidc_payloads: OidcPayloadTable
  machines: MachineTable
  connections: ConnectionTable
  sessions: SessionTable
  session_tokens: SessionTokenTable
  tunnel_tickets: TunnelTicketTable
  requests: RequestTable
  reviews: ReviewTable
  grants: GrantTable
  audit: AuditTable
  events: EventTable
  outbox: OutboxTable
  keys: KeyTable
  policy_sets: PolicySetTable
}

type Json<T> = ColumnType<T, string, string>
type Time = ColumnType<Date, Date | string, Date | string>
type TimeOrNull = ColumnType<Date | null, Date | string | null | undefined, Date | string | null>
/** Set by the database unless given. */
type TimeDefault = ColumnType<Date, Date | string | undefined, Date | string>

/** A value for a `Json` column. */
export function json(value: unknown): string {
  return JSON.stringify(value)
}

/** People (provisioned when they sign in) and machines (synced from the configuration). */
interface IdentityTable {
  /** The principal's id: login name or client id. One namespace for both kinds: a grant names a principal by id alone. */
  id: string
  kind: 'user' | 'machine'
  name: string
  groups: Json<string[]>
  /** Upstream issuer and `sub`; null for machines. Unique together: a name can never move to another account. */
  issuer: string | null
  subject: string | null
  created_at: TimeDefault
  seen_at: TimeOrNull
  /** A machine's person: what the one asked, the other can't decide. */
  owner: string | null
  /** Off-boarded: nothing this identity holds is accepted from here on. */
  disabled_at: TimeOrNull
}

/** Everything oidc-provider stores. `id_hash`, `user_code_hash`, `uid_hash` are SHA-256: a dump of the table signs nobody in. */
interface OidcPayloadTable {
  model: string
  id_hash: string
  payload_sealed: Buffer
  grant_id: string | null
  account_id: string | null
  user_code_hash: string | null
  uid_hash: string | null
  expires_at: TimeOrNull
  consumed_at: TimeOrNull
}

interface MachineTable {
  client_id: string
  name: string
  groups: Json<string[]>
  /** scrypt, see `identity/secrets.ts`; null where `id_token` says which ID tokens stand for the machine. */
  secret_hash: string | null
  id_token: ColumnType<{ issuer: string; audience: string; subject: string } | null, string | null, string | null>
  updated_at: TimeDefault
  /** No longer in the configuration. */
  removed_at: TimeOrNull
}

interface ConnectionTable {
  name: string
  kind: ConnectionKind
  environment: Environment
  tags: Json<string[]>
  description: string
  /** Order in the configuration. */
  position: number
  /** JSON of shared/link.ts Target. */
  target_sealed: Buffer
  updated_at: TimeDefault
  /** No longer in the configuration; kept because sessions and requests name it. */
  removed_at: TimeOrNull
}

interface SessionTable {
  id: string
  principal_id: string
  principal: Json<Principal>
  connection_name: string
  connection: Json<ConnectionRef>
  door: 'desktop' | 'cli' | 'endpoint' | 'native'
  annotations: 'machine' | 'text'
  purpose: Generated<'work' | 'catalog'>
  /** `opening`: a ticket or token was accepted, the target not yet; not listed. */
  state: 'opening' | 'live' | 'ended'
  /** The gateway process that serves it. */
  replica: string
  source_ip: string
  mfa: boolean
  started_at: TimeDefault
  ended_at: TimeOrNull
  end_reason: string | null
  allowed: Generated<number>
  masked: Generated<number>
  granted: Generated<number>
  blocked: Generated<number>
  held: Generated<number>
  bytes_in: Generated<number>
  bytes_out: Generated<number>
}

/** Passwords for native listeners. */
interface SessionTokenTable {
  token_hash: string
  principal_id: string
  principal: Json<Principal>
  connection_name: string
  /** The access token it was asked with: when that is revoked, so is this. */
  access_token_id: string
  mfa: boolean
  created_at: TimeDefault
  expires_at: Time
  revoked_at: TimeOrNull
}

/** Single use: `used_at` is set by the UPDATE that redeems it. */
interface TunnelTicketTable {
  ticket_hash: string
  session_id: string
  principal_id: string
  principal: Json<Principal>
  connection_name: string
  door: 'desktop' | 'cli' | 'endpoint'
  annotations: 'machine' | 'text'
  purpose: Generated<'work' | 'catalog'>
  access_token_id: string
  source_ip: string
  mfa: boolean
  created_at: TimeDefault
  expires_at: Time
  used_at: TimeOrNull
  /** The computer, as its client calls it; null where it did not say. */
  device: string | null
}

interface RequestTable {
  id: string
  kind: 'once' | 'grant'
  state: 'pending' | 'approved' | 'denied' | 'expired' | 'cancelled' | 'revoked'
  requester_id: string
  requester: Json<Principal>
  connection_name: string
  connection: Json<ConnectionRef>
  reason: string
  policy: Json<PolicyRef>
  approval: Json<Approval>
  session_id: string | null
  action: string | null
  /** What will run, literals included: sealed at rest. */
  text_sealed: Buffer | null
  text_sha256: string | null
  tables: Json<string[]>
  /** `schema.table.column` of every column that the statement touches. */
  columns: ColumnType<string[], string | undefined, string>
  /** Data classes that literals of the text may belong to, and the text without them. */
  hidden_classes: ColumnType<string[], string | undefined, string>
  redacted_sealed: Buffer | null
  binding: Json<Record<string, string>>
  estimate: ColumnType<Estimate | null, string | null | undefined, string | null>
  row_count: ColumnType<RowCount | null, string | null | undefined, string | null>
  actions: Json<string[]>
  data_classes: Json<string[]>
  duration_seconds: number | null
  /** The start that was asked for. */
  starts_at: TimeOrNull
  extends_grant: string | null
  source_ip: string
  /** Null for requests from before this was kept. */
  mfa: boolean | null
  client: 'desktop' | 'cli' | 'endpoint' | 'native' | 'machine' | null
  /** The computer, as its client calls it; null where it did not say. */
  device: string | null
  /** Groups that may decide as well by now. */
  escalated: ColumnType<string[], string | undefined, string>
  created_at: TimeDefault
  expires_at: Time
  decided_at: TimeOrNull
  /** The requester went on without an approval. */
  broken_at: TimeOrNull
  after_state: 'open' | 'accepted' | 'disputed' | null
  after_by: string | null
  after_reason: string | null
  after_at: TimeOrNull
  /** The requester asked those who decide once more. */
  reminded_at: TimeOrNull
  reminders: Generated<number>
}

/** One verdict per person and request. */
interface ReviewTable {
  id: Generated<number>
  request_id: string
  reviewer_id: string
  verdict: 'approve' | 'deny'
  reason: string
  at: TimeDefault
}

interface GrantTable {
  id: string
  request_id: string
  principal_id: string
  connection_name: string
  actions: Json<string[]>
  data_classes: Json<string[]>
  approved_by: Json<string[]>
  starts_at: Time
  ends_at: Time
  revoked_at: TimeOrNull
  revoked_by: string | null
  extends_grant: string | null
  /** Its end (by time or revocation) has been audited and told. */
  ended_at: TimeOrNull
}

/** Append only: a trigger refuses UPDATE, DELETE and TRUNCATE. */
interface AuditTable {
  seq: number
  at: Time
  actor: string
  action: string
  subject: string
  /** The JSON text exactly as hashed. */
  detail: string
  prev_hash: string
  hash: string
  signature: string
}

interface EventTable {
  id: Generated<number>
  at: TimeDefault
  type: string
  /** Whom it concerns; the events domain owns the shape. */
  audience: Json<unknown>
  payload: Json<unknown>
}

/** Messages to people outside the client; the notify domain owns the shapes. */
interface OutboxTable {
  id: Generated<number>
  created_at: TimeDefault
  destination: Json<unknown>
  message: Json<unknown>
  attempts: Generated<number>
  /** When it is due, and while somebody sends it, when it is due again. */
  next_at: TimeDefault
  sent_at: TimeOrNull
  failed_at: TimeOrNull
  error: ColumnType<string | null, string | null | undefined, string | null>
}

/** Keys of the gateway itself, by name: token signing, cookies, audit signature. */
interface KeyTable {
  name: string
  key_sealed: Buffer
  created_at: TimeDefault
}

interface PolicySetTable {
  version: string
  files: Json<PolicyFile[]>
  loaded_at: TimeDefault
}
