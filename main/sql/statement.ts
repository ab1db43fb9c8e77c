import {
  type Annotation,
  isDecisionSqlstate,
  parseAnnotation,
  parseTiming,
  sqlstates,
  type Timing,
} from '../../shared/annotation.ts'
import type { ResultColumn, RunEvent } from '../../shared/rpc/contract.ts'
import { firstRows } from '../../shared/rpc/first-rows.ts'
import { type StatementRange, utf16Offset } from '../../shared/sql/split.ts'
import type { ProblemError } from '../problem.ts'
import type { SqlLink } from './link.ts'
import type { ResultStore, Row } from './result.ts'
import { typeName } from './types.ts'
import { shortened } from './window.ts'
import type { ServerMessage, ServerWords } from './wire.ts'

/** Rows are told of this long after they came: the first at once, so that they are on the screen before anybody waits. */
const firstProgressMs = 10
const progressMs = 100

export interface StatementContext {
  link: SqlLink
  /** Its number within the run. */
  statement: number
  /** The run's text, and where this statement is in it. */
  text: string
  range: StatementRange
  /** The statement with its values, where it has parameters. Positions in it are those of the text. */
  bound?: { text: string; values: readonly (string | null)[] }
  /** Sent before the statement, and no part of the text. ASCII. */
  lead?: string
  newResult(): ResultStore
  /** Of the types that the database defines itself. */
  typeName?: ((oid: number) => string | undefined) | undefined
  emit(event: RunEvent): void
  /** Milliseconds, for durations. */
  now(): number
}

/** Runs one statement to its end, as events. Resolves with how it went, never rejects. */
export function runStatement(context: StatementContext): Promise<'ok' | 'error' | 'lost'> {
  return new Promise((resolve) => {
    const execution = new Execution(context, resolve)
    context.link.listen({
      onMessage: (message) => execution.hear(message),
      onEnd: (problem) => execution.lost(problem),
    })
    const { bound, link, text, range, lead = '' } = context
    if (bound === undefined) link.wire.query(lead + text.slice(range.start, range.end))
    else link.wire.queryWith(lead + bound.text, bound.values)
  })
}

/** A result that is coming in. Its columns are told when it is known which are masked. */
interface Incoming {
  store: ResultStore
  columns: ResultColumn[]
  told: boolean
  tag: string
  /** The first rows, until they are told with the first news of rows. */
  first: Row[] | undefined
  timer: NodeJS.Timeout | undefined
}

class Execution {
  private readonly context: StatementContext
  private readonly resolve: (outcome: 'ok' | 'error' | 'lost') => void
  /** Since when it runs: where people had to agree first, since they did. */
  private started: number
  /** Held, and not approved as far as is known. */
  private waits = false
  private masks: Extract<Annotation, { kind: 'masked' }>['columns'] = []
  /** What the gateway said of the command that completes next. */
  private timing: Timing | undefined
  private incoming: Incoming | undefined
  private readonly finishing: Promise<void>[] = []
  private failed: ServerWords | undefined
  private over = false

  constructor(context: StatementContext, resolve: (outcome: 'ok' | 'error' | 'lost') => void) {
    this.context = context
    this.resolve = resolve
    this.started = context.now()
  }

  hear(message: ServerMessage): void {
    const { statement, emit, link } = this.context
    // A masked notice right after the columns still belongs to them.
    if (message.type !== 'notice' && message.type !== 'columns' && message.type !== 'parameter') this.tellColumns()
    switch (message.type) {
      case 'columns':
        this.begin(message.columns.map((c) => ({ name: c.name, type: typeName(c.typeOid, this.context.typeName) })))
        return
      case 'row':
        this.row(message.row)
        return
      case 'copy-out':
        this.begin([{ name: 'COPY', type: 'text' }])
        return
      case 'copy-data':
        this.row([message.chunk.toString().replace(/\n$/, '')])
        return
      case 'copy-in':
        link.wire.copyFail('COPY FROM STDIN needs data, which this tab cannot send. Use psql with the local endpoint.')
        return
      case 'complete':
        this.complete(message.tag)
        return
      case 'empty':
        this.complete('')
        return
      case 'notice':
        this.words(message.words)
        return
      case 'notification':
        emit({ type: 'notice', statement, severity: 'NOTIFY', message: `${message.channel}: ${message.payload}` })
        return
      case 'error':
        this.failed = message.words
        return
      case 'ready':
        void this.finish()
        return
      case 'auth-ok':
      case 'auth-wanted':
      case 'key':
      case 'parameter':
        return
      default:
        message satisfies never
    }
  }

  private begin(columns: ResultColumn[]): void {
    this.incoming = { store: this.context.newResult(), columns, told: false, tag: '', first: [], timer: undefined }
  }

  private tellColumns(): void {
    const { incoming } = this
    if (incoming === undefined || incoming.told) return
    incoming.told = true
    this.emitColumns(incoming)
  }

  private emitColumns(incoming: Incoming): void {
    const columns = incoming.columns.map((column, position) => {
      const mask = this.masks.find((m) => m.position === position)
      if (mask === undefined) return column
      const { dataClass, policy, requestable } = mask
      return { ...column, masked: { dataClass, policyId: policy.id, reason: policy.reason, requestable } }
    })
    incoming.store.columns = columns
    this.context.emit({ type: 'columns', statement: this.context.statement, result: incoming.store.id, columns })
  }

  private row(row: Row): void {
    const { incoming } = this
    if (incoming === undefined) return
    const { wire } = this.context.link
    if (!incoming.store.append(row)) {
      wire.pause()
      void incoming.store.drained().then(() => wire.resume())
    }
    if (incoming.first !== undefined && incoming.first.length < firstRows.count) incoming.first.push(row)
    // By the clock and not by the next row, which may be long in coming.
    incoming.timer ??= setTimeout(
      () => this.progress(incoming),
      incoming.first === undefined ? progressMs : firstProgressMs,
    )
  }

  private progress(incoming: Incoming): void {
    const { store, first } = incoming
    clearTimeout(incoming.timer)
    incoming.timer = undefined
    incoming.first = undefined
    this.context.emit({
      type: 'progress',
      statement: this.context.statement,
      result: store.id,
      rows: store.kept,
      ...(first === undefined ? {} : { first: shortened(first.slice(0, store.kept), 0, firstRows.cell).rows }),
    })
  }

  private words(words: ServerWords): void {
    const { statement, emit } = this.context
    if (words.sqlstate === sqlstates.timed) {
      this.timing = words.detail === undefined ? undefined : parseTiming(words.detail)
      return
    }
    const annotation = this.annotation(words)
    if (annotation === undefined) {
      const { severity, message, detail, hint } = words
      emit({
        type: 'notice',
        statement,
        severity,
        message,
        ...(detail === undefined ? {} : { detail }),
        ...(hint === undefined ? {} : { hint }),
      })
      return
    }
    emit({ type: 'annotation', statement, at: new Date().toISOString(), annotation })
    if (annotation.kind === 'held') this.waits = true
    if (annotation.kind === 'approved') {
      this.waits = false
      this.started = this.context.now()
    }
    if (annotation.kind !== 'masked') return
    this.masks = [...this.masks, ...annotation.columns]
    // Came late: tell the columns again, under the same handle.
    if (this.incoming?.told === true) this.emitColumns(this.incoming)
  }

  private annotation(words: ServerWords): Annotation | undefined {
    return isDecisionSqlstate(words.sqlstate) && words.detail !== undefined ? parseAnnotation(words.detail) : undefined
  }

  private complete(tag: string): void {
    const { statement, emit } = this.context
    const { incoming } = this
    const took = { ms: this.context.now() - this.started, ...this.timing }
    this.timing = undefined
    this.incoming = undefined
    if (incoming === undefined) {
      const rows = affected(tag)
      this.finishing.push(
        Promise.resolve().then(() => emit({ type: 'complete', statement, tag, rows, ...took, truncated: false })),
      )
      return
    }
    const { store } = incoming
    this.finishing.push(
      store.finish().then(() => {
        this.progress(incoming)
        if (store.cut !== undefined) {
          const message = `The result has ${store.seen.toLocaleString('en')} rows; ${store.cut}.`
          emit({ type: 'notice', statement, severity: 'WARNING', message })
        }
        emit({ type: 'complete', statement, tag, rows: store.seen, ...took, truncated: store.cut !== undefined })
      }),
    )
  }

  /** The server is ready for the next statement. */
  private async finish(): Promise<void> {
    this.over = true
    this.context.link.listen(undefined)
    await this.finishRest()
    if (this.failed === undefined) {
      this.resolve('ok')
      return
    }
    const { statement, emit } = this.context
    const annotation = this.annotation(this.failed)
    if (annotation !== undefined) emit({ type: 'annotation', statement, at: new Date().toISOString(), annotation })
    emit({ type: 'error', statement, ...this.errorFields(this.failed) })
    this.resolve('error')
  }

  private async finishRest(): Promise<void> {
    if (this.incoming !== undefined) {
      this.incoming.store.stopped = true
      this.finishing.push(this.incoming.store.finish())
      this.progress(this.incoming)
    }
    for (const finished of this.finishing) await finished
  }

  private errorFields(words: ServerWords): Omit<Extract<RunEvent, { type: 'error' }>, 'type' | 'statement'> {
    const { text, range, lead = '' } = this.context
    const { message, sqlstate, detail, hint } = words
    // Counted from 1; in the lead there is nothing to point at.
    const position =
      words.position === undefined || words.position <= lead.length ? undefined : words.position - lead.length
    // DETAIL of a decision is its machine form, which the annotation event carries.
    const shown = isDecisionSqlstate(sqlstate) ? undefined : detail
    const at =
      position === undefined ? undefined : range.start + utf16Offset(text.slice(range.start, range.end), position)
    return {
      message,
      sqlstate,
      ...(shown === undefined ? {} : { detail: shown }),
      ...(hint === undefined ? {} : { hint }),
      ...(at === undefined ? {} : { position: at }),
    }
  }

  /** The session ended under the statement. Whether it ran is not known, so it is not sent again. */
  lost(problem: ProblemError): void {
    if (this.over) return
    this.over = true
    this.tellColumns()
    void this.finishRest().then(() => {
      const { statement, emit } = this.context
      const { failed } = this
      const annotation = failed === undefined ? undefined : this.annotation(failed)
      if (annotation !== undefined) emit({ type: 'annotation', statement, at: new Date().toISOString(), annotation })
      const words = failed === undefined ? { message: problem.message } : this.errorFields(failed)
      const ran = this.waits
        ? 'It was still held: unless it was approved in that very moment, it has not run.'
        : 'The statement may or may not have run.'
      const hint = `${ran} It was not sent again.`
      emit({ type: 'error', statement, hint, ...words, problem: problem.problem })
      this.resolve('lost')
    })
  }
}

/** Rows that a command tag counts: `UPDATE 3`, `INSERT 0 3`. */
function affected(tag: string): number {
  const count = /^(?:INSERT \d+|UPDATE|DELETE|MERGE|COPY|MOVE|FETCH|SELECT) (\d+)$/.exec(tag)?.[1]
  return count === undefined ? 0 : Number(count)
}
