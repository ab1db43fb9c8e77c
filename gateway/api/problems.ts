import { ORPCError, ValidationError } from '@orpc/server'
import { type ProblemDocument, Refusal, StepUp } from '../../shared/api/problem.ts'
import { problem } from '../http.ts'
import type { Log } from '../services.ts'

/**
 * An error of a handler as the caller may see it. What a handler threw on purpose keeps its words; anything else becomes
 * `INTERNAL`, and its reason stays in the log.
 */
export function problemFor(error: unknown, log: Log, procedure = ''): ProblemDocument {
  if (error instanceof ORPCError) {
    if (error.code === 'BAD_REQUEST') return badRequest(error)
    if (error.defined || (error.status >= 400 && error.status < 500)) {
      const refusal = Refusal.safeParse(error.data)
      return {
        ...problem(error.status, error.code, error.message),
        ...(error.code === 'STEP_UP' ? { title: 'Sign in again', stepUp: StepUp.parse(error.data) } : {}),
        ...(refusal.success ? { refusal: refusal.data } : {}),
      }
    }
  }
  log.error({ err: error, procedure }, 'an API request failed')
  return problem(500, 'INTERNAL', 'The gateway could not do this. The reason is in its log.')
}

function badRequest(error: ORPCError<string, unknown>): ProblemDocument {
  const { cause } = error
  if (!(cause instanceof ValidationError))
    return problem(400, 'BAD_REQUEST', 'The request can’t be read: it is not valid JSON.')
  const errors = cause.issues.map((issue) => ({
    path: (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.'),
    message: issue.message,
  }))
  const words = errors.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ')
  return { ...problem(400, 'BAD_REQUEST', `The request is not complete or not valid. ${words}`), errors }
}
