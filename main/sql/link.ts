import type { Duplex } from 'node:stream'
import { isDecisionSqlstate, parseAnnotation } from '../../shared/annotation.ts'
import type { TransactionState } from '../../shared/rpc/editor.ts'
import type { CancelKey } from '../gateway/cancel.ts'
import { fail, messageOf, ProblemError, unreachableHint } from '../problem.ts'
import { type ServerMessage, type ServerWords, Wire } from './wire.ts'

const startupMs = 60_000

/** What a statement in progress hears: every message of the server up to `ready`, or the end of the session. */
export interface Listener {
  onMessage(message: ServerMessage): void
  onEnd(problem: ProblemError): void
}

/** One PostgreSQL session over a tunnel, ready for queries. Messages go to whoever listens. */
export class SqlLink {
  readonly wire: Wire
  /** Identifies the session in a CancelRequest. */
  key: CancelKey | undefined
  /** What the server calls its version. */
  version: string | undefined
  /** Set once the session is over. */
  over: ProblemError | undefined
  /** As the server told it last. */
  transaction: TransactionState = 'none'
  /** Hears of the end where no statement does. */
  onIdleEnd: ((problem: ProblemError) => void) | undefined
  private listener: Listener | undefined
  private lastWords: ServerWords | undefined

  private constructor(stream: Duplex) {
    this.wire = new Wire(
      stream,
      (message) => this.hear(message),
      (error) => this.end(error),
    )
  }

  /** Starts a session on an open tunnel. Rejects with a ProblemError. */
  static open(stream: Duplex, user: string, database: string): Promise<SqlLink> {
    const link = new SqlLink(stream)
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        reject(fail('target-unreachable', 'The database did not answer within 60 seconds.', { action: 'retry' }))
        link.wire.destroy()
      }, startupMs)
      const settle = (act: () => void): void => {
        clearTimeout(late)
        link.listener = undefined
        act()
      }
      link.listener = {
        onMessage(message) {
          if (message.type === 'ready') settle(() => resolve(link))
          else if (message.type === 'error') {
            settle(() => reject(startupProblem(message.words)))
            link.wire.destroy()
          } else if (message.type === 'auth-wanted') {
            settle(() => reject(fail('failed', 'The gateway asked for a password inside a tunnel; none was sent.')))
            link.wire.destroy()
          }
        },
        onEnd: (problem) => settle(() => reject(problem)),
      }
      link.wire.startup(user, database)
    })
  }

  listen(listener: Listener | undefined): void {
    this.listener = listener
  }

  /** Ends the session because its owner wants so: over at once, and nobody is told. */
  abandon(problem: ProblemError): void {
    this.onIdleEnd = undefined
    this.over ??= problem
    this.wire.destroy(problem)
  }

  private hear(message: ServerMessage): void {
    if (message.type === 'key') this.key = message
    if (message.type === 'parameter' && message.name === 'server_version') this.version = message.value
    if (message.type === 'ready') this.transaction = message.transaction
    // Between statements the server speaks only to say why it ends the session.
    if (message.type === 'error') this.lastWords = message.words
    this.listener?.onMessage(message)
  }

  private end(error: Error | undefined): void {
    this.over = endProblem(error, this.lastWords)
    if (this.listener === undefined) this.onIdleEnd?.(this.over)
    else this.listener.onEnd(this.over)
  }
}

function endProblem(error: Error | undefined, words: ServerWords | undefined): ProblemError {
  // A FATAL error is the reason; that the stream broke after it is not.
  if (words?.severity === 'FATAL' || (words !== undefined && isDecisionSqlstate(words.sqlstate))) {
    return fail('session-ended', words.message, {
      action: 'reconnect',
      ...(words.hint === undefined ? {} : { hint: words.hint }),
    })
  }
  if (error instanceof ProblemError) return error
  const why = error === undefined ? '' : `: ${messageOf(error)}`
  return fail('session-ended', `The database session ended${why}.`, {
    hint: 'Run again to open a new session. Nothing is sent again by itself.',
    action: 'reconnect',
  })
}

function startupProblem(words: ServerWords): ProblemError {
  const decision = isDecisionSqlstate(words.sqlstate)
  const annotation = decision && words.detail !== undefined ? parseAnnotation(words.detail) : undefined
  const hint = words.hint ?? (annotation?.kind === 'blocked' ? annotation.hint : undefined)
  const extras = hint === undefined ? {} : { hint }
  if (decision) return fail('forbidden', words.message, extras)
  const unreachable = words.sqlstate.startsWith('08') || words.sqlstate.startsWith('57P')
  if (!unreachable) return fail('failed', words.message, { action: 'retry', ...extras })
  return fail('target-unreachable', words.message, { action: 'retry', hint: hint ?? unreachableHint })
}
