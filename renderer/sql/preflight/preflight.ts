import { checkLimits, type SyntaxProblem } from '../../../shared/rpc/editor.ts'
import { bindParameters } from '../../../shared/sql/parameters.ts'
import type { Decided, Verdict } from './verdict.ts'

/** How many answers are kept. */
const mostAnswers = 500
/** Questions to the gateway at a time. */
const lanes = 2
const retryMs = 10_000

export interface PreflightPorts {
  /** PostgreSQL's parser, for each statement: null where it takes it. */
  check(statements: readonly string[], signal: AbortSignal): Promise<readonly (SyntaxProblem | null)[]>
  /** What the gateway would do. Rejects when it can't say. */
  explain(statement: string, signal: AbortSignal): Promise<Decided>
  /** Answers have changed. */
  onChange(): void
  now(): number
  /** Calls back once, after a while; returns how to call it off. */
  after(ms: number, run: () => void): () => void
}

export interface Preflight {
  /** What is known of a statement; undefined while nothing is. */
  verdict(statement: string): Verdict | undefined
  /** These statements are in the text now, the nearest to the reader first. Answers about others are not waited for. */
  want(statements: readonly string[]): void
  /** Policies, grants or tables have changed: every answer of the gateway is asked for again. */
  forget(): void
  dispose(): void
}

/**
 * Asks, in the background, what would happen to the statements of a text. Answers are kept by a statement's own text, so a late one is
 * never shown for another; those that were asked for before `forget` are dropped when they arrive. Nothing here is on the way of a key.
 */
export function createPreflight(ports: PreflightPorts): Preflight {
  const syntax = new Map<string, SyntaxProblem | null>()
  const decisions = new Map<string, Decided>()
  let wanted: readonly string[] = []
  let checking: AbortController | undefined
  let epoch = new AbortController()
  const asking = new Map<string, AbortController>()
  let silentUntil = 0
  let callOff = () => {}
  let disposed = false

  const pump = () => {
    if (disposed) return
    void checkNext()
    for (const statement of wanted) {
      if (asking.size >= lanes || ports.now() < silentUntil) return
      if (syntax.get(statement) !== null || decisions.has(statement) || asking.has(statement)) continue
      void ask(statement)
    }
  }

  async function checkNext(): Promise<void> {
    if (checking !== undefined) return
    const batch = wanted.filter((s) => !syntax.has(s) && s.length <= checkLimits.length)
    if (batch.length === 0) return
    const mine = new AbortController()
    checking = mine
    try {
      const answers = await ports.check(batch.map(sendable), mine.signal)
      for (const [i, statement] of batch.entries()) remember(syntax, statement, answers[i] ?? null)
      if (!mine.signal.aborted) ports.onChange()
    } catch (error) {
      if (!mine.signal.aborted) console.warn('Statements could not be checked.', error)
      return
    } finally {
      checking = undefined
    }
    pump()
  }

  async function ask(statement: string): Promise<void> {
    const mine = new AbortController()
    const asked = epoch
    asking.set(statement, mine)
    try {
      const decided = await ports.explain(sendable(statement), AbortSignal.any([mine.signal, asked.signal]))
      if (asked.signal.aborted) return
      remember(decisions, statement, decided)
      if (!mine.signal.aborted) ports.onChange()
    } catch (error) {
      if (mine.signal.aborted || asked.signal.aborted) return
      // The gateway or the target does not answer: it is left in peace for a while, then asked again.
      silentUntil = ports.now() + retryMs
      callOff()
      callOff = ports.after(retryMs, pump)
      console.warn('The gateway did not say what it would do.', error)
    } finally {
      if (asking.get(statement) === mine) asking.delete(statement)
      pump()
    }
  }

  return {
    verdict: (statement) => {
      const problem = syntax.get(statement)
      if (problem === undefined) return undefined
      return problem === null ? decisions.get(statement) : { kind: 'invalid', problem }
    },
    want: (statements) => {
      wanted = [...new Set(statements)]
      for (const [statement, abort] of asking) if (!wanted.includes(statement)) abort.abort()
      pump()
    },
    forget: () => {
      epoch.abort()
      epoch = new AbortController()
      asking.clear()
      decisions.clear()
      silentUntil = 0
      pump()
    },
    dispose: () => {
      disposed = true
      callOff()
      epoch.abort()
      checking?.abort()
    },
  }
}

/** Named parameters as the server will get them; positions stay. */
function sendable(statement: string): string {
  return bindParameters(statement).text
}

function remember<T>(answers: Map<string, T>, statement: string, answer: T): void {
  answers.set(statement, answer)
  for (const oldest of answers.keys()) {
    if (answers.size <= mostAnswers) return
    answers.delete(oldest)
  }
}
