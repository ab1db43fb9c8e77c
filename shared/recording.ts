import { z } from 'zod'
import { ConnectionRef } from './connection.ts'
import { Masked, PolicyRef } from './decision.ts'
import { Principal } from './principal.ts'

/**
 * A recording is a folder or key prefix: `manifest.json` and chunks `000001.jsonl.zst`, each zstd-compressed
 * JSON lines. The first line of a chunk is its header (`ChunkHeader`), which carries the SHA-256 of the chunk before it,
 * taken over that chunk's compressed bytes. The hash of the last one is in the audit log.
 * Everything is masked before it gets here.
 */
const at = z.number().nonnegative().describe('milliseconds since the session began')
const pixels = z.number().int().min(0).max(32_767)

/** How a request ended up. `masked` is an allowed one with masks. */
export const Outcome = z.enum(['allowed', 'masked', 'granted', 'blocked', 'approved', 'denied', 'expired', 'cancelled'])
export type Outcome = z.infer<typeof Outcome>

export const RecordingEvent = z.discriminatedUnion('type', [
  /** A statement, command or channel request, written BEFORE it is forwarded. `n` counts from 1 within a session. */
  z.object({
    type: z.literal('request'),
    at,
    n: z.number().int(),
    action: z.string(),
    /** The statement or command, with sensitive literals masked. */
    text: z.string(),
    outcome: z.enum(['allowed', 'masked', 'granted', 'blocked', 'held']),
    policy: PolicyRef.optional(),
    masks: z.array(Masked).optional(),
    tables: z.array(z.string()).optional(),
    grantId: z.string().optional(),
    requestId: z.string().optional(),
  }),
  /** A held request was decided; after it, if approved, the request is forwarded. */
  z.object({
    type: z.literal('decided'),
    at,
    n: z.number().int(),
    outcome: z.enum(['approved', 'denied', 'expired', 'cancelled']),
    by: z.array(z.string()),
    reason: z.string().optional(),
    requestId: z.string(),
  }),
  /** The target answered. `dbMs`: time in the target; `gatewayMs`: time spent on the decision. */
  z.object({
    type: z.literal('complete'),
    at,
    n: z.number().int(),
    ok: z.boolean(),
    rows: z.number().int().optional(),
    bytes: z.number().int().optional(),
    exitCode: z.number().int().optional(),
    error: z.string().optional(),
    dbMs: z.number().optional(),
    gatewayMs: z.number().optional(),
  }),
  /** Terminal output as the person saw it, masked; UTF-8. */
  z.object({ type: z.literal('output'), at, data: z.string() }),
  /** Masks applied in terminal output. */
  z.object({
    type: z.literal('masked'),
    at,
    classes: z.record(z.string(), z.number().int()),
    policy: PolicyRef.optional(),
  }),
  z.object({ type: z.literal('resize'), at, cols: z.number().int(), rows: z.number().int() }),
  /** A desktop's size in pixels, at its begin and at each change. A keyframe follows. */
  z.object({ type: z.literal('desktop'), at, width: pixels, height: pixels }),
  /**
   * What changed on a desktop: pictures (PNG, base64) to be drawn at their places, in order. A keyframe (`key`) covers all
   * of it, so that a player can begin there; one comes at least every 10 s in which anything changed.
   */
  z.object({
    type: z.literal('frame'),
    at,
    key: z.boolean(),
    tiles: z.array(z.object({ x: pixels, y: pixels, width: pixels, height: pixels, png: z.string() })),
  }),
  /** That somebody typed or moved, never what: counts since the last such event, and where the pointer is now. */
  z.object({
    type: z.literal('input'),
    at,
    keys: z.number().int(),
    clicks: z.number().int(),
    moves: z.number().int(),
    pointer: z.object({ x: pixels, y: pixels }).optional(),
  }),
  /** Something crossed a desktop's clipboard: `in` to the target, `out` to the person. `text` only by policy, masked. */
  z.object({
    type: z.literal('clipboard'),
    at,
    direction: z.enum(['in', 'out']),
    format: z.enum(['text', 'image', 'files', 'other']),
    bytes: z.number().int(),
    text: z.string().optional(),
  }),
  z.object({ type: z.literal('end'), at, reason: z.string() }),
])
export type RecordingEvent = z.infer<typeof RecordingEvent>

export const ChunkHeader = z.object({
  sallyport: z.literal('recording/1'),
  session: z.string(),
  chunk: z.number().int().min(1),
  /** Hex SHA-256 of the previous chunk's compressed bytes; 64 zeros in the first. */
  previous: z.string().length(64),
})
export type ChunkHeader = z.infer<typeof ChunkHeader>

export const RecordingManifest = z.object({
  version: z.literal(1),
  session: z.string(),
  principal: Principal,
  connection: ConnectionRef,
  /** The session was for reading what the database holds, and could do nothing else. */
  purpose: z.literal('catalog').optional(),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime().optional(),
  cols: z.number().int().optional(),
  rows: z.number().int().optional(),
  chunks: z.array(
    z.object({
      chunk: z.number().int(),
      sha256: z.string().length(64),
      bytes: z.number().int(),
      events: z.number().int(),
    }),
  ),
  /**
   * Desktops: where playing can begin, in order. `after` is how many events lie before the keyframe: pass it as `after` to
   * read from there. Those of a chunk are added when it is sealed.
   */
  keyframes: z.array(z.object({ at, after: z.number().int() })).optional(),
})
export type RecordingManifest = z.infer<typeof RecordingManifest>
