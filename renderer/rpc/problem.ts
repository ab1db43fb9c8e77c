import { ORPCError } from '@orpc/client'
import type { Problem } from '../../shared/rpc/contract.ts'

/** A failure as a person can act on it, from whatever a call threw. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ORPCError) {
    if (isProblem(error.data)) return error.data
    const { code, message, data } = error
    const lack = code === 'STEP_UP' ? { stepUp: maxAge(data) } : {}
    return { code: codes[code] ?? 'failed', message, action: actions[code] ?? 'none', ...lack }
  }
  // How the RPC library ends what is in flight when its connection closes.
  if (error instanceof Error && error.name === 'AbortError') return linkBroke
  return { code: 'failed', message: error instanceof Error ? error.message : String(error), action: 'none' }
}

const linkBroke: Problem = {
  code: 'failed',
  message: 'The link to Sallyport on this computer broke before the answer came.',
  hint: 'What was sent may or may not have run.',
  action: 'none',
}

/** What happened, and what to do, in one line. */
export function problemLine({ message, hint }: Problem): string {
  return [message, hint].filter(Boolean).join(' ')
}

/** True for the error of a call or stream that was given up on purpose. */
export function isAbort(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted || (error instanceof DOMException && error.name === 'AbortError')
}

/** The gateway API's problem codes (shared/api/contract.ts). */
const codes: Partial<Record<string, Problem['code']>> = {
  NOT_SIGNED_IN: 'not-signed-in',
  STEP_UP: 'step-up',
  FORBIDDEN: 'forbidden',
  NOT_FOUND: 'not-found',
  CONFLICT: 'conflict',
  UNREACHABLE: 'target-unreachable',
  UNAVAILABLE: 'gateway-unreachable',
  BAD_REQUEST: 'bad-input',
}

const actions: Partial<Record<string, Problem['action']>> = {
  NOT_SIGNED_IN: 'sign-in',
  STEP_UP: 'step-up',
  UNREACHABLE: 'retry',
  UNAVAILABLE: 'retry',
}

/** Of the gateway's STEP_UP: how old the sign-in may be at most. */
function maxAge(data: unknown): { maxAgeSeconds?: number } {
  const is = typeof data === 'object' && data !== null && 'maxAgeSeconds' in data
  return is && typeof data.maxAgeSeconds === 'number' ? { maxAgeSeconds: data.maxAgeSeconds } : {}
}

function isProblem(data: unknown): data is Problem {
  return (
    typeof data === 'object' &&
    data !== null &&
    'code' in data &&
    'message' in data &&
    'action' in data &&
    typeof data.message === 'string'
  )
}
