import { z } from 'zod'
import { Annotation } from '../annotation.ts'
import { ExplainMode, TransactionState } from './editor.ts'
import { Problem } from './problem.ts'

export const ResultColumn = z.object({
  name: z.string(),
  /** PostgreSQL type name (`int4`, `text`, `timestamptz`), for alignment and format. */
  type: z.string(),
  masked: z
    .object({ dataClass: z.string(), policyId: z.string(), reason: z.string(), requestable: z.boolean() })
    .optional(),
})
export type ResultColumn = z.infer<typeof ResultColumn>

/** A cell as text in PostgreSQL's output format; null is SQL NULL. */
export const Cell = z.string().nullable()

/**
 * What became of what was written in the transaction of a session that ended: nothing was; it was rolled back; COMMIT was on its way, and
 * nobody has said how it ended.
 */
export const Work = z.enum(['none', 'rolled-back', 'unknown'])
export type Work = z.infer<typeof Work>

/**
 * What happens to one run, in order. `statement` counts from 0 within the run, and `start`/`end` are UTF-16 offsets in the text
 * that was given to `sql.run`. Rows do not travel here: ask `sql.rows` for windows of a result.
 */
export const RunEvent = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('statement'),
    statement: z.number().int(),
    start: z.number().int(),
    end: z.number().int(),
    /** As it stands in the run's text; with `explain` the lead of that mode was sent before it. */
    text: z.string(),
    explain: ExplainMode.optional(),
  }),
  z.object({
    type: z.literal('annotation'),
    statement: z.number().int(),
    at: z.iso.datetime(),
    annotation: Annotation,
  }),
  z.object({
    type: z.literal('notice'),
    statement: z.number().int(),
    severity: z.string(),
    message: z.string(),
    detail: z.string().optional(),
    hint: z.string().optional(),
  }),
  /** The result has columns; `result` is the handle for `sql.rows`. */
  z.object({
    type: z.literal('columns'),
    statement: z.number().int(),
    result: z.string(),
    columns: z.array(ResultColumn),
  }),
  /** So many rows are there to be read by now. The first of these events brings the beginning of them: see `firstRows`. */
  z.object({
    type: z.literal('progress'),
    statement: z.number().int(),
    result: z.string(),
    rows: z.number().int(),
    first: z.array(z.array(Cell)).optional(),
  }),
  /** `truncated`: the client's own limit cut the result; the text says how much is kept. */
  z.object({
    type: z.literal('complete'),
    statement: z.number().int(),
    tag: z.string(),
    rows: z.number().int(),
    ms: z.number(),
    /** Of it in the database, and at the gateway, as the gateway says. */
    dbMs: z.number().optional(),
    gatewayMs: z.number().optional(),
    truncated: z.boolean(),
  }),
  z.object({
    type: z.literal('error'),
    statement: z.number().int(),
    message: z.string(),
    sqlstate: z.string().optional(),
    detail: z.string().optional(),
    hint: z.string().optional(),
    /** UTF-16 offset in the run's text. */
    position: z.number().int().optional(),
    problem: Problem.optional(),
  }),
  /** There is no session any more, or none was had: the error of the last statement has said why. */
  z.object({ type: z.literal('ended'), work: Work }),
  /** The session's transaction, when that changed. `onlyRead`: manual commit began it, and nothing else has succeeded in it. */
  z.object({ type: z.literal('transaction'), state: TransactionState, onlyRead: z.literal(true).optional() }),
  /** A session has begun on this version of the server, as it calls itself (`15.18`). */
  z.object({ type: z.literal('server'), version: z.string() }),
  /** `left`: those that were not run, because of one before them or because the person stopped. */
  z.object({ type: z.literal('done'), ran: z.number().int(), left: z.number().int().optional() }),
])
export type RunEvent = z.infer<typeof RunEvent>

/** A session ended while nothing ran in it. `rolledBack`: a transaction was open, and nothing of it was kept. */
export const SessionEnd = z.object({ problem: Problem, rolledBack: z.boolean() })
export type SessionEnd = z.infer<typeof SessionEnd>

export const ExportFormat = z.enum(['csv', 'json', 'xlsx'])
export type ExportFormat = z.infer<typeof ExportFormat>

/** How the export of a result goes. The file is there with `done`, whole, and not before. */
export const ExportEvent = z.discriminatedUnion('type', [
  /** The browser shell: the page opens this path of its own origin, and the browser saves what comes. */
  z.object({ type: z.literal('offer'), path: z.string().regex(/^\/download\/[A-Za-z0-9_-]+$/) }),
  z.object({ type: z.literal('progress'), rows: z.number().int(), total: z.number().int(), bytes: z.number().int() }),
  /** The person chose no place for it. */
  z.object({ type: z.literal('dismissed') }),
  /** `file`: where it is, in words. */
  z.object({ type: z.literal('done'), rows: z.number().int(), bytes: z.number().int(), file: z.string() }),
])
export type ExportEvent = z.infer<typeof ExportEvent>

const ColumnIndex = z.number().int().min(0)

/** A query, the columns of its result, and how the result is wanted: `column` counts them from 0. */
export const Rearrangement = z.object({
  text: z.string(),
  columns: z.array(ResultColumn),
  sort: z.array(z.object({ column: ColumnIndex, direction: z.enum(['asc', 'desc']) })),
  filters: z.array(
    z.object({
      column: ColumnIndex,
      operator: z.enum(['contains', 'equals', 'differs', 'less', 'greater', 'null', 'not-null']),
      /** Not used by the last two. */
      value: z.string(),
    }),
  ),
})
export type Rearrangement = z.infer<typeof Rearrangement>
