import { z } from 'zod'
import { Approval, Masked, PolicyRef } from './decision.ts'

/**
 * The machine-readable form of a decision, in band: one JSON object.
 * PostgreSQL: the DETAIL field of a NOTICE or ERROR whose SQLSTATE is one of `sqlstates`.
 * RDP: a text message of the tunnel's WebSocket, whose binary ones are the protocol.
 * Terminals: `ESC ] 7717 ; base64(JSON) ESC \`.
 * Only a session opened with `annotations: 'machine'` gets it; any other gets text alone.
 */
export const Annotation = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('allowed'), policy: PolicyRef.optional(), command: z.string().optional() }),
  z.object({
    kind: z.literal('granted'),
    policy: PolicyRef,
    grantId: z.string(),
    endsAt: z.iso.datetime(),
    approvedBy: z.array(z.string()),
    command: z.string().optional(),
  }),
  z.object({ kind: z.literal('masked'), columns: z.array(Masked), count: z.number().int().optional() }),
  z.object({
    kind: z.literal('blocked'),
    policy: PolicyRef,
    /** What happened, in a sentence for people. */
    message: z.string(),
    /** What to do next. */
    hint: z.string(),
    columns: z.array(Masked).optional(),
    command: z.string().optional(),
    requestable: z.boolean(),
    /** A session whose sign-in has a second factor would not be blocked. */
    stepUp: z.literal(true).optional(),
  }),
  z.object({
    kind: z.literal('held'),
    policy: PolicyRef,
    requestId: z.string(),
    approval: Approval,
    expiresAt: z.iso.datetime(),
    command: z.string().optional(),
  }),
  z.object({ kind: z.literal('approved'), requestId: z.string(), by: z.array(z.string()) }),
  z.object({ kind: z.literal('denied'), requestId: z.string(), by: z.string(), reason: z.string() }),
  z.object({ kind: z.literal('expired'), requestId: z.string() }),
  /** The session ends, or a request could not be forwarded, for a reason that is no policy's. */
  z.object({ kind: z.literal('ended'), reason: z.string() }),
])
export type Annotation = z.infer<typeof Annotation>

/** SQLSTATEs of decisions (INTERFACES.md, Decisions on the wire). Class SP is used by no PostgreSQL. */
export const sqlstates = {
  masked: 'SPM01',
  blocked: 'SPB01',
  held: 'SPH01',
  denied: 'SPD01',
  expired: 'SPX01',
  /** NOTICE: a held statement was approved and runs now. */
  approved: 'SPA01',
  /** NOTICE: allowed by a grant. */
  granted: 'SPG01',
  /** NOTICE before CommandComplete, with `Timing` as its DETAIL; to a client that draws annotations alone. */
  timed: 'SPT01',
  /** ERROR or FATAL: the door itself can't go on (recording failed, session killed, grant ended). */
  ended: 'SPE01',
} as const

export function isDecisionSqlstate(code: string): boolean {
  return code.length === 5 && code.startsWith('SP')
}

/** Number of the OSC sequence that carries annotations in a terminal. */
export const oscNumber = 7717

/** How long a command took in the target, to its last row, and how long the decision about it took. No decision, so no annotation. */
export const Timing = z.object({ dbMs: z.number().nonnegative(), gatewayMs: z.number().nonnegative() })
export type Timing = z.infer<typeof Timing>

/** Parses an annotation's JSON; undefined when it is not one. Never throws: the peer may be hostile. */
export function parseAnnotation(json: string): Annotation | undefined {
  return parsed(json, Annotation)
}

/** Parses a timing's JSON, as `parseAnnotation` does. */
export function parseTiming(json: string): Timing | undefined {
  return parsed(json, Timing)
}

function parsed<T>(json: string, schema: z.ZodType<T>): T | undefined {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return undefined
  }
  const result = schema.safeParse(value)
  return result.success ? result.data : undefined
}
