import { z } from 'zod'
import { ConnectionName, ConnectionRef } from '../connection.ts'
import { Approval, Decision, Grant, Masked, PolicyRef, Unmask } from '../decision.ts'
import { Principal } from '../principal.ts'
import { RecordingEvent, RecordingManifest } from '../recording.ts'
import { says } from '../unseen.ts'
import { StepUp } from './problem.ts'

const time = z.iso.datetime()

function sayWhy(least: number): string {
  return least === 1 ? 'say why' : `say why, in ${least} letters or more`
}

/** What somebody says for others to read: so much of it at least can be seen. */
export const said = (least: number) =>
  z
    .string()
    .trim()
    .min(least, { message: sayWhy(least), abort: true })
    .max(2000)
    .refine((text) => says(text, least), sayWhy(least))

export const Me = z.object({
  principal: Principal,
  gateway: z.object({ name: z.string(), version: z.string(), url: z.string() }),
  /** When this sign-in ends and has to be done again. */
  signInEndsAt: time,
  /** A second factor was used at sign-in. */
  mfa: z.boolean().optional(),
  /** When the person last proved who they are, where the sign-in provider says so. */
  signedInAt: time.optional(),
})
export type Me = z.infer<typeof Me>

export const Connection = ConnectionRef.extend({
  description: z.string(),
  /** `open`: may connect now. `locked`: must ask first. What a person may not even ask for is not listed. */
  access: z.enum(['open', 'locked']),
  /** Opening it, or asking to, takes a sign-in with a second factor first. */
  stepUp: z.boolean().optional(),
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

/** What a session is for. `catalog`: a client reads what a database holds, for its own use; nothing else can be asked in it. */
export const Purpose = z.enum(['work', 'catalog'])
export type Purpose = z.infer<typeof Purpose>

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
  /** Absent from a gateway that knows of work alone. */
  purpose: Purpose.optional(),
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
export type RequestState = z.infer<typeof RequestState>

export const Review = z.object({
  /** A person or machine, or `policy:ID` for a rule that approved by itself. */
  by: z.string(),
  /** As people call them. */
  name: z.string().optional(),
  verdict: z.enum(['approve', 'deny']),
  reason: z.string(),
  at: time,
})
export type Review = z.infer<typeof Review>

/** Where a request was made, as the gateway knows it; `device` alone is what the client says. */
export const Origin = z.object({
  sourceIp: z.string(),
  /** A second factor was used at sign-in. */
  mfa: z.boolean(),
  /** The session's door, or the client that asked; absent for what was asked before this was kept. */
  client: z.enum(['desktop', 'cli', 'endpoint', 'native', 'machine']).optional(),
  /** The computer, as its client calls it. */
  device: z.string().optional(),
  /** The requester is in the group `on-call` right now. */
  onCall: z.boolean(),
})
export type Origin = z.infer<typeof Origin>

/** How many rows a held statement concerns. */
export const Estimate = z.discriminatedUnion('state', [
  z.object({ state: z.literal('pending') }),
  /** The target's planner says so (EXPLAIN, nothing ran). */
  z.object({ state: z.literal('planned'), rows: z.number(), at: time }),
  z.object({ state: z.literal('unavailable'), reason: z.string() }),
])
export type Estimate = z.infer<typeof Estimate>

/** Rows counted at the target for a reviewer, in a transaction that was rolled back. */
export const RowCount = z.object({ rows: z.number().int(), ms: z.number(), at: time, by: z.string() })
export type RowCount = z.infer<typeof RowCount>

/** What became of access that somebody took without waiting for approval. */
export const AfterReview = z.object({
  state: z.enum(['open', 'accepted', 'disputed']),
  by: z.string().optional(),
  reason: z.string().optional(),
  at: time.optional(),
  /** The caller may give it. */
  canReview: z.boolean(),
})
export type AfterReview = z.infer<typeof AfterReview>

/** An earlier request of the same person, in a line. */
export const EarlierRequest = z.object({
  id: z.string(),
  kind: z.enum(['once', 'grant']),
  state: RequestState,
  connection: z.string(),
  policy: z.string(),
  action: z.string(),
  createdAt: time,
  /** Who decided; empty while nobody has. */
  by: z.array(z.string()),
  /** What they are called, in that order; the id again of whom the gateway does not know any more. */
  names: z.array(z.string()).optional(),
})
export type EarlierRequest = z.infer<typeof EarlierRequest>

/** An access request: `once` holds one exact statement or command, `grant` asks for access for a time. */
export const AccessRequest = z.object({
  id: z.string(),
  kind: z.enum(['once', 'grant']),
  state: RequestState,
  requester: Principal,
  connection: ConnectionRef,
  reason: z.string(),
  createdAt: time,
  /** When it expires unanswered. Its grant's end is `grant.endsAt`. */
  expiresAt: time,
  decidedAt: time.optional(),
  /** The rule that asked. */
  policy: PolicyRef,
  approval: Approval,
  reviews: z.array(Review),
  /** Approvals that count right now, and the groups that may decide right now (escalation adds to them). */
  progress: z.object({ given: z.number().int(), needed: z.number().int(), groups: z.array(z.string()) }).optional(),
  /** The next escalation, if nobody answers until then. */
  escalatesAt: time.optional(),
  /** once */
  sessionId: z.string().optional(),
  action: z.string().optional(),
  text: z.string().optional(),
  /** `text` has literals replaced: they belong to columns or classes that the caller may not see. */
  textHidden: z.boolean().optional(),
  /** SHA-256 (hex) of the exact text that will run. Absent where `textHidden`: what is hidden could be found by trying. */
  textSha256: z.string().optional(),
  tables: z.array(z.string()),
  /** `schema.table.column` of every column that the statement touches. */
  columns: z.array(z.string()).optional(),
  /** What the statement's meaning rests on: database, search_path, role. */
  binding: z.record(z.string(), z.string()).optional(),
  estimate: Estimate.optional(),
  rowCount: RowCount.optional(),
  /** grant */
  actions: z.array(z.string()),
  dataClasses: z.array(z.string()),
  durationSeconds: z.number().int().optional(),
  /** The start that was asked for; absent: when it is approved. */
  startsAt: time.optional(),
  /** The grant that this one goes on from. */
  extends: z.string().optional(),
  grant: Grant.optional(),
  sourceIp: z.string(),
  origin: Origin.optional(),
  /** The requester has to give a reason before anybody can approve. */
  reasonMissing: z.boolean().optional(),
  /** When the requester last asked those who decide once more. */
  remindedAt: time.optional(),
  /** The caller asked for it, and may remind those who decide from then on. Absent where that is no use. */
  remindFrom: time.optional(),
  /** The caller asked for it, and may go on at once, with a reason, to be reviewed afterwards. */
  canBreakGlass: z.boolean().optional(),
  /** Set when somebody went on without an approval. */
  afterReview: AfterReview.optional(),
  /** What this person asked for before, newest first. Only where one request is read. */
  earlier: z.array(EarlierRequest).optional(),
  /** The caller may approve or deny it; `whyNot` says why not, for people. */
  canReview: z.boolean(),
  whyNot: z.string().optional(),
  /** The caller may approve it after signing in again with a second factor; policy says so. */
  stepUp: z.boolean().optional(),
})
export type AccessRequest = z.infer<typeof AccessRequest>

export const NewRequest = z.object({
  connection: ConnectionName,
  actions: z.array(z.string()).min(1).max(200),
  dataClasses: z.array(z.string()).max(200).default([]),
  durationSeconds: z
    .number()
    .int()
    .min(60)
    .max(24 * 3600),
  reason: said(3),
  /** When it is to begin, at most 30 days ahead; when it is approved, if unsaid. */
  startsAt: time.optional(),
  /** A grant of one's own that still holds: the new one begins where it ends. */
  extends: z
    .string()
    .regex(/^[^\0]{1,64}$/)
    .optional(),
})
export type NewRequest = z.infer<typeof NewRequest>

/** What became of each of several requests that were decided at once. */
export const DecideOutcome = z.discriminatedUnion('ok', [
  z.object({ id: z.string(), ok: z.literal(true), request: AccessRequest }),
  z.object({
    id: z.string(),
    ok: z.literal(false),
    code: z.string(),
    message: z.string(),
    /** With `STEP_UP`. */
    stepUp: StepUp.optional(),
  }),
])
export type DecideOutcome = z.infer<typeof DecideOutcome>

/** Newest first. `next` is the `before` of the page after this one. */
export const RequestPage = z.object({ requests: z.array(AccessRequest), next: z.string().optional() })
export type RequestPage = z.infer<typeof RequestPage>

/** How a share of requests went. Times are seconds from asked to decided, of those that people decided. */
const Share = z.object({
  asked: z.number().int(),
  approved: z.number().int(),
  denied: z.number().int(),
  expired: z.number().int(),
  cancelled: z.number().int(),
  pending: z.number().int(),
  /** Of the approved: by a rule, and by break-glass. */
  automatic: z.number().int(),
  breakGlass: z.number().int(),
  medianSeconds: z.number().optional(),
  p90Seconds: z.number().optional(),
})

/** Time to decision and outcomes, of the requests that the caller may see. */
export const RequestMetrics = z.object({
  from: time,
  to: time,
  total: Share,
  byRule: z.array(Share.extend({ policy: z.string() })),
  byGroup: z.array(Share.extend({ group: z.string() })),
  /** By day (UTC), oldest first; days without requests are left out. */
  byDay: z.array(Share.extend({ day: z.iso.date() })),
})
export type RequestMetrics = z.infer<typeof RequestMetrics>

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

/**
 * Sent to everyone whom it concerns; `id` grows and can be given as `Last-Event-ID` to resume. `hello` with a later one than was given
 * says that what lies between is not told any more.
 */
export const GatewayEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('hello'), id: z.string() }),
  z.object({ type: z.literal('request'), id: z.string(), request: AccessRequest }),
  z.object({ type: z.literal('grant'), id: z.string(), grant: Grant, state: z.enum(['active', 'ended']) }),
  z.object({ type: z.literal('session'), id: z.string(), session: Session }),
  z.object({ type: z.literal('policy'), id: z.string(), version: z.string() }),
])
export type GatewayEvent = z.infer<typeof GatewayEvent>
