import { z } from 'zod'
import { ConnectionName, ConnectionRef } from '../connection.ts'
import { Approval, Decision, Grant, Masked, PolicyRef, Unmask } from '../decision.ts'
import { Principal } from '../principal.ts'
import { RecordingEvent, RecordingManifest } from '../recording.ts'

const time = z.iso.datetime()

export const Me = z.object({
  principal: Principal,
  gateway: z.object({ name: z.string(), version: z.string(), url: z.string() }),
  /** When this sign-in ends and has to be done again. */
  signInEndsAt: time,
})
export type Me = z.infer<typeof Me>

export const Connection = ConnectionRef.extend({
  description: z.string(),
  /** `open`: may connect now. `locked`: must ask first. What a person may not even ask for is not listed. */
  access: z.enum(['open', 'locked']),
  reachable: z.boolean(),
  /** Verdict per action that fits this kind (`rdp:clipboard`: one for each direction); `hold` ones can be asked for. */
  actions: z.array(
    z.object({ action: z.string(), direction: z.enum(['in', 'out']).exactOptional(), decision: Decision }),
  ),
  dataClasses: z.array(z.object({ name: z.string(), unmask: Unmask })),
  database: z.string().optional(),
  /** Native listener's `host:port`, where there is one. */
  native: z.string().optional(),
})
export type Connection = z.infer<typeof Connection>

export const SchemaTable = z.object({
  schema: z.string(),
  name: z.string(),
  kind: z.enum(['table', 'view', 'materialized', 'foreign']),
  columns: z.array(
    z.object({ name: z.string(), type: z.string(), dataClass: z.string().optional(), masked: z.boolean() }),
  ),
})
export type SchemaTable = z.infer<typeof SchemaTable>

/** Where a session's bytes come in. */
export const Door = z.enum(['desktop', 'cli', 'endpoint', 'native'])

export const SessionTicket = z.object({
  sessionId: z.string(),
  /** Path of the tunnel WebSocket, `/api/v1/tunnel`. The ticket goes in the `sallyport-ticket` header, once. */
  tunnel: z.string(),
  ticket: z.string(),
  expiresAt: time,
  /** For SSH: the inspector's host key as `SHA256:…`, to be verified by the client. */
  hostKey: z.string().optional(),
  /** For RDP: what the launched client must trust and sign in with. Good for this one session. */
  rdp: z
    .object({
      /** SHA-256 of the inspector's self-signed certificate (DER), `AA:BB:…`. */
      certificate: z.string(),
      /** Nine characters at most: it is the routing cookie `mstshash` too. */
      username: z.string(),
      password: z.string(),
    })
    .optional(),
})
export type SessionTicket = z.infer<typeof SessionTicket>

export const Session = z.object({
  id: z.string(),
  principal: Principal,
  connection: ConnectionRef,
  door: Door,
  state: z.enum(['live', 'ended']),
  startedAt: time,
  endedAt: time.optional(),
  endReason: z.string().optional(),
  sourceIp: z.string(),
  /** Requests by outcome, so far. */
  counts: z.object({
    allowed: z.number(),
    masked: z.number(),
    granted: z.number(),
    blocked: z.number(),
    held: z.number(),
  }),
  /** The caller may kill it / replay it. */
  canKill: z.boolean(),
  canReplay: z.boolean(),
})
export type Session = z.infer<typeof Session>

export const RequestState = z.enum(['pending', 'approved', 'denied', 'expired', 'cancelled', 'revoked'])

export const Review = z.object({ by: z.string(), verdict: z.enum(['approve', 'deny']), reason: z.string(), at: time })

/** An access request: `once` holds one exact statement or command, `grant` asks for access for a time. */
export const AccessRequest = z.object({
  id: z.string(),
  kind: z.enum(['once', 'grant']),
  state: RequestState,
  requester: Principal,
  connection: ConnectionRef,
  reason: z.string(),
  createdAt: time,
  /** When it expires unanswered. */
  expiresAt: time,
  decidedAt: time.optional(),
  policy: PolicyRef,
  approval: Approval,
  reviews: z.array(Review),
  /** once */
  sessionId: z.string().optional(),
  action: z.string().optional(),
  text: z.string().optional(),
  /** SHA-256 (hex) of the exact text that will run. */
  textSha256: z.string().optional(),
  tables: z.array(z.string()),
  /** grant */
  actions: z.array(z.string()),
  dataClasses: z.array(z.string()),
  durationSeconds: z.number().int().optional(),
  grant: Grant.optional(),
  sourceIp: z.string(),
  /** The caller may approve or deny it; `whyNot` says why not, for people. */
  canReview: z.boolean(),
  whyNot: z.string().optional(),
})
export type AccessRequest = z.infer<typeof AccessRequest>

export const NewRequest = z.object({
  connection: ConnectionName,
  actions: z.array(z.string()).min(1),
  dataClasses: z.array(z.string()).default([]),
  durationSeconds: z
    .number()
    .int()
    .min(60)
    .max(24 * 3600),
  reason: z.string().trim().min(3).max(2000),
})
export type NewRequest = z.infer<typeof NewRequest>

export const SessionToken = z.object({
  host: z.string(),
  port: z.number().int(),
  user: z.string(),
  database: z.string().optional(),
  token: z.string(),
  expiresAt: time,
})
export type SessionToken = z.infer<typeof SessionToken>

export const RecordingPage = z.object({
  manifest: RecordingManifest,
  events: z.array(RecordingEvent),
  /** Pass as `after` to go on; absent at the end of what is stored. */
  next: z.number().int().optional(),
  live: z.boolean(),
})
export type RecordingPage = z.infer<typeof RecordingPage>

export const Verification = z.object({
  ok: z.boolean(),
  checked: z.number().int(),
  /** Each names the first thing wrong: which record or chunk, and what about it. */
  problems: z.array(z.string()),
  firstHash: z.string().optional(),
  lastHash: z.string().optional(),
})
export type Verification = z.infer<typeof Verification>

export const AuditRecord = z.object({
  seq: z.number().int(),
  at: time,
  actor: z.string(),
  action: z.string(),
  subject: z.string(),
  detail: z.record(z.string(), z.unknown()),
  hash: z.string(),
})
export type AuditRecord = z.infer<typeof AuditRecord>

export const ExplainedStatement = z.object({
  start: z.number().int(),
  end: z.number().int(),
  action: z.string(),
  decision: Decision,
  masks: z.array(Masked),
  tables: z.array(z.string()),
  detail: z.string().optional(),
})
export const Explanation = z.object({ statements: z.array(ExplainedStatement) })

/** Sent to everyone whom it concerns; `id` grows and can be given as `Last-Event-ID` to resume. */
export const GatewayEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('hello'), id: z.string() }),
  z.object({ type: z.literal('request'), id: z.string(), request: AccessRequest }),
  z.object({ type: z.literal('grant'), id: z.string(), grant: Grant, state: z.enum(['active', 'ended']) }),
  z.object({ type: z.literal('session'), id: z.string(), session: Session }),
  z.object({ type: z.literal('policy'), id: z.string(), version: z.string() }),
])
export type GatewayEvent = z.infer<typeof GatewayEvent>
