import { ORPCError } from '@orpc/client'
import { Problem } from '../../shared/rpc/problem.ts'
import { apiProblem } from '../gateway/client.ts'
import { ProblemError, toProblem } from '../problem.ts'

/** What a procedure threw, in words: ours, or those of the gateway's API. */
export function thrownProblem(error: unknown): Problem {
  const told = error instanceof ORPCError && error.code === 'PROBLEM' ? Problem.safeParse(error.data) : undefined
  if (told?.success) return told.data
  return error instanceof ORPCError ? apiProblem(error).problem : toProblem(error)
}

/** What a procedure threw, as the renderer gets it: a PROBLEM with words and what helps. */
export function rpcError(error: unknown): ORPCError<string, unknown> {
  if (error instanceof ORPCError && error.code === 'PROBLEM') return error
  const problem = thrownProblem(error)
  return new ORPCError('PROBLEM', { status: 500, message: problem.message, data: problem })
}

const codes: Readonly<Record<Problem['code'], { code: string; status: number }>> = {
  'not-signed-in': { code: 'NOT_SIGNED_IN', status: 401 },
  'step-up': { code: 'STEP_UP', status: 401 },
  'gateway-unreachable': { code: 'UNAVAILABLE', status: 503 },
  'target-unreachable': { code: 'UNREACHABLE', status: 502 },
  forbidden: { code: 'FORBIDDEN', status: 403 },
  'not-found': { code: 'NOT_FOUND', status: 404 },
  conflict: { code: 'CONFLICT', status: 409 },
  'session-ended': { code: 'UNAVAILABLE', status: 503 },
  'sign-in-failed': { code: 'NOT_SIGNED_IN', status: 401 },
  'bad-input': { code: 'BAD_REQUEST', status: 400 },
  failed: { code: 'INTERNAL', status: 500 },
}

/** What a forwarded call of the gateway API threw: the gateway's own error, or our problem under one of its codes. */
export function forwardedError(error: unknown): unknown {
  if (!(error instanceof ProblemError)) return error
  const { code, status } = codes[error.problem.code]
  const { message, stepUp } = error.problem
  return new ORPCError(code, { status, message, data: stepUp })
}

/** An event iterator whose errors reach the renderer in words. */
export async function* told<T>(events: AsyncIterable<T>): AsyncGenerator<T, void, void> {
  try {
    yield* events
  } catch (error) {
    throw rpcError(error)
  }
}
