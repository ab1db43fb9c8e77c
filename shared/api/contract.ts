import { eventIterator, oc } from '@orpc/contract'
import { z } from 'zod'
import { ConnectionName } from '../connection.ts'
import { Grant } from '../decision.ts'
import { says } from '../unseen.ts'
import {
  AccessRequest,
  AuditRecord,
  Connection,
  DecideOutcome,
  Door,
  Explanation,
  GatewayEvent,
  Me,
  NewRequest,
  Purpose,
  RecordingPage,
  RequestMetrics,
  RequestPage,
  RequestState,
  SchemaTable,
  Session,
  SessionTicket,
  SessionToken,
  said,
  Verification,
} from './models.ts'

/** The gateway API under `/api/v1`. Errors are RFC 9457 problem documents; `code` is one of the `problems` below. */
/** The store keeps no NUL, so no id holds one. */
const id = z.object({ id: z.string().regex(/^[^\0]{1,64}$/) })
/** A filter's text. */
const word = z
  .string()
  .max(200)
  .regex(/^[^\0]*$/)
const byName = z.object({ name: ConnectionName })

/** A client's name for the computer that it runs on, percent-encoded; reviewers see it. */
export const deviceHeader = 'sallyport-device'

/** Of a text to be explained: reading one takes time that everybody else at the gateway waits for. */
export const longestExplained = 128 * 1024

export const problems = {
  NOT_SIGNED_IN: { status: 401 },
  /** Signed in, but not well enough for this: see `StepUp`. */
  STEP_UP: { status: 401 },
  FORBIDDEN: { status: 403 },
  NOT_FOUND: { status: 404 },
  CONFLICT: { status: 409 },
  UNREACHABLE: { status: 502 },
  UNAVAILABLE: { status: 503 },
} as const

const base = oc.errors(problems)

/** A person's account at the gateway, which may be turned off there whatever the sign-in provider says. */
const Account = z.object({ id: z.string(), disabled: z.boolean() })

export const apiContract = {
  me: base.route({ method: 'GET', path: '/me' }).output(Me),
  connections: {
    list: base.route({ method: 'GET', path: '/connections' }).output(z.array(Connection)),
    get: base.route({ method: 'GET', path: '/connections/{name}' }).input(byName).output(Connection),
    schema: base
      .route({ method: 'GET', path: '/connections/{name}/schema' })
      .input(byName)
      .output(z.array(SchemaTable)),
    /** A session token for a native listener, at most 10 minutes, this connection only. */
    token: base
      .route({ method: 'POST', path: '/connections/{name}/tokens', successStatus: 201 })
      .input(byName)
      .output(SessionToken),
  },
  sessions: {
    list: base
      .route({ method: 'GET', path: '/sessions' })
      .input(
        z.object({
          state: z.enum(['live', 'ended']).optional(),
          connection: ConnectionName.optional(),
          principal: z
            .string()
            .regex(/^[^\0]*$/)
            .optional(),
          /** Only sessions for this; all where it is unsaid. */
          purpose: Purpose.optional(),
          limit: z.coerce.number().int().min(1).max(500).default(100),
        }),
      )
      .output(z.array(Session)),
    get: base.route({ method: 'GET', path: '/sessions/{id}' }).input(id).output(Session),
    /** A single-use ticket for the tunnel. */
    open: base
      .route({ method: 'POST', path: '/sessions', successStatus: 201 })
      .input(
        z.object({
          connection: ConnectionName,
          door: Door.exclude(['native']),
          annotations: z.enum(['machine', 'text']),
          /** `catalog`: PostgreSQL only. */
          purpose: Purpose.default('work'),
        }),
      )
      .output(SessionTicket),
    /**
     * Cancels what a PostgreSQL session runs, or its wait for approval, without a session of its own. Whoever holds the session's cancel
     * key may; as in the protocol, nobody is told how it went. `digest`: SHA-256 of the key's secret.
     */
    cancel: base
      .route({ method: 'POST', path: '/sessions/cancel', successStatus: 202 })
      .input(
        z.object({
          connection: ConnectionName,
          processId: z.number().int().min(-0x8000_0000).max(0x7fff_ffff),
          digest: z.base64().length(44),
        }),
      )
      .output(z.object({})),
    kill: base
      .route({ method: 'POST', path: '/sessions/{id}/kill' })
      .input(id.extend({ reason: z.string().max(500).default('') }))
      .output(Session),
  },
  recordings: {
    /** Events after position `after` (0: from the start). Reading is itself audited. */
    read: base
      .route({ method: 'GET', path: '/recordings/{id}' })
      .input(
        id.extend({
          after: z.coerce.number().int().min(0).default(0),
          limit: z.coerce.number().int().min(1).max(5000).default(1000),
        }),
      )
      .output(RecordingPage),
    verify: base.route({ method: 'GET', path: '/recordings/{id}/verify' }).input(id).output(Verification),
  },
  requests: {
    list: base
      .route({ method: 'GET', path: '/requests' })
      .input(
        z.object({
          scope: z.enum(['mine', 'review', 'all']).default('all'),
          state: z.enum(['pending', 'decided']).optional(),
        }),
      )
      .output(z.array(AccessRequest)),
    get: base.route({ method: 'GET', path: '/requests/{id}' }).input(id).output(AccessRequest),
    create: base
      .route({ method: 'POST', path: '/requests', successStatus: 201 })
      .input(NewRequest)
      .output(AccessRequest),
    /** `durationSeconds` shortens what was asked for; it never lengthens it. */
    approve: base
      .route({ method: 'POST', path: '/requests/{id}/approve' })
      .input(
        id.extend({ reason: z.string().max(2000).default(''), durationSeconds: z.number().int().min(60).optional() }),
      )
      .output(AccessRequest),
    deny: base
      .route({ method: 'POST', path: '/requests/{id}/deny' })
      .input(id.extend({ reason: said(1) }))
      .output(AccessRequest),
    /** Several at once. Each is decided by itself: some may fail, and say why. */
    decide: base
      .route({ method: 'POST', path: '/requests/decide' })
      .input(
        z
          .object({
            ids: z.array(id.shape.id).min(1).max(50),
            verdict: z.enum(['approve', 'deny']),
            reason: z.string().trim().max(2000).default(''),
          })
          .refine(({ verdict, reason }) => verdict === 'approve' || says(reason, 1), {
            path: ['reason'],
            message: 'say why',
          }),
      )
      .output(z.array(DecideOutcome)),
    cancel: base.route({ method: 'POST', path: '/requests/{id}/cancel' }).input(id).output(AccessRequest),
    /** The requester asks those who decide once more. Not at will: `remindFrom` of the request says from when on. */
    remind: base.route({ method: 'POST', path: '/requests/{id}/remind' }).input(id).output(AccessRequest),
    /** The requester says why, for a held statement whose rule wants a reason. */
    explain: base
      .route({ method: 'POST', path: '/requests/{id}/reason' })
      .input(id.extend({ reason: said(3) }))
      .output(AccessRequest),
    /** The requester goes on without an approval, where policy lets them. Everybody concerned is told, and it is reviewed. */
    breakGlass: base
      .route({ method: 'POST', path: '/requests/{id}/break-glass' })
      .input(id.extend({ reason: said(3) }))
      .output(AccessRequest),
    /** Somebody else's word on it afterwards. */
    afterReview: base
      .route({ method: 'POST', path: '/requests/{id}/after-review' })
      .input(id.extend({ verdict: z.enum(['accepted', 'disputed']), reason: said(3) }))
      .output(AccessRequest),
    /** Counts the rows that a held statement concerns, at the target, in a transaction that is rolled back. */
    count: base.route({ method: 'POST', path: '/requests/{id}/count' }).input(id).output(AccessRequest),
    history: base
      .route({ method: 'GET', path: '/requests/history' })
      .input(
        z.object({
          person: word.optional(),
          connection: ConnectionName.optional(),
          state: RequestState.optional(),
          /** Id of the rule that asked. */
          rule: word.optional(),
          kind: z.enum(['once', 'grant']).optional(),
          /** Only those taken by break-glass: all of them, or those still to be reviewed. */
          breakGlass: z.enum(['all', 'open']).optional(),
          from: z.iso.datetime().optional(),
          to: z.iso.datetime().optional(),
          /** In the reason, a table's name, an action or an id. Statements are sealed and not searched. */
          text: word.optional(),
          before: word.optional(),
          limit: z.coerce.number().int().min(1).max(200).default(50),
        }),
      )
      .output(RequestPage),
    /** The last 30 days, if unsaid. */
    metrics: base
      .route({ method: 'GET', path: '/requests/metrics' })
      .input(z.object({ from: z.iso.datetime().optional(), to: z.iso.datetime().optional() }))
      .output(RequestMetrics),
  },
  grants: {
    list: base.route({ method: 'GET', path: '/grants' }).output(z.array(Grant)),
    revoke: base.route({ method: 'POST', path: '/grants/{id}/revoke' }).input(id).output(Grant),
    /** Ends one's own grant before its time. */
    giveBack: base.route({ method: 'POST', path: '/grants/{id}/give-back' }).input(id).output(Grant),
  },
  audit: {
    list: base
      .route({ method: 'GET', path: '/audit' })
      .input(
        z.object({
          after: z.coerce.number().int().min(0).default(0),
          limit: z.coerce.number().int().min(1).max(1000).default(200),
        }),
      )
      .output(z.array(AuditRecord)),
    verify: base
      .route({ method: 'GET', path: '/audit/verify' })
      .input(z.object({ from: z.iso.datetime().optional() }))
      .output(Verification),
  },
  policies: {
    get: base
      .route({ method: 'GET', path: '/policies' })
      .output(z.object({ version: z.string(), files: z.array(z.object({ path: z.string(), text: z.string() })) })),
  },
  agents: {
    list: base.route({ method: 'GET', path: '/agents' }).output(
      z.array(
        z.object({
          id: z.string(),
          name: z.string(),
          connections: z.array(z.string()),
          state: z.enum(['connected', 'lost']),
        }),
      ),
    ),
  },
  identities: {
    list: base.route({ method: 'GET', path: '/identities' }).output(
      z.array(
        z.object({
          id: z.string(),
          name: z.string(),
          kind: z.enum(['user', 'machine']),
          groups: z.array(z.string()),
        }),
      ),
    ),
    /** Off-boards a person at once: sign-ins, tokens and live sessions end. For operators of the gateway. */
    disable: base.route({ method: 'POST', path: '/identities/{id}/disable' }).input(id).output(Account),
    /** Lets an off-boarded person sign in again. For operators of the gateway. */
    enable: base.route({ method: 'POST', path: '/identities/{id}/enable' }).input(id).output(Account),
  },
  explain: base
    .route({ method: 'POST', path: '/explain' })
    /** `as`: the id of somebody else, for those who may review on the connection. */
    .input(z.object({ connection: ConnectionName, text: z.string().max(longestExplained), as: id.shape.id.optional() }))
    .output(Explanation),
  /** Server-sent events; `lastEventId` resumes. */
  events: base.route({ method: 'GET', path: '/events' }).output(eventIterator(GatewayEvent)),
}
