import { type Annotation, isDecisionSqlstate } from '../../shared/annotation.ts'
import type { Masked } from '../../shared/decision.ts'
import type { Problem, Rearrangement, ResultColumn, RunEvent, SessionEnd, Work } from '../../shared/rpc/contract.ts'
import type { ExplainMode, TransactionState } from '../../shared/rpc/editor.ts'
import { workWords } from '../../shared/sql/transaction.ts'
import { milliseconds } from '../decisions/time.ts'
import { bareName, counted, firstLine, type LookName, roughTables } from '../decisions/words.ts'
import { unknownOf } from './unknown.ts'

export type Blocked = Extract<Annotation, { kind: 'blocked' }>
export type Held = Extract<Annotation, { kind: 'held' }>
export type Granted = Extract<Annotation, { kind: 'granted' }>

export interface RunError {
  message: string
  sqlstate?: string
  detail?: string
  hint?: string
  /** UTF-16 offset within the statement. */
  position?: number
  problem?: Problem
}

/** One statement that was run, and all that was said of it. Offsets are those of the text when it ran. */
export interface Mark {
  id: string
  statement: number
  start: number
  end: number
  text: string
  /** Its plan was asked for instead of its result. */
  explain?: ExplainMode | undefined
  /** Milliseconds since 1970. */
  startedAt: number
  look: LookName
  masked: readonly Masked[]
  blocked?: Blocked
  held?: Held & { since: number }
  granted?: Granted
  /** A held statement's end: who approved or denied it, and why. */
  decision?: { by: readonly string[]; reason?: string; at: number }
  error?: RunError
  rows?: number
  ms?: number
  /** Of it in the database and at the gateway, where the gateway said so. */
  dbMs?: number
  gatewayMs?: number
  tag?: string
}

/** Of parameters, by their names. */
export type Values = Readonly<Record<string, string | null>>

/** How a result is shown that was run again: the statement it is of, sorted and filtered. */
export type View = Pick<Rearrangement, 'text' | 'sort' | 'filters'>

export interface ResultTab {
  /** The mark's id and its number within the statement: one statement may return several. */
  key: string
  mark: string
  title: string
  handle: string
  columns: readonly ResultColumn[]
  rows: number
  complete: boolean
  truncated: boolean
  /** The rows that came with the first news of rows. */
  first?: readonly (readonly (string | null)[])[]
  /** What its statement's parameters were. */
  values: Values
  /** Set when it was run again, sorted or filtered. */
  view?: View
  /** Why the order or filter that was asked for last could not be had: it stands as it was. */
  refused?: string
  /** Stays when something else is run. */
  pinned?: true
}

export interface Message {
  id: string
  at: number
  kind: 'info' | 'notice' | 'warning' | 'error'
  text: string
  /** DETAIL and HINT, with their names. */
  detail?: string
  sqlstate?: string
  /** The statement that it is about. */
  mark?: string
  /** UTF-16 offset within that statement. */
  position?: number
}

export interface SqlState {
  /** The number of the run that goes on; undefined when none does. */
  running: number | undefined
  cancelling: boolean
  runs: number
  /** What parameters are in the run that goes on, or was last. */
  values: Values
  /** What the editor shows, one for each statement. */
  marks: readonly Mark[]
  /** Earlier runs of statements that were run again; for the log. */
  past: readonly Mark[]
  results: readonly ResultTab[]
  messages: readonly Message[]
  /** The result tab in front, or the messages. */
  shown: string
  /** The session's transaction. */
  transaction: TransactionState
  /** It holds nothing that could be lost. */
  onlyRead: boolean
  /** Nothing has run since then. */
  idleSince: number | undefined
  /** The first run began then; undefined before. */
  since: number | undefined
  /** The server's version, once there was a session. */
  server: string | undefined
}

export const noRuns: SqlState = {
  running: undefined,
  cancelling: false,
  runs: 0,
  values: {},
  marks: [],
  past: [],
  results: [],
  messages: [],
  shown: 'messages',
  transaction: 'none',
  onlyRead: false,
  idleSince: undefined,
  since: undefined,
  server: undefined,
}

/** What a tab has of a session that is gone. */
export const noSession = { transaction: 'none', onlyRead: false, since: undefined } as const

/** A run begins: results of the run before go but for those that are pinned, and so do the marks that the editor says are run again. */
export function begin(state: SqlState, again: ReadonlySet<string>, now: number, values: Values = {}): SqlState {
  return {
    ...retire(state, again),
    running: state.runs,
    runs: state.runs + 1,
    values,
    cancelling: false,
    results: state.results.filter((result) => result.pinned),
    messages: [],
    shown: 'messages',
    since: state.since ?? now,
  }
}

/** Keeps a result over the next runs, or no more. */
export function pin(state: SqlState, key: string, on: boolean): SqlState {
  const place = ({ pinned: _, ...result }: ResultTab): ResultTab => (on ? { ...result, pinned: true } : result)
  return { ...state, results: state.results.map((result) => (result.key === key ? place(result) : result)) }
}

/** Takes a mark off the editor; it stays in the log. */
export function dismiss(state: SqlState, id: string): SqlState {
  return retire(state, new Set([id]))
}

/** What an event of run `run` changes. */
export function apply(state: SqlState, run: number, event: RunEvent, now: number): SqlState {
  if (event.type === 'transaction') {
    return { ...state, transaction: event.state, onlyRead: event.onlyRead === true }
  }
  if (event.type === 'ended') return endedUnder(state, event.work, now)
  if (event.type === 'server') return { ...state, server: event.version }
  if (event.type === 'done') return finish(state, event, now)
  const id = `${run}:${event.statement}`
  switch (event.type) {
    case 'statement': {
      const { type: _, ...what } = event
      const mark: Mark = { id, ...what, startedAt: now, look: 'running', masked: [] }
      return { ...state, marks: [...state.marks, mark] }
    }
    case 'annotation':
      return withMark(state, id, (mark) => annotate(mark, event.annotation, now))
    case 'notice':
      return say(state, now, {
        kind: event.severity === 'WARNING' ? 'warning' : 'notice',
        text: `${event.severity}: ${event.message}`,
        mark: id,
        ...extras(event),
      })
    case 'columns':
      return withColumns(state, id, event)
    case 'progress':
      return withResult(state, event.result, (result) => ({
        ...result,
        rows: event.rows,
        ...(event.first === undefined ? {} : { first: event.first }),
      }))
    case 'complete':
      return complete(state, id, event, now)
    case 'error':
      return fail(state, id, event, now)
    default:
      return event satisfies never
  }
}

function finish(state: SqlState, { left = 0 }: Extract<RunEvent, { type: 'done' }>, now: number): SqlState {
  const over = { ...state, running: undefined, cancelling: false, idleSince: now }
  if (left === 0) return over
  return say(over, now, { kind: 'info', text: `${counted(left, 'statement')} after it not run` })
}

/** The run broke outside any statement: the link to the core went, or it refused the run. */
export function broke(state: SqlState, problem: Problem, now: number): SqlState {
  // Of a session that the core does not know there is nothing left.
  const after = problem.code === 'not-found' || problem.code === 'session-ended' ? noSession : {}
  const marks = state.marks.map((mark) =>
    isOpen(mark) ? { ...mark, look: 'failed' as const, error: { message: problem.message, problem } } : mark,
  )
  const text = problem.hint === undefined ? problem.message : `${problem.message} ${problem.hint}`
  return say({ ...state, ...after, marks, running: undefined, cancelling: false, shown: 'messages' }, now, {
    kind: 'error',
    text,
  })
}

/** Still to end: it runs, or is held. */
export function isOpen(mark: Mark): boolean {
  return mark.look === 'running' || mark.look === 'held'
}

/** A mark, whether or not its statement is still in the text. */
export function markOf({ marks, past }: SqlState, id: string): Mark | undefined {
  return marks.find((mark) => mark.id === id) ?? past.find((mark) => mark.id === id)
}

/** What was run waits for people, and nothing runs meanwhile. */
export function waits({ running, marks }: SqlState): boolean {
  return running !== undefined && marks.some((mark) => mark.look === 'held')
}

function retire(state: SqlState, gone: ReadonlySet<string>): SqlState {
  return {
    ...state,
    marks: state.marks.filter((mark) => !gone.has(mark.id)),
    past: [...state.past, ...state.marks.filter((mark) => gone.has(mark.id))],
  }
}

function annotate(mark: Mark, annotation: Annotation, now: number): Mark {
  switch (annotation.kind) {
    case 'allowed':
      return mark
    case 'granted':
      return { ...mark, look: 'granted', granted: annotation }
    case 'masked':
      return { ...mark, look: 'masked', masked: [...mark.masked, ...annotation.columns] }
    case 'blocked':
      return { ...mark, look: 'blocked', blocked: annotation }
    case 'held':
      return { ...mark, look: 'held', held: { ...annotation, since: now } }
    case 'approved':
      return { ...mark, look: 'running', decision: { by: annotation.by, at: now } }
    case 'denied':
      return { ...mark, look: 'denied', decision: { by: [annotation.by], reason: annotation.reason, at: now } }
    case 'expired':
      return { ...mark, look: 'expired' }
    case 'ended':
      return { ...mark, look: 'failed', error: { message: annotation.reason } }
    default:
      return annotation satisfies never
  }
}

function withColumns(state: SqlState, id: string, event: Extract<RunEvent, { type: 'columns' }>): SqlState {
  const { result: handle, columns } = event
  if (state.results.some((r) => r.handle === handle)) return withResult(state, handle, (r) => ({ ...r, columns }))
  const mark = state.marks.find((m) => m.id === id)
  const n = state.results.filter((r) => r.mark === id).length
  const result: ResultTab = {
    key: `${id}:${n}`,
    mark: id,
    title: mark === undefined ? 'Result' : resultTitle(mark),
    handle,
    columns,
    rows: 0,
    complete: false,
    truncated: false,
    values: state.values,
  }
  const first = state.results.every((r) => r.pinned)
  return { ...state, results: [...state.results, result], shown: first ? result.key : state.shown }
}

/** The tables a SELECT names first, or its beginning. */
function resultTitle(mark: Mark): string {
  const tables = roughTables(mark.text)
  if (mark.explain !== undefined) return `Plan of ${tables[0] === undefined ? 'the statement' : bareName(tables[0])}`
  const line = firstLine(mark.text)
  if (tables.length === 0) return line.length > 32 ? `${line.slice(0, 31).trimEnd()}…` : line
  return tables.slice(0, 3).map(bareName).join(', ')
}

function complete(state: SqlState, id: string, event: Extract<RunEvent, { type: 'complete' }>, now: number): SqlState {
  const { rows, tag, truncated, ms, dbMs, gatewayMs } = event
  const done = withMark(state, id, (mark) => {
    const look = mark.look !== 'running' ? mark.look : mark.decision === undefined ? 'allowed' : 'approved'
    const parts = { ...(dbMs === undefined ? {} : { dbMs }), ...(gatewayMs === undefined ? {} : { gatewayMs }) }
    return { ...mark, look, rows, ms, ...parts, tag }
  })
  const last = done.results.findLast((r) => r.mark === id && !r.complete)
  const results =
    last === undefined
      ? done
      : withResult(done, last.handle, (r) => ({
          ...r,
          complete: true,
          truncated,
          rows: Math.max(r.rows, truncated ? r.rows : rows),
        }))
  return tag === '' ? results : say(results, now, { kind: 'info', text: `${tag} · ${milliseconds(ms)}`, mark: id })
}

function fail(state: SqlState, id: string, event: Extract<RunEvent, { type: 'error' }>, now: number): SqlState {
  const { message, sqlstate, detail, hint, position, problem } = event
  const failed = withMark(state, id, (mark) => {
    // A decision that stopped it has been told already, and says more.
    if (mark.look === 'blocked' || mark.look === 'denied' || mark.look === 'expired') return mark
    if (mark.look === 'held' && state.cancelling) return { ...mark, look: 'cancelled' }
    const error: RunError = {
      message,
      ...(sqlstate === undefined ? {} : { sqlstate }),
      ...(detail === undefined ? {} : { detail }),
      ...(hint === undefined ? {} : { hint }),
      ...(position === undefined ? {} : { position: position - mark.start }),
      ...(problem === undefined ? {} : { problem }),
    }
    // PostgreSQL says the same of its own limit of time, and of a session that an administrator stops.
    return { ...mark, look: sqlstate === canceled && state.cancelling ? 'cancelled' : 'failed', error }
  })
  const start = state.marks.find((mark) => mark.id === id)?.start ?? 0
  const said = say(failed, now, {
    kind: 'error',
    text: message,
    mark: id,
    ...extras(event),
    ...(sqlstate === undefined || isDecisionSqlstate(sqlstate) ? {} : { sqlstate }),
    ...(position === undefined ? wrongName(failed, id) : { position: position - start }),
  })
  return said.results.every((r) => r.pinned) ? { ...said, shown: 'messages' } : said
}

/** Where a statement that was refused, or failed, has a name that is not known. */
function wrongName({ marks }: SqlState, id: string): { position?: number } {
  const mark = marks.findLast((each) => each.id === id)
  const at = mark && unknownOf(mark)?.spans[0]
  return at === undefined ? {} : { position: at.start }
}

/** DETAIL and HINT as lines of their own. */
function extras({ detail, hint }: { detail?: string | undefined; hint?: string | undefined }): { detail?: string } {
  const lines = [detail === undefined ? [] : [`Detail: ${detail}`], hint === undefined ? [] : [`Hint: ${hint}`]].flat()
  return lines.length === 0 ? {} : { detail: lines.join('\n') }
}

/** A line among the messages, in front where it is an error. */
export function said(state: SqlState, kind: 'info' | 'error', text: string, now: number): SqlState {
  const next = say(state, now, { kind, text })
  return kind === 'error' ? { ...next, shown: 'messages' } : next
}

/** The session ended under a statement, which has said why: of what was written before it is told in front, whatever of a result came. */
function endedUnder(state: SqlState, work: Work, now: number): SqlState {
  const gone: SqlState = { ...state, ...noSession }
  return work === 'none' ? gone : said(gone, 'error', workWords[work], now)
}

/** The session ended while nothing ran: what it had is gone, and what was open is said at once. */
export function sessionEnded(state: SqlState, { problem, rolledBack }: SessionEnd, now: number): SqlState {
  const what = rolledBack ? 'The session ended, and its transaction was rolled back' : 'The session ended'
  const next = say({ ...state, ...noSession, idleSince: undefined }, now, {
    kind: rolledBack ? 'error' : 'warning',
    text: `${what}: ${problem.message}`,
    detail: problem.hint ?? 'Run again to open a new session. Nothing is sent again by itself.',
  })
  return rolledBack ? { ...next, shown: 'messages' } : next
}

/** SQLSTATE query_canceled. */
const canceled = '57014'

function say(state: SqlState, at: number, message: Omit<Message, 'id' | 'at'>): SqlState {
  return { ...state, messages: [...state.messages, { ...message, at, id: String(state.messages.length) }] }
}

function withMark(state: SqlState, id: string, change: (mark: Mark) => Mark): SqlState {
  const at = state.marks.findLastIndex((mark) => mark.id === id)
  const mark = state.marks[at]
  return mark === undefined ? state : { ...state, marks: state.marks.with(at, change(mark)) }
}

function withResult(state: SqlState, handle: string, change: (result: ResultTab) => ResultTab): SqlState {
  const at = state.results.findLastIndex((result) => result.handle === handle)
  const result = state.results[at]
  return result === undefined ? state : { ...state, results: state.results.with(at, change(result)) }
}
