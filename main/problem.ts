import type { Problem } from '../shared/rpc/contract.ts'

/** A failure that a person can act on, as an exception. */
export class ProblemError extends Error {
  readonly problem: Problem

  constructor(problem: Problem, cause?: unknown) {
    super(problem.message, cause === undefined ? undefined : { cause })
    this.name = 'ProblemError'
    this.problem = problem
  }
}

interface Extras {
  hint?: string
  action?: Problem['action']
  stepUp?: Problem['stepUp']
  cause?: unknown
}

/** Builds a ProblemError; `message` says what happened, `hint` what to do next. */
export function fail(code: Problem['code'], message: string, extras: Extras = {}): ProblemError {
  const { hint, action = 'none', stepUp, cause } = extras
  const more = { ...(hint === undefined ? {} : { hint }), ...(stepUp === undefined ? {} : { stepUp }) }
  return new ProblemError({ code, message, action, ...more }, cause)
}

/** The Problem in whatever was thrown; what is not one becomes `failed`, in its own words. */
export function toProblem(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem
  return { code: 'failed', message: messageOf(error), action: 'none' }
}

/** The words of an error, those of its deepest cause included: `fetch failed` alone helps nobody. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const own = error.message === '' ? (codeOf(error) ?? error.name) : error.message
  if (error instanceof AggregateError && error.errors.length > 0 && error.message === '')
    return messageOf(error.errors[0])
  return error.cause instanceof Error ? `${own}: ${messageOf(error.cause)}` : own
}

/** The system error code (`ECONNREFUSED`) of an error or of one of its causes. */
export function codeOf(error: unknown): string | undefined {
  for (let e = error; e instanceof Error; e = e.cause) {
    if ('code' in e && typeof e.code === 'string') return e.code
  }
  return undefined
}

/** What to do where a target does not answer. */
export const unreachableHint = 'Nothing was sent. Run it again once the target answers.'
