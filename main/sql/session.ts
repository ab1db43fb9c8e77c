import type { Duplex } from 'node:stream'
import type { RunEvent, SessionEnd, Work } from '../../shared/rpc/contract.ts'
import { type ExplainMode, explainLead, type TransactionState } from '../../shared/rpc/editor.ts'
import { splitStatements } from '../../shared/sql/split.ts'
import { transactionRole } from '../../shared/sql/transaction.ts'
import type { CancelKey } from '../gateway/cancel.ts'
import { fail, ProblemError, toProblem } from '../problem.ts'
import { AsyncQueue } from '../queue.ts'
import { Broadcast } from '../watched.ts'
import { bind } from './bind.ts'
import { SqlLink } from './link.ts'
import { endedUnder, workUnder } from './loss.ts'
import { type OwnWords, queryRows, savepoint } from './query.ts'
import { type Ran, RunLog } from './ran.ts'
import { onlyReads } from './reads.ts'
import type { ResultStore } from './result.ts'
import { runStatement } from './statement.ts'

export interface SqlSessionOptions {
  /** Opens a tunnel to the connection. Called again for a new session when one was lost. */
  dial(signal?: AbortSignal): Promise<Duplex>
  /** Cancels what runs in the session that has this key. */
  cancel(key: CancelKey): Promise<void>
  user: string
  database: string
  newResult(): ResultStore
  /** What a type that the database defines itself is called, where that is known. */
  typeName?(oid: number): string | undefined
  /** A statement has ended, however it did. */
  onRan?(ran: Ran): void
}

export interface Run {
  text: string
  /** UTF-16 offsets: what of the text to run. */
  start: number
  end: number
  stopOnError: boolean
  /** `manual`: begins a transaction before a statement that has none, and leaves it open. */
  commit?: 'auto' | 'manual'
  /** For `:name` and `$1`; undefined sends the text as it is. */
  values?: Readonly<Record<string, string | null>> | undefined
  /**
   * Asks for plans instead of results. What runs to be measured is rolled back, and goes by the extended protocol, in which the server
   * takes one statement alone: nothing in the text can end the transaction around it.
   */
  explain?: ExplainMode | undefined
  /** A result in another order: what is open stays as it was, also where it fails. */
  again?: true | undefined
}

/**
 * A SQL tab's session. It dials on the first run, keeps its state (transaction, settings) from run to run, and says so when a lost one
 * had to be replaced. Statements go one at a time, and never twice.
 */
export class SqlSession {
  private readonly options: SqlSessionOptions
  private link: SqlLink | undefined
  private running: AbortController | undefined
  private closed = false
  private told: TransactionState = 'none'
  private toldReads = false
  /** We began the transaction, and nothing but reads has succeeded in it. */
  private reads = false
  private readonly idleEnds = new Broadcast<SessionEnd>()
  private readonly results = new Map<string, ResultStore>()

  constructor(options: SqlSessionOptions) {
    this.options = options
  }

  get busy(): boolean {
    return this.running !== undefined
  }

  /** Runs the statements in [start, end), as events. Throws `conflict` while a run is going on. Aborting or leaving cancels. */
  async *run(run: Run, signal?: AbortSignal): AsyncGenerator<RunEvent, void, void> {
    if (this.closed) throw fail('session-ended', 'This tab is closed.')
    if (this.running !== undefined) {
      throw fail('conflict', 'A run is going on in this tab.', { hint: 'Wait for it, or cancel it.' })
    }
    if (run.text.includes('\0')) throw fail('bad-input', 'The text holds a NUL character, which SQL can not.')
    const abort = new AbortController()
    this.running = abort
    const queue = new AsyncQueue<RunEvent>()
    let finished = false
    const log = new RunLog(
      (ran) => this.options.onRan?.(ran),
      () => Date.now(),
    )
    const emit = (event: RunEvent): void => {
      log.hear(event)
      push(queue, event)
    }
    const work = this.perform(run, abort.signal, emit).finally(() => {
      finished = true
      this.running = undefined
      queue.end()
    })
    try {
      yield* queue.until(signal)
      if (finished) await work
    } finally {
      if (!finished) await this.cancel()
    }
  }

  /** Each end of the session while nothing runs: killed, out of grant, its gateway gone. A run tells of its own. */
  ends(signal?: AbortSignal): AsyncGenerator<SessionEnd, void, void> {
    const ends = this.idleEnds.read(signal)
    if (this.closed) this.idleEnds.end()
    return ends
  }

  private endedIdle({ problem }: ProblemError): void {
    if (this.running !== undefined || !this.idleEnds.isRead) return
    const rolledBack = this.told !== 'none'
    this.told = 'none'
    this.toldReads = false
    this.reads = false
    this.idleEnds.emit({ problem, rolledBack })
  }

  private async perform(run: Run, signal: AbortSignal, emit: (event: RunEvent) => void): Promise<void> {
    const statements = splitStatements(run.text.slice(run.start, run.end))
    let ran = 0
    let work: Work = 'none'
    for (const [statement, relative] of statements.entries()) {
      if (signal.aborted) break
      const range = {
        start: relative.start + run.start,
        end: relative.end + run.start,
        after: relative.after + run.start,
      }
      emit({
        type: 'statement',
        statement,
        start: range.start,
        end: range.end,
        text: run.text.slice(range.start, range.end),
        ...(run.explain === undefined ? {} : { explain: run.explain }),
      })
      const link = await this.connect(signal, statement, emit)
      if (link === undefined) break
      const text = run.text.slice(range.start, range.end)
      work = workUnder(text, link.transaction, this.reads)
      const bound = bind(text, run.values) ?? (run.explain === 'measure' ? { text, values: [] } : undefined)
      const opens =
        run.explain === undefined &&
        run.commit === 'manual' &&
        link.transaction === 'none' &&
        transactionRole(text) === 'plain'
      if (opens && !(await this.attempt(link, 'BEGIN', statement, emit))) break
      if (opens) this.reads = true
      const shielded = run.explain === 'measure' || (run.again && link.transaction === 'open')
      const undo = shielded ? await this.shield(link, statement, emit) : []
      if (undo === undefined) break
      ran += 1
      // Asked before it is run, so that nothing comes between its end and what is made of it.
      const harmless = !this.reads || run.explain !== undefined || run.again || (await onlyReads(bound?.text ?? text))
      const newResult = (): ResultStore => this.keep(this.options.newResult())
      const outcome = await runStatement({
        link,
        statement,
        text: run.text,
        range,
        newResult,
        typeName: this.options.typeName,
        emit: (event) => {
          if (event.type === 'complete' && !harmless) this.reads = false
          emit(event)
        },
        lead: run.explain === undefined ? '' : explainLead[run.explain],
        ...(bound === undefined ? {} : { bound }),
        now: () => performance.now(),
      })
      if (!(await this.undo(link, undo, statement, emit))) break
      await this.settle(link, statement, emit)
      this.tellTransaction(emit)
      if (outcome === 'lost' || (outcome === 'error' && run.stopOnError)) break
    }
    if (this.link === undefined || this.link.over !== undefined) emit({ type: 'ended', work })
    const left = statements.length - ran
    emit({ type: 'done', ran, ...(left === 0 ? {} : { left }) })
  }

  /** The session to run on; undefined when none could be had, which has then been said. */
  private async connect(
    signal: AbortSignal,
    statement: number,
    emit: (event: RunEvent) => void,
  ): Promise<SqlLink | undefined> {
    const before = this.link
    if (before !== undefined && before.over === undefined) return before
    this.link = undefined
    try {
      const stream = await this.options.dial(signal)
      const link = await SqlLink.open(stream, this.options.user, this.options.database)
      if (before?.over !== undefined) {
        const message = `The earlier session is gone: ${before.over.message} This runs in a new one, without its settings, temporary tables or transaction.`
        emit({ type: 'notice', statement, severity: 'WARNING', message })
      }
      link.onIdleEnd = (problem) => this.endedIdle(problem)
      this.link = link
      if (link.version !== undefined) emit({ type: 'server', version: link.version })
      return link
    } catch (error) {
      const problem = signal.aborted
        ? fail('session-ended', 'Cancelled before it was sent. Nothing ran.').problem
        : toProblem(error)
      emit({
        type: 'error',
        statement,
        message: problem.message,
        problem,
        ...(problem.hint ? { hint: problem.hint } : {}),
      })
      return undefined
    }
  }

  /**
   * A failed transaction that we began, and in which nothing but reads succeeded, is rolled back at once: a typo or a block among reads
   * should not stand in the way of what comes next. Said, because a function in a SELECT may have done more.
   */
  private async settle(link: SqlLink, statement: number, emit: (event: RunEvent) => void): Promise<void> {
    if (link.over !== undefined || link.transaction === 'none') {
      this.reads = false
      return
    }
    if (link.transaction !== 'failed' || !this.reads) return
    if (!(await this.attempt(link, 'ROLLBACK', statement, emit))) return
    this.reads = false
    if (this.told === 'none') return
    const message =
      'The transaction had only read, and was rolled back after the error. The next statement begins another.'
    emit({ type: 'notice', statement, severity: 'NOTICE', message })
  }

  /** Makes sure that what runs leaves nothing behind: what takes it back, or undefined when that can't be had. */
  private async shield(
    link: SqlLink,
    statement: number,
    emit: (event: RunEvent) => void,
  ): Promise<readonly OwnWords[] | undefined> {
    const inside = link.transaction !== 'none'
    if (!(await this.attempt(link, inside ? savepoint.set : 'BEGIN', statement, emit))) return undefined
    return inside ? [savepoint.back, savepoint.drop] : ['ROLLBACK']
  }

  /** Takes back what was measured. Where that fails the session is ended, which takes back the rest with it. */
  private async undo(
    link: SqlLink,
    words: readonly OwnWords[],
    statement: number,
    emit: (event: RunEvent) => void,
  ): Promise<boolean> {
    for (const sql of words) {
      if (link.over !== undefined) return true
      if (await this.attempt(link, sql, statement, emit)) continue
      link.wire.destroy(
        fail('session-ended', 'The session was ended, because what was measured could not be taken back.'),
      )
      return false
    }
    return true
  }

  /** Runs a word of our own; says so when it failed. */
  private async attempt(
    link: SqlLink,
    sql: OwnWords,
    statement: number,
    emit: (event: RunEvent) => void,
  ): Promise<boolean> {
    try {
      await queryRows(link, sql)
      return true
    } catch (error) {
      const problem = toProblem(error)
      emit({ type: 'error', statement, message: `${sql} failed: ${problem.message}`, problem })
      return false
    }
  }

  private tellTransaction(emit: (event: RunEvent) => void): void {
    const state = this.transaction
    const onlyRead = state === 'open' && this.reads
    if (state === this.told && onlyRead === this.toldReads) return
    this.told = state
    this.toldReads = onlyRead
    emit({ type: 'transaction', state, ...(onlyRead ? { onlyRead } : {}) })
  }

  /** The session's transaction; a lost session has none. */
  get transaction(): TransactionState {
    return this.link === undefined || this.link.over !== undefined ? 'none' : this.link.transaction
  }

  /** Commits or rolls back. Rejects when the server refuses, or while a run goes on. */
  async endTransaction(how: 'commit' | 'rollback'): Promise<TransactionState> {
    const { link } = this
    if (this.running !== undefined)
      throw fail('conflict', 'A statement is running.', { hint: 'Wait for it, or cancel it.' })
    if (link !== undefined && link.over !== undefined && this.told !== 'none') {
      this.told = 'none'
      throw fail('session-ended', `The session is gone, and its transaction was rolled back: ${link.over.message}`)
    }
    if (link === undefined || this.transaction === 'none') return 'none'
    if (how === 'commit' && link.transaction === 'failed') {
      throw fail('conflict', 'The transaction has failed; nothing of it can be committed.', { hint: 'Roll it back.' })
    }
    this.running = new AbortController()
    try {
      await queryRows(link, how === 'commit' ? 'COMMIT' : 'ROLLBACK')
    } catch (error) {
      throw link.over === undefined ? error : endedUnder(how, link.over)
    } finally {
      this.running = undefined
      this.told = this.transaction
      this.toldReads = false
    }
    return this.told
  }

  /**
   * Ends the session, because what runs next needs one that begins anew. A transaction that only read, or that has failed, ends with it:
   * nothing of either could be kept.
   */
  renew(): void {
    const { link } = this
    if (this.running !== undefined)
      throw fail('conflict', 'A statement is running.', { hint: 'Wait for it, or cancel it.' })
    if (this.transaction === 'open' && !this.reads) {
      throw fail('conflict', 'A transaction is open, which would be lost.', {
        hint: 'Commit it or roll it back first.',
      })
    }
    link?.abandon(fail('session-ended', 'A sign-in with a second factor counts from the next session on.'))
  }

  private keep(result: ResultStore): ResultStore {
    this.results.set(result.id, result)
    return result
  }

  result(id: string): ResultStore | undefined {
    return this.results.get(id)
  }

  async release(id: string): Promise<void> {
    const result = this.results.get(id)
    this.results.delete(id)
    await result?.release()
  }

  /** Ends what runs now. No-op when nothing does. */
  async cancel(): Promise<void> {
    if (this.running === undefined) return
    this.running.abort()
    const { link } = this
    if (link === undefined || link.over !== undefined) return
    if (link.key === undefined) {
      link.wire.destroy(
        fail('session-ended', 'Cancelled by ending the session: the database gave no key to cancel with.'),
      )
      return
    }
    try {
      await this.options.cancel(link.key)
    } catch (error) {
      throw error instanceof ProblemError ? error : fail('failed', 'The cancel could not be sent.', { cause: error })
    }
  }

  async close(): Promise<void> {
    this.closed = true
    this.idleEnds.end()
    try {
      await this.cancel()
    } finally {
      this.link?.wire.end()
      this.link = undefined
    }
    await Promise.all([...this.results.keys()].map((id) => this.release(id)))
  }
}

/** Progress that nobody has read yet is replaced by newer progress; the first rows go with it. */
function push(queue: AsyncQueue<RunEvent>, event: RunEvent): void {
  const merged =
    event.type === 'progress' &&
    queue.mergeLast((last) =>
      last.type === 'progress' && last.result === event.result
        ? { ...event, ...(last.first === undefined ? {} : { first: last.first }) }
        : undefined,
    )
  if (!merged) queue.push(event)
}
